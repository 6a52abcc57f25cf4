"""gateway-echo with Python's websockets."""

import asyncio
import os
import socket
import struct
import time

import pytest
import websockets


def run(story):
    asyncio.run(asyncio.wait_for(story, 60))


def connect(url, **options):
    return websockets.connect(url, max_size=None, compression=None, **options)


def test_echo_returns_messages_of_every_size(echo):
    async def story():
        async with connect(echo.ws("/echo")) as client:
            for size in (0, 1, 125, 126, 65535, 65536, 3_000_000):
                message = os.urandom(size)
                await client.send(message)
                assert await client.recv() == message
            await client.send("grüß")
            assert await client.recv() == "grüß"
            await client.send(["frag", "", "ments"])
            assert await client.recv() == "fragments"
    run(story())


def test_echo_answers_pings_and_closes_and_chooses_the_first_subprotocol(echo):
    async def story():
        async with connect(echo.ws("/echo"), subprotocols=["first", "second"]) as client:
            assert client.subprotocol == "first"
            await (await client.ping(b"payload"))
            await client.close(3001, "why")
            assert (client.close_code, client.close_reason) == (3001, "why")
    run(story())


def test_push_sends_numbered_messages_and_answers_pings_meanwhile(echo):
    async def story():
        async with connect(echo.ws("/push?size=300000&count=20&rate=200&burst=3")) as client:
            pong = await client.ping()
            for number in range(20):
                message = await client.recv()
                assert len(message) == 300000
                assert int.from_bytes(message[:8], "big") == number
            await pong
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 1000
    run(story())


def test_push_marks_its_messages(echo):
    async def story():
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        async with connect(echo.ws("/push?size=30&count=3&mark=1")) as client:
            for number in range(3):
                message = await client.recv()
                assert len(message) == 30
                assert struct.unpack("<QQ", message[:16]) == (0, number)
                sent, = struct.unpack("<Q", message[16:24])
                assert before <= sent <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    run(story())


def test_push_goes_as_fast_as_it_is_taken_and_ends_when_asked(echo):
    async def story():
        async with connect(echo.ws("/push?size=100")) as client:
            for _ in range(1000):
                assert len(await client.recv()) == 100
            # What is under way has to be read before the answer to the close frame is seen.
            closing = asyncio.create_task(client.close())
            with pytest.raises(websockets.ConnectionClosedOK):
                while True:
                    await client.recv()
            await closing
    run(story())


def test_sink_discards_and_closes(echo):
    async def story():
        async with connect(echo.ws("/sink")) as client:
            for _ in range(50):
                await client.send(os.urandom(100_000))
            await client.close()
            assert client.close_code == 1000
    run(story())


def test_echo_stops_reading_a_client_that_does_not_read(echo):
    """Socket buffers and one batch are all that fits between the two."""
    fits_bytes_max = 64 << 20
    frame = b"\x82\xff" + (1 << 20).to_bytes(8, "big") + bytes(4) + bytes(1 << 20)
    with socket.create_connection(echo.host_port, timeout=10) as client:
        client.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                       b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        client.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < fits_bytes_max:
                sent += client.send(frame)
    assert sent < fits_bytes_max


@pytest.mark.parametrize("path, code", [
    ("close?code=4001&reason=a%20b", 4001),
    ("close?code=1005", 1005),
    ("half-close", 1006),
    ("violate", 1006),
    ("violate?kind=masked", 1006),
])
def test_misbehaviour_ends_a_websocket(echo, path, code):
    async def story():
        async with connect(echo.ws("/misbehave/" + path), close_timeout=1) as client:
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await client.recv()
            assert client.close_code == code
    run(story())


def test_early_frames_come_with_the_head(echo):
    async def story():
        async with connect(echo.ws("/misbehave/early")) as client:
            assert [await client.recv(), await client.recv()] == ["early", b"bird"]
            await client.send("then it echoes")
            assert await client.recv() == "then it echoes"
    run(story())


@pytest.mark.parametrize("path, told", [
    ("bad-accept", "invalid Sec-WebSocket-Accept header"),
    ("refuse", "HTTP 403"),
    ("garbage", "did not receive a valid HTTP response"),
])
def test_misbehaviour_fails_the_handshake(echo, path, told):
    async def story():
        with pytest.raises(websockets.InvalidHandshake, match=told):
            async with connect(echo.ws("/misbehave/" + path)):
                pass
    run(story())
