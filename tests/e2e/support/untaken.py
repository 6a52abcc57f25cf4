"""What sockets of this machine, TCP over IPv4, have received and their programs have not taken:
sock_diag(7), which finds one of them among many at once.
"""

import errno
import socket
import struct

from support.streams import CHUNK
from support.waiting import DEADLINE

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
HEADER_SIZE = 16  # of a netlink message
RQUEUE_AT = HEADER_SIZE + 4 + 48 + 4  # in struct inet_diag_msg
NO_COOKIE = b"\xff" * 8
ALL_STATES, ESTABLISHED = 0xFFFFFFFF, 1 << 1
ANY = ("0.0.0.0", 0)


class Untaken:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)
        self.socket.settimeout(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, flags, states, local, remote):
        request = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, states)
        request += struct.pack("!HH", local[1], remote[1])
        for host, _ in (local, remote):
            request += socket.inet_aton(host).ljust(16, b"\0")
        request += bytes(4) + NO_COOKIE
        self.socket.send(struct.pack("=IHHII", HEADER_SIZE + len(request), SOCK_DIAG_BY_FAMILY,
                                     NLM_F_REQUEST | flags, 0, 0) + request)

    def at(self, local, remote):
        """In bytes: of the socket with these addresses; 0 where there is none any more."""
        self.ask(0, ALL_STATES, local, remote)
        answer = self.socket.recv(CHUNK)
        if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
            code = -struct.unpack_from("=i", answer, HEADER_SIZE)[0]
            assert code == errno.ENOENT, errno.errorcode.get(code, code)
            return 0
        return struct.unpack_from("=I", answer, RQUEUE_AT)[0]

    def from_port(self, port):
        """In bytes: of all connections to that port."""
        self.ask(NLM_F_DUMP, ESTABLISHED, ANY, (ANY[0], port))
        total = 0
        while True:
            answer = self.socket.recv(CHUNK)
            while answer:
                size, kind = struct.unpack_from("=IH", answer)
                if kind == NLMSG_DONE:
                    return total
                assert kind != NLMSG_ERROR, answer
                total += struct.unpack_from("=I", answer, RQUEUE_AT)[0]
                answer = answer[size:]  # whole words, always

    def close(self):
        self.socket.close()
