"""Requests and answers behind which both connections stay open, and what shows that one does not."""

from support.gateway import RAW_HOST

HOST_LINE = f"Host: {RAW_HOST}"
HOST = f"{HOST_LINE}\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def get(target="/", fields="", version="1.1", host=RAW_HOST):
    return f"GET {target} HTTP/{version}\r\nHost: {host}\r\n{fields}\r\n".encode()


def read_open(client, method="GET"):
    """An answer behind which the connection stays open: its status and its body."""
    head = client.read_head()
    assert head.get("Connection") is None
    no_body = method == "HEAD" or head.status in (204, 304)
    return head.status, b"" if no_body else client.read_body(head)


def serve(server, response=None):
    """Takes one request, and answers it."""
    request = server.read_request()
    server.answer(request, response)
    return request


def exchange(client, server, target="/", response=FINE):
    client.send(get(target))
    request = serve(server, response)
    assert request.target == target
    assert read_open(client) == (200, b"ok")
    return request.stream


def expect_new_connection(client, server, used):
    """The next request comes on another one, and is answered there."""
    assert exchange(client, server, "/next") is not used


def ends(stream):
    """The gateway closes this connection, with nothing more sent on it."""
    rest, _ = stream.read_ending()
    return rest == b""
