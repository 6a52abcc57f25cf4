"""Groups 1 to 5: framing, pings and pongs, reserved bits, opcodes, fragments; and M, masks and
lengths, which the public suite leaves out, since its own peer always gets them right."""

from support.conformance.case import (OCTETS, ONE, Case, F, binary, close, cut, fragments, go_on,
                                      numbered, ping, pong, text)
from support.frames import BINARY, CLOSE, PING, PONG, TEXT
from support.strict import CLIENT, SERVER

SIZES = [0, 125, 126, 127, 128, 65_535, 65_536]
BYTES = bytes(range(256)) * 257
HELLO = text("Hello, world!")
PAYLOAD = b"Hello, world!"


def framing():
    cases = []
    for part, name, opcode, data in (("1.1", "text", TEXT, b"*" * 65_536),
                                     ("1.2", "binary", BINARY, b"\xfe" * 65_536)):
        rows = [(f"{name} of {size} bytes", [F(opcode, data[:size])]) for size in SIZES]
        rows.append((f"{name} of 65536 bytes in pieces of 997", [F(opcode, data)], {"ways": (997,)}))
        cases += numbered(part, "5.6", rows)
    cases += numbered("1.3", "5.2", [
        ("every byte, in binary", [binary(bytes(range(256)))], {"ways": (ONE, OCTETS)}),
        ("every byte, in text", [text("".join(map(chr, range(256))))], {"ways": (ONE, OCTETS)}),
        ("a hundred empty messages", [text("")] * 50 + [binary(b"")] * 50, {"ways": (ONE, OCTETS)}),
        ("messages of 1 to 130 bytes", [binary(BYTES[:size]) for size in range(1, 131)],
         {"ways": (ONE, 7)})])
    return cases


