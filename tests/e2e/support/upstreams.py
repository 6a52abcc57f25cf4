"""Upstreams that are reached in other ways than plain TCP over IPv4."""

import socket
import ssl
from contextlib import contextmanager

from support.ports import free_port
from support.streams import Stream, TlsStream, Upstream

FULL_SECONDS = 0.3  # who is not accepted in this time never will be


class TlsServerStream(TlsStream):
    def wrap(self, server_name, session):
        return self.context.wrap_bio(self.from_peer, self.to_peer, server_side=True)


class TlsUpstream(Upstream):
    """accept() raises ssl.SSLError where the client does not like the certificate. `asked_for` has
    the name of each handshake; None: there was none in it."""

    def __init__(self, chain, key, version=None):
        super().__init__(free_port())
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a truncation is not an end
        self.context.sni_callback = lambda _tls, name, _context: self.asked_for.append(name)
        if version is not None:
            self.context.minimum_version = self.context.maximum_version = version
        self.asked_for = []

    def take(self, connection):
        stream = super().take(connection)
        try:
            return TlsServerStream(connection, self.context)
        except BaseException:
            stream.close()
            raise


class UnixUpstream(Upstream):
    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        self.streams = []

    def take(self, connection):
        return Stream(connection)


class Ipv6Upstream(Upstream):
    def __init__(self):
        self.listener = socket.socket(socket.AF_INET6)
        self.listener.bind(("::1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.streams = []


@contextmanager
def full_server():
    """The port of a listening socket whose queue is full: who dials it hears nothing."""
    port = free_port()
    waiting = [socket.socket()]
    listener = waiting[0]
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        while True:
            waiting.append(socket.socket())
            waiting[-1].settimeout(FULL_SECONDS)
            try:
                waiting[-1].connect(("127.0.0.1", port))
            except (TimeoutError, socket.timeout):
                break
            assert len(waiting) < 100
        yield port
    finally:
        for one in waiting:
            one.close()


def count_dials(port):
    """How many sockets are being connected to that port, and hear nothing."""
    syn_sent = "02"
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == syn_sent for row in rows)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
