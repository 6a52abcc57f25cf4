"""compression = "terminate": permessage-deflate (RFC 7692) between client and gateway, plain frames
between gateway and server."""

import asyncio
import os
import random
import re
import zlib
from contextlib import ExitStack

import pytest

from conftest import RAW_HOST
from support.frames import (BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, close_payload,
                            frame, read_frame, read_until_close)
from support.gateway import Config, Variant
from support.permessage_deflate import extensions
from support.relay import dial, open_relay, run
from support.streams import connect
from test_websocket import chat_by_node

OFFER = "permessage-deflate; client_max_window_bits"
TEXT_OF = '{"id": 1, "name": "caf\u00e9", "tags": ["a", "b", "c"]}, '
SECURE = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])


def compressed(data):
    """A message by itself."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(payload, inflate=None):
    inflate = inflate or zlib.decompressobj(-15)
    return inflate.decompress(payload + b"\x00\x00\xff\xff")


def json_like(size):
    return (TEXT_OF * (size // len(TEXT_OF.encode()) + 1)).encode()[:size].decode(errors="ignore")


@pytest.fixture
def open_terminated(start_gateway, raw_port, upstream):
    """open_terminated(secure, settings of the route, what the client offers)"""
    peers = []

    def start(secure=True, offer=OFFER, **websocket):
        gateway = start_gateway(
            Config({"raw": raw_port}, [{"pool": "raw", "host": RAW_HOST,
                                        "websocket": {"compression": "terminate", **websocket}}],
                   level="info"), Variant(1))
        client = connect(gateway.https_port if secure else gateway.http_port, secure)
        peers.append(client)
        relay = open_relay(client, upstream, RAW_HOST, extensions(offer))
        peers.append(relay.upstream)
        return gateway, relay

    yield start
    for peer in peers:
        peer.close()


def read_message(stream):
    """(opcode, rsv, payload as it came, frames) of the next message."""
    first = read_frame(stream)
    payload, frames, last = first.payload, 1, first
    while not last.fin:
        last = read_frame(stream)
        assert last.opcode == CONTINUATION and last.rsv == 0
        payload += last.payload
        frames += 1
    return first.opcode, first.rsv, payload, frames


@SECURE
def test_the_server_gets_plain_messages(open_terminated, secure):
    _, relay = open_terminated(secure)
    assert relay.request.all("Sec-WebSocket-Extensions") == []
    for size in (0, 1, 125, 126, 65535, 65536, 300_000):
        text = json_like(size)
        relay.client.send(frame(TEXT, compressed(text.encode()), rsv=RSV1) + frame(PING, b"p"))
        opcode, rsv, payload, _ = read_message(relay.upstream)
        assert (opcode, rsv) == (TEXT, 0) and payload.decode() == text
        ping = read_frame(relay.upstream)
        assert (ping.opcode, ping.payload, ping.masked) == (PING, b"p", True)


@SECURE
def test_the_client_gets_compressed_messages(open_terminated, secure):
    _, relay = open_terminated(secure)
    for size in (0, 1, 63, 64, 125, 126, 65535, 65536, 300_000):
        text = json_like(size).encode()
        relay.upstream.send(frame(TEXT, text, masked=False) + frame(PONG, b"q", masked=False))
        opcode, rsv, payload, frames = read_message(relay.client)
        assert opcode == TEXT and rsv == (RSV1 if len(text) >= 64 else 0)
        assert frames == 1, "one that fits a frame is in one"
        assert (inflated(payload) if rsv else payload) == text
        assert read_frame(relay.client).payload == b"q"


def test_what_would_grow_stays_as_it_is(open_terminated):
    _, relay = open_terminated()
    noise = random.Random(1).randbytes(100_000)
    relay.upstream.send(frame(BINARY, noise, masked=False))
    opcode, rsv, payload, _ = read_message(relay.client)
    assert (opcode, rsv) == (BINARY, 0) and payload == noise


def test_contexts_are_kept_where_the_route_says_so(open_terminated):
    _, relay = open_terminated(context_takeover=True)
    assert "no_context_takeover" not in relay.response.get("Sec-WebSocket-Extensions")
    inflate, deflate = zlib.decompressobj(-15), zlib.compressobj(6, zlib.DEFLATED, -15)
    text, sizes = json_like(2000).encode() + os.urandom(100).hex().encode(), []
    for _ in range(3):
        relay.upstream.send(frame(TEXT, text, masked=False))
        _, rsv, payload, _ = read_message(relay.client)
        assert rsv == RSV1 and inflated(payload, inflate) == text
        sizes.append(len(payload))
        sent = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
        relay.client.send(frame(TEXT, sent[:-4], rsv=RSV1))
        assert read_message(relay.upstream)[2] == text
    assert sizes[1] < sizes[0] / 4


# what is sent: (settings of the route, first frame, close code, word of the log)
BROKEN = {
    "no-deflate": ({}, frame(BINARY, b"\xff\xff\xff", rsv=RSV1), 1007,
                   "compressed data is not DEFLATE"),
    "cut": ({}, frame(BINARY, compressed(random.Random(3).randbytes(2000).hex().encode())[:300], rsv=RSV1), 1007,
            "compressed data is not DEFLATE"),
    "not-utf-8": ({}, frame(TEXT, compressed(b"caf\xff"), rsv=RSV1), 1007, "text is not UTF-8"),
    "ends-in-a-character": ({}, frame(TEXT, compressed(b"caf\xc3"), rsv=RSV1), 1007,
                            "text is not UTF-8"),
    "too-large": ({"message_max": "1KiB"}, frame(BINARY, compressed(bytes(1025)), rsv=RSV1), 1009,
                  "message too large"),
    "too-large-and-plain": ({"message_max": "1KiB"}, frame(BINARY, bytes(1025)), 1009,
                            "message too large"),
    "a-bomb": ({"message_max": "1MiB"}, frame(BINARY, compressed(bytes(64 << 20)), rsv=RSV1), 1009,
               "message too large"),
    "too-much-of-so-little": ({}, frame(BINARY, compressed(bytes(16 << 20)), rsv=RSV1), 1008,
                              "message compressed too far"),
}


@SECURE
@pytest.mark.parametrize("name", BROKEN)
def test_what_a_message_becomes_is_judged(open_terminated, log_of, secure, name):
    settings, sent, code, words = BROKEN[name]
    gateway, relay = open_terminated(secure, **settings)
    log = log_of(gateway)
    relay.client.send(sent + frame(TEXT, b"never"))
    got = read_until_close(relay.upstream)  # as much of a large message as may be
    assert got[-1].close_code == code
    assert read_until_close(relay.client)[-1].close_code == code
    assert b"never" not in [one.payload for one in got]
    line = log.wait("end=client-violation")
    assert words in line and re.search(rf" code={code} ", line), line


def test_a_message_of_exactly_the_most_passes(open_terminated):
    _, relay = open_terminated(message_max="64KiB")
    noise = random.Random(2).randbytes(65536)  # which deflate makes longer
    relay.client.send(frame(BINARY, compressed(noise), rsv=RSV1))
    assert read_message(relay.upstream)[2] == noise


def test_a_bomb_is_as_large_as_its_server_takes_it(open_terminated):
    """Allowed to be one: 256 MiB, of which nothing is held but what is under way."""
    gateway, relay = open_terminated(secure=False, compression_ratio_max="off")
    before = gateway.status("VmRSS")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(256))
    bomb = (bomb + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    relay.client.send(frame(BINARY, bomb, rsv=RSV1))
    received, place = 0, bytearray(1 << 20)
    while received < 256 << 20:
        size = relay.upstream.socket.recv_into(place)
        assert size > 0
        received += size
    assert gateway.status("VmRSS") - before < 8 * 1024


def test_a_close_in_mid_message_goes_at_once(open_terminated, log_of):
    gateway, relay = open_terminated(secure=False)
    log = log_of(gateway)
    relay.upstream.send(frame(TEXT, b"begins" * 20, masked=False, fin=False))
    relay.upstream.send(frame(CLOSE, close_payload(4321, "why not"), masked=False))
    assert read_frame(relay.client).close_code == 4321
    relay.client.send(frame(CLOSE, close_payload(4321)))
    assert read_frame(relay.upstream).close_code == 4321
    assert " code=4321 " in log.wait("end=done")


def test_without_memory_messages_go_uncompressed(start_gateway, raw_port, upstream, log_of):
    """Messages that are under way have it, each some 270 KiB."""
    gateway = start_gateway(
        Config({"raw": raw_port}, [{"pool": "raw", "host": RAW_HOST,
                                    "websocket": {"compression": "terminate"}}],
               limits={"compression_memory": "1MiB"}), Variant(1))
    log = log_of(gateway)
    with ExitStack() as stack:
        def opened():
            client = stack.enter_context(connect(gateway.http_port))
            return client, open_relay(client, upstream, RAW_HOST, extensions(OFFER))

        text = json_like(2000).encode()
        for _ in range(4):
            _, relay = opened()
            relay.upstream.send(frame(TEXT, text, masked=False, fin=False) +
                                frame(PING, b"there", masked=False))
            assert read_frame(relay.client).payload in (b"there", text)
        client, relay = opened()
        relay.upstream.send(frame(TEXT, text, masked=False))
        assert read_message(client)[:3] == (TEXT, 0, text)
        assert "compression_memory" in log.wait("goes uncompressed")
        client.send(frame(TEXT, compressed(text), rsv=RSV1))
        assert read_message(relay.upstream)[2] == text
        relay.upstream.close()


def test_who_finds_no_memory_to_inflate_with_is_told_to_come_again(start_gateway, raw_port, upstream,
                                                                   log_of):
    """Some 25 messages that have no end hold it all; what they say counts for nobody else."""
    gateway = start_gateway(
        Config({"raw": raw_port}, [{"pool": "raw", "host": RAW_HOST,
                                    "websocket": {"compression": "terminate"}}],
               limits={"compression_memory": "1MiB"}, level="info"), Variant(1))
    log = log_of(gateway)
    begun = frame(TEXT, compressed(b"begun")[:3], rsv=RSV1, fin=False) + frame(PING, b"there?")
    with ExitStack() as stack:
        def opened():
            client = stack.enter_context(connect(gateway.http_port))
            return open_relay(client, upstream, RAW_HOST, extensions(OFFER))

        for _ in range(40):
            relay = opened()
            relay.client.send(begun)
            if read_frame(relay.upstream).opcode == CLOSE:
                break
        else:
            pytest.fail("there is memory without end")
        assert read_frame(relay.client).close_code == 1013
        assert " by=gateway code=1013 " in log.wait("end=inflate-shortage")
        # Who does not compress is served.
        other = opened()
        other.client.send(frame(TEXT, b"plain"))
        assert read_frame(other.upstream).payload == b"plain"


@pytest.fixture
def echoing(start_gateway, echo):
    return start_gateway(Config({"echo": echo.port}, [
        {"pool": "echo", "websocket": {"compression": "terminate"}}]), Variant(2))


@SECURE
def test_python_speaks_with_it(echoing, secure):
    async def chat():
        async with dial(echoing, secure=secure, compression="deflate") as client:
            for size in (0, 10, 1000, 70_000, 1_000_000):
                text = json_like(size)
                await client.send(text)
                assert await client.recv() == text
                await client.send(text.encode())
                assert await client.recv() == text.encode()
            await client.send([json_like(500), json_like(40_000)])
            assert await client.recv() == json_like(500) + json_like(40_000)
            await (await client.ping())

    run(chat())


@SECURE
def test_node_speaks_with_it(echoing, secure):
    chat_by_node(echoing, secure)


@SECURE
def test_many_speak_with_it_at_a_time(echoing, secure):
    async def one(number):
        async with dial(echoing, secure=secure, compression="deflate") as client:
            texts = [json_like((number * 7919 + index * 613) % 50_000) + str(number)
                     for index in range(20)]
            for text in texts:
                await client.send(text)
            for text in texts:
                assert await client.recv() == text

    async def all_of_them():
        await asyncio.gather(*[one(number) for number in range(40)])

    run(all_of_them())
