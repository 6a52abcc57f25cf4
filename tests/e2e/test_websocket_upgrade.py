"""The moment in which HTTP becomes a WebSocket: what belongs to which of the two, and what is for
one hop."""

import os
import threading

import pytest

from conftest import RAW_HOST, every_variant
from support.frames import (BINARY, TEXT, frame, read_frame, upgrade_request, upgrade_response)

EARLY_BYTES = 1 << 20


def in_background(work, *arguments):
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    return thread


@every_variant
def test_a_mebibyte_right_behind_the_request_waits_for_the_answer(client, upstream):
    early = [frame(BINARY, os.urandom(EARLY_BYTES)), frame(TEXT, b"the last")]
    sending = in_background(client.send, upgrade_request("/ws", RAW_HOST) + b"".join(early))
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    assert not server.wait_readable(0) and not server.buffered, "no frame before the 101"
    server.send(upgrade_response(key))
    assert client.read_head().status == 101
    for one in early:
        assert server.read_exactly(len(one)) == one
    sending.join()
    server.send(frame(TEXT, b"got it", masked=False))
    assert read_frame(client).payload == b"got it"


def test_frames_behind_a_refused_upgrade_are_nobodys_request(client, upstream):
    early = frame(TEXT, b"GET /smuggled HTTP/1.1\r\nHost: raw.test\r\n\r\n")
    client.send(upgrade_request("/ws", RAW_HOST) + early)
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
    assert client.read_response()[1] == b"no"
    rest, _ = client.read_ending()
    # Without the end of a line in it, it is not known to be none.
    assert rest == b"" or rest[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 408 "), rest
    assert not server.buffered and not server.wait_readable(0), "no byte of it went on"
    assert len(upstream.streams) == 1


@pytest.mark.parametrize("cut", ["head", "frames", "bytes"])
def test_an_answer_in_pieces_with_frames_and_its_end_arrives_whole(client, upstream, cut):
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    head = upgrade_response(server.read_head().get("Sec-WebSocket-Key"))
    frames = frame(TEXT, b"one", masked=False) + frame(BINARY, bytes(200), masked=False)
    pieces = {"head": [head[:-1], head[-1:] + frames], "frames": [head + frames[:7], frames[7:]],
              "bytes": [bytes([byte]) for byte in head + frames]}[cut]
    for piece in pieces:
        server.send(piece)
    server.finish()
    assert client.read_head().status == 101
    assert client.read_exactly(len(frames)) == frames
    assert read_frame(client).close_code == 1011


@pytest.mark.parametrize("status", [200, 400, 403, 426])
def test_only_a_426_says_what_to_upgrade_to(client, upstream, status):
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    server.read_head()
    server.send(f"HTTP/1.1 {status} Whatever\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade, X-Hop\r\nX-Hop: 1\r\nSec-WebSocket-Version: 13\r\n"
                "Content-Length: 2\r\n\r\nno".encode())
    head, body = client.read_response()
    assert (head.status, body, head.get("X-Hop")) == (status, b"no", None)
    named = [one.strip().lower() for one in (head.get("Connection") or "").split(",")]
    if status == 426:
        assert (head.get("Upgrade"), head.get("Sec-WebSocket-Version")) == ("websocket", "13")
        assert "upgrade" in named
    else:
        assert head.get("Upgrade") is None and "upgrade" not in named


def test_what_connection_names_goes_no_further(client, upstream):
    more = "X-Internal-Auth: root\r\nX-Kept: 1\r\n"
    client.send(upgrade_request("/ws", RAW_HOST, more=more).replace(
        b"Connection: Upgrade", b"Connection: Upgrade, X-Internal-Auth"))
    server = upstream.accept()
    request = server.read_head()
    assert request.get("X-Internal-Auth") is None and request.get("X-Kept") == "1"
    server.send(upgrade_response(request.get("Sec-WebSocket-Key"),
                                 "X-Debug: 1\r\nX-Kept: 2\r\n").replace(
        b"Connection: Upgrade", b"Connection: X-Debug, upgrade"))
    response = client.read_head()
    assert (response.status, response.get("X-Debug"), response.get("X-Kept")) == (101, None, "2")
    assert response.get("Connection") == "Upgrade"


@pytest.mark.parametrize("named", ["Sec-WebSocket-Key", "sec-websocket-version",
                                   "Sec-WebSocket-Extensions", "Sec_WebSocket_Protocol",
                                   "Sec-WebSocket-Whatever"])
def test_a_client_whose_connection_names_the_handshake_is_refused(client, upstream, log, named):
    client.send(upgrade_request("/ws", RAW_HOST).replace(
        b"Connection: Upgrade", f"Connection: keep-alive, Upgrade, {named}".encode()))
    head, body = client.read_response()
    assert head.status == 400 and b"Connection" in body
    assert upstream.saw_nothing()
    log.wait("status=400", "upgrade-refused", "Connection must not name")


def test_a_name_on_a_fifth_line_of_connection_is_not_overlooked(client, upstream):
    named = ["Upgrade", "x-1", "x-2", "x-3", "x-4", "Sec-WebSocket-Key"]
    lines = "".join(f"Connection: {one}\r\n" for one in named)
    client.send(upgrade_request("/ws", RAW_HOST).replace(b"Connection: Upgrade\r\n",
                                                         lines.encode()))
    assert client.read_response()[0].status == 400
    assert upstream.saw_nothing()


def test_a_bad_upgrade_on_a_kept_connection_ends_it(client, upstream, server):
    client.send(f"GET /first HTTP/1.1\r\nHost: {RAW_HOST}\r\n\r\n".encode())
    server.answer(server.read_request(), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.read_response()[1] == b"ok"
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: raw.test\r\n\r\n"
    client.send(upgrade_request("/ws", RAW_HOST, more=f"Content-Length: {len(smuggled)}\r\n")
                + smuggled)
    head, _ = client.read_response()
    assert (head.status, head.get("Connection")) == (400, "close")
    assert client.read_ending()[0] == b""
    assert len(upstream.streams) == 1 and not upstream.streams[0].wait_readable(0)
