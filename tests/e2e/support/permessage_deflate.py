"""permessage-deflate (RFC 7692) for peers of tests: offers, answers, and messages by zlib."""

import re
import zlib
from dataclasses import dataclass

NAME = "permessage-deflate"
TAIL = b"\x00\x00\xff\xff"  # section 7.2.1: what is left out at a message's end
WINDOW_BYTES = 32768
BITS = re.compile(r"[89]|1[0-5]")
ELEMENT = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)(?:\s*=\s*(?:"([^"\\]*)"|([!#$%&\'*+.^_`|~\w-]+)))?'
                     r"\s*(;|,|$)", re.ASCII)


@dataclass(frozen=True)
class Agreed:
    """What holds once it is answered. A window of 8 bits is written without any distance, since
    zlib cannot deflate with so small a one."""
    server_takeover: bool = True
    client_takeover: bool = True
    server_bits: int = 15
    client_bits: int = 15


@dataclass(frozen=True)
class Offer:
    """Bits: None, the parameter is not there; client_bits 0: it is there without a value."""
    server_no_takeover: bool = False
    client_no_takeover: bool = False
    server_bits: int | None = None
    client_bits: int | None = None

    def text(self):
        parts = [NAME]
        if self.server_no_takeover:
            parts.append("server_no_context_takeover")
        if self.client_no_takeover:
            parts.append("client_no_context_takeover")
        if self.server_bits is not None:
            parts.append(f"server_max_window_bits={self.server_bits}")
        if self.client_bits is not None:
            parts.append(f"client_max_window_bits={self.client_bits}" if self.client_bits
                         else "client_max_window_bits")
        return "; ".join(parts)


def extensions(value):
    """The line of a head, where there is a value."""
    return f"Sec-WebSocket-Extensions: {value}\r\n" if value else ""


def parse(value):
    """[(name, [(parameter, value or None)])] of a Sec-WebSocket-Extensions field (section 9.1 of
    RFC 6455)."""
    found, at, begins, end = [], 0, True, ","
    while end:
        match = ELEMENT.match(value, at)
        assert match, f"not the syntax of extensions: {value!r} at {at}"
        name, quoted, token, end = match.groups()
        if begins:
            assert quoted is None and token is None, f"an extension with a value: {value!r}"
            found.append((name, []))
        else:
            found[-1][1].append((name, token if quoted is None else quoted))
        begins, at = end == ",", match.end()
    return found


def agreed(offer, answer):
    """What an answer to that offer says, which must be one that section 7.1 permits."""
    extensions = parse(answer)
    assert [name for name, _ in extensions] == [NAME], answer
    parameters = dict(extensions[0][1])
    assert len(parameters) == len(extensions[0][1]), f"a parameter comes twice: {answer}"
    server_bits, client_bits = 15, 15
    for name, value in parameters.items():
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            assert value is None, answer
        elif name == "server_max_window_bits":
            assert value and BITS.fullmatch(value), answer
            server_bits = int(value)
        elif name == "client_max_window_bits":
            assert offer.client_bits is not None, f"not offered: {answer}"
            assert value and BITS.fullmatch(value), answer
            client_bits = int(value)
        else:
            raise AssertionError(f"an unknown parameter: {answer}")
    if offer.server_no_takeover:
        assert "server_no_context_takeover" in parameters, f"asked for, and not granted: {answer}"
    if offer.server_bits is not None:
        assert server_bits <= offer.server_bits, f"a larger window than asked for: {answer}"
    if offer.client_bits:
        assert client_bits <= offer.client_bits, f"a larger window than offered: {answer}"
    return Agreed("server_no_context_takeover" not in parameters,
                  "client_no_context_takeover" not in parameters, server_bits, client_bits)


class Deflater:
    def __init__(self, bits=15, takeover=True, level=6):
        self.bits, self.takeover, self.level = bits, takeover, level
        self.stream = None

    def message(self, data):
        if self.stream is None or not self.takeover:
            strategy = zlib.Z_HUFFMAN_ONLY if self.bits == 8 else zlib.Z_DEFAULT_STRATEGY
            self.stream = zlib.compressobj(self.level, zlib.DEFLATED, -max(9, self.bits), 8, strategy)
        deflated = self.stream.compress(data) + self.stream.flush(zlib.Z_SYNC_FLUSH)
        if not deflated:
            return b"\x00"  # section 7.2.3.6: there was nothing to flush
        assert deflated.endswith(TAIL)
        return deflated[:-len(TAIL)] or b"\x00"


class Inflater:
    """add() and finish() give the data; both raise zlib.error."""

    def __init__(self, bits=15, takeover=True):
        self.bits, self.takeover = bits, takeover
        # zlib sees that a distance is too far only behind what one call gives.
        self.step = (1 << bits) // 8
        self.stream = zlib.decompressobj(-bits)
        self.window = b""

    def add(self, data):
        found = b""
        while True:
            part = self.stream.decompress(data, self.step)
            found += part
            self.window = (self.window + part)[-WINDOW_BYTES:]
            if self.stream.eof:
                # Section 7.2.3.4: a block with BFINAL. What follows is a stream in the same window.
                data = self.stream.unused_data
                self.stream = zlib.decompressobj(-self.bits, zdict=self.window[-(1 << self.bits):])
            else:
                data = self.stream.unconsumed_tail
            if not data and len(part) < self.step:
                return found

    def finish(self):
        found = self.add(TAIL)
        if not self.takeover:
            self.stream, self.window = zlib.decompressobj(-self.bits), b""
        return found
