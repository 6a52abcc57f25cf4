"""What a strict WebSocket peer makes of the bytes that it gets: RFC 6455 and RFC 7692, and nothing
else. Without I/O: bytes in, what has become whole out. The first broken rule is told with the code
that its sender deserves and with the first byte that shows it; what comes behind is not read.
"""

import codecs
import zlib
from dataclasses import dataclass, field

from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, apply_mask

CLIENT, SERVER = "client", "server"
CONTROL_BYTES_MAX = 125
RSV1 = 4


@dataclass(frozen=True)
class Violation:
    code: int
    section: str
    text: str
    offset: int  # in the stream: of the byte that shows it


class Broken(Exception):
    pass


@dataclass
class Message:
    opcode: int
    data: bytes        # inflated
    compressed: bool
    fragments: list    # the size of each, as it was sent


@dataclass
class Control:
    opcode: int
    payload: bytes

    @property
    def code(self):
        return int.from_bytes(self.payload[:2], "big") if self.payload else None

    @property
    def reason(self):
        return self.payload[2:].decode()


@dataclass
class Header:
    opcode: int
    fin: bool
    rsv: int
    size: int
    key: bytes


@dataclass
class Begun:
    """A message that is not whole yet."""
    opcode: int
    compressed: bool
    utf8: object
    data: bytearray = field(default_factory=bytearray)
    fragments: list = field(default_factory=list)


class Utf8:
    """Text as it comes (RFC 3629): add() gives the index of the first byte that no valid text could
    have there, or None."""

    def __init__(self):
        self.decoder = codecs.getincrementaldecoder("utf-8")("strict")

    @property
    def incomplete(self):
        """The first bytes of a character whose rest has not come."""
        return self.decoder.getstate()[0]

    def add(self, data):
        held = len(self.incomplete)
        try:
            self.decoder.decode(data)
        except UnicodeDecodeError as error:
            bad = error.start if error.reason == "invalid start byte" else error.end
            return bad - held
        rest = self.incomplete
        if rest[:1] == b"\xed" and rest[1:] >= b"\xa0":  # half a surrogate: Python waits for more
            return len(data) - len(rest) + 1
        return None


