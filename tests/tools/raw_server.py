"""Servers of plain sockets, for what no library does: floods, answers that come when it suits the test, and
a look at how a connection has ended. Each connection has a thread of its own."""

import base64
import hashlib
import socket
import threading

DEADLINE = 30
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class RawServer:
    """`handle` is a function of the server and a Peer. What it raises, but for a connection that the client
    has ended, fails the test."""

    def __init__(self, handle, receive_bytes=None, tls=None, host="127.0.0.1"):
        self.handle = handle
        self.tls = tls
        self.lock = threading.Lock()
        self.accepted = self.answered = self.resets = self.ends = 0
        self.stopping = threading.Event()
        self.peers = []
        self.threads = []
        self.failure = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = f"[{host}]" if ":" in host else host
        self.listening = socket.socket(family)
        if receive_bytes:
            self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.listening.bind((host, 0))
        self.listening.listen(1000)
        self.port = self.listening.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)

    def accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            connection.settimeout(DEADLINE)
            with self.lock:
                index, self.accepted = self.accepted, self.accepted + 1
                self.peers.append(connection)
            thread = threading.Thread(target=self.converse, args=(connection, index), daemon=True)
            self.threads.append(thread)
            thread.start()

    def converse(self, connection, index):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.handle(self, Peer(connection, index))
            self.count("ends")
        except (ConnectionError, BrokenPipeError):
            self.count("resets")
        except OSError as error:
            if not self.stopping.is_set() and not self.tls:
                self.failure = error
        finally:
            connection.close()

    def count(self, name):
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)

    def url(self, scheme):
        return f"{scheme}://{self.host}:{self.port}/"

    def __enter__(self):
        self.accepting.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.accepting.join(DEADLINE)
        for peer in self.peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()
        assert self.failure is None, self.failure


class Peer:
    def __init__(self, connection, index):
        self.connection = connection
        self.index = index  # among all that were accepted
        self.received = b""

    def read_head(self):
        """The next head; None at the end of the stream."""
        while b"\r\n\r\n" not in self.received:
            more = self.connection.recv(65536)
            if not more:
                return None
            self.received += more
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        return head

    def read(self, size):
        """So many bytes; a stream that ends before them is an error."""
        while len(self.received) < size:
            more = self.connection.recv(65536)
            if not more:
                raise ConnectionError("the stream has ended")
            self.received += more
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def answer(self, body=b"x"):
        self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def upgrade(self, extensions=None):
        head = self.read_head()
        key = next(line.partition(b": ")[2] for line in head.split(b"\r\n")
                   if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest())
        self.connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" +
            (b"Sec-WebSocket-Extensions: " + extensions + b"\r\n" if extensions else b"") + b"\r\n")
