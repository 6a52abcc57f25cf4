"""Raw peers by the thousand: as support/streams.py, but as coroutines of one thread.

A peer does exactly what it is told. TLS runs over memory, so that its TCP connection can end under
it. Every wait ends after DEADLINE; an end of the stream raises Ended, which says how it ended.
"""

import asyncio
import socket
import ssl
import struct

from support.frames import CLOSE, PING, PONG, Frame, apply_mask
from support.streams import parse_head

DEADLINE = 120.0  # seconds: much happens at a time, and sanitizers make all of it slower
CHUNK = 65536
HEAD_BYTES_MAX = 65536


class Ended(Exception):
    """`how`: "end" (the FIN, on TLS behind a close_notify), "truncated" (TLS: none came before the
    FIN), "tls-failed", "reset", or "closed" by this side; `rest`: what came behind the last whole
    thing."""

    def __init__(self, how, rest=b""):
        super().__init__(f"{how} after {rest[:200]!r}")
        self.how = how
        self.rest = rest


async def in_time(coroutine):
    return await asyncio.wait_for(coroutine, DEADLINE)


def word_of(frame):
    """A frame in words: 'close 4001 "no more"', "frame of 5"."""
    if frame.opcode == CLOSE:
        reason = f' "{frame.close_reason}"' if frame.close_reason else ""
        return f"close {frame.close_code}{reason}"
    return {PING: "ping", PONG: "pong"}.get(frame.opcode, f"frame of {len(frame.payload)}")


class Peer:
    def __init__(self, connection):
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.loop = asyncio.get_running_loop()
        self.buffered = bytearray()

    async def begin(self):
        """Whatever goes before the first byte."""

    def ended(self, how):
        return Ended(how, bytes(self.buffered))

    async def send_raw(self, data):
        try:
            await in_time(self.loop.sock_sendall(self.socket, data))
        except (ConnectionResetError, BrokenPipeError):
            raise self.ended("reset") from None

    async def receive_raw(self):
        try:
            return await in_time(self.loop.sock_recv(self.socket, CHUNK))
        except (ConnectionResetError, BrokenPipeError):
            raise self.ended("reset") from None

    async def send(self, data):
        await self.send_raw(data)

    async def fill(self):
        data = await self.receive_raw()
        if not data:
            raise self.ended("end")
        self.buffered += data

    async def read_exactly(self, size):
        while len(self.buffered) < size:
            await self.fill()
        data = bytes(self.buffered[:size])
        del self.buffered[:size]
        return data

    async def read_until(self, delimiter):
        while (at := self.buffered.find(delimiter)) < 0:
            assert len(self.buffered) < HEAD_BYTES_MAX
            await self.fill()
        return await self.read_exactly(at + len(delimiter))

    async def read_head(self):
        return parse_head(await self.read_until(b"\r\n\r\n"))

    async def read_body(self, head):
        if head.get("Content-Length") is not None:
            return await self.read_exactly(int(head.get("Content-Length")))
        body = bytearray()
        while size := int(await self.read_until(b"\r\n"), 16):
            body += await self.read_exactly(size)
            assert await self.read_exactly(2) == b"\r\n"
        assert await self.read_exactly(2) == b"\r\n"
        return bytes(body)

    async def read_frame(self):
        start = b""
        try:
            start = await self.read_exactly(2)
            size = start[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(await self.read_exactly(2 if size == 126 else 8), "big")
            key = await self.read_exactly(4) if start[1] & 0x80 else b""
            payload = await self.read_exactly(size)
        except Ended as ended:
            raise Ended(ended.how, start + ended.rest) from None
        if key:
            payload = apply_mask(key, payload)
        return Frame(start[0] & 0x0F, payload, bool(start[0] & 0x80), start[0] >> 4 & 7, bool(key))

    async def ending(self):
        """What comes until the stream ends, in words: "close 1000, end"."""
        words = []
        try:
            while True:
                words.append(word_of(await self.read_frame()))
        except Ended as ended:
            return ", ".join(words + ["half a frame"] * bool(ended.rest) + [ended.how])

    async def finish(self):
        """Nothing more from here; reading goes on."""
        await self.cut()

    async def cut(self):
        """FIN, on TLS without a close_notify; reading goes on."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side was faster, with a reset

    def reset(self):
        """RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class TlsPeer(Peer):
    def __init__(self, connection, context, server_side=False):
        super().__init__(connection)
        self.from_peer = ssl.MemoryBIO()
        self.to_peer = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.from_peer, self.to_peer, server_side=server_side,
                                    server_hostname=None if server_side else "localhost")

    async def begin(self):
        await self.drive(self.tls.do_handshake)

    async def flush(self):
        if self.to_peer.pending:
            await self.send_raw(self.to_peer.read())

    async def drive(self, step, *arguments):
        while True:
            try:
                result = step(*arguments)
                await self.flush()
                return result
            except ssl.SSLWantReadError:
                await self.flush()
                data = await self.receive_raw()
                if data:
                    self.from_peer.write(data)
                else:
                    self.from_peer.write_eof()

    async def send(self, data):
        try:
            self.tls.write(data)
        except ssl.SSLError:
            raise self.ended("closed") from None  # by this side
        await self.flush()

    async def fill(self):
        try:
            data = await self.drive(self.tls.read, CHUNK)
        except ssl.SSLZeroReturnError:
            data = b""
        except ssl.SSLError as error:
            truncated = error.reason == "UNEXPECTED_EOF_WHILE_READING"
            raise self.ended("truncated" if truncated else "tls-failed") from None
        self.buffered += data
        if data:
            return
        while await self.receive_raw():
            pass  # behind the close_notify only the FIN is of interest
        raise self.ended("end")

    async def finish(self):
        """close_notify and FIN; reading goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # the other side's is still to come, or the session has failed
        try:
            await self.flush()
        except Ended:
            pass
        await self.cut()


async def dial(port, context=None):
    """A client of this machine's `port`; over TLS with a context."""
    connection = socket.socket()
    try:
        connection.setblocking(False)
        await in_time(asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port)))
        peer = TlsPeer(connection, context) if context else Peer(connection)
        await peer.begin()
        return peer
    except BaseException:
        connection.close()
        raise


class Listener:
    """Serves each connection with a coroutine serve(peer), which ends when it likes; whoever it
    leaves the peer to closes that. What it raises but Ended stands in `faults`."""

    def __init__(self, serve, context=None, backlog=1024):
        self.serve = serve
        self.context = context
        self.faults = []
        self.tasks = set()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(backlog)
        self.port = self.socket.getsockname()[1]

    async def run(self):
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self.socket)
            task = asyncio.create_task(self.take(connection))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def take(self, connection):
        peer = TlsPeer(connection, self.context, True) if self.context else Peer(connection)
        try:
            await peer.begin()
            await self.serve(peer)
        except Ended:
            peer.close()
        except Exception as error:
            self.faults.append(repr(error))
            peer.close()
