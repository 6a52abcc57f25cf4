"""Free ports. They lie below the range that the kernel takes for outgoing connections, so that no
client of another test can get one of them before the program under test has it; and each worker of
pytest-xdist has a part of them for itself."""

import os
import random
import socket

FIRST, LAST = 12_000, 32_000


def own_ports():
    """The first and the last port of this worker."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = (LAST - FIRST) // workers
    return FIRST + worker * share, FIRST + (worker + 1) * share - 1


def free_port():
    for _ in range(1000):
        port = random.randint(*own_ports())
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
