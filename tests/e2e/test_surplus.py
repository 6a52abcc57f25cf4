"""More than an answer says is nobody's: neither the next request's, nor the next client's."""

import pytest

from support.gateway import Config
from support.keeping import (FINE, ends, exchange, expect_new_connection, get, read_open, serve)
from support.streams import connect

WITHOUT_BODY = {
    "head-with-length": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "head-chunked": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "head-of-nothing": ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n"),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "304-with-length": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"),
    "304-chunked": ("GET", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "empty": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("name", WITHOUT_BODY)
def test_a_response_without_a_body_does_not_eat_the_next(client, upstream, server, name):
    method, response = WITHOUT_BODY[name]
    client.send(get("/1").replace(b"GET", method.encode()) + get("/2"))
    serve(server, response)
    status, body = read_open(client, method)
    assert (status, body) == (int(response.split(b" ")[1]), b"")
    serve(server)
    assert read_open(client) == (200, b"/2")
    # Some servers send the body of which they speak after all: that connection waits a moment.
    assert len(upstream.streams) == (1 if name in ("204", "empty") else 2)


SURPLUS = {
    "more-body": b"XX",
    "second-response": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "crlf": b"\r\n",
}
COMPLETE = {**WITHOUT_BODY,
            "length": ("GET", FINE),
            "chunked": ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"2\r\nok\r\n0\r\n\r\n"),
            "chunked-with-trailers": ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                             b"2\r\nok\r\n0\r\nX-A: b\r\n\r\n")}


@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("name", COMPLETE)
def test_what_comes_behind_a_complete_answer_is_nobodys(client, server, name, surplus):
    """In one write: the answer passes, the rest is dropped, and that connection is done with."""
    method, response = COMPLETE[name]
    client.send(get("/1").replace(b"GET", method.encode()) + get("/2"))
    request = serve(server, response + SURPLUS[surplus])
    status, body = read_open(client, method)
    assert status == int(response.split(b" ")[1])
    assert body == (b"ok" if b"ok" in response else b"")
    assert ends(request.stream)
    server.open.remove(request.stream)
    second = serve(server)
    assert second.stream is not request.stream and second.target == "/2"
    assert read_open(client) == (200, b"/2")


def test_a_server_that_says_too_much_is_named_in_the_log(start_gateway, raw_port, server, log_of):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        client.send(get("/1"))
        serve(server, FINE + b"XX")
        assert read_open(client) == (200, b"ok")
        line = log.wait("surplus", "bytes=2", f"upstream=127.0.0.1:{raw_port}")
        assert " warning " in line and "GET raw.test /1" in line


@pytest.mark.parametrize("name", [name for name in WITHOUT_BODY if name != "empty"])
def test_a_body_that_comes_late_behind_an_answer_without_one_is_nobodys(client, server, name):
    """As some servers send it with an answer to HEAD: in a write of its own. Either it comes while
    the connection is kept, or it is the answer to the next request, which has come already: that
    one is asked elsewhere."""
    method, response = WITHOUT_BODY[name]
    client.send(get("/1").replace(b"GET", method.encode()))
    request = serve(server, response)
    read_open(client, method)
    request.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    client.send(get("/2"))
    while (second := server.read_request()).stream is request.stream:
        server.open.remove(request.stream)
    server.answer(second)
    assert read_open(client) == (200, b"/2")


@pytest.mark.parametrize("name", SURPLUS)
def test_what_comes_on_a_kept_connection_unasked_ends_it(client, server, name):
    used = exchange(client, server)
    used.send(SURPLUS[name])
    assert ends(used)
    server.open.remove(used)
    expect_new_connection(client, server, used)
