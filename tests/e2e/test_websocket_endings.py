"""How WebSockets end: each side sees what really happened, and the log names it."""

import signal
import time

import pytest

from conftest import every_variant
from support.frames import (BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame,
                            read_frame, read_until_close)
from support.gateway import FEW, HAS_CUT, Config
from support.relay import open_echo, open_relay
from support.streams import Upstream, connect

# What a client may not send: name: (bytes, close code)
CLIENT_VIOLATIONS = {
    "unmasked": (frame(TEXT, b"x", masked=False), 1002),
    "rsv1": (frame(TEXT, b"x", rsv=4), 1002),
    "rsv2": (frame(TEXT, b"x", rsv=2), 1002),
    "rsv3": (frame(TEXT, b"x", rsv=1), 1002),
    "reserved-opcode": (frame(3, b"x"), 1002),
    "reserved-control": (frame(11, b"x"), 1002),
    "fragmented-ping": (frame(PING, b"x", fin=False), 1002),
    "long-ping": (frame(PING, bytes(126)), 1002),
    "long-form-of-a-short-length": (b"\x82\xfe\x00\x05" + bytes(9), 1002),
    "longest-form-of-a-short-length": (b"\x82\xff" + (65535).to_bytes(8, "big") + bytes(9), 1002),
    "length-beyond-63-bits": (b"\x82\xff" + b"\xff" * 8 + bytes(9), 1002),
    "continuation-of-nothing": (frame(CONTINUATION, b"x"), 1002),
    "a-message-in-a-message": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    "half-a-close-code": (frame(CLOSE, b"\x03"), 1002),
    "close-code-1005": (frame(CLOSE, close_payload(1005)), 1002),
    "close-code-999": (frame(CLOSE, close_payload(999)), 1002),
    "close-reason-not-utf-8": (frame(CLOSE, close_payload(1000) + b"\xff\xfe"), 1007),
}
SERVER_VIOLATIONS = ["opcode", "rsv", "masked", "control", "long-control", "length", "continuation",
                     "close-code", "close-length"]


@every_variant
@pytest.mark.parametrize("name", CLIENT_VIOLATIONS)
def test_a_client_that_breaks_the_protocol_is_told_and_closed(client, upstream, log, name):
    violation, code = CLIENT_VIOLATIONS[name]
    relay = open_relay(client, upstream)
    good = frame(TEXT, b"all was well")
    client.send(good + violation)
    assert relay.upstream.read_exactly(len(good)) == good, "what came before is passed on"
    closing = read_until_close(client)[-1]
    assert closing.close_code == code and not closing.masked
    _, ending = relay.upstream.read_ending()
    assert ending == "end"
    line = log.wait("websocket", "client-violation")
    assert "by=client" in line and "cause=" in line


@pytest.mark.parametrize("kind", SERVER_VIOLATIONS)
def test_a_client_is_told_when_its_server_breaks_the_protocol(client, log, kind):
    open_echo(client, f"/misbehave/violate?kind={kind}")
    closing = read_until_close(client)[-1]
    assert closing.close_code == 1011 and not closing.masked
    assert "by=upstream" in log.wait("websocket", "upstream-violation")


def test_the_upstream_is_told_when_its_client_breaks_the_protocol(client, upstream):
    relay = open_relay(client, upstream)
    client.send(frame(3, b"x"))
    closing = read_until_close(relay.upstream)[-1]
    assert closing.close_code == 1002 and closing.masked


def test_no_close_frame_is_put_into_the_middle_of_a_frame(client, upstream, log):
    relay = open_relay(client, upstream)
    half = frame(BINARY, bytes(100), masked=False)[:50]
    relay.upstream.send(half)
    assert client.read_exactly(len(half)) == half
    client.send(frame(3, b"x"))
    rest, _ = client.read_ending()
    assert rest == b"", "the client waits for payload, so a close frame would be taken for it"
    log.wait("websocket", "client-violation")


@every_variant
@pytest.mark.parametrize("payload", [b"", close_payload(1000), close_payload(4321, "tschüss")],
                         ids=["no-code", "1000", "4321"])
def test_a_close_of_the_client_goes_there_and_back(client, upstream, log, payload):
    relay = open_relay(client, upstream)
    client.send(frame(CLOSE, payload))
    closing = read_frame(relay.upstream)
    assert (closing.opcode, closing.payload, closing.masked) == (CLOSE, payload, True)
    relay.upstream.send(frame(CLOSE, payload, masked=False))
    assert read_until_close(client)[-1].payload == payload
    assert relay.upstream.read_ending() == (b"", "end")
    line = log.wait("websocket")
    assert "by=client" in line and "end=done" in line


@every_variant
def test_a_close_of_the_server_goes_there_and_back(client, upstream, log):
    relay = open_relay(client, upstream)
    payload = close_payload(1012, "we restart")
    relay.upstream.send(frame(TEXT, b"last words", masked=False)
                        + frame(CLOSE, payload, masked=False))
    assert read_frame(client).payload == b"last words"
    assert read_frame(client).payload == payload
    client.send(frame(TEXT, b"wait") + frame(CLOSE, payload))
    assert read_frame(relay.upstream).payload == b"wait"
    assert read_frame(relay.upstream).payload == payload
    assert client.read_ending() == (b"", "end")
    assert relay.upstream.read_ending() == (b"", "end")
    line = log.wait("websocket")
    assert "by=upstream" in line and "code=1012" in line


