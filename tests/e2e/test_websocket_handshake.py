"""Handshakes that do not become a WebSocket."""

import pytest

from conftest import RAW_HOST
from support.frames import KEY, accept_of, upgrade_request, upgrade_response

SWITCH = "HTTP/1.1 101 Switching Protocols\r\n"
FIELDS = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
ACCEPT = f"Sec-WebSocket-Accept: {accept_of(KEY)}\r\n"


def test_another_version_is_told_which_one_is_spoken(client, upstream):
    client.send(upgrade_request("/ws", RAW_HOST, version="8"))
    head, _ = client.read_response()
    assert head.status == 426
    assert head.get("Sec-WebSocket-Version") == "13"
    assert head.get("Upgrade").lower() == "websocket"
    assert upstream.saw_nothing()


@pytest.mark.parametrize("key", ["", "abc", "dGhlIHNhbXBsZSBub25jZQ", "AAAAAAAAAAAAAAAAAAAA",
                                 "dGhlIHNhbXBsZSBub25j!Q==",
                                 f"{KEY}\r\nSec-WebSocket-Key: {KEY}"],
                         ids=["empty", "short", "unpadded", "15-bytes", "not-base64", "two"])
def test_a_bad_key_is_refused(client, upstream, log, key):
    client.send(upgrade_request("/ws", RAW_HOST, key=key))
    head, _ = client.read_response()
    assert head.status == 400
    assert upstream.saw_nothing()
    log.wait("status=400", "upgrade-refused")


def test_a_missing_key_is_refused(client, upstream):
    request = upgrade_request("/ws", RAW_HOST).replace(f"Sec-WebSocket-Key: {KEY}\r\n".encode(),
                                                       b"")
    client.send(request)
    assert client.read_head().status == 400
    assert upstream.saw_nothing()


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", "foo"])
def test_an_upgrade_to_anything_else_is_served_as_if_it_were_not_asked_for(client, upstream,
                                                                           upgrade):
    client.send(f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\nUpgrade: {upgrade}\r\n"
                "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n".encode())
    server = upstream.accept()
    request = server.read_head()
    assert request.get("Upgrade") is None
    assert request.get("HTTP2-Settings") is None
    assert "upgrade" not in (request.get("Connection") or "").lower()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    head, body = client.read_response()
    assert (head.status, body) == (200, b"ok")


def test_a_client_of_http_1_0_cannot_upgrade(client, upstream):
    client.send(upgrade_request("/ws", RAW_HOST).replace(b"HTTP/1.1", b"HTTP/1.0"))
    server = upstream.accept()
    assert server.read_head().get("Upgrade") is None
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.read_response()[1] == b"ok"


def test_a_switch_that_nobody_asked_for_is_a_bad_answer(client, upstream, log):
    client.send(f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\n\r\n".encode())
    server = upstream.accept()
    server.read_head()
    server.send((SWITCH + FIELDS + ACCEPT + "\r\n").encode())
    assert client.read_head().status == 502
    assert "bad-response" in log.wait("status=502")


@pytest.mark.parametrize("path", ["/misbehave/refuse"])
def test_the_upstreams_refusal_reaches_the_client_with_its_body(client, log, path):
    client.send(upgrade_request(path))
    head, body = client.read_response()
    assert (head.status, body) == (403, b"refused: you may not come in\n")
    log.wait("request ", "status=403", path)


@pytest.mark.parametrize("status", [200, 302, 401, 503])
def test_any_other_answer_is_passed_on_as_ordinary_http(client, upstream, status):
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    server.read_head()
    server.send(f"HTTP/1.1 {status} Whatever\r\nTransfer-Encoding: chunked\r\nX-Why: yes\r\n\r\n"
                "3\r\nwhy\r\n0\r\n\r\n".encode())
    head, body = client.read_response()
    assert (head.status, head.get("X-Why"), body) == (status, "yes", b"why")
    assert head.get("Upgrade") is None


BAD_ANSWERS = {
    "wrong-accept": SWITCH + FIELDS + f"Sec-WebSocket-Accept: {'A' * 27}=\r\n",
    "no-accept": SWITCH + FIELDS,
    "two-accepts": SWITCH + FIELDS + ACCEPT + ACCEPT,
    "no-upgrade": SWITCH + "Connection: Upgrade\r\n" + ACCEPT,
    "other-upgrade": SWITCH + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + ACCEPT,
    "no-connection": SWITCH + "Upgrade: websocket\r\n" + ACCEPT,
    "protocol-not-offered": SWITCH + FIELDS + ACCEPT + "Sec-WebSocket-Protocol: chat\r\n",
    "extension-not-offered":
        SWITCH + FIELDS + ACCEPT + "Sec-WebSocket-Extensions: permessage-deflate\r\n",
}


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_an_answer_that_does_not_accept_is_no_websocket(client, upstream, log, answer):
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    server.read_head()
    server.send((BAD_ANSWERS[answer] + "\r\n").encode())
    head, body = client.read_response()
    assert head.status == 502
    assert b"502" in body
    server.read_ending()
    line = log.wait("status=502", "/ws")
    assert "bad-response" in line and "by=upstream" in line


def test_interim_responses_pass_before_the_switch(client, upstream):
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    server.send(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + upgrade_response(key))
    assert client.read_head().status == 103
    assert client.read_head().status == 101
