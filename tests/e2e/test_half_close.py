"""Clients that close their stream in the middle of a response and read on: they get the rest of it,
however long it takes. Who closes before the response is in test_leaving.py."""

import re
import select
import time

import pytest

from conftest import RAW_HOST
from support.frames import (CLOSE, close_payload, frame, read_frame, upgrade_request,
                            upgrade_response)
from support.gateway import FEW, Config
from support.serving import Serving
from support.streams import connect

HOST = f"Host: {RAW_HOST}\r\n"
TURNS_MAX = 200  # of the loop, all in all, for one exchange
PAUSE_SECONDS = 0.2  # more than any time that the gateway gives somebody to turn out to be gone
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"


def get(target):
    return f"GET {target} HTTP/1.1\r\n{HOST}\r\n".encode()


def pause(client):
    """The client waits, and is not told that anything has ended."""
    until = time.monotonic() + PAUSE_SECONDS
    while (left := until - time.monotonic()) > 0:
        if select.select([client.socket], [], [], left)[0]:
            assert client.fill(), "the gateway has given up"


def begin_response(client, stream, response):
    stream.send(response)
    assert client.read_head().status == 200
    client.read_until(b"first\r\n" if response is CHUNKED else b"first")


def test_in_a_chunked_response(client, upstream):
    client.send(get("/"))
    stream = upstream.accept()
    stream.read_head()
    begin_response(client, stream, CHUNKED)
    client.finish()
    pause(client)
    stream.send(b"4\r\nlast\r\n0\r\n\r\n")
    assert client.read_chunk() == b"last"
    assert client.read_chunk() == b""
    assert client.read_ending() == (b"", "end")


@pytest.mark.parametrize("framing,last", [("Content-Length: 8\r\n\r\nhalf", b"rest"),
                                          ("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                                           b"4\r\nrest\r\n0\r\n\r\n")], ids=["length", "chunked"])
def test_behind_the_rest_of_an_upload_that_was_answered_early(client, upstream, framing, last):
    client.send(f"POST / HTTP/1.1\r\n{HOST}{framing}".encode())
    stream = upstream.accept()
    stream.read_head()
    stream.read_until(b"half")
    begin_response(client, stream, CHUNKED)
    client.send(last)
    client.finish()
    stream.read_until(b"rest")
    pause(client)
    stream.send(b"4\r\nlast\r\n0\r\n\r\n")
    assert client.read_chunk() == b"last"
    assert client.read_chunk() == b""
    assert client.read_ending() == (b"", "end")


@pytest.mark.parametrize("response", [CHUNKED, LENGTH], ids=["chunked", "length"])
def test_behind_requests_that_wait_for_the_response(client, upstream, response):
    client.send(get("/1"))
    server = Serving(upstream)
    first = server.read_request()
    begin_response(client, first.stream, response)
    client.send(get("/2"))
    client.finish()
    pause(client)
    first.stream.send(b"4\r\nlast\r\n0\r\n\r\n" if response is CHUNKED else b" last")
    rest = [client.read_chunk(), client.read_chunk()] if response is CHUNKED else \
        client.read_exactly(5)
    assert rest in ([b"last", b""], b" last")
    second = server.read_request()
    assert second.target == "/2"
    server.answer(second)
    assert client.read_response()[1] == b"/2"
    assert client.read_ending() == (b"", "end")


@pytest.mark.parametrize("variant", FEW, ids=str)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_the_wait_for_a_slow_response_costs_nothing(start_gateway, upstream, raw_port, variant,
                                                    secure):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), variant)
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        client.send(get("/"))
        client.finish()
        stream = upstream.accept()
        stream.read_head()
        pause(client)
        stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert client.read_response()[1] == b"ok"
    assert gateway.stop() == 0
    turns = [int(count) for count in re.findall(r"\bturns=(\d+)", gateway.log())]
    assert len(turns) == variant.shards and sum(turns) < TURNS_MAX, turns


# The status line's beginning goes ahead to whoever closes; what comes then must go on from there.
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("interim", [0, 1, 2])
def test_before_interim_responses(client, upstream, version, interim):
    client.send(f"GET / HTTP/{version}\r\n{HOST}\r\n".encode())
    stream = upstream.accept()
    stream.read_head()
    client.finish()
    client.read_until(b"HTTP/1.1 ")
    stream.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * interim)
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    rest, how = client.read_ending()
    statuses = re.findall(rb"(?:^|HTTP/1.1 )(\d{3}) ", rest)
    passed = [b"103"] * interim if version == "1.1" else []
    assert (statuses, rest.endswith(b"\r\n\r\nok"), how) == ([*passed, b"200"], True, "end")
    assert rest.count(b"HTTP/1.1 ") == len(passed)


def test_before_a_websocket_opens(client, upstream):
    client.send(upgrade_request("/ws", RAW_HOST))
    stream = upstream.accept()
    key = stream.read_head().get("Sec-WebSocket-Key")
    client.finish()
    client.read_until(b"HTTP/1.1 ")
    stream.send(upgrade_response(key) + frame(CLOSE, close_payload(1000)))
    client.read_until(b"101 Switching Protocols\r\n")
    client.read_until(b"\r\n\r\n")
    assert read_frame(client).opcode == CLOSE
