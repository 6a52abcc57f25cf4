"""A peer that sends back what it gets, frame for frame, and judges nothing: whatever rule a frame
breaks, it comes back with that. A ping comes back as a pong, a pong not at all; a frame of which a
part is missing is waited for.
"""

import os

from support.frames import PING, PONG, apply_mask


def header_bytes(data):
    """Of the frame that begins there, with its mask; None: too little is there to tell."""
    if len(data) < 2:
        return None
    size = 2 + {126: 2, 127: 8}.get(data[1] & 0x7F, 0) + (4 if data[1] & 0x80 else 0)
    return size if len(data) >= size else None


class Blind:
    """`masks`: what it sends is masked, as a client's frames are."""

    def __init__(self, masks):
        self.masks = masks
        self.held = bytearray()

    def turn(self, data):
        """What is sent back, now that this has come, too."""
        self.held += data
        back = []
        while frame := self.next_frame():
            back.append(self.turn_frame(*frame))
        return b"".join(back)

    def next_frame(self):
        """Its header without the mask key, and its payload, unmasked."""
        size = header_bytes(self.held)
        if size is None:
            return None
        key = bytes(self.held[size - 4:size]) if self.held[1] & 0x80 else b""
        header = bytes(self.held[:size - len(key)])
        length = int.from_bytes(header[2:], "big") if len(header) > 2 else header[1] & 0x7F
        if len(self.held) < size + length:
            return None
        payload = bytes(self.held[size:size + length])
        del self.held[:size + length]
        return header, apply_mask(key, payload) if key else payload

    def turn_frame(self, header, payload):
        opcode = header[0] & 0x0F
        if opcode == PONG:
            return b""
        if opcode == PING:
            header = bytes([header[0] & 0xF0 | PONG]) + header[1:]
        if not self.masks:
            return header[:1] + bytes([header[1] & 0x7F]) + header[2:] + payload
        key = os.urandom(4)
        return (header[:1] + bytes([header[1] | 0x80]) + header[2:] + key + apply_mask(key, payload))