def is_close_code(code):
    """RFC 6455 section 7.4, and what IANA has registered since: 1012 to 1014."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


class Reader:
    """Reads what `sender` sends. `inflater` where permessage-deflate was agreed."""

    def __init__(self, sender, inflater=None):
        self.sender = sender
        self.inflater = inflater
        self.violation = None
        self.buffer = bytearray()
        self.position = 0     # how many bytes have been judged
        self.whole = 0        # where the last whole frame ended
        self.message = None   # between its first and its last fragment
        self.events = []
        self.machine = self.read()
        next(self.machine)

    def feed(self, data):
        """The messages and control frames that have become whole."""
        self.buffer += data
        if self.violation is None:
            try:
                next(self.machine)
            except Broken:
                pass
        events, self.events = self.events, []
        return events

    @property
    def in_frame(self):
        return self.position > self.whole or bool(self.buffer)

    def fail(self, code, section, text, offset=None):
        self.violation = Violation(code, section, text,
                                   self.position - 1 if offset is None else offset)
        raise Broken

    def require(self, good, section, text):
        if not good:
            self.fail(1002, section, text)

    def some(self, most):
        """What is there, one byte at least."""
        while not self.buffer:
            yield
        data = bytes(self.buffer[:most])
        del self.buffer[:most]
        self.position += len(data)
        return data

    def exactly(self, size):
        data = b""
        while len(data) < size:
            data += yield from self.some(size - len(data))
        return data

    def read(self):
        while True:
            header = yield from self.read_header()
            if header.opcode >= CLOSE:
                yield from self.read_control(header)
            else:
                yield from self.read_data(header)
            self.whole = self.position

    def read_header(self):
        first = (yield from self.exactly(1))[0]
        fin, rsv, opcode = bool(first & 0x80), first >> 4 & 7, first & 0x0F
        data = opcode in (CONTINUATION, TEXT, BINARY)
        begins = opcode in (TEXT, BINARY)
        allowed = RSV1 if self.inflater and begins else 0  # RFC 7692 section 6.1
        self.require(rsv & ~allowed == 0, "5.2", f"reserved bits {rsv:03b}")
        self.require(data or opcode in (CLOSE, PING, PONG), "5.2", f"opcode {opcode}")
        self.require(data or fin, "5.5", "a control frame in fragments")
        self.require(not begins or self.message is None, "5.4", "a message within a message")
        self.require(opcode != CONTINUATION or self.message is not None, "5.4",
                     "a continuation of nothing")
        second = (yield from self.exactly(1))[0]
        masked, size = bool(second & 0x80), second & 0x7F
        self.require(masked == (self.sender == CLIENT), "5.1", f"masked: {masked}")
        self.require(data or size <= CONTROL_BYTES_MAX, "5.5", "a long control frame")
        if size > 125:
            length_bytes, least = (2, 126) if size == 126 else (8, 1 << 16)
            size = int.from_bytes((yield from self.exactly(length_bytes)), "big")
            self.require(size >= least, "5.2", f"{size} in {length_bytes} bytes")
            self.require(size < 1 << 63, "5.2", "a length of more than 63 bits")
        key = (yield from self.exactly(4)) if masked else b""
        return Header(opcode, fin, rsv, size, key)

    def read_control(self, header):
        payload = yield from self.exactly(header.size)
        if header.key:
            payload = apply_mask(header.key, payload)
        if header.opcode == CLOSE:
            self.judge_close(payload)
        self.events.append(Control(header.opcode, payload))
        if header.opcode == CLOSE:
            self.whole = self.position
            yield from self.some(1)
            self.fail(1002, "5.5.1", "something behind a close frame", self.whole)

    def judge_close(self, payload):
        self.require(len(payload) != 1, "5.5.1", "a close frame with half a code")
        if payload:
            code = int.from_bytes(payload[:2], "big")
            self.require(is_close_code(code), "7.4", f"close code {code}")
            text = Utf8()
            if text.add(payload[2:]) is not None or text.incomplete:
                self.fail(1007, "8.1", "a close reason that is not UTF-8")

    def read_data(self, header):
        if header.opcode != CONTINUATION:
            self.message = Begun(header.opcode, bool(header.rsv & RSV1), Utf8())
        message, left = self.message, header.size
        message.fragments.append(header.size)
        while left:
            piece = yield from self.some(left)
            if header.key:
                piece = apply_mask(header.key, piece, header.size - left)
            left -= len(piece)
            self.add(message, piece)
        if header.fin:
            self.finish(message)

    def add(self, message, piece):
        if not message.compressed:
            return self.add_plain(message, piece, self.position - len(piece))
        try:
            self.add_plain(message, self.inflater.add(piece), None)
        except zlib.error as error:
            self.fail(1007, "RFC 7692 7.2.2", f"no DEFLATE: {error}")

    def add_plain(self, message, data, offset):
        message.data += data
        if message.opcode == TEXT:
            bad = message.utf8.add(data)
            if bad is not None:
                self.fail(1007, "8.1", "text that is not UTF-8",
                          None if offset is None else offset + bad)

    def finish(self, message):
        if message.compressed:
            try:
                self.add_plain(message, self.inflater.finish(), None)
            except zlib.error as error:
                self.fail(1007, "RFC 7692 7.2.2", f"no DEFLATE: {error}")
        if message.utf8.incomplete:
            self.fail(1007, "8.1", "text that ends within a character")
        self.events.append(Message(message.opcode, bytes(message.data), message.compressed,
                                   message.fragments))
        self.message = None


def read_all(sender, data, inflater=None):
    """The reader, and what it has read."""
    reader = Reader(sender, inflater)
    return reader, reader.feed(data)