def test_a_close_code_of_a_backend_reaches_the_client(client):
    open_echo(client, "/misbehave/close?code=4002&reason=no%20more")
    closing = read_frame(client)
    assert (closing.close_code, closing.close_reason) == (4002, "no more")


@every_variant
def test_a_reset_of_the_client_reaches_the_upstream(client, upstream, log):
    relay = open_relay(client, upstream)
    client.send(frame(TEXT, b"hello"))
    read_frame(relay.upstream)
    client.reset()
    rest, ending = relay.upstream.read_ending()
    assert ending in ("end", "reset")
    assert close_payload(1000) not in rest
    assert "by=client" in log.wait("websocket", "end=client-reset")


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_reset_of_the_client_is_one_while_much_is_under_way_to_it(gateway, log, secure):
    """Whoever meets the error first, the receive or the send: the kernel tells it only once."""
    clients = [connect(gateway.https_port if secure else gateway.http_port, secure)
               for _ in range(20)]
    for client in clients:
        open_echo(client, "/push?rate=0&size=3000")
        assert read_frame(client).opcode == BINARY
    for client in clients:
        client.reset()
    for line in log.wait_many(len(clients), "websocket", "/push"):
        assert "end=client-reset" in line and "by=client" in line


@every_variant
def test_a_reset_of_the_upstream_is_told_to_the_client(client, upstream, log):
    relay = open_relay(client, upstream)
    relay.upstream.send(frame(TEXT, b"hello", masked=False))
    assert read_frame(client).payload == b"hello"
    relay.upstream.reset()
    assert read_until_close(client)[-1].close_code == 1011
    assert "by=upstream" in log.wait("websocket", "end=upstream-reset")


def test_an_upstream_that_is_gone_in_mid_frame_is_no_orderly_end(client, upstream, log):
    relay = open_relay(client, upstream)
    half = frame(BINARY, bytes(1000), masked=False)[:500]
    relay.upstream.send(half)
    assert client.read_exactly(len(half)) == half
    relay.upstream.close()
    rest, ending = client.read_ending()
    assert rest == b""
    assert ending in (("truncated", "reset") if client.secure else ("end", "reset"))
    assert "by=upstream" in log.wait("websocket", "end=upstream-left")


def test_a_tls_stream_that_is_cut_is_told_from_a_closed_one(gateway, upstream, log):
    with connect(gateway.https_port, tls=True) as client:
        relay = open_relay(client, upstream)
        client.send(frame(TEXT, b"hello"))
        read_frame(relay.upstream)
        client.cut()
        rest, ending = relay.upstream.read_ending()
        assert close_payload(1000) not in rest and ending in ("end", "reset")
        assert "by=client" in log.wait("websocket", "end=client-truncated")


def test_a_half_closed_client_still_gets_what_the_upstream_has_to_say(client, upstream, log):
    relay = open_relay(client, upstream)
    client.send(frame(TEXT, b"that is all"))
    client.finish()
    assert read_frame(relay.upstream).payload == b"that is all"
    assert relay.upstream.read_ending() == (b"", "end")
    relay.upstream.send(frame(TEXT, b"one more", masked=False))
    relay.upstream.close()
    assert read_frame(client).payload == b"one more"
    client.read_ending()
    assert "by=client" in log.wait("websocket", "end=client-left")


def test_a_half_close_of_the_upstream_is_told_to_the_client(client, log):
    open_echo(client, "/misbehave/half-close")
    frames = read_until_close(client)
    assert frames[0].payload == b"half"
    assert frames[-1].close_code == 1011
    assert "by=upstream" in log.wait("websocket", "end=upstream-left")


@pytest.mark.parametrize("variant", FEW, ids=str)
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_backend_that_is_killed_in_mid_stream_is_told_to_the_client(
        start_gateway, start_echo, log_of, variant, secure):
    backend = start_echo()
    gateway = start_gateway(Config({"app": backend.port}, [{"pool": "app"}]), variant)
    log = log_of(gateway)
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        open_echo(client, "/push?rate=0&size=5000")
        for _ in range(100):
            assert len(read_frame(client).payload) == 5000
        backend.kill()
        rest, ending = client.read_ending()
        assert frame(CLOSE, close_payload(1000), masked=False) not in rest
        told = close_payload(1011) in rest[-130:]
        assert told or ending in ("truncated", "reset") or not secure
    assert "by=upstream" in log.wait("websocket", "end=upstream-")
    gateway.wait_for_descriptors()


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("of_route", [{}, {"websocket": {"idle": "2s"}}], ids=["timeouts", "websocket"])
def test_a_websocket_that_is_idle_for_too_long_is_closed(start_gateway, raw_port, log_of, secure,
                                                         of_route):
    idle_seconds = 2
    timeouts = {"websocket_idle": "1h" if of_route else "2s"}
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw", **of_route}], timeouts=timeouts))
    log = log_of(gateway)
    upstream = Upstream(raw_port)
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        relay = open_relay(client, upstream)
        begun = time.monotonic()
        while time.monotonic() - begun < 1.25 * idle_seconds:  # bytes one way keep it open
            client.send(frame(TEXT, b"busy"))
            assert read_frame(relay.upstream).payload == b"busy"
            relay.upstream.wait_readable(0.1)
        assert read_until_close(relay.upstream)[-1].close_code == 1001
        relay.upstream.close()
        assert read_until_close(client)[-1].close_code == 1001
    upstream.close()
    assert "by=gateway" in log.wait("websocket", "end=idle")
    gateway.wait_for_descriptors()


