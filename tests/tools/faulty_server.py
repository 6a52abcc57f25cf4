"""WebSocket servers that do what gateway-echo never does: lose, double, swap, stall, hang. Each runs in a
thread of its own with an event loop, and counts what it has done."""

import asyncio
import json
import threading

import websockets


class FaultyServer:
    """`handle` is an async function of the server and a connection. With a path it listens there, and not on
    a port; with an SSL context it speaks TLS. `options` are more of those that websockets.serve() has."""

    def __init__(self, handle, path=None, tls=None, **options):
        self.handle = handle
        self.path = path
        self.tls = tls
        self.options = {"compression": None, "ping_interval": None, "max_size": None, "close_timeout": 1,
                        **options}
        self.lost = self.doubled = self.swapped = self.received = self.ponged = 0
        self.members = set()
        self.names = []
        self.loop = asyncio.new_event_loop()
        self.stopping = None
        self.port = None
        self.ready = threading.Event()
        self.held = threading.Event()
        self.may_go_on = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.serve())

    async def serve(self):
        self.stopping = asyncio.Event()
        if self.path:
            server = await websockets.unix_serve(self.converse, str(self.path), **self.options)
        else:
            server = await websockets.serve(self.converse, "127.0.0.1", 0, ssl=self.tls,
                                            **self.options)
            self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stopping.wait()
        server.close()
        await server.wait_closed()

    async def converse(self, connection, _path=None):
        try:
            await self.handle(self, connection)
        except websockets.ConnectionClosed:
            pass

    @property
    def url(self):
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.port}/"

    def hold(self):
        """From when this has returned the server neither reads nor writes, until go_on()."""
        def wait():
            self.held.set()
            self.may_go_on.wait(30)
        self.loop.call_soon_threadsafe(wait)
        assert self.held.wait(30)

    def go_on(self):
        self.may_go_on.set()

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(30)
        assert not self.thread.is_alive()


async def lose(server, connection):
    """Every seventh message has no answer."""
    count = 0
    async for message in connection:
        server.received += 1
        count += 1
        if count % 7 == 0:
            server.lost += 1
        else:
            await connection.send(message)


async def double(server, connection):
    """Every fifth has two."""
    count = 0
    async for message in connection:
        server.received += 1
        count += 1
        await connection.send(message)
        if count % 5 == 0:
            server.doubled += 1
            await connection.send(message)


async def swap(server, connection):
    """Of every four, the third is answered after the fourth; a pair that is not whole is answered in order,
    when the client says goodbye or waits."""
    held = None
    count = 0
    while True:
        try:
            message = await asyncio.wait_for(connection.recv(), 0.3)
        except asyncio.TimeoutError:
            if held is not None:
                await connection.send(held)
                held = None
                count = 0
            continue
        server.received += 1
        count += 1
        if count % 4 == 3:
            held = message
            continue
        await connection.send(message)
        if held is not None:
            server.swapped += 1
            await connection.send(held)
            held = None


async def overtake(server, connection):
    """The first message is answered after 400 others."""
    first = await connection.recv()
    async for message in connection:
        server.received += 1
        await connection.send(message)
        if server.received == 400:
            server.swapped += 1
            await connection.send(first)


async def answer_late(server, connection):
    """The first message that any connection sends is answered after 2 s, all others at once."""
    async def answer_then(message):
        await asyncio.sleep(2)
        await connection.send(message)

    answering = None
    async for message in connection:
        server.received += 1
        if server.received == 1:
            answering = asyncio.ensure_future(answer_then(message))
        else:
            await connection.send(message)
    if answering:
        answering.cancel()


async def ping(server, connection):
    """Echoes, and sends a ping whenever the one before has its pong."""
    async def keep_pinging():
        while True:
            await (await connection.ping())
            server.ponged += 1

    pinging = asyncio.ensure_future(keep_pinging())
    async for message in connection:
        await connection.send(message)
    pinging.cancel()


async def turn_away_later(server, connection):
    """Closes after two messages, and answers none."""
    for _ in range(2):
        await connection.recv()
        server.received += 1
    await connection.close(4000)


async def intrude(_server, connection):
    """Echoes, behind ten messages that nobody asked for."""
    await connection.recv()
    for _ in range(10):
        await connection.send(b"x" * 1000)
    connection.transport.close()


async def broadcast_slowly(server, connection):
    """One message at a time; what comes meanwhile waits."""
    server.members.add(connection)
    try:
        async for message in connection:
            await asyncio.sleep(0.05)
            websockets.broadcast(server.members, message)
    finally:
        server.members.discard(connection)


async def broadcast(server, connection):
    """What one says, all hear."""
    server.members.add(connection)
    try:
        async for message in connection:
            server.received += 1
            websockets.broadcast(server.members, message)
    finally:
        server.members.discard(connection)


async def log_in(server, connection):
    """Greets; wants a name, gives a token for it, and wants to be subscribed to with that one. From then on
    each request with the token is answered."""
    await connection.send("hello")
    name = json.loads(await connection.recv())["login"]
    await connection.send(json.dumps({"data": {"token": f"t-{name}"}}))
    subscription = await connection.recv()
    server.names.append(name)
    if subscription != f"subscribe t-{name}":
        await connection.close(1008, "another's token")
    async for message in connection:
        server.received += 1
        if json.loads(message)["token"] != f"t-{name}":
            await connection.close(1008, "another's token")
        await connection.send("done")


def replying(reply):
    """The same to everything."""

    async def answer(server, connection):
        async for _ in connection:
            server.received += 1
            await connection.send(reply)

    return answer


async def turn_away(_server, connection):
    """Says goodbye to the first message."""
    await connection.recv()
    await connection.close(1008, "not you")


async def hang(server, connection):
    """Nothing is ever answered."""
    async for _ in connection:
        server.received += 1


async def answer_slowly(_server, connection):
    """One after the other, twenty a second."""
    async for message in connection:
        await asyncio.sleep(0.05)
        await connection.send(message)


async def answer_once(_server, connection):
    """The first message, and none after it."""
    await connection.send(await connection.recv())
    async for _ in connection:
        pass


async def flood(_server, connection):
    """Messages that nobody asked for, without end."""
    while True:
        await connection.send(b"x" * 1000)


async def reset(server, connection):
    """Resets the connection at the third message."""
    count = 0
    async for message in connection:
        server.received += 1
        count += 1
        if count == 3:
            connection.transport.abort()
            return
        await connection.send(message)


def stalling(after, length):
    """Echoes, but for so many seconds from so many seconds after the first message on."""
    began = []

    async def echo(_server, connection):
        loop = asyncio.get_running_loop()
        async for message in connection:
            if not began:
                began.append(loop.time())
            passed = loop.time() - began[0]
            if after <= passed < after + length:
                await asyncio.sleep(after + length - passed)
            await connection.send(message)

    return echo
