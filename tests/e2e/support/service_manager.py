"""systemd's end of the socket that a service tells it things by."""

import socket

from support.waiting import DEADLINE


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(DEADLINE)

    def next(self):
        """The next datagram that is no sign of life, as a dictionary."""
        while True:
            told = dict(line.split("=", 1) for line in
                        self.socket.recv(4096).decode().splitlines())
            if "WATCHDOG" not in told:
                return told

    def sign_of_life(self, seconds):
        """Whether one comes in time."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096) == b"WATCHDOG=1\n"
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(DEADLINE)

    def close(self):
        self.socket.close()
