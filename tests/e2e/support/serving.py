"""An upstream that reads requests to the byte: heads line by line, chunked bodies only in their
plainest form. What the gateway adds of its own is judged by its content, so that a test's table
holds what a client's bytes become, and nothing else.
"""

import re
import select
from dataclasses import dataclass

from support.streams import Stream
from support.waiting import DEADLINE, TooLate

OWN_FIELDS = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port",
              b"forwarded", b"via"}
CHUNK_SIZE = re.compile(rb"[1-9a-fA-F][0-9a-fA-F]*\r\n")


@dataclass(frozen=True)
class Seen:
    """A request as an upstream sees it, without what the gateway adds; as text in latin-1."""
    first_line: str
    lines: tuple
    body: str = ""
    trailers: tuple = ()


@dataclass
class Received:
    seen: Seen
    own: list  # the lines that the gateway added
    stream: Stream

    @property
    def method(self):
        return self.seen.first_line.split(" ")[0]

    @property
    def target(self):
        return self.seen.first_line.split(" ")[1]


def split_head(head):
    """The lines without the gateway's own, and those; `head` ends with its empty line."""
    assert head.endswith(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines), head
    is_own = [line.split(b":")[0].lower() in OWN_FIELDS for line in lines]
    own = [line.decode("latin-1") for line, ours in zip(lines, is_own) if ours]
    rest = [line.decode("latin-1") for line, ours in zip(lines, is_own) if not ours]
    return rest, own


def read_plain_chunks(stream):
    """A chunked body's data and its trailer lines. No extension, no leading zero, no list of
    spaces: as the gateway frames it anew."""
    body = b""
    while (line := stream.read_until(b"\r\n")) != b"0\r\n":
        assert CHUNK_SIZE.fullmatch(line), line
        body += stream.read_exactly(int(line, 16))
        assert stream.read_exactly(2) == b"\r\n"
    trailers = []
    while (line := stream.read_until(b"\r\n")) != b"\r\n":
        trailers.append(line[:-2].decode("latin-1"))
    return body, tuple(trailers)


def read_request(stream):
    lines, own = split_head(stream.read_until(b"\r\n\r\n"))
    body, trailers = b"", ()
    if "Transfer-Encoding: chunked" in lines:
        body, trailers = read_plain_chunks(stream)
    for line in lines:
        if line.startswith("Content-Length: "):
            body = stream.read_exactly(int(line.split(" ")[1]))
    return Received(Seen(lines[0], tuple(lines[1:]), body.decode("latin-1"), trailers), own, stream)


class Serving:
    """Takes requests from whichever connection the gateway chooses, new or kept."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.listener = upstream.listener
        self.open = []

    def accept(self):
        self.open.append(self.upstream.accept())
        return self.open[-1]

    def next_stream(self):
        """The connection on which the next bytes lie; those that ended are forgotten."""
        while True:
            for stream in list(self.open):
                if stream.holds_bytes() and not stream.buffered and not fill_or_end(stream):
                    self.open.remove(stream)
                elif stream.buffered:
                    return stream
            sockets = [stream.socket for stream in self.open]
            ready = select.select([self.listener, *sockets], [], [], DEADLINE)[0]
            if not ready:
                raise TooLate("no request came to the upstream")
            if self.listener in ready:
                self.accept()
            for stream in list(self.open):
                if stream.socket in ready and not fill_or_end(stream):
                    self.open.remove(stream)

    def read_request(self):
        return read_request(self.next_stream())

    def answer(self, request, response=None):
        """`response`, or a 200 whose body is the request's target."""
        if response is None:
            body = request.target.encode("latin-1")
            response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
            if request.method != "HEAD":
                response += body
        request.stream.send(response)

    def is_quiet(self):
        """Not one byte more came than was read, and no connection waits."""
        if select.select([self.listener], [], [], 0)[0]:
            return False
        for stream in self.open:
            while not stream.buffered and select.select([stream.socket], [], [], 0)[0]:
                if not fill_or_end(stream):
                    break
        return not any(stream.buffered for stream in self.open)


def fill_or_end(stream):
    try:
        return stream.fill()
    except ConnectionResetError:
        return False


def forwarded_pairs(line):
    """The pairs of a Forwarded line with one element, values without their quotes."""
    value = line.split(":", 1)[1].strip()
    assert "," not in value, line
    pairs = [pair.strip().partition("=") for pair in value.split(";")]
    return {name.lower(): text.strip('"') for name, _, text in pairs}


def check_own_fields(request, client, via="1.1 gateway"):
    """What the gateway says of a client that it trusts in nothing."""
    fields = dict(line.split(": ", 1) for line in request.own)
    assert len(fields) == len(request.own), request.own
    proto = "https" if client.secure else "http"
    host = next((line[6:] for line in request.seen.lines if line.startswith("Host: ")), "")
    port = str(client.socket.getpeername()[1])
    pairs = forwarded_pairs("Forwarded: " + fields.pop("Forwarded"))
    pairs.pop("by", None)
    expected = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": proto,
                "X-Forwarded-Port": port, "Via": via}
    expected_pairs = {"for": "127.0.0.1", "proto": proto}
    if host:
        expected["X-Forwarded-Host"] = host
        expected_pairs["host"] = host
    assert fields == expected
    assert pairs == expected_pairs
