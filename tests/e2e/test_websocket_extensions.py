"""Extensions and subprotocols: what a server may answer to what was offered, which bits of a frame
are in use then, and that nobody gets an empty list."""

import pytest

from conftest import RAW_HOST
from support.frames import (BINARY, CONTINUATION, RSV1, RSV2, RSV3, TEXT, frame, read_frame,
                            read_until_close, upgrade_request, upgrade_response)
from support.gateway import Config, Variant
from support.relay import open_relay
from support.streams import connect

CHROMIUM = "permessage-deflate; client_max_window_bits"
SAFARI = f"x-webkit-deflate-frame, {CHROMIUM}"


def extensions(*lines):
    return "".join(f"Sec-WebSocket-Extensions: {line}\r\n" for line in lines)


def protocols(*lines):
    return "".join(f"Sec-WebSocket-Protocol: {line}\r\n" for line in lines)


def answer_to(client, upstream, offered, answered):
    client.send(upgrade_request("/ws", RAW_HOST, more=offered))
    server = upstream.accept()
    server.send(upgrade_response(server.read_head().get("Sec-WebSocket-Key"), answered))
    return server


# name: (offered, answered)
GOOD = {
    "nothing": (extensions(CHROMIUM), ""),
    "chromium": (extensions(CHROMIUM), "permessage-deflate"),
    "all-parameters": (
        extensions("permessage-deflate; server_no_context_takeover; client_max_window_bits"),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=8; client_max_window_bits=15"),
    "window-of-8": (extensions("permessage-deflate; server_max_window_bits=8"),
                    "permessage-deflate; server_max_window_bits=8"),
    "declined-window-of-8": (extensions("permessage-deflate; server_max_window_bits=8"), ""),
    "quoted": (extensions(CHROMIUM), 'permessage-deflate; client_max_window_bits="10"'),
    "second-offer": (
        extensions("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
        "permessage-deflate"),
    "safari": (extensions(SAFARI), "x-webkit-deflate-frame"),
    "others": (extensions("x-a; b=c", CHROMIUM), "x-a; d, permessage-deflate"),
}

BAD = {
    "window-of-7": (CHROMIUM, "permessage-deflate; server_max_window_bits=7"),
    "window-of-16": (CHROMIUM, "permessage-deflate; server_max_window_bits=16"),
    "window-without-value": (CHROMIUM, "permessage-deflate; server_max_window_bits"),
    "empty-window": (CHROMIUM, "permessage-deflate; server_max_window_bits="),
    "window-with-a-zero": (CHROMIUM, "permessage-deflate; server_max_window_bits=08"),
    "window-twice": (CHROMIUM, "permessage-deflate; server_max_window_bits=9; "
                               "server_max_window_bits=9"),
    "unknown-parameter": (CHROMIUM, "permessage-deflate; unknown"),
    "value-for-a-flag": (CHROMIUM, "permessage-deflate; server_no_context_takeover=1"),
    "client-window-without-value": (CHROMIUM, "permessage-deflate; client_max_window_bits"),
    "client-window-that-was-not-offered": ("permessage-deflate",
                                           "permessage-deflate; client_max_window_bits=10"),
    "wider-client-window": ("permessage-deflate; client_max_window_bits=9",
                            "permessage-deflate; client_max_window_bits=10"),
    "wider-server-window": ("permessage-deflate; server_max_window_bits=9",
                            "permessage-deflate; server_max_window_bits=10"),
    "keeps-the-context": ("permessage-deflate; server_no_context_takeover", "permessage-deflate"),
    "twice": (CHROMIUM, "permessage-deflate, permessage-deflate"),
    "same-bit-twice": (SAFARI, "permessage-deflate, x-webkit-deflate-frame"),
    "not-offered": ("x-a", "permessage-deflate"),
    "not-offered-beside-one": (CHROMIUM, "permessage-deflate, x-a"),
    "an-offer-that-is-none": ("permessage-deflate; server_max_window_bits=7",
                              "permessage-deflate"),
    "malformed": (CHROMIUM, "permessage-deflate;"),
    "open-quote": (CHROMIUM, 'permessage-deflate; server_max_window_bits="9'),
    "many": (CHROMIUM, ",".join(["permessage-deflate"] * 1000)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_passes_as_it_came(client, upstream, name):
    offered, answered = GOOD[name]
    relay = open_relay(client, upstream, request_fields=offered,
                       response_fields=extensions(answered) if answered else "")
    assert extensions(*relay.request.all("Sec-WebSocket-Extensions")) == offered
    assert relay.response.all("Sec-WebSocket-Extensions") == ([answered] if answered else [])
    sent = frame(TEXT, b"hello")
    client.send(sent)
    assert relay.upstream.read_exactly(len(sent)) == sent


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_502(client, upstream, log, name):
    offered, answered = BAD[name]
    server = answer_to(client, upstream, extensions(offered), extensions(answered))
    head, body = client.read_response()
    assert head.status == 502 and body
    server.read_ending()
    assert "by=upstream" in log.wait("status=502", "bad-response", "/ws")


@pytest.mark.parametrize("offered, answered", [
    ("chat", protocols("Chat")), ("chat, mqtt", protocols("chat, mqtt")),
    ("chat, mqtt", protocols("chat", "mqtt")), ("chat", protocols("chat", "chat")),
    ("chat", protocols("mqtt")), ("chat;a", protocols("chat"))],
    ids=["other-case", "two", "two-lines", "twice", "another", "without-its-parameter"])
def test_a_subprotocol_that_was_not_offered_like_this_is_502(client, upstream, offered, answered):
    answer_to(client, upstream, protocols(offered), answered)
    assert client.read_response()[0].status == 502


def test_a_101_of_http_1_0_is_502(start_gateway, raw_port, upstream, log_of):
    """The gateway remembers the version: that is one which has no other tests."""
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), Variant(1))
    log = log_of(gateway)
    client = connect(gateway.http_port)
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    server.send(upgrade_response(key).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert client.read_response()[0].status == 502
    server.read_ending()
    log.wait("status=502", "bad-response", "101 in HTTP/1.0")


def test_a_server_whose_connection_names_the_handshake_is_502(client, upstream):
    client.send(upgrade_request("/ws", RAW_HOST))
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    server.send(upgrade_response(key).replace(b"Connection: Upgrade",
                                              b"Connection: Upgrade, Sec-WebSocket-Accept"))
    assert client.read_response()[0].status == 502


EMPTY = ["", ",", " , ,\t,"]


@pytest.mark.parametrize("value", EMPTY, ids=["empty", "comma", "commas"])
def test_nobody_gets_an_empty_list(client, upstream, value):
    both = extensions(value) + protocols(value)
    relay = open_relay(client, upstream, request_fields=both, response_fields=both)
    for head in (relay.request, relay.response):
        assert head.all("Sec-WebSocket-Extensions") == head.all("Sec-WebSocket-Protocol") == []


def test_an_empty_list_beside_others_is_left_out(client, upstream):
    relay = open_relay(client, upstream,
                       request_fields=extensions("", "x-a") + protocols("chat", ","),
                       response_fields=extensions("x-a", ",") + protocols("", "chat"))
    for head in (relay.request, relay.response):
        assert head.all("Sec-WebSocket-Extensions") == ["x-a"]
        assert head.all("Sec-WebSocket-Protocol") == ["chat"]


@pytest.mark.parametrize("value", ["permessage-deflate;", "a b", "a;b=\"c d\"", "a;=", "\"a\"",
                                   ",".join(["a"] * 33)],
                         ids=["no-parameter", "two-words", "quoted-blank", "no-name", "quoted",
                              "many"])
def test_malformed_extensions_of_a_client_are_refused(client, upstream, log, value):
    client.send(upgrade_request("/ws", RAW_HOST, more=extensions(value)))
    assert client.read_response()[0].status == 400
    assert upstream.saw_nothing()
    log.wait("status=400", "upgrade-refused", "Sec-WebSocket-Extensions is malformed")


def passes(relay, sender, bits):
    """What a frame with these bits becomes: True where it passes."""
    from_client = sender == "client"
    sent = frame(BINARY, b"x", masked=from_client, rsv=bits)
    source, sink = ((relay.client, relay.upstream) if from_client
                    else (relay.upstream, relay.client))
    source.send(sent)
    got = read_frame(sink)
    if got.opcode == BINARY:
        assert (got.rsv, got.payload) == (bits, b"x")
        return True
    assert got.close_code == (1002 if from_client else 1011)
    return False


@pytest.mark.parametrize("sender", ["client", "upstream"])
@pytest.mark.parametrize("bits", [RSV1, RSV2, RSV3, RSV1 | RSV3])
@pytest.mark.parametrize("answered, allowed", [
    ("", 0), ("permessage-deflate", RSV1), ("x-a", RSV1 | RSV2 | RSV3),
    ("x-a, permessage-deflate", RSV1 | RSV2 | RSV3)],
    ids=["declined", "deflate", "unknown", "both"])
def test_only_the_bits_of_what_was_agreed_on_pass(client, upstream, log, answered, allowed, bits,
                                                 sender):
    relay = open_relay(client, upstream, request_fields=extensions("x-a", CHROMIUM),
                       response_fields=extensions(answered) if answered else "")
    good = bits & ~allowed == 0
    assert passes(relay, sender, bits) == good
    if not good:
        end = "client-violation" if sender == "client" else "upstream-violation"
        assert "reserved bit" in log.wait("websocket", end)


def test_a_compressed_message_marks_its_first_frame_alone(client, upstream):
    relay = open_relay(client, upstream, request_fields=extensions(CHROMIUM),
                       response_fields=extensions("permessage-deflate"))
    good = frame(TEXT, b"a", fin=False, rsv=RSV1) + frame(CONTINUATION, b"b")
    client.send(good + frame(TEXT, b"c", fin=False, rsv=RSV1) + frame(CONTINUATION, b"d", rsv=RSV1))
    assert relay.upstream.read_exactly(len(good)) == good
    assert read_until_close(client)[-1].close_code == 1002
