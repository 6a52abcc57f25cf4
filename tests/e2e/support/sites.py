"""Servers at one port of several addresses of this machine: each says in its answers which one it is, and
holds its WebSockets open."""

import socket
import threading
from contextlib import contextmanager

from support.frames import upgrade_response
from support.ports import free_port
from support.streams import Stream


class Site:
    def __init__(self, address, port):
        self.address = address
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(64)
        self.websockets = []  # streams, in the order in which they came
        self.connections = []
        self.hosts = set()  # that were asked for
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.talk, args=[Stream(connection)], daemon=True).start()

    def talk(self, stream):
        try:
            while True:
                head = stream.read_head()
                self.hosts.add(head.get("Host"))
                if key := head.get("Sec-WebSocket-Key"):
                    self.websockets.append(stream)
                    return stream.send(upgrade_response(key))
                body = self.address.encode()
                stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        except (OSError, EOFError, AssertionError):
            return

    def close(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()


@contextmanager
def sites(count):
    """At 127.0.0.1, 127.0.0.2 and so on: their port, and the sites by address."""
    port = free_port()
    started = {}
    try:
        for last in range(1, count + 1):
            started[f"127.0.0.{last}"] = Site(f"127.0.0.{last}", port)
        yield port, started
    finally:
        for site in started.values():
            site.close()
