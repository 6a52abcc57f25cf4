"""Requests and responses through the gateway with curl and with raw clients: bodies in every
framing, streamed both ways at once."""

import hashlib
import json

import pytest

from conftest import RAW_HOST, every_variant
from support.pattern import pattern

MEGABYTE = 1 << 20
SIZES = [0, 1, 16_384, 3 * MEGABYTE + 7]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=["http", "https"])
def base(request, gateway):
    port = gateway.http_port if request.param == "http" else gateway.https_port
    return f"{request.param}://127.0.0.1:{port}"


@every_variant
@pytest.mark.parametrize("framing", ["", "&chunked=1", "&close=1"])
def test_a_response_arrives_whole_in_every_framing(curl, base, framing):
    for size in SIZES:
        body = curl(f"{base}/bytes?n={size}{framing}").stdout
        assert len(body) == size
        assert sha256(body) == sha256(pattern(size))


@every_variant
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("framing", [[], ["-H", "Transfer-Encoding: chunked"]],
                         ids=["length", "chunked"])
def test_a_request_body_arrives_whole_in_every_framing(curl, base, method, framing):
    for size in SIZES:
        data = pattern(size)
        answer = curl("-X", method, *framing, "--data-binary", "@-", f"{base}/sink",
                      data=data).stdout
        assert json.loads(answer) == {"bytes": size, "sha256": sha256(data)}


@every_variant
def test_a_body_is_echoed_while_it_is_sent(curl, base):
    data = pattern(3 * MEGABYTE)
    answer = curl("-X", "POST", "-H", "Transfer-Encoding: chunked", "-T", "-", f"{base}/echo",
                  data=data).stdout
    assert sha256(answer) == sha256(data)


def test_many_requests_at_once_do_not_mix(curl, base):
    sizes = range(1000, 1040)
    urls = [f"{base}/bytes?n={size}" for size in sizes]
    done = curl("--parallel", "--parallel-max", 20,
                "--write-out", "%{http_code} %{size_download}\n",
                *[part for url in urls for part in ("-o", "/dev/null", url)])
    assert sorted(done.stdout.decode().split("\n")[:-1]) == [f"200 {size}" for size in sizes]


def test_head_gets_the_length_and_no_body(curl, base):
    text = curl("--head", f"{base}/bytes?n=1000").stdout.decode()
    assert text.startswith("HTTP/1.1 200 ")
    assert "content-length: 1000\r\n" in text.lower()


def test_a_client_of_http_1_0_gets_a_body_that_ends_with_the_connection(client):
    client.send(b"GET /bytes?n=100000&chunked=1 HTTP/1.0\r\nHost: localhost\r\n\r\n")
    head = client.read_head()
    assert head.status == 200
    assert head.get("Transfer-Encoding") is None
    assert client.read_to_end() == pattern(100_000)


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_body_ends_with_its_head(client, upstream, status):
    client.send(f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\nConnection: close\r\n\r\n".encode())
    server = upstream.accept()
    server.read_head()
    server.send(f"HTTP/1.1 {status} Fine\r\nETag: \"a\"\r\n\r\n".encode())
    head = client.read_head()
    assert (head.status, head.get("ETag")) == (status, '"a"')
    assert client.read_to_end() == b""


def test_interim_responses_pass_at_once(client, upstream):
    client.send(f"POST / HTTP/1.1\r\nHost: {RAW_HOST}\r\nContent-Length: 5\r\n"
                "Expect: 100-continue\r\n\r\n".encode())
    server = upstream.accept()
    assert server.read_head().get("Expect") == "100-continue"
    server.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
    hints = client.read_head()
    assert (hints.status, hints.get("Link")) == (103, "</a.css>")
    server.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.read_head().status == 100
    client.send(b"hello")
    assert server.read_exactly(5) == b"hello"
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    head, body = client.read_response()
    assert (head.status, body) == (200, b"ok")


def test_upload_goes_on_while_the_response_streams(client, upstream):
    client.send(f"POST / HTTP/1.1\r\nHost: {RAW_HOST}\r\nTransfer-Encoding: chunked\r\n"
                "Connection: close\r\n\r\n".encode())
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert client.read_head().status == 200
    for number in range(20):
        up, down = b"up %d" % number, b"down %d" % number
        client.send(b"%x\r\n%s\r\n" % (len(up), up))
        assert server.read_chunk() == up
        server.send(b"%x\r\n%s\r\n" % (len(down), down))
        assert client.read_chunk() == down
    client.send(b"0\r\n\r\n")
    assert server.read_chunk() == b""
    server.send(b"0\r\n\r\n")
    assert client.read_chunk() == b""
    assert client.read_to_end() == b""


def test_a_body_in_single_bytes_arrives(client, upstream):
    request = (f"POST /a HTTP/1.1\r\nHost: {RAW_HOST}\r\nTransfer-Encoding: chunked\r\n"
               "Connection: close\r\n\r\n"
               "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: t\r\n\r\n").encode()
    for position in range(len(request)):
        client.send(request[position:position + 1])
    server = upstream.accept()
    head, body = server.read_response()
    assert head.first_line == "POST /a HTTP/1.1"
    assert body == b"abcd"
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    for position in range(len(response)):
        server.send(response[position:position + 1])
    head, body = client.read_response()
    assert (head.status, body) == (200, b"abcd")
    assert client.read_to_end() == b""


def test_a_client_that_has_said_everything_may_half_close(client):
    client.send(b"GET /bytes?n=300000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    client.finish()
    head, body = client.read_response()
    assert (head.status, body) == (200, pattern(300_000))
    assert client.read_to_end() == b""


def test_blanks_behind_a_servers_chunk_sizes_are_read(client, upstream):
    client.send(f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\n\r\n".encode())
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3 ;a=b\r\nabc\r\n1  \r\nd\r\n0 \t; c\r\n\r\n")
    head, body = client.read_response()
    assert (head.status, body) == (200, b"abcd")


def test_a_response_before_the_end_of_the_upload_reaches_the_client(client, upstream):
    client.send(f"POST / HTTP/1.1\r\nHost: {RAW_HOST}\r\nContent-Length: 100000\r\n\r\nfirst"
                .encode())
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nbig\n")
    server.close()
    head, body = client.read_response()
    assert (head.status, body) == (413, b"big\n")
    assert head.get("Connection") == "close"


def test_what_follows_a_last_request_is_no_second_one(client, upstream):
    get = f"GET /%d HTTP/1.1\r\nHost: {RAW_HOST}\r\nConnection: close\r\n\r\n"
    client.send((get % 1 + get % 2).encode())
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    head, body = client.read_response()
    assert (head.get("Connection"), body) == ("close", b"ok")
    assert client.read_to_end() == b""
    assert b"/2" not in server.received


def test_each_request_has_its_line_in_the_log(client, log):
    client.send(b"POST /sink?secret HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
    head, body = client.read_response()
    assert head.status == 200
    line = log.wait("POST", "/sink", "status=200")
    assert "echo" in line and f"127.0.0.1:{client.local_port}" in line
    assert str(len(body)) in line and "end=done" in line
    assert len(log.lines("POST", "/sink")) == 1
