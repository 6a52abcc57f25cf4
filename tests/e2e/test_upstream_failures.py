"""Upstreams that refuse, hang, lie or die: the client gets the honest status or sees that the body
was cut, and the log names the cause."""

import pytest

from conftest import DOWN_HOST, RAW_HOST, every_variant
from support.gateway import Config, Variant
from support.ports import free_port
from support.serving import Serving
from support.streams import connect
from support.upstreams import full_server

GET = f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\n\r\n".encode()
CURL_PARTIAL_FILE = 18
CURL_RECEIVE_ERROR = 56


def expect_status(client, status):
    head, body = client.read_response()
    assert head.status == status
    assert head.get("Connection") is None, "a request without a body leaves nothing behind"
    assert str(status).encode() in body


def test_an_upstream_that_refuses_is_502(client, log):
    client.send(f"GET /x HTTP/1.1\r\nHost: {DOWN_HOST}\r\n\r\n".encode())
    expect_status(client, 502)
    line = log.wait("status=502", "/x")
    assert "upstream-unreachable" in line and "refused" in line and "down" in line


def test_the_next_server_is_tried_when_one_refuses(start_gateway, echo):
    gateway = start_gateway(Config({"app": [free_port(), echo.port]}, [{"pool": "app"}]))
    for _ in range(4):
        with connect(gateway.http_port) as client:
            client.send(b"GET /bytes?n=3 HTTP/1.1\r\nHost: x.test\r\n\r\n")
            assert client.read_head().status == 200


def test_an_upstream_that_does_not_accept_in_time_is_504(start_gateway, log_of):
    with full_server() as port:
        gateway = start_gateway(Config({"full": port}, [{"pool": "full"}],
                                       timeouts={"connect": "300ms"}))
        log = log_of(gateway)
        with connect(gateway.http_port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
            expect_status(client, 504)
        assert "connect-timeout" in log.wait("status=504")
        gateway.wait_for_descriptors()


@pytest.mark.parametrize("body", [b"", b"hello"], ids=["get", "post"])
def test_the_next_server_is_tried_when_one_does_not_accept_in_time(start_gateway, upstream,
                                                                   raw_port, body):
    """The servers take turns, so that one of two requests meets the full one first."""
    method = "POST" if body else "GET"
    with full_server() as port:
        gateway = start_gateway(Config({"app": [port, raw_port]}, [{"pool": "app"}],
                                       timeouts={"connect": "200ms"}), Variant(1))
        server = Serving(upstream)
        with connect(gateway.http_port) as client:
            for _ in range(2):
                client.send(f"{method} /x HTTP/1.1\r\nHost: x.test\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                request = server.read_request()
                assert request.seen.body == body.decode()
                server.answer(request)
                head, answer = client.read_response()
                assert (head.status, answer) == (200, b"/x")


@pytest.mark.parametrize("path", ["/misbehave/hang", "/misbehave/slow-head?interval_ms=50"])
def test_an_upstream_that_does_not_answer_in_time_is_504(start_gateway, echo, log_of, path):
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                                   timeouts={"upstream_response": "300ms"}))
    log = log_of(gateway)
    with connect(gateway.https_port, tls=True) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())
        expect_status(client, 504)
    assert "response-timeout" in log.wait("status=504")
    gateway.wait_for_descriptors()


