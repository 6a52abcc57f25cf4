"""Servers that say who they are: each answers a request with its number, and echoes the short messages
of a WebSocket. They run on one thread of their own, until NamedServers.close()."""

import asyncio
import re
import threading

from support.frames import CLOSE, accept_of, apply_mask, frame
from support.ports import free_port
from support.waiting import DEADLINE


class NamedServer:
    def __init__(self, number):
        self.number = number
        self.heads = []       # of all requests
        self.websockets = 0   # that are open
        self.answer_fields = ""
        self.held = None      # an asyncio.Event: while it is there, answers wait for it
        self.listener = None
        self.port = None
        self.writers = set()

    async def listen(self, port=None):
        self.port = port or free_port()  # nobody else's, also while it is stopped
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=4096)

    async def stop(self):
        """As a process that is killed: the port refuses, and connections are reset."""
        self.listener.close()
        for writer in list(self.writers):
            writer.transport.abort()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                if self.held is not None:
                    await self.held.wait()
                if re.search(r"^upgrade: websocket", head, re.IGNORECASE | re.MULTILINE):
                    return await self.serve_websocket(head, reader, writer)
                body = str(self.number)
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                             f"{self.answer_fields}\r\n{body}".encode("latin-1"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def serve_websocket(self, head, reader, writer):
        key = re.search(r"^sec-websocket-key: *(\S+)", head, re.IGNORECASE | re.MULTILINE)[1]
        self.websockets += 1
        writer.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Accept: {accept_of(key)}\r\n{self.answer_fields}\r\n")
                     .encode("latin-1"))
        try:
            while True:
                first, length = await reader.readexactly(2)
                mask = await reader.readexactly(4)
                payload = apply_mask(mask, await reader.readexactly(length & 0x7F))
                writer.write(frame(first & 15, payload, masked=False))
                if first & 15 == CLOSE:
                    return
        finally:
            self.websockets -= 1


class NamedServers:
    def __init__(self, count):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.all = [NamedServer(number) for number in range(count)]
        for server in self.all:
            self.do(server.listen())

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    @property
    def ports(self):
        return [server.port for server in self.all]

    def kill(self, number):
        self.do(self.all[number].stop())

    def start_again(self, number):
        self.do(self.all[number].listen(self.all[number].port))

    def websockets(self):
        return [server.websockets for server in self.all]

    def requests(self):
        return [len(server.heads) for server in self.all]

    def hold(self):
        """No server answers until release()."""
        event = asyncio.Event()
        for server in self.all:
            server.held = event

    def release(self):
        event = self.all[0].held
        for server in self.all:
            server.held = None
        self.loop.call_soon_threadsafe(event.set)

    def close(self):
        async def end():
            for server in self.all:
                await server.stop()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        self.do(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE)
        self.loop.close()
