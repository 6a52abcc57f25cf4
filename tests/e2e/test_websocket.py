"""WebSockets through the gateway with real clients, and what passes through it untouched."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
import websockets

from conftest import RAW_HOST, every_variant
from support.application import NODE_PATH
from support.frames import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame,
                            read_frame, upgrade_request, upgrade_response)
from support.relay import dial, open_echo, open_relay, run
from support.streams import connect
from support.waiting import DEADLINE

NODE_CLIENT = Path(__file__).parent / "clients" / "websocket.js"
SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20]

both = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])


@every_variant
@both
def test_messages_of_every_kind_and_size_are_echoed(gateway, secure):
    async def chat():
        async with dial(gateway, secure=secure, compression=None) as socket:
            for size in SIZES:
                for data in ("x" * size, os.urandom(size)):
                    await socket.send(data)
                    assert await socket.recv() == data
            await socket.send(["one ", "two ", "three"])
            assert await socket.recv() == "one two three"
            await (await socket.ping(b"there?"))
    run(chat())


def chat_by_node(gateway, secure):
    url = (f"wss://localhost:{gateway.https_port}/echo" if secure
           else f"ws://localhost:{gateway.http_port}/echo")
    done = subprocess.run(["node", "--dns-result-order=ipv4first", NODE_CLIENT, url],
                          env=os.environ | {"NODE_PATH": NODE_PATH}, capture_output=True,
                          timeout=2 * DEADLINE, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"code": 4001, "reason": "tschüss", "protocol": "chat.v1"}


@every_variant
@both
def test_node_chats(gateway, secure):
    chat_by_node(gateway, secure)


@every_variant
@both
def test_many_small_messages_arrive_all_and_in_order(gateway, secure):
    count = 3000

    async def chat():
        async with dial(gateway, secure=secure, compression=None) as socket:
            async def send():
                for number in range(count):
                    await socket.send(b"%d" % number)
            sending = asyncio.ensure_future(send())
            for number in range(count):
                assert await socket.recv() == b"%d" % number
            await sending
    run(chat())


@every_variant
@both
def test_a_flood_from_the_server_arrives_all_and_in_order(gateway, secure):
    count = 20_000

    async def listen():
        path = f"/push?rate=0&size=100&burst=50&count={count}"
        async with dial(gateway, path, secure=secure, compression=None) as socket:
            for number in range(count):
                message = await socket.recv()
                assert len(message) == 100 and int.from_bytes(message[:8], "big") == number
    run(listen())


def test_large_messages_both_ways_at_once_arrive_whole(gateway):
    data = os.urandom(8 << 20)

    async def chat():
        async with dial(gateway, compression=None, write_limit=1 << 16) as socket:
            sending = asyncio.ensure_future(socket.send(data))
            assert await socket.recv() == data
            await sending
    run(chat())


@both
def test_compression_is_negotiated_through_the_gateway(gateway, raw_port, secure):
    async def echo(socket):
        async for message in socket:
            await socket.send(message)

    async def chat():
        async with websockets.serve(echo, "127.0.0.1", raw_port, compression="deflate",
                                    max_size=None):
            async with dial(gateway, "/", RAW_HOST, secure, compression="deflate") as socket:
                negotiated = getattr(socket, "protocol", socket).extensions  # there since 14.0
                assert [one.name for one in negotiated] == ["permessage-deflate"]
                for message in ("a" * 100_000, os.urandom(5000), ""):
                    await socket.send(message)
                    assert await socket.recv() == message
    run(chat())


def test_the_handshake_passes_with_its_fields(client, upstream):
    offer = ("Origin: https://chat.test\r\nSec-WebSocket-Protocol: a, b\r\nCookie: c=1\r\n"
             "Sec-WebSocket-Extensions: x-one; q=1, x-two\r\nX-Forwarded-For: 1.2.3.4\r\n")
    answer = ("Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Extensions: x-two\r\n"
              "Set-Cookie: d=2\r\n")
    relay = open_relay(client, upstream, request_fields=offer, response_fields=answer)
    request, response = relay.request, relay.response
    assert request.first_line == "GET /ws HTTP/1.1"
    assert ("Upgrade", "websocket") in request.fields
    assert ("Connection", "Upgrade") in request.fields
    assert request.get("Sec-WebSocket-Version") == "13"
    assert request.get("Host") == RAW_HOST
    assert request.get("Origin") == "https://chat.test"
    assert request.get("Sec-WebSocket-Protocol") == "a, b"
    assert request.get("Sec-WebSocket-Extensions") == "x-one; q=1, x-two"
    assert request.get("Cookie") == "c=1"
    assert request.get("X-Forwarded-For") == "127.0.0.1"
    assert request.get("X-Forwarded-Proto") == ("https" if client.secure else "http")
    assert ("Upgrade", "websocket") in response.fields
    assert response.get("Connection").lower() == "upgrade"
    assert response.get("Sec-WebSocket-Protocol") == "b"
    assert response.get("Sec-WebSocket-Extensions") == "x-two"
    assert response.get("Set-Cookie") == "d=2"


def test_frames_pass_byte_for_byte(client, upstream):
    relay = open_relay(client, upstream)
    before = len(relay.upstream.received)
    sent = (frame(TEXT, b"masked as it came") + frame(BINARY, os.urandom(300), fin=False)
            + frame(PING, b"p") + frame(CONTINUATION, os.urandom(70_000)))
    client.send(sent)
    assert relay.upstream.read_exactly(len(sent)) == sent
    assert relay.upstream.received[before:] == sent
    back = frame(TEXT, b"plain", masked=False) + frame(PONG, b"p", masked=False)
    relay.upstream.send(back)
    assert client.read_exactly(len(back)) == back


def test_a_frame_in_single_bytes_arrives(client, upstream):
    relay = open_relay(client, upstream)
    sent = frame(BINARY, bytes(range(256)) * 2) + frame(PING, b"ping")
    for position in range(len(sent)):
        client.send(sent[position:position + 1])
    assert relay.upstream.read_exactly(len(sent)) == sent
    back = frame(BINARY, bytes(200), masked=False)
    for position in range(len(back)):
        relay.upstream.send(back[position:position + 1])
    assert client.read_exactly(len(back)) == back


def test_a_part_of_a_message_is_passed_on_before_the_rest_has_come(client, upstream):
    relay = open_relay(client, upstream)
    whole = frame(BINARY, os.urandom(10_000))
    client.send(whole[:5000])
    assert relay.upstream.read_exactly(5000) == whole[:5000]
    client.send(whole[5000:])
    assert relay.upstream.read_exactly(len(whole) - 5000) == whole[5000:]


def test_what_comes_right_behind_the_request_are_the_first_frames(client):
    first = [b"first", b"second"]
    client.send(upgrade_request() + b"".join(frame(TEXT, one) for one in first))
    assert client.read_head().status == 101
    assert [read_frame(client).payload for _ in first] == first


def test_what_comes_right_behind_the_response_are_the_first_frames(client):
    open_echo(client, "/misbehave/early")
    assert [(one.opcode, one.payload) for one in (read_frame(client), read_frame(client))] == [
        (TEXT, b"early"), (BINARY, b"bird")]
    client.send(frame(TEXT, b"later"))
    assert read_frame(client).payload == b"later"


def test_more_than_a_buffer_right_behind_the_heads_is_kept(client, upstream):
    early = frame(BINARY, os.urandom(100_000))
    client.send(upgrade_request("/ws", RAW_HOST) + early)
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    answer = frame(BINARY, os.urandom(100_000), masked=False)
    server.send(upgrade_response(key) + answer)
    assert client.read_head().status == 101
    assert server.read_exactly(len(early)) == early
    assert client.read_exactly(len(answer)) == answer


def test_a_connection_is_served_while_others_do_not_read(gateway):
    others = []
    try:
        for number in range(20):
            secure = number % 2 == 0
            other = connect(gateway.https_port if secure else gateway.http_port, secure,
                            receive_buffer=4096)
            others.append(other)
            open_echo(other, "/push?rate=0&size=65536")

        async def chat():
            async with dial(gateway, compression=None) as socket:
                for number in range(300):
                    await socket.send(b"%d" % number)
                    assert await socket.recv() == b"%d" % number
        run(chat())
    finally:
        for other in others:
            other.reset()


def test_each_websocket_has_its_line_in_the_log(client, log):
    open_echo(client, "/echo")
    client.send(frame(TEXT, b"12345") + frame(PING, b"p") + frame(BINARY, b"1234567"))
    for _ in range(3):
        read_frame(client)
    client.send(frame(CLOSE, close_payload(4001, "bye")))
    assert read_frame(client).close_code == 4001
    client.read_to_end()
    line = log.wait("websocket", f"127.0.0.1:{client.local_port}")
    for word in ("/echo", "client_frames=4", "client_bytes=12", "upstream_frames=4",
                 "upstream_bytes=12", "ms=", "by=client", "code=4001"):
        assert word in line, word
