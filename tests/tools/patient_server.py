"""WebSocket servers that note when messages come, for clients that pause; they run in a
faulty_server.FaultyServer."""

import asyncio
import time


class Notes:
    def __init__(self):
        self.pauses = []  # between an answer and the next message
        self.events = []

    async def echo(self, _server, connection):
        """How long a client has paused is more than what lies between the two."""
        answered = None
        async for message in connection:
            if answered is not None:
                self.pauses.append(time.monotonic() - answered)
            self.events.append(message)
            answered = time.monotonic()
            await connection.send(message)

    async def interrupt(self, _server, connection):
        """Says and asks what does not belong there while the client pauses, and gives a token after that."""
        first = await connection.recv()
        await connection.send(first)
        for _ in range(3):
            await connection.send("noise")
        pong = await connection.ping()
        pong.add_done_callback(lambda _: self.events.append("pong"))
        await connection.recv()
        self.events.append("second")
        await connection.send('{"token":"t"}')
        async for message in connection:
            await connection.send(message)


async def stream(server, connection):
    """Messages without a pause, and an answer to each that comes."""
    async def send_on():
        while True:
            await connection.send("noise" * 1000)
            await asyncio.sleep(0.001)

    streaming = asyncio.ensure_future(send_on())
    try:
        async for message in connection:
            server.received += 1
            await connection.send(message)
    finally:
        streaming.cancel()


async def leave(_server, connection):
    """Answers once, and closes behind the answer."""
    await connection.send(await connection.recv())
    await connection.close(4001)


async def vanish(_server, connection):
    await connection.send(await connection.recv())
    await asyncio.sleep(0)
    connection.transport.close()


async def gather(server, connection):
    """Knows who is there."""
    server.members.add(connection)
    try:
        await connection.wait_closed()
    finally:
        server.members.discard(connection)
