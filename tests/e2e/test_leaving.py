"""Clients that leave, at every stage of an exchange; and clients that only have nothing more to
say, who must get what they asked for."""

import select
import socket
import time

import pytest

from conftest import RAW_HOST
from support.frames import upgrade_request
from support.gateway import Config, Variant
from support.ports import free_port
from support.serving import Serving, read_request
from support.streams import connect
from support.upstreams import count_dials, full_server
from support.waiting import DEADLINE, wait_until

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STREAM = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
          b"\r\n9\r\ndata: 1\n\n\r\n")
PAUSE_SECONDS = 0.2  # more than any time that the gateway gives somebody to turn out to be gone
LEAVINGS = ["close", "finish_and_close", "cut_and_close", "reset"]
leavings = pytest.mark.parametrize("leaving", LEAVINGS)
secure_or_not = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


def leave(client, leaving):
    """With FIN, over TLS behind a close_notify or without it; or with RST."""
    if leaving == "reset":
        client.reset()
        return
    if leaving == "finish_and_close":
        client.finish()
    elif leaving == "cut_and_close":
        client.cut()
    client.socket.close()


def get(target="/", version="1.1", more=""):
    return f"GET {target} HTTP/{version}\r\nHost: {RAW_HOST}\r\n{more}\r\n".encode()


def asked(client, upstream, request=None):
    """The server's stream, where the client's request has come."""
    client.send(request or get())
    stream = upstream.accept()
    stream.read_head()
    return stream


def pause(client):
    """The client waits, and is not told that anything has ended."""
    until = time.monotonic() + PAUSE_SECONDS
    while (left := until - time.monotonic()) > 0:
        if select.select([client.socket], [], [], left)[0]:
            assert client.fill(), "the gateway has given up"


# Gone.

@leavings
def test_who_leaves_before_the_response_is_noticed_at_the_server(client, upstream, log, leaving):
    stream = asked(client, upstream)
    leave(client, leaving)
    assert stream.read_ending()[0] == b""
    log.wait("request", "by=client", "end=client-")


@leavings
def test_who_leaves_after_an_upload_is_noticed_at_the_server(client, upstream, log, leaving):
    stream = asked(client, upstream, f"POST / HTTP/1.1\r\nHost: {RAW_HOST}\r\n"
                   "Content-Length: 5\r\n\r\nhello".encode())
    assert stream.read_exactly(5) == b"hello"
    leave(client, leaving)
    assert stream.read_ending()[0] == b""
    log.wait("request", "by=client", "end=client-")


@leavings
def test_who_leaves_a_silent_stream_of_events_is_noticed(client, upstream, log, leaving):
    stream = asked(client, upstream)
    stream.send(STREAM)
    client.read_until(b"data: 1\n\n\r\n")
    leave(client, leaving)
    assert stream.read_ending()[0] == b""
    log.wait("request", "status=200", "by=client", "end=client-")


@leavings
def test_who_leaves_a_stream_of_events_unread_is_noticed(client, upstream, log, leaving):
    """What lies unread at a client that closes makes its FIN a reset."""
    stream = asked(client, upstream)
    stream.send(STREAM)
    assert client.wait_readable(DEADLINE)
    leave(client, leaving)
    assert stream.read_ending()[0] == b""
    log.wait("request", "status=200", "by=client", "end=client-")


@leavings
def test_who_leaves_with_the_next_request_sent_is_noticed(client, upstream, log, leaving):
    """The next one may be served or not; the first one's server learns that nobody waits."""
    stream = asked(client, upstream, get("/1") + get("/2"))
    leave(client, leaving)
    assert stream.read_ending()[0] == b""
    log.wait("request", "/1", "by=client", "end=client-")


@leavings
def test_who_leaves_before_a_handshake_is_answered_is_noticed(client, upstream, log, leaving):
    stream = asked(client, upstream, upgrade_request("/ws", RAW_HOST))
    leave(client, leaving)
    assert stream.read_ending()[0] == b""
    log.wait("/ws", "by=client")


