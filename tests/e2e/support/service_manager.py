"""systemd's end of the socket that a service tells it things by."""

import socket
import time

from support.waiting import DEADLINE


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(DEADLINE)

    def next(self):
        """The next datagram that is no sign of life, as a dictionary. The kernel keeps ten: signs of
        life that nobody reads are in the way of others."""
        end = time.monotonic() + 2 * DEADLINE
        while time.monotonic() < end:
            told = dict(line.split("=", 1) for line in
                        self.socket.recv(4096).decode().splitlines())
            if "WATCHDOG" not in told:
                return told
        raise TimeoutError("there are but signs of life")

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
