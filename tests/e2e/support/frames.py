"""WebSocket frames and handshakes by hand, for what no well-behaved client would send."""

import base64
import hashlib
import os
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
RSV1, RSV2, RSV3 = 4, 2, 1
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the sample of RFC 6455 section 1.3


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def frame(opcode, payload=b"", masked=True, fin=True, rsv=0, length=None, length_bytes=None):
    """One frame; `length` claims another one than the payload has, `length_bytes` (0, 2 or 8) writes
    it in another form than the shortest."""
    size = len(payload) if length is None else length
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length_bytes == 0:
        head += bytes([mask_bit | size])
    else:
        head += bytes([mask_bit | (126 if length_bytes == 2 else 127)])
        head += size.to_bytes(length_bytes, "big")
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + apply_mask(key, payload)


def apply_mask(key, payload, offset=0):
    """`payload` begins `offset` bytes behind the frame's header."""
    key = key[offset % 4:] + key[:offset % 4]
    stream = key * (len(payload) // 4 + 1)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream[:len(payload)], "big")).to_bytes(
        len(payload), "big")


def close_payload(code, reason=""):
    return code.to_bytes(2, "big") + reason.encode()


@dataclass
class Frame:
    opcode: int
    payload: bytes  # unmasked
    fin: bool
    rsv: int
    masked: bool

    @property
    def close_code(self):
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big") if self.payload else None

    @property
    def close_reason(self):
        return self.payload[2:].decode()


def read_frame(stream):
    first, second = stream.read_exactly(2)
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(stream.read_exactly(2), "big")
    elif size == 127:
        size = int.from_bytes(stream.read_exactly(8), "big")
    masked = bool(second & 0x80)
    key = stream.read_exactly(4) if masked else b""
    payload = stream.read_exactly(size)
    if masked:
        payload = apply_mask(key, payload)
    return Frame(first & 0x0F, payload, bool(first & 0x80), first >> 4 & 7, masked)


def read_until_close(stream):
    """All frames up to the close frame, which is the last thing; then the end of the stream."""
    frames = []
    while not frames or frames[-1].opcode != CLOSE:
        frames.append(read_frame(stream))
    rest, ending = stream.read_ending()
    assert (rest, ending) == (b"", "end")
    return frames


def upgrade_request(path="/echo", host="localhost", key=KEY, version="13", more=""):
    return (f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: {version}\r\n{more}\r\n").encode()


def upgrade_response(key, more=""):
    return (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_of(key)}\r\n{more}\r\n").encode()
