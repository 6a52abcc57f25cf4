"""PROXY headers, written and read from the protocol's document alone."""

import socket
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ALPN, AUTHORITY, CRC32C, UNIQUE_ID = 1, 2, 3, 5


def v2(block=b"", command=0x21, family=0x11, length=None):
    length = len(block) if length is None else length
    return SIGNATURE + struct.pack(">BBH", command, family, length) + block


def addresses(source="192.0.2.7", port=56324, destination="198.51.100.1", destination_port=443):
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    return (socket.inet_pton(kind, source) + socket.inet_pton(kind, destination) +
            struct.pack(">HH", port, destination_port))


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def with_checksum(block):
    """A whole header of version 2 around the block."""
    header = v2(block + tlv(CRC32C, bytes(4)))
    return header[:-4] + struct.pack(">I", crc32c(header))


def read_v2(stream):
    """The command and family, the block's addresses, and {kind: value}."""
    fixed = stream.read_exactly(16)
    assert fixed[:12] == SIGNATURE
    command, family, length = struct.unpack(">BBH", fixed[12:])
    block = stream.read_exactly(length)
    size = {0x00: 0, 0x11: 12, 0x21: 36}[family]
    rest, tlvs = block[size:], {}
    while rest:
        kind, length = struct.unpack(">BH", rest[:3])
        assert kind not in tlvs and len(rest) >= 3 + length
        tlvs[kind], rest = rest[3:3 + length], rest[3 + length:]
    if CRC32C in tlvs:
        zeroed = (fixed + block).replace(tlv(CRC32C, tlvs[CRC32C]), tlv(CRC32C, bytes(4)))
        assert struct.pack(">I", crc32c(zeroed)) == tlvs[CRC32C]
    return (command, family), block[:size], tlvs
