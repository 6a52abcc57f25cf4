"""What [route.websocket] says of open WebSockets: pings of the gateway's own, lifetimes, times of
messages, and how much a client may send; through ws and wss, with real peers."""

import asyncio
import contextlib
import selectors
import time

import pytest

from support.frames import (BINARY, CONTINUATION, PING, PONG, TEXT, frame, read_frame,
                            read_until_close, upgrade_request, upgrade_response)
from support.gateway import FEW, Config, Variant
from support.relay import dial, open_echo, open_relay, run
from support.streams import connect
from support.waiting import DEADLINE

BOTH = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)


@pytest.fixture
def site(start_gateway, raw_port, echo):
    def start(variant=FEW[0], **websocket):
        config = Config({"raw": raw_port, "echo": echo.port},
                        [{"name": "raw", "path": "/", "host": "raw.test", "pool": "raw",
                          "websocket": websocket},
                         {"name": "echo", "path": "/", "pool": "echo", "websocket": websocket}])
        return start_gateway(config, variant)
    return start


def client_of(gateway, secure):
    return connect(gateway.https_port if secure else gateway.http_port, secure)


@BOTH
@VARIANTS
def test_pings_keep_a_silent_websocket_and_their_answers_go_no_further(site, upstream, log_of, variant,
                                                                       secure):
    gateway = site(variant, ping="200ms", pong_timeout="10s", ping_to="both")
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        for _ in range(3):
            for peer, masked in ((client, False), (relay.upstream, True)):
                ping = read_frame(peer)
                assert (ping.opcode, len(ping.payload), ping.masked) == (PING, 8, masked)
                peer.send(frame(PONG, ping.payload, masked=not masked))
        client.send(frame(TEXT, b"mine"))
        relay.upstream.send(frame(TEXT, b"theirs", masked=False))
        for peer, text in ((client, b"theirs"), (relay.upstream, b"mine")):
            got = read_frame(peer)
            while got.opcode == PING:
                got = read_frame(peer)
            assert (got.opcode, got.payload) == (TEXT, text)
        relay.upstream.close()
        client.reset()
    line = log.wait("websocket", "route=raw")
    assert "client_frames=1 " in line and "upstream_frames=1 " in line


@BOTH
@VARIANTS
def test_a_client_that_answers_no_ping_is_closed(site, upstream, log_of, variant, secure):
    gateway = site(variant, ping="100ms", pong_timeout="300ms")
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        frames = read_until_close(client)
        assert [one.opcode for one in frames[:-1]] == [PING]
        assert (frames[-1].close_code, frames[-1].close_reason) == (
            1011, "the client does not answer pings")
        assert read_until_close(relay.upstream)[-1].close_code == 1001
    log.wait("websocket", "end=client-no-pong", "by=client", "code=1011")


@BOTH
def test_a_server_that_answers_no_ping_is_a_lost_one(site, upstream, log_of, secure):
    gateway = site(ping="100ms", pong_timeout="300ms", ping_to="upstream", upstream_lost=4444)
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        assert read_until_close(client)[-1].close_code == 4444
        frames = read_until_close(relay.upstream)
        assert frames[0].opcode == PING and frames[0].masked
        assert frames[-1].close_code == 1011
    log.wait("websocket", "end=upstream-no-pong", "by=upstream", "code=4444")


@BOTH
def test_a_real_client_and_a_real_server_answer(site, secure, log_of):
    gateway = site(ping="50ms", pong_timeout="5s", ping_to="both")
    log = log_of(gateway)

    async def talk():
        async with dial(gateway, secure=secure, ping_interval=0.1, ping_timeout=5) as session:
            for number in range(10):
                await asyncio.sleep(0.12)
                await session.send(f"{number}")
                assert await session.recv() == f"{number}"
    run(talk())
    line = log.wait("websocket", "route=echo", "end=done", "by=client")
    assert "client_messages=10 " in line and "upstream_messages=10 " in line


@BOTH
def test_a_ping_goes_between_two_fragments(site, upstream, secure):
    gateway = site(ping="100ms", pong_timeout="30s")
    with client_of(gateway, secure) as client:
        whole = frame(BINARY, bytes(1000), masked=False, fin=False)
        client.send(upgrade_request("/ws", "raw.test"))
        server = upstream.accept()
        # Together, so that no ping comes before it.
        server.send(upgrade_response(server.read_head().get("Sec-WebSocket-Key")) + whole[:500])
        assert client.read_head().status == 101
        assert client.read_exactly(500) == whole[:500]
        # Whatever is due meanwhile waits for the end of the frame.
        assert not client.wait_readable(0.4)
        server.send(whole[500:] + frame(CONTINUATION, b"end", masked=False))
        assert client.read_exactly(len(whole) - 500) == whole[500:]
        assert read_frame(client).opcode == PING
        last = read_frame(client)
        assert (last.opcode, last.payload, last.fin) == (CONTINUATION, b"end", True)