def pings():
    ten = [ping(b"payload-%d" % number) for number in range(10)]
    return numbered("2", "5.5.2", [
        ("ping without payload", [ping()]),
        ("ping with text", [ping(PAYLOAD)]),
        ("ping with bytes that are no text", [ping(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")]),
        ("ping of 125 bytes", [ping(b"\xfe" * 125)]),
        ("ping of 126 bytes", [], [ping(b"\xfe" * 126)], 1002),
        ("ping that claims 126 bytes and has 125", [], [ping(b"\xfe" * 125, length=126)], 1002),
        ("ping of 65536 bytes", [], [ping(b"\xfe" * 65_536)], 1002),
        ("pong without payload, unasked", [pong()]),
        ("pong with payload, unasked", [pong(b"unasked")]),
        ("pong unasked, then ping", [pong(b"unasked"), ping(b"asked")]),
        ("pong of 125 bytes", [pong(b"\xfe" * 125)]),
        ("pong of 126 bytes", [], [pong(b"\xfe" * 126)], 1002),
        ("ten pings, answered in order", ten),
        ("ten pings among messages", [one for pair in zip(ten, [HELLO] * 10) for one in pair]),
        ("a hundred pings of 125 bytes", [ping(bytes([number]) * 125) for number in range(100)],
         {"ways": (ONE, 3)}),
    ])


def reserved_bits():
    kinds = [("text", text(PAYLOAD)), ("binary", binary(PAYLOAD)), ("ping", ping(PAYLOAD)),
             ("pong", pong(PAYLOAD)), ("close", close(1000, "reason")), ("empty text", text(""))]
    cases = []
    for rsv in range(1, 8):
        rows = [(f"{name} with bits {rsv:03b}, behind a message", [HELLO],
                 [F(one.opcode, one.payload, rsv=rsv), ping()], 1002) for name, one in kinds]
        rows.append((f"continuation with bits {rsv:03b}", [text("a", fin=False)],
                     [go_on("b", rsv=rsv)], 1002))
        rows.append((f"first thing of all: text with bits {rsv:03b}", [], [text("x", rsv=rsv)], 1002))
        cases += numbered(f"3.{rsv}", "5.2", rows)
    return cases


def opcodes():
    cases = []
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        cases += numbered(f"4.{opcode}", "5.2", [
            (f"opcode {opcode}, empty", [], [F(opcode), ping()], 1002),
            (f"opcode {opcode} with payload", [], [F(opcode, PAYLOAD), ping()], 1002),
            (f"opcode {opcode} behind a message", [HELLO], [F(opcode), ping()], 1002),
            (f"opcode {opcode} with payload behind a message", [HELLO], [F(opcode, PAYLOAD)], 1002),
            (f"opcode {opcode} within a message", [text("a", fin=False)], [F(opcode), go_on("b")],
             1002),
            (f"opcode {opcode} without FIN", [], [F(opcode, PAYLOAD, fin=False)], 1002)])
    return cases


def fragmentation():
    one, two = text("fragment1", fin=False), go_on("fragment2")
    cases = numbered("5.1", "5.5", [
        (f"{name} in two fragments", [], [F(opcode, b"fragment1", fin=False), two], 1002)
        for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE))])
    cases += numbered("5.2", "5.4", [
        ("text in two fragments", [one, two]),
        ("a ping between two fragments", [one, ping(b"ping"), two]),
        ("a pong between two fragments", [one, pong(b"pong"), two]),
        ("pings before, between and behind", [ping(b"1"), one, ping(b"2"), two, ping(b"3")]),
        ("five fragments with pings between",
         [text("1", fin=False), go_on("2", False), ping(b"p1"), go_on("3", False), go_on("4", False),
          ping(b"p2"), go_on("5")]),
        ("binary in three fragments", fragments(BINARY, [b"\xff" * 10, b"\xfe" * 126, b"\x00"])),
        ("a hundred fragments of a byte", fragments(TEXT, [b"x"] * 100)),
        ("fragments of every form of length",
         fragments(BINARY, [BYTES[:125], BYTES[:126], BYTES[:65_535], BYTES[:65_536], b""])),
        ("first fragment empty", fragments(TEXT, [b"", b"two"])),
        ("middle fragment empty", fragments(TEXT, [b"one", b"", b"two"])),
        ("last fragment empty", fragments(TEXT, [b"one", b""])),
        ("all fragments empty", fragments(TEXT, [b"", b"", b""])),
        ("a fragmented message behind another",
         fragments(TEXT, [b"a", b"b"]) + fragments(BINARY, [b"c", b"d"]) + (HELLO,)),
        ("a close frame within a message", [one]),
        ("a close frame with a code of its own within a message", [one, go_on("2", False)],
         {"closing": close(4000, "enough")}),
    ])
    cases += numbered("5.3", "5.4", [
        ("a continuation of nothing, with FIN", [], [go_on("x"), HELLO], 1002),
        ("a continuation of nothing, without FIN", [], [go_on("x", False), HELLO], 1002),
        ("an empty continuation of nothing", [], [go_on(""), HELLO], 1002),
        ("a continuation behind a whole message", [HELLO], [go_on("x")], 1002),
        ("a continuation behind a whole message, without FIN", [HELLO], [go_on("x", False)], 1002),
        ("a continuation behind a message in fragments", [one, two], [go_on("x", False), HELLO], 1002),
        ("a continuation behind a ping", [ping(b"p")], [go_on("x")], 1002),
        ("text within text", [one], [text("whole")], 1002),
        ("text without FIN within text", [one], [text("begun", fin=False), two], 1002),
        ("binary within text", [one], [binary(b"whole")], 1002),
        ("text within binary", [binary(b"one", fin=False)], [text("whole")], 1002),
        ("text within text, behind a ping", [one, ping(b"p")], [text("whole")], 1002),
        ("text within text, behind an empty fragment", [one, go_on("", False)], [text("")], 1002),
    ])
    for number, size in enumerate((1, 2, 125, 126, 1000), 1):
        cases.append(Case(f"5.4.{number}", "5.4", f"256 bytes in fragments of {size}, pings between",
                          tuple(frame for piece in fragments(BINARY, cut(bytes(range(256)), size))
                                for frame in (piece, ping(b"between"))), ways=(ONE, OCTETS)))
    return cases


def masks_and_lengths():
    client, server = {"senders": (CLIENT,)}, {"senders": (SERVER,)}
    kinds = [("text", text("x")), ("ping", ping(b"x")), ("pong", pong(b"x")),
             ("close", close(1000)), ("an empty message", binary(b""))]
    rows = [(f"{name} of a client, not masked", [HELLO],
             [F(one.opcode, one.payload, masked=False)], 1002, client) for name, one in kinds]
    rows += [(f"{name} of a server, masked", [HELLO],
              [F(one.opcode, one.payload, masked=True)], 1002, server) for name, one in kinds]
    rows += [("a continuation, not masked", [text("a", fin=False)], [go_on("b", masked=False)],
              1002, client),
             ("a continuation, masked", [text("a", fin=False)], [go_on("b", masked=True)], 1002,
              server)]
    cases = numbered("M.1", "5.1", rows)
    cases += numbered("M.2", "5.2", [
        (f"{size} bytes, in {length_bytes} bytes of length", [HELLO],
         [binary(BYTES[:size], length_bytes=length_bytes)], 1002)
        for size, length_bytes in ((0, 2), (1, 2), (125, 2), (0, 8), (125, 8), (126, 8), (127, 8),
                                   (65_535, 8))])
    cases += numbered("M.3", "5.2", [
        ("a length of 64 bits", [HELLO], [binary(b"x", length=1 << 63)], 1002),
        ("the largest number for a length", [HELLO], [binary(b"x", length=(1 << 64) - 1)], 1002),
        ("a ping with 16 bits of length", [], [ping(b"x", length_bytes=2)], 1002),
        ("a ping with 64 bits of length", [], [ping(b"x", length_bytes=8)], 1002),
        ("a close frame with 16 bits of length", [], [close(1000, length_bytes=2)], 1002),
        ("a ping that claims 2^62 bytes", [], [ping(b"x", length=1 << 62)], 1002)])
    return cases


def cases():
    return (framing() + pings() + reserved_bits() + opcodes() + fragmentation()
            + masks_and_lengths())
