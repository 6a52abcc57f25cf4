"""Groups 12 and 13: permessage-deflate (RFC 7692). Both ends are strict peers that compress and
inflate themselves; what a gateway between them may do depends on its mode.

12: messages of every size and kind, in frames of several sizes. 13: every combination of parameters,
and what neither side may do.
"""

import functools
import itertools
import random
from dataclasses import dataclass

from support.conformance.case import FRAMES, OCTETS, ONE, F, go_on, numbered, ping, text
from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from support.permessage_deflate import NAME, Deflater, Offer

SIZES = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072]
FRAGMENTS = [256, 1024, 4096, 32_768]
MESSAGES = 10


@dataclass(frozen=True)
class Talk:
    """Messages that a client sends and its server sends back."""
    id: str
    what: str
    offers: tuple         # of the client: Offer, or text
    answer: Offer | None  # the server's, to the first of them that is an Offer; None: it declines
    messages: tuple       # of (opcode, data)
    fragment: int = 0     # bytes of a frame's payload; 0: one frame a message
    as_passed: bool = False  # it is about what the server says: for a gateway that passes it on

    @property
    def group(self):
        return self.id.split(".")[0]


def a_record(chance):
    return (f'{{"id": {chance.randrange(10**6)}, "name": "{chance.choice("abc")}", '
            f'"price": {chance.randrange(10**4) / 100}}},\n').encode()