@BOTH
@VARIANTS
def test_a_websocket_ends_with_its_lifetime(site, upstream, log_of, variant, secure):
    gateway = site(variant, lifetime="2s", lifetime_jitter="500ms", lifetime_code=4001)
    log = log_of(gateway)
    began = time.monotonic()
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        for peer in (client, relay.upstream):
            last = read_until_close(peer)[-1]
            assert (last.close_code, last.close_reason) == (4001, "open for as long as it may be")
        assert time.monotonic() - began >= 1.5
    log.wait("websocket", "end=lifetime", "by=gateway", "code=4001")


@BOTH
@pytest.mark.parametrize("who", ["client", "upstream"])
def test_a_message_without_an_end_is_ended(site, upstream, log_of, secure, who):
    gateway = site(message_time="300ms")
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        peers = {"client": client, "upstream": relay.upstream}
        other = peers["upstream" if who == "client" else "client"]
        peers[who].send(frame(TEXT, b"a", masked=who == "client", fin=False))
        assert read_frame(other).payload == b"a"
        codes = {name: read_until_close(peer)[-1].close_code for name, peer in peers.items()}
        assert codes == ({"client": 1008, "upstream": 1001} if who == "client"
                         else {"client": 1011, "upstream": 1008})
    log.wait("websocket", f"end={who}-message-timeout", f"by={who}")


EXCESSES = {"messages": ({"messages_per_second": 10}, frame(TEXT, b"x")),
            "bytes": ({"bytes_per_second": "60B"}, frame(TEXT, b"")),
            "pings": ({"control_frames_per_second": 10}, frame(PING, b"x"))}


@BOTH
@pytest.mark.parametrize("kind", EXCESSES)
def test_a_client_that_sends_too_much_is_closed(site, upstream, log_of, secure, kind):
    limit, one = EXCESSES[kind]
    gateway = site(over_limit="close", **limit)
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        client.send(one * 30)
        closing = read_until_close(client)[-1]
        name = next(iter(limit))
        assert closing.close_code == 1008 and closing.close_reason.endswith(f"than {name} allows")
        assert read_until_close(relay.upstream)[-1].close_code == 1008
    log.wait("websocket", "end=client-over-rate", "by=client", "code=1008", name)


@BOTH
@VARIANTS
@pytest.mark.parametrize("kind", EXCESSES)
def test_a_client_that_sends_too_much_is_read_more_slowly(site, upstream, variant, secure, kind):
    limit, one = EXCESSES[kind]
    gateway = site(variant, burst="100ms", **limit)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        began = time.monotonic()
        # Each comes alone, so that one receive does not take many of them.
        for number in range(30):
            client.send(one)
            relay.upstream.read_exactly(len(one))
            relay.upstream.send(frame(TEXT, b"%d" % number, masked=False))
            assert read_frame(client).payload == b"%d" % number
        assert time.monotonic() - began >= 2.5, "30 at 10 a second, one of them at once"


@BOTH
def test_clients_that_are_not_read_hold_nothing_that_others_need(site, secure):
    """What they send meanwhile, byte by byte, is not in the buffers that all are received with."""
    gateway = site(Variant(1), messages_per_second=1)
    get = b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(300):
            client = stack.enter_context(client_of(gateway, secure))
            # Kept, it is received from before it asks for the WebSocket.
            client.send(get)
            assert client.read_response()[0].status == 200
            open_echo(client)
            client.send(frame(TEXT, b"x") * 60)
            assert read_frame(client).payload == b"x"
            clients.append(client)
        for byte in frame(TEXT, b"y"):
            for client in clients:
                client.send(bytes([byte]))
        other = stack.enter_context(client_of(gateway, secure))
        other.send(get)
        assert other.read_response()[0].status == 200
        for client in clients:
            client.reset()


def test_those_who_come_together_are_not_pinged_together(site):
    gateway = site(ping="2s", pong_timeout="10s")
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(40):
            client = stack.enter_context(connect(gateway.http_port))
            open_echo(client)
            selector.register(client.socket, selectors.EVENT_READ)
        times = []
        while len(times) < 40:
            ready = selector.select(DEADLINE)
            assert ready, f"only {len(times)} were pinged"
            for key, _ in ready:
                times.append(time.monotonic())
                selector.unregister(key.fileobj)
    assert times[-1] - times[0] > 0.1, "over a second, by chance"


def test_a_reload_gives_an_open_websocket_its_new_policy(start_reloading, raw_port, upstream):
    gateway, reload = start_reloading(Config({"raw": raw_port}, [
        {"name": "raw", "path": "/", "pool": "raw", "websocket": {"ping": "100ms", "pong_timeout": "4s"}}]))
    with connect(gateway.http_port) as client:
        open_relay(client, upstream)
        ping = read_frame(client)
        client.send(frame(PONG, ping.payload))
        gateway.config.routes[0]["websocket"] = {"ping": "100ms", "lifetime": "1ms", "lifetime_code": 4009}
        assert "route raw changed" in reload()
        # It goes by that once it would look whether the pong has come.
        assert read_until_close(client)[-1].close_code == 4009
