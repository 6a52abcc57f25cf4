"""Raw byte streams over TCP or TLS, for peers that do exactly what a test says, and nothing else.

TLS runs over memory, so that a test can end the TCP connection under it without a close_notify, and
send a close_notify and read on. Each wait has the deadline of the whole suite.
"""

import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass

from support.waiting import DEADLINE, TooLate

CHUNK = 65536


class Truncated(EOFError):
    """TCP ended, and no close_notify had come."""


@dataclass
class Head:
    first_line: str
    fields: list  # of (name, value), in order, names as sent

    @property
    def status(self):
        return int(self.first_line.split(" ")[1])

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        """The one value, or None; fails where the field comes more than once."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} more than once: {values}"
        return values[0] if values else None


def parse_head(data):
    lines = data.decode("latin-1").split("\r\n")
    fields = []
    for line in lines[1:]:
        if line:
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
    return Head(lines[0], fields)


class Stream:
    """Plain TCP. `buffered` holds what was received and not yet read."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(DEADLINE)
        self.buffered = b""
        self.received = b""  # everything ever, for tests that judge the bytes themselves

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def local_port(self):
        return self.socket.getsockname()[1]

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next plain bytes; empty at the end of the stream."""
        return self.socket.recv(CHUNK)

    def fill(self):
        data = self.receive()
        self.buffered += data
        self.received += data
        return bool(data)

    def take(self, size):
        data, self.buffered = self.buffered[:size], self.buffered[size:]
        return data

    def read_until(self, delimiter):
        while delimiter not in self.buffered:
            if not self.fill():
                raise EOFError(f"the stream ended after {self.buffered[-500:]!r}")
        return self.take(self.buffered.index(delimiter) + len(delimiter))

    def read_exactly(self, size):
        while len(self.buffered) < size:
            if not self.fill():
                raise EOFError(f"the stream ended {size - len(self.buffered)} bytes too soon")
        return self.take(size)

    def read_head(self):
        return parse_head(self.read_until(b"\r\n\r\n"))

    def read_chunk(self):
        """One chunk of a chunked body; empty is the last, with its trailers."""
        size = int(self.read_until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            while self.read_until(b"\r\n") != b"\r\n":
                pass
            return b""
        data = self.read_exactly(size)
        assert self.read_exactly(2) == b"\r\n"
        return data

    def read_body(self, head):
        if "chunked" in head.all("Transfer-Encoding"):
            body = b""
            while chunk := self.read_chunk():
                body += chunk
            return body
        if head.get("Content-Length") is not None:
            return self.read_exactly(int(head.get("Content-Length")))
        return self.read_to_end()

    def read_response(self):
        head = self.read_head()
        return head, self.read_body(head)

    def read_to_end(self):
        """Everything until the peer's orderly end."""
        while self.fill():
            pass
        return self.take(len(self.buffered))

    def read_ending(self):
        """What still came, and how it ended: "end" in order, "truncated" (TLS), or "reset"."""
        try:
            return self.read_to_end(), "end"
        except Truncated:
            return self.take(len(self.buffered)), "truncated"
        except (ConnectionResetError, BrokenPipeError):
            return self.take(len(self.buffered)), "reset"

    def holds_bytes(self):
        """Some have come that no select() tells of any more."""
        return bool(self.buffered)

    def wait_readable(self, seconds):
        return self.holds_bytes() or bool(select.select([self.socket], [], [], seconds)[0])

    def finish(self):
        """Nothing more from here; reading goes on."""
        self.socket.shutdown(socket.SHUT_WR)

    def cut(self):
        """FIN, on TLS without a close_notify; reading goes on."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class TlsStream(Stream):
    """The client's side of TLS, unless wrap() makes another one; certificates are not
    verified unless `context` says so."""

    def __init__(self, connection, context=None, server_name="localhost", session=None):
        super().__init__(connection)
        self.context = context or client_context()
        self.from_peer = ssl.MemoryBIO()
        self.to_peer = ssl.MemoryBIO()
        self.tls = self.wrap(server_name, session)
        self.deadline = time.monotonic() + DEADLINE
        self.drive(self.tls.do_handshake)

    def wrap(self, server_name, session):
        return self.context.wrap_bio(self.from_peer, self.to_peer, server_hostname=server_name,
                                     session=session)

    def flush(self):
        if self.to_peer.pending:
            self.socket.sendall(self.to_peer.read())

    def drive(self, step, *arguments):
        while True:
            try:
                result = step(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self.feed()
            except ssl.SSLError:
                try:
                    self.flush()
                except OSError:
                    pass  # the peer is gone already: the alert has nobody to go to
                raise

    def feed(self):
        data = self.socket.recv(CHUNK)
        if data:
            self.from_peer.write(data)
        else:
            self.from_peer.write_eof()

    def send(self, data):
        self.tls.write(data)
        self.flush()

    def seal(self, data):
        """The sealed bytes, not sent: for sending them piecewise."""
        self.tls.write(data)
        return self.to_peer.read()

    def receive(self):
        try:
            return self.drive(self.tls.read, CHUNK)
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            if error.reason == "UNEXPECTED_EOF_WHILE_READING":
                raise Truncated from error
            raise

    def holds_bytes(self):
        return bool(self.tls.pending() or self.from_peer.pending) or super().holds_bytes()

    def finish(self):
        """close_notify and FIN; reading goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        try:
            self.finish()
        except (OSError, ssl.SSLError):
            pass
        self.socket.close()


def client_context(minimum=None, maximum=None, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a truncation is not an end
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def connect(port, tls=False, receive_buffer=None, **options):
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(DEADLINE)
    connection.connect(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return TlsStream(connection, **options) if tls else Stream(connection)


class Upstream:
    """A server without a will of its own: the test accepts, reads and answers by hand."""

    def __init__(self, port, backlog=16):
        self.port = port
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(backlog)
        self.streams = []

    def accept(self, seconds=DEADLINE):
        self.listener.settimeout(seconds)
        try:
            connection = self.listener.accept()[0]
        except (TimeoutError, socket.timeout):
            raise TooLate("no connection came to the upstream") from None
        stream = self.take(connection)
        self.streams.append(stream)
        return stream

    def take(self, connection):
        """The stream over an accepted socket."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Stream(connection)

    def saw_nothing(self):
        """Nobody is waiting to be accepted, and nobody was."""
        return not self.streams and not select.select([self.listener], [], [], 0)[0]

    def close(self):
        for stream in self.streams:
            stream.close()
        self.listener.close()
