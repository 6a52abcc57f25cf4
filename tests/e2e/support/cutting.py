"""A TCP relay that hands the gateway a stream in pieces: none before the last one was taken, so
that each of them is a read of its own. What the gateway sends passes as it comes.
"""

import itertools
import socket
import threading

from support.ports import free_port
from support.streams import CHUNK
from support.untaken import Untaken
from support.waiting import DEADLINE, wait_until

INTERVAL = 0.0002  # seconds; there are thousands of pieces


def send_piece(connection, piece, untaken):
    """Returns when the peer's program has it."""
    connection.sendall(piece)
    here, there = connection.getsockname(), connection.getpeername()
    wait_until(lambda: untaken.at(there, here) == 0, "a piece to be taken", interval=INTERVAL)


class Cutter:
    """Listens at `port`, connects to `target`. `sizes`: of the pieces, over and over. `to_target`:
    that is where the gateway is, else it is who connects. close() ends all, and fails with what
    went wrong meanwhile."""

    def __init__(self, target, sizes, to_target):
        self.target = target
        self.sizes = sizes
        self.to_target = to_target
        self.port = free_port()
        self.pieces = 0
        self.failure = None
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.threads = []
        self.start(self.accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, function, *arguments):
        thread = threading.Thread(target=self.perform, args=(function, *arguments), daemon=True)
        self.threads.append(thread)
        thread.start()

    def perform(self, function, *arguments):
        try:
            function(*arguments)
        except OSError:
            pass  # an end of the connection that is judged at the ends of the relay
        except BaseException as problem:  # told at close()
            self.failure = problem

    def accept(self):
        while True:
            caller, _ = self.listener.accept()
            target = socket.create_connection(("127.0.0.1", self.target))
            self.sockets += [caller, target]
            for one in (caller, target):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            gateway, other = (target, caller) if self.to_target else (caller, target)
            self.start(self.cut, other, gateway)
            self.start(self.pass_on, gateway, other)

    def cut(self, source, gateway):
        with Untaken() as untaken:
            sizes = itertools.cycle(self.sizes)
            size = next(sizes)
            held = b""
            while data := source.recv(CHUNK):
                held += data
                while len(held) >= size:
                    self.piece(gateway, held[:size], untaken)
                    held, size = held[size:], next(sizes)
                if held:  # no more may come before this is answered
                    self.piece(gateway, held, untaken)
                    held = b""
            gateway.shutdown(socket.SHUT_WR)

    def piece(self, gateway, data, untaken):
        send_piece(gateway, data, untaken)
        self.pieces += 1

    def pass_on(self, gateway, other):
        while data := gateway.recv(CHUNK):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)

    def close(self):
        for one in [self.listener, *self.sockets]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()
        for one in [self.listener, *self.sockets]:
            one.close()
        if self.failure is not None:
            raise self.failure
