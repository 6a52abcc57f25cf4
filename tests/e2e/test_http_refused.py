"""Requests that are refused: with the right status, before any upstream hears of them."""

import pytest

from conftest import RAW_HOST
from support.gateway import Config
from support.streams import connect
from support.waiting import wait_until

GET = "GET / HTTP/1.1\r\n"
POST = "POST / HTTP/1.1\r\n"
HOST = f"Host: {RAW_HOST}\r\n"
LENGTH = "Content-Length: 5\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

# name: (request, status)
REFUSED = {
    "bare-lf-in-request-line": (f"GET / HTTP/1.1\n{HOST}\r\n", 400),
    "bare-lf-after-field": (f"{GET}Host: {RAW_HOST}\n\r\n", 400),
    "bare-lf-ends-head": (f"{GET}{HOST}\n", 400),
    "bare-cr-in-value": (f"{GET}{HOST}X: a\rb\r\n\r\n", 400),
    "folded-field": (f"{GET}{HOST}X: a\r\n b\r\n\r\n", 400),
    "space-before-first-field": (f"{GET} X: a\r\n{HOST}\r\n", 400),
    "space-before-colon": (f"{GET}{HOST}X : a\r\n\r\n", 400),
    "no-colon": (f"{GET}{HOST}nonsense\r\n\r\n", 400),
    "empty-name": (f"{GET}{HOST}: a\r\n\r\n", 400),
    "bad-name": (f"{GET}{HOST}X(y): a\r\n\r\n", 400),
    "name-beyond-ascii": (f"{GET}{HOST}X\u00e4: a\r\n\r\n", 400),
    "nul-in-value": (f"{GET}{HOST}X: a\0b\r\n\r\n", 400),
    "escape-in-value": (f"{GET}{HOST}X: a\x1bb\r\n\r\n", 400),
    "control-in-target": (f"GET /\x01 HTTP/1.1\r\n{HOST}\r\n", 400),
    "two-lengths": (f"{POST}{HOST}{LENGTH}Content-Length: 6\r\n\r\nhello", 400),
    "list-of-lengths": (f"{POST}{HOST}Content-Length: 5, 6\r\n\r\nhello", 400),
    "signed-length": (f"{POST}{HOST}Content-Length: +5\r\n\r\nhello", 400),
    "negative-length": (f"{POST}{HOST}Content-Length: -5\r\n\r\nhello", 400),
    "hexadecimal-length": (f"{POST}{HOST}Content-Length: 0x5\r\n\r\nhello", 400),
    "empty-length": (f"{POST}{HOST}Content-Length:\r\n\r\nhello", 400),
    "huge-length": (f"{POST}{HOST}Content-Length: 99999999999999999999\r\n\r\n", 400),
    "length-and-chunked": (f"{POST}{HOST}{LENGTH}{CHUNKED}\r\n0\r\n\r\n", 400),
    "chunked-and-length": (f"{POST}{HOST}{CHUNKED}{LENGTH}\r\n0\r\n\r\n", 400),
    "chunked-twice": (f"{POST}{HOST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked-not-last": (f"{POST}{HOST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "chunked-in-1.0": (f"POST / HTTP/1.0\r\n{HOST}{CHUNKED}\r\n0\r\n\r\n", 400),
    "quoted-chunked": (f"{POST}{HOST}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400),
    "other-coding": (f"{POST}{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "no-host": (f"{GET}\r\n", 400),
    "two-hosts": (f"{GET}{HOST}{HOST}\r\n", 400),
    "bad-host": (f"{GET}Host: a b\r\n\r\n", 400),
    "host-with-path": (f"{GET}Host: {RAW_HOST}/x\r\n\r\n", 400),
    "host-with-user": (f"{GET}Host: me@{RAW_HOST}\r\n\r\n", 400),
    "http-2.0": (f"GET / HTTP/2.0\r\n{HOST}\r\n", 505),
    "http-1.2": (f"GET / HTTP/1.2\r\n{HOST}\r\n", 505),
    "http-0.9": ("GET /\r\n\r\n", 400),
    "lower-case-version": (f"GET / http/1.1\r\n{HOST}\r\n", 400),
    "no-target": (f"GET HTTP/1.1\r\n{HOST}\r\n", 400),
    "relative-target": (f"GET path HTTP/1.1\r\n{HOST}\r\n", 400),
    "two-spaces": (f"GET  / HTTP/1.1\r\n{HOST}\r\n", 400),
    "fragment": (f"GET /a#b HTTP/1.1\r\n{HOST}\r\n", 400),
    "bad-method": (f"G(T / HTTP/1.1\r\n{HOST}\r\n", 400),
    "other-scheme": (f"GET ftp://{RAW_HOST}/ HTTP/1.1\r\n{HOST}\r\n", 400),
    "star-for-get": (f"GET * HTTP/1.1\r\n{HOST}\r\n", 400),
    "bad-escape": (f"GET /%zz HTTP/1.1\r\n{HOST}\r\n", 400),
    "long-target": (f"GET /{'x' * 9000} HTTP/1.1\r\n{HOST}\r\n", 414),
    "no-http-at-all": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "preface-of-http-2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
}


def read_refusal(client, closes=True):
    head, body = client.read_response()
    assert head.get("Connection") == ("close" if closes else None)
    assert head.get("Content-Type").startswith("text/plain")
    assert str(head.status) in body.decode(), "the body says what happened"
    if closes:
        assert client.read_to_end() == b""
    return head.status


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_could_be_misread_is_refused(client, upstream, log, name):
    request, status = REFUSED[name]
    client.send(request.encode("latin-1"))
    assert read_refusal(client) == status
    assert upstream.saw_nothing()
    line = log.wait(f"status={status}", f"127.0.0.1:{client.local_port}")
    assert "bad-request" in line and "cause=" in line


def test_connect_is_refused(client, upstream):
    client.send(f"CONNECT {RAW_HOST}:443 HTTP/1.1\r\nHost: {RAW_HOST}:443\r\n\r\n".encode())
    assert read_refusal(client) in (400, 405, 501)
    assert upstream.saw_nothing()


def test_a_head_that_is_too_large_is_refused_and_its_largest_field_named(client, upstream, log):
    client.send(f"{GET}{HOST}X-Small: 1\r\nX-Overlong: {'x' * 40_000}\r\n\r\n".encode())
    assert read_refusal(client) == 431
    assert upstream.saw_nothing()
    assert "X-Overlong" in log.wait("status=431")


def test_a_head_that_never_ends_is_refused(client, upstream):
    client.send((GET + HOST).encode() + b"X-Many: 1\r\n" * 4000)
    assert read_refusal(client) == 431
    assert upstream.saw_nothing()


def test_no_route_is_404(client, log):
    client.send(b"GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
    assert read_refusal(client, closes=False) == 404
    assert "no-route" in log.wait("status=404")


def test_a_refusal_of_head_has_no_body(client):
    client.send(b"HEAD / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n")
    assert client.read_head().status == 404
    assert client.read_to_end() == b""


def test_a_refusal_reaches_a_client_that_goes_on_uploading(client):
    client.send(b"POST / HTTP/1.1\r\nHost: nobody.test\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000)
    assert read_refusal(client) == 404


@pytest.mark.parametrize("chunk", ["zz\r\n", "-1\r\n", "5\nhello\r\n", "5\r\nhelloXX0\r\n\r\n",
                                   "10000000000000000\r\n", "0x5\r\nhello\r\n"])
def test_a_body_that_breaks_its_framing_is_not_passed_on_as_whole(client, upstream, log, chunk):
    client.send(f"{POST}{HOST}{CHUNKED}\r\n3\r\nabc\r\n{chunk}".encode())
    _, ending = upstream.accept().read_ending()
    assert not upstream.streams[0].received.endswith(b"0\r\n\r\n")
    assert ending in ("end", "reset")
    head, _ = client.read_response()
    assert head.status == 400
    assert "bad-body" in log.wait("status=400")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x.test\r\n"],
                         ids=["nothing", "half-a-line", "no-empty-line"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_request_that_takes_too_long_is_given_up(start_gateway, raw_port, log_of, secure, sent):
    gateway = start_gateway(Config(pools={"raw": raw_port}, routes=[{"pool": "raw"}],
                                   timeouts={"request_header": "300ms"}))
    log = log_of(gateway)
    def is_given_up():
        with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
            try:
                client.send(sent)
                if sent:
                    return read_refusal(client) == 408
                return client.read_to_end() == b""  # who has asked nothing gets no answer
            except (EOFError, ConnectionResetError, BrokenPipeError):
                return False  # what was sent came too late itself
    wait_until(is_given_up, "it to be given up")
    if sent:
        log.wait("request-timeout", "status=408")
    gateway.wait_for_descriptors()


def test_plain_http_on_the_tls_port_gets_a_readable_400(gateway, log):
    with connect(gateway.https_port) as client:
        client.send(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
        head, body = client.read_response()
        assert head.status == 400
        assert b"https" in body.lower()
        assert client.read_to_end() == b""
    log.wait("plain-http")