@functools.cache
def kinds():
    """Of data: (name, opcode, twice as many bytes of it as the largest message has)."""
    chance, size = random.Random(12), 2 * SIZES[-1]
    records = b"".join(a_record(chance) for _ in range(size // 30))[:size]
    letters = "".join(chance.choices("αβγ語\U0001f600 the", k=size)).encode()
    return [("records", TEXT, records), ("text of many kinds", TEXT, letters),
            ("noise", BINARY, chance.randbytes(size)), ("zeros", BINARY, bytes(size))]


def some(data, opcode, size, count):
    """So many messages, each from another place of it."""
    starts = [number * SIZES[-1] // count for number in range(count)]
    if opcode == BINARY:
        return tuple((opcode, data[at:at + size]) for at in starts)
    return tuple((opcode, data[at:at + size].decode(errors="ignore").encode()) for at in starts)


def sizes():
    made = []
    for part, no_takeover in ((1, False), (2, True)):
        offer = Offer(server_no_takeover=no_takeover, client_no_takeover=no_takeover)
        kept = "no context" if no_takeover else "context"
        for number, (size, (name, opcode, data)) in enumerate(
                itertools.product(SIZES, kinds()), 1):
            made.append(Talk(f"12.{part}.{number}", f"{size} bytes of {name}, {kept} kept", (offer,),
                             offer, some(data, opcode, size, MESSAGES)))
        for number, (size, (name, opcode, data)) in enumerate(
                itertools.product(FRAGMENTS, kinds()), 1):
            made.append(Talk(f"12.{part + 2}.{number}",
                             f"{SIZES[-1]} bytes of {name} in frames of {size}, {kept} kept", (offer,),
                             offer, some(data, opcode, SIZES[-1], 3), size))
    made.append(Talk("12.5.1", "fragments of a byte", (Offer(),), Offer(),
                     ((TEXT, b"Hello, Hello, Hello"), (BINARY, bytes(300))), 1))
    made.append(Talk("12.5.2", "empty messages", (Offer(),), Offer(),
                     ((TEXT, b""), (BINARY, b""), (TEXT, b"a"), (TEXT, b""))))
    made.append(Talk("12.5.3", "1 MiB of zeros", (Offer(),), Offer(), ((BINARY, bytes(1 << 20)),)))
    return made


def few_messages(number):
    same = f"the same words, again and again, number {number}; ".encode()
    return ((TEXT, same), (TEXT, same), (TEXT, same * 40), (BINARY, bytes(range(256)) * 8),
            (TEXT, b""), (TEXT, same))


def parameters():
    made = []
    combined = itertools.product((False, True), (False, True), (None, *range(8, 16)),
                                 (None, 0, *range(8, 16)))
    for number, (server_no, client_no, server_bits, client_bits) in enumerate(combined, 1):
        offer = Offer(server_no, client_no, server_bits, client_bits)
        answer = Offer(server_no, client_no, server_bits, client_bits or None)
        made.append(Talk(f"13.1.{number}", offer.text(), (offer,), answer, few_messages(number)))
    # A server may say more than it was asked for (sections 7.1.1 and 7.1.2).
    answers = [Offer(server_no, client_no, server_bits, client_bits)
               for server_no in (False, True) for client_no in (False, True)
               for server_bits in (None, 8, 9, 12, 15) for client_bits in (None, 8, 9, 12, 15)]
    for number, answer in enumerate(answers, 1):
        offer = Offer(client_bits=0)
        made.append(Talk(f"13.2.{number}", f"answered with {answer.text()}", (offer,), answer,
                         few_messages(number), as_passed=True))
    narrow, plain = Offer(server_bits=9, client_bits=9), Offer()
    rows = [("two offers", (narrow, plain), narrow), ("three offers", (narrow, Offer(True), plain), narrow),
            ("an unknown extension before", ("x-unknown; a=1", plain), plain),
            ("an unknown extension behind", (plain, 'x-unknown; a="1"'), plain),
            ("an unknown parameter in the first offer", (f"{NAME}; x-unknown=1", plain), plain),
            ("Safari's extension before", ("x-webkit-deflate-frame", plain), plain),
            ("declined", (plain,), None), ("declined, all of two", (narrow, plain), None)]
    made += [Talk(f"13.3.{number}", what, offers, answer, few_messages(number),
                  as_passed=answer is None)
             for number, (what, offers, answer) in enumerate(rows, 1)]
    return made


def talks():
    return sizes() + parameters()


def violations():
    """Of whoever sends: reserved bits where the extension gives them no meaning."""
    whole = Deflater().message(b"Hello, Hello, Hello")
    opcodes = (("text", TEXT), ("binary", BINARY))
    nowhere = [(f"{name} compressed, and nobody has offered it", [text("hello")],
                [F(opcode, whole, rsv=4)], 1002) for name, opcode in opcodes]
    cases = numbered("13.4", "RFC 7692 6", nowhere)
    cases += numbered("13.5", "RFC 7692 6", [
        (f"{name} compressed, though the server has declined it", [text("hello")],
         [F(opcode, whole, rsv=4)], 1002) for name, opcode in opcodes], offered=NAME)
    agreed = {"offered": NAME, "answered": NAME}
    controls = (("ping", PING, b"p"), ("pong", PONG, b"p"), ("close", CLOSE, b"\x03\xe8"))
    cases += numbered("13.6", "RFC 7692 6.1", [
        ("RSV1 on a continuation", [F(TEXT, whole[:3], False, 4)],
         [F(CONTINUATION, whole[3:], rsv=4)], 1002),
        ("RSV1 on the continuation of what is not compressed", [text("a", fin=False)],
         [go_on("b", rsv=4)], 1002)]
        + [(f"RSV1 on a {name}", [F(TEXT, whole, rsv=4)], [F(opcode, payload, rsv=4)], 1002)
           for name, opcode, payload in controls], **agreed)
    cases += numbered("13.7", "5.2", [
        (f"bits {rsv:03b} on {name}, where only RSV1 has a meaning", [text("hello")],
         [F(opcode, whole, rsv=rsv)], 1002)
        for rsv in (1, 2, 3, 5, 6, 7) for name, opcode in opcodes], needs="compression", **agreed)
    cases += numbered("13.8", "RFC 7692 6", [
        ("compressed and plain messages take turns",
         [F(TEXT, whole, rsv=4), text("plain"), F(BINARY, whole, rsv=4)]),
        ("a compressed message in fragments with a ping between",
         [F(TEXT, whole[:4], False, 4), ping(b"p"), F(CONTINUATION, whole[4:])]),
        ("RSV1 on an empty text, which is in another fragment",
         [F(TEXT, b"", False, 4), F(CONTINUATION, whole)])],
        ways=(FRAMES, ONE, OCTETS), **agreed)
    return cases
