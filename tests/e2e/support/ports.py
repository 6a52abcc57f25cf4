"""Free ports. They lie below the range that the kernel takes for outgoing connections, so that no
client of another test can get one of them before the program under test has it."""

import random
import socket

FIRST, LAST = 12_000, 32_000


def free_port():
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