def test_many_who_leave_leave_nothing_behind(gateway, upstream):
    """The fixtures see to it that every descriptor is given back."""
    upstream.listener.listen(64)
    for leaving in LEAVINGS * 4:
        for secure in (False, True):
            client = connect(gateway.https_port if secure else gateway.http_port, secure)
            stream = asked(client, upstream)
            leave(client, leaving)
            stream.read_ending()


@pytest.fixture
def full_port():
    with full_server() as port:
        yield port


def put(target, more, body):
    """Of the methods that may be sent again, the one that has a body."""
    return f"PUT {target} HTTP/1.1\r\nHost: {RAW_HOST}\r\n{more}\r\n\r\n{body}".encode()


WHOLE_REQUESTS = {
    "get": get("/1"),
    "length": put("/1", "Content-Length: 5", "hello"),
    "chunked": put("/1", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
    "pipelined": get("/1") + get("/2"),
    "pipelined-length": put("/1", "Content-Length: 5", "hello") + get("/2"),
}
whole_requests = pytest.mark.parametrize("request_name", WHOLE_REQUESTS)


@whole_requests
@secure_or_not
@leavings
def test_who_leaves_while_a_server_is_dialled_is_forgotten(start_gateway, full_port, log_of,
                                                           leaving, secure, request_name):
    gateway = start_gateway(Config({"full": full_port}, [{"pool": "full"}],
                                   timeouts={"connect": "10m"}), Variant(1))
    log = log_of(gateway)
    client = connect(gateway.https_port if secure else gateway.http_port, secure)
    dials = count_dials(full_port)
    client.send(WHOLE_REQUESTS[request_name])
    wait_until(lambda: count_dials(full_port) > dials, "the gateway to dial")
    leave(client, leaving)
    log.wait("request", "/1", "by=client", "end=client-")
    gateway.wait_for_descriptors()


@whole_requests
@secure_or_not
@leavings
def test_who_leaves_while_the_next_server_is_dialled_is_forgotten(start_gateway, upstream, raw_port,
                                                                  full_port, log_of, leaving,
                                                                  secure, request_name):
    """The first server has got the request, and closes without an answer."""
    gateway = start_gateway(Config({"app": [raw_port, full_port]}, [{"pool": "app"}],
                                   timeouts={"connect": "10m"}), Variant(1))
    log = log_of(gateway)
    client = connect(gateway.https_port if secure else gateway.http_port, secure)
    dials = count_dials(full_port)
    client.send(WHOLE_REQUESTS[request_name])
    stream = upstream.accept()
    read_request(stream)
    stream.close()
    wait_until(lambda: count_dials(full_port) > dials, "the gateway to dial once more")
    leave(client, leaving)
    assert "resends=1" in log.wait("request", "/1", "by=client", "end=client-")
    gateway.wait_for_descriptors()


@secure_or_not
def test_who_has_nothing_more_to_say_waits_for_the_next_server(start_gateway, upstream, raw_port,
                                                               full_port, secure):
    gateway = start_gateway(Config({"app": [raw_port, full_port]}, [{"pool": "app"}],
                                   timeouts={"connect": "300ms"}), Variant(1))
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        client.send(get())
        stream = upstream.accept()
        read_request(stream)
        stream.close()
        client.finish()
        assert client.read_response()[0].status == 504
        assert client.read_ending() == (b"", "end")


@leavings
def test_who_leaves_during_a_servers_handshake_is_noticed(start_gateway, upstream, raw_port,
                                                          leaving):
    pool = {"servers": raw_port, "tls": {"verify": False}}
    gateway = start_gateway(Config({"raw": pool}, [{"pool": "raw"}],
                                   timeouts={"connect": "10m"}), Variant(1))
    client = connect(gateway.http_port)
    client.send(get())
    stream = upstream.accept()
    assert stream.read_exactly(2) == b"\x16\x03"
    leave(client, leaving)
    stream.read_ending()
    gateway.wait_for_descriptors()


# Only done with asking.

versions = pytest.mark.parametrize("version", ["1.1", "1.0"])


@versions
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_has_nothing_more_to_say_gets_a_slow_response_whole(client, upstream, version, method):
    body = "hello" if method == "POST" else ""
    client.send(f"{method} / HTTP/{version}\r\nHost: {RAW_HOST}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    client.finish()
    stream = upstream.accept()
    stream.read_head()
    assert stream.read_exactly(len(body)) == body.encode()
    pause(client)
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    head = client.read_head()
    assert head.status == 200
    for _ in range(3):
        pause(client)
        stream.send(b"abc")
        assert client.read_exactly(3) == b"abc"
    assert client.read_ending() == (b"", "end")


@versions
def test_who_has_nothing_more_to_say_gets_a_large_response_whole(client, upstream, version):
    size = 4_000_000
    client.send(get(version=version))
    client.finish()
    stream = upstream.accept()
    stream.read_head()
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
    head, body = client.read_response()
    assert (head.status, len(body)) == (200, size)
    assert client.read_ending() == (b"", "end")


@versions
def test_who_has_nothing_more_to_say_gets_a_stream_of_events(client, upstream, version):
    client.send(get(version=version))
    client.finish()
    stream = upstream.accept()
    stream.read_head()
    stream.send(STREAM)
    assert client.read_head().status == 200
    client.read_until(b"data: 1\n\n")
    if version == "1.1":
        assert client.read_exactly(2) == b"\r\n"
    pause(client)
    stream.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    assert b"data: 2\n\n" in client.read_to_end()


def test_who_has_nothing_more_to_say_gets_a_refusal(client):
    client.send(b"GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
    client.finish()
    assert client.read_response()[0].status == 404
    assert client.read_ending() == (b"", "end")


@pytest.mark.parametrize("count", [2, 3, 20])
def test_all_that_was_asked_before_the_end_is_answered(client, upstream, count):
    client.send(b"".join(get(f"/{number}") for number in range(count)))
    client.finish()
    server = Serving(upstream)
    for number in range(count):
        request = server.read_request()
        assert request.target == f"/{number}"
        server.answer(request)
    for number in range(count):
        head, body = client.read_response()
        assert (head.status, body) == (200, b"/%d" % number)
    assert client.read_ending() == (b"", "end")


def test_slow_answers_to_all_that_was_asked_before_the_end(client, upstream):
    client.send(b"".join(get(f"/{number}") for number in range(3)))
    client.finish()
    server = Serving(upstream)
    for number in range(3):
        request = server.read_request()
        pause(client)
        server.answer(request)
        head, body = client.read_response()
        assert (head.status, body) == (200, b"/%d" % number)
    assert client.read_ending() == (b"", "end")


def test_slow_bodies_of_all_that_was_asked_before_the_end(client, upstream):
    """Each response begins at once, and then takes its time."""
    client.send(b"".join(get(f"/{number}") for number in range(3)))
    client.finish()
    server = Serving(upstream)
    for _ in range(3):
        request = server.read_request()
        request.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        assert client.read_head().status == 200
        assert client.read_exactly(2) == b"ab"
        pause(client)
        request.stream.send(b"cd")
        assert client.read_exactly(2) == b"cd"
    assert client.read_ending() == (b"", "end")


@secure_or_not
def test_who_has_nothing_more_to_say_waits_for_a_slow_dial(start_gateway, secure):
    """The server's handshake never comes to an end."""
    silent = free_port()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", silent))
        listener.listen()
        pool = {"servers": silent, "tls": {"verify": False}}
        gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}],
                                       timeouts={"connect": "300ms"}), Variant(1))
        with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
            client.send(get())
            client.finish()
            assert client.read_response()[0].status == 504
            assert client.read_ending() == (b"", "end")
