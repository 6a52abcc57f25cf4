"""A small authoritative name server whose answers a test has in its hand: over UDP and TCP, with the
times to live, errors, delays and lies that it asks for."""

import ipaddress
import select
import socket
import struct
import threading
from dataclasses import dataclass, field

from support.ports import free_port

A, CNAME, AAAA, SRV = 1, 5, 28, 33
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
RESPONSE, TRUNCATED = 0x8580, 0x0200


def labels(name):
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split(".") if one) + b"\0"


def split_question(query):
    """The name, the type, and the bytes of the question."""
    at, parts = 12, []
    while query[at]:
        parts.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    return ".".join(parts).lower(), struct.unpack(">H", query[at + 1:at + 3])[0], query[12:at + 5]


@dataclass
class Name:
    addresses: list = field(default_factory=list)
    services: list = field(default_factory=list)  # (priority, weight, port, host)
    alias: str = ""
    ttl: int = 1
    code: int = NO_ERROR
    ipv6_code: int = NO_ERROR

    def records(self, kind):
        if self.alias:
            return [(CNAME, labels(self.alias))]
        if kind == SRV:
            return [(SRV, struct.pack(">HHH", *one[:3]) + labels(one[3])) for one in self.services]
        packed = [ipaddress.ip_address(one).packed for one in self.addresses]
        return [(kind, one) for one in packed if len(one) == {A: 4, AAAA: 16}.get(kind)]


class NameServer:
    """names: {name: Name}, changed by the test at any time. Whatever is not there is denied."""

    def __init__(self):
        self.names = {}
        self.is_silent = False
        self.truncates = False
        self.lie = None  # a function of a whole answer: what is sent instead, or nothing
        self.asked = []  # (name, type, "udp" or "tcp")
        self.ends = False
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = free_port()
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen(16)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    @property
    def text(self):
        return f"127.0.0.1:{self.port}"

    def asked_for(self, name):
        return sum(one[0] == name for one in list(self.asked))

    def serve(self):
        while not self.ends:
            for ready in select.select([self.udp, self.tcp], [], [], 0.02)[0]:
                if ready is self.udp:
                    query, client = self.udp.recvfrom(4096)
                    if answer := self.answer(query, "udp"):
                        self.udp.sendto(answer, client)
                else:
                    self.serve_stream(self.tcp.accept()[0])

    def serve_stream(self, stream):
        stream.settimeout(0.5)
        with stream:
            try:
                while size := stream.recv(2):
                    query = stream.recv(struct.unpack(">H", size)[0])
                    if answer := self.answer(query, "tcp"):
                        stream.sendall(struct.pack(">H", len(answer)) + answer)
            except OSError:
                pass

    def answer(self, query, way):
        name, kind, question = split_question(query)
        self.asked.append((name, kind, way))
        if self.is_silent:
            return b""
        known = self.names.get(name, Name(code=NO_SUCH_NAME))
        code = known.ipv6_code if kind == AAAA and known.ipv6_code else known.code
        records, owner = [], name
        if code == NO_ERROR:
            records = [(owner, *one) for one in known.records(kind)]
            if known.alias:
                target = self.names.get(known.alias, Name())
                records += [(known.alias, *one) for one in target.records(kind)]
        flags = RESPONSE | code
        if self.truncates and way == "udp":
            flags, records = flags | TRUNCATED, []
        answer = query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question
        for owner, record, data in records:
            answer += labels(owner) + struct.pack(">HHIH", record, 1, known.ttl, len(data)) + data
        return self.lie(answer) if self.lie else answer

    def close(self):
        self.ends = True
        self.thread.join()
        self.udp.close()
        self.tcp.close()
