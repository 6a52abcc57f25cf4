"""Free ports. They lie below the range that the kernel takes for outgoing connections, so that no
client of another test can get one of them before the program under test has it; and no port is given
out twice, neither by one process nor by two that run at the same time.

A process takes ports from blocks that are its own: it claims one by binding an abstract Unix socket
of the block's name, which the kernel lets go when the process ends.
"""

import random
import socket

FIRST, LAST = 12_000, 31_999
BLOCK = 100

claims = []  # the sockets, for as long as the process lives


def claim_block():
    """The ports of a block that is nobody's, or None."""
    blocks = list(range(FIRST, LAST, BLOCK))
    random.shuffle(blocks)
    for first in blocks:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0gateway-test-ports-{first}")
        except OSError:
            claim.close()
            continue
        claims.append(claim)
        return list(range(first, first + BLOCK))
    return None


def in_turn():
    """Each port of this process; from the start again when there is no block left."""
    own = []
    while block := claim_block():
        own += block
        yield from block
    while own:
        yield from own


sequence = in_turn()


def free_port():
    for _ in range(10_000):
        port = next(sequence, None)
        if port is None:
            break
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
