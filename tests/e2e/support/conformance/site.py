"""A gateway, and a server behind it whose side of each WebSocket the caller plays, too."""

import asyncio
import contextlib

from support.async_peers import Ended, Listener, dial, in_time
from support.frames import upgrade_request, upgrade_response
from support.gateway import Config, Gateway, Variant
from support.streams import client_context
from support.waiting import DEADLINE

class Seen:
    """All that a peer gets, read by a task of its own as it comes."""

    def __init__(self, peer):
        self.peer = peer
        self.raw = bytearray()
        self.how = None  # it has ended: as in Ended
        self.news = asyncio.Event()

    async def run(self):
        try:
            while True:
                self.take()
                await self.peer.fill()
        except Ended as ended:
            self.take()
            self.how = ended.how
        self.news.set()
        await self.peer.finish()

    def take(self):
        new = bytes(self.peer.buffered)
        if new:
            self.raw += new
            self.peer.buffered.clear()
            self.on_bytes(new)
            self.news.set()

    def on_bytes(self, new):
        pass

    async def until(self, condition, what):
        """False: the stream has ended before."""
        deadline = asyncio.get_running_loop().time() + DEADLINE
        while not condition():
            if self.how is not None:
                return False
            self.news.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self.news.wait(), left)
            except asyncio.TimeoutError:
                raise AssertionError(f"{what}: not within {DEADLINE:g} s") from None
        return True

    async def until_length(self, size, what):
        return await self.until(lambda: len(self.raw) >= size, what)

    async def until_ended(self, what):
        await self.until(lambda: self.how is not None, what)


async def end_all(tasks):
    """Raises what one of them has failed with."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        # Python 3.11's wait_for() loses a cancellation that comes as its awaitable is done.
        _, left = await asyncio.wait(left, timeout=0.1)
    for task in tasks:
        if not task.cancelled() and task.exception():
            raise task.exception()


class Opened:
    def __init__(self, client, server, request, response):
        self.client, self.server = client, server
        self.request, self.response = request, response  # as the server and the client got them

    def close(self):
        self.client.close()
        self.server.close()


class Site:
    def __init__(self, folder, variant=Variant(), settings=None, **config):
        """`settings`: keys of [defaults.websocket]."""
        self.listener = Listener(self.serve)
        self.context = client_context()
        self.awaited = {}  # the path of a WebSocket: its server's side, and the answer to give
        defaults = {"websocket": settings} if settings else {}
        self.gateway = Gateway(folder, Config({"app": {"servers": self.listener.port}},
                                              [{"pool": "app"}], level="info", log_buffer="64MiB",
                                              defaults=defaults, **config), variant)

    async def serve(self, peer):
        head = await peer.read_head()
        future, fields = self.awaited.pop(head.first_line.split(" ")[1])
        await peer.send(upgrade_response(head.get("Sec-WebSocket-Key"), fields(head)))
        if future.cancelled():
            peer.close()
        else:
            future.set_result((peer, head))

    async def open(self, path, secure, offered="", answered=""):
        """`offered`, `answered`: more lines of the two heads; `answered` may be a function of the
        request's head."""
        future = asyncio.get_running_loop().create_future()
        fields = answered if callable(answered) else lambda _: answered
        self.awaited[path] = future, fields
        port = self.gateway.https_port if secure else self.gateway.http_port
        client = await dial(port, self.context if secure else None)
        try:
            await client.send(upgrade_request(path, "x.test", more=offered))
            response = await client.read_head()
            assert response.status == 101, response
            server, request = await in_time(future)
        except BaseException:
            client.close()
            raise
        return Opened(client, server, request, response)

    @contextlib.asynccontextmanager
    async def serving(self):
        task = asyncio.create_task(self.listener.run())
        try:
            yield self
            await asyncio.to_thread(self.gateway.wait_for_descriptors)
            await asyncio.to_thread(self.gateway.finish)
        finally:
            task.cancel()
            self.listener.socket.close()
            self.gateway.kill()