def test_a_peer_that_never_answers_a_close_does_not_hold_the_connection(start_gateway, upstream,
                                                                       raw_port):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    with connect(gateway.https_port, True) as one, connect(gateway.http_port) as other:
        to_client, to_upstream = open_relay(one, upstream), open_relay(other, upstream)
        one.send(frame(CLOSE, close_payload(1000)))
        to_upstream.upstream.send(frame(CLOSE, close_payload(1000), masked=False))
        for relay in (to_client, to_upstream):  # the gateway's patience is 10 s
            relay.client.read_ending()
            relay.upstream.read_ending()
    gateway.wait_for_descriptors()


@pytest.mark.parametrize("ending", ["close", "half-close"])
def test_a_websocket_that_has_ended_cuts_nobody_elses_connection(client, gateway, upstream,
                                                                 ending):
    """Its client keeps its TCP connection open behind the end, while somebody else's answer comes
    slowly, from the same server."""
    relay = open_relay(client, upstream)
    if ending == "close":
        client.send(frame(CLOSE, close_payload(1000)))
        read_frame(relay.upstream)
        relay.upstream.send(frame(CLOSE, close_payload(1000), masked=False))
    else:
        client.finish()
        assert relay.upstream.read_ending() == (b"", "end")
    relay.upstream.close()
    client.read_ending()
    with connect(gateway.http_port) as other:
        other.send(b"GET /slow HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        begun = time.monotonic()
        body = b""
        while time.monotonic() - begun < 3:  # longer than a relay waits for any end
            assert not server.wait_readable(0.1), "the gateway has cut it"
            body = body + b"x"
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert other.read_response()[1] == body


# What the log says of an ending.

@pytest.mark.parametrize("how", ["close", "cut"])
def test_a_client_that_has_closed_may_do_without_a_close_notify(gateway, upstream, log, how):
    """As browsers do: the close frames have said that all is there."""
    with connect(gateway.https_port, tls=True) as client:
        relay = open_relay(client, upstream)
        client.send(frame(CLOSE, close_payload(1000)))
        read_frame(relay.upstream)
        if how == "cut":
            client.cut()
        relay.upstream.send(frame(CLOSE, close_payload(1000), masked=False))
        if how == "close":
            assert read_frame(client).close_code == 1000
            client.cut()
        relay.upstream.read_ending()
        line = log.wait("websocket")
        assert "end=done" in line and "by=client" in line and "code=1000" in line


def test_a_websocket_without_a_close_frame_has_no_code(client, upstream, log):
    relay = open_relay(client, upstream)
    client.reset()
    relay.upstream.read_ending()
    assert " code=- " in log.wait("websocket", "end=client-reset")


def test_a_close_frame_that_was_never_sent_has_no_code(start_gateway, upstream, raw_port, log_of):
    """At SIGINT the connection is cut: what the client could have been told, it was not."""
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream)
        gateway.process.send_signal(signal.SIGINT)
        rest, _ = client.read_ending()
        relay.upstream.read_ending()
        code = int.from_bytes(rest[2:4], "big") if rest[:1] == b"\x88" else "-"
        assert f" code={code} " in log.wait("websocket", "end=stopping")
    assert gateway.wait() in (0, HAS_CUT)


# Without a close frame of its server's, as the route has it.

LOST = {"cut": ('"cut"', None), "own-code": ("4001", 4001), "default": (None, 1011)}


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("leaving", ["close", "reset"])
@pytest.mark.parametrize("name", LOST)
def test_a_lost_server_is_told_as_the_route_says(start_gateway, upstream, raw_port, name, leaving,
                                                 secure):
    value, code = LOST[name]
    route = {"pool": "raw"}
    if value is not None:
        route["websocket"] = {"upstream_lost": "cut" if code is None else code}
    gateway = start_gateway(Config({"raw": raw_port}, [route]))
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        relay = open_relay(client, upstream)
        relay.upstream.send(frame(TEXT, b"last words", masked=False))
        assert read_frame(client).payload == b"last words"
        getattr(relay.upstream, leaving)()
        if code is None:
            assert client.read_ending() == (b"", "truncated" if secure else "end")
        else:
            assert read_until_close(client)[-1].close_code == code