GARBAGE = {
    "no-http": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "http-0.9": b"<html>hello</html>",
    "bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bad-status": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "status-of-four-digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "http-2": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "length-and-chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "space-before-colon": b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 2\r\n\r\nok",
    "nul-in-value": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "endless-head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 8000,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_an_answer_that_is_no_http_is_502(client, upstream, log, name):
    client.send(GET)
    server = upstream.accept()
    server.read_head()
    try:
        server.send(GARBAGE[name])
        server.finish()
    except OSError:
        pass  # it was refused before all of it was sent
    expect_status(client, 502)
    line = log.wait("status=502")
    assert "by=upstream" in line and ("bad-response" in line or "upstream-left" in line)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-"], ids=["nothing", "half"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_upstream_that_leaves_without_an_answer_is_502(client, upstream, log, sent, reset):
    client.send(GET)
    server = upstream.accept()
    server.read_head()
    server.send(sent)
    if reset:
        server.reset()
    else:
        server.close()
    expect_status(client, 502)
    assert ("upstream-reset" if reset else "upstream-left") in log.wait("status=502")


CUT_BODIES = {
    "length": b"Content-Length: 100\r\n\r\nonly this",
    "chunk": b"Transfer-Encoding: chunked\r\n\r\n64\r\nonly this",
    "no-last-chunk": b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    "bad-chunk": b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\n",
}


@every_variant
@pytest.mark.parametrize("name", CUT_BODIES)
def test_a_body_that_is_cut_is_seen_as_cut(client, upstream, log, name):
    client.send(GET)
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\n" + CUT_BODIES[name])
    head = client.read_head()
    assert head.status == 200
    server.close()
    if head.get("Content-Length"):
        body, _ = client.read_ending()
        assert len(body) < int(head.get("Content-Length"))
    elif head.get("Transfer-Encoding") == "chunked":
        body, _ = client.read_ending()
        assert not body.endswith(b"0\r\n\r\n")
    else:
        body, ending = client.read_ending()
        assert ending != "end"
    assert b"only this" in body
    line = log.wait("status=200", "by=upstream")
    assert "end=upstream-left" in line or "end=bad-response" in line


def test_a_cut_body_without_a_length_is_not_taken_for_whole(client, upstream, log):
    """A body until close ends like TCP ends: only a reset tells."""
    client.send(GET)
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\n\r\nonly this")
    head = client.read_head()
    first = b"only this" if head.get("Transfer-Encoding") is None else b"9\r\nonly this\r\n"
    assert client.read_exactly(len(first)) == first
    server.reset()
    rest, ending = client.read_ending()
    if head.get("Transfer-Encoding") is None:
        assert ending in ("truncated", "reset")
    else:
        assert not rest.endswith(b"0\r\n\r\n")
    assert "end=upstream-reset" in log.wait("status=200", "by=upstream")


@pytest.mark.parametrize("path", ["/misbehave/cut?n=50000", "/misbehave/reset?n=50000"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_curl_reports_a_body_that_is_cut(gateway, curl, log, path, scheme):
    port = gateway.http_port if scheme == "http" else gateway.https_port
    done = curl(f"{scheme}://127.0.0.1:{port}{path}", code=None)
    assert done.returncode in (CURL_PARTIAL_FILE, CURL_RECEIVE_ERROR), done.stderr
    assert len(done.stdout) <= 50_000
    assert "by=upstream" in log.wait("request", path)


def test_a_client_that_leaves_while_the_upstream_is_silent_ends_it(client, upstream, log):
    client.send(GET)
    server = upstream.accept()
    server.read_head()
    client.reset()
    server.read_ending()
    log.wait("request", "by=client")


def test_a_client_that_leaves_in_mid_response_ends_it(client, upstream, log):
    client.send(GET)
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert client.read_head().status == 200
    client.reset()
    chunk = b"4000\r\n" + bytes(0x4000) + b"\r\n"
    with pytest.raises(OSError):
        while True:
            server.send(chunk)
    log.wait("request", "status=200", "by=client")


def test_a_client_that_leaves_in_mid_upload_is_not_taken_for_done(client, upstream, log):
    client.send(f"POST / HTTP/1.1\r\nHost: {RAW_HOST}\r\nContent-Length: 100\r\n\r\nhalf".encode())
    server = upstream.accept()
    server.read_head()
    assert server.read_exactly(4) == b"half"
    client.close()
    rest, _ = server.read_ending()
    assert rest == b""
    log.wait("request", "by=client")
