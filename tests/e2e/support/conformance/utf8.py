"""Group 6: text is UTF-8 (RFC 6455 sections 5.6 and 8.1; RFC 3629), and fails at the first byte that
no valid text could have there, not at the message's end."""

from dataclasses import replace

from support.conformance.case import (FRAMES, OCTETS, ONE, SHOWN, F, binary, cut, fragments,
                                      go_on, numbered, ping, text)
from support.frames import CONTINUATION, TEXT

NEEDED = "validate"
REST = 1000  # bytes of the frame that would still come
GREEK = "κόσμε".encode()
SURROUNDED = "Hello-µ@ßöäüàá-UTF-8!!".encode()

VALID = {
    "6.7 the first of each length": [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    "6.9 the last of each length": [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    "6.11 borders": [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd",
                     b"\xf3\xbf\xbf\xbf"],
    "6.22 non-characters": [chr(plane << 16 | low).encode() for plane in range(17)
                            for low in (0xFFFE, 0xFFFF)] + [chr(0xFDD0).encode(), chr(0xFDEF).encode()],
    "6.23 specials": [chr(code).encode() for code in range(0xFFF9, 0x10000)],
    "6.24 every lead byte": [bytes([lead, 0x80]) for lead in range(0xC2, 0xE0)]
                            + [bytes([lead, 0xA0 if lead == 0xE0 else 0x80, 0x80])
                               for lead in range(0xE0, 0xF0)]
                            + [bytes([lead, 0x90 if lead == 0xF0 else 0x80, 0x80, 0x80])
                               for lead in range(0xF0, 0xF5)],
}
# No text can begin like that: the byte that shows it is among these.
INVALID = {
    "6.8 five and six bytes, first": [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    "6.10 four to six bytes, last": [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf",
                                     b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "6.11 beyond the last": [b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80"],
    "6.12 continuation bytes alone": [b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80",
                                      b"\x80\xbf\x80\xbf", bytes(range(0x80, 0xC0))],
    "6.13 lead bytes alone": [b" ".join(bytes([lead]) for lead in leads) + b" "
                              for leads in (range(0xC0, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF8),
                                            range(0xF8, 0xFC), range(0xFC, 0xFE))]
                             + [bytes([lead]) + b"(" for lead in (0xC2, 0xDF, 0xE0, 0xEF, 0xF0, 0xF4)],
    "6.14 the last byte is missing": [b"\xc2 ", b"\xe0\xa0 ", b"\xf0\x90\x80 ", b"\xdf ",
                                      b"\xef\xbf ", b"\xf3\xbf\xbf ", b"\xe1\x80\xc3\xa4",
                                      b"\xf1\x80\xf1\x80\x80\x80"],
    "6.16 impossible bytes": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    "6.17 overlong": [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf",
                      b"\xfc\x80\x80\x80\x80\xaf"],
    "6.18 overlong, at the most": [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
                                   b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
    "6.19 overlong NUL": [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
                          b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
    "6.20 surrogates": [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf",
                        b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"],
    "6.21 pairs of surrogates": [b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xa0\x80\xed\xbf\xbf",
                                 b"\xed\xad\xbf\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf"],
}
UNFINISHED = [b"\xc2", b"\xdf", b"\xe0", b"\xe0\xa0", b"\xed\x9f", b"\xef\xbf", b"\xf0", b"\xf0\x90",
              b"\xf0\x90\x80", b"\xf4\x8f", b"\xf4\x8f\xbf"]


def split(data, at):
    return fragments(TEXT, [data[:at], data[at:]])


def valid():
    cases = numbered("6.1", "5.6", [
        ("empty text", [text("")]), ("three empty fragments", fragments(TEXT, [b""] * 3)),
        ("empty fragments around text", fragments(TEXT, [b"", SURROUNDED, b""]))])
    cases += numbered("6.2", "5.6", [
        ("text of many kinds", [text(SURROUNDED)]),
        ("in fragments between characters", split(SURROUNDED, 8)),
        ("in fragments of a byte", fragments(TEXT, cut(SURROUNDED, 1))),
        ("a character in two fragments with a ping between",
         [text(GREEK[:3], fin=False), ping(b"p"), go_on(GREEK[3:])]),
        ("a character in two fragments with an empty one between",
         fragments(TEXT, [GREEK[:3], b"", GREEK[3:]])),
        ("two messages, each whole", [text(GREEK), text(GREEK)]),
        ("64 KiB of three bytes each", [text("語" * 21_846)], {"ways": (FRAMES, 1021)}),
        ("64 KiB of four bytes each", [text("\U0001f600" * 16_384)], {"ways": (FRAMES, 1021)})])
    cases += numbered("6.5", "5.6", [
        (f"split at {at}", split(GREEK, at)) for at in range(len(GREEK) + 1)])
    cases += numbered("6.25", "5.6", [
        ("binary is no text", [binary(b"\xff\xfe\xed\xa0\x80")]),
        ("binary in fragments is no text", [binary(b"\xff", fin=False), go_on(b"\xc0\xaf")]),
        ("pings and pongs are no text", [ping(b"\xff\xc0"), text("between", fin=False),
                                         ping(b"\xed\xa0"), go_on("!")])])
    for name, sequences in VALID.items():
        part, what = name.split(" ", 1)
        rows = [(f"{what}: {one.hex()}", [text(b"a" + one + b"z")]) for one in sequences]
        rows += [(f"{what}: {one.hex()}, in fragments of a byte", fragments(TEXT, cut(one, 1)))
                 for one in sequences if len(one) > 1]
        cases += numbered(part, "5.6", rows, ways=(ONE, OCTETS))
    return cases


def invalid():
    cases = []
    for name, sequences in INVALID.items():
        part, what = name.split(" ", 1)
        rows = []
        for one in sequences:
            before = b"before" + GREEK
            rows += [
                (f"{what}: {one.hex()}", [text("hello")], [text(before + one + b"behind")], 1007),
                (f"{what}: {one.hex()}, and the rest of the frame never comes", [],
                 [text(before + one, length=len(before + one) + REST)], 1007, {"ways": (ONE, SHOWN)}),
                (f"{what}: {one.hex()}, in fragments of a byte", [],
                 [*fragments(TEXT, cut(before + one, 1)[:-1] + [one[-1:], b"behind"])], 1007,
                 {"ways": (ONE, SHOWN)}),
                (f"{what}: {one.hex()}, in a second fragment that never ends", [text("a", fin=False)],
                 [F(CONTINUATION, one + b" ", False, length=len(one) + REST)], 1007,
                 {"ways": (ONE, SHOWN)})]
        cases += numbered(part, "8.1", rows)
    return cases


def fail_fast():
    """Groups 6.3 and 6.4, and what is shown by the end alone."""
    bad = GREEK + b"\xf4\x90\x80\x80" + b"edited"
    cases = numbered("6.3", "8.1", [
        ("text with a surrogate", [], [text(GREEK + b"\xed\xa0\x80edited")], 1007),
        ("in fragments of a byte", [], fragments(TEXT, cut(GREEK + b"\xed\xa0\x80edited", 1)), 1007)])
    at = len(GREEK) + 1  # of the byte that is too large
    cases += numbered("6.4", "8.1", [
        ("shown in the third fragment, which is not the last", [],
         [*fragments(TEXT, [bad[:4], bad[4:at], bad[at:], b"never"])], 1007, {"ways": (SHOWN,)}),
        ("shown in mid-frame, the rest never comes", [],
         [text(bad[:at + 1], length=len(bad))], 1007, {"ways": (ONE, OCTETS)}),
        ("shown far within a large frame", [], [text(b"*" * 100_000 + b"\xff", length=1 << 30)],
         1007, {"ways": (ONE, SHOWN)}),
        ("shown by the first byte of a large frame", [], [text(b"\xff", length=1 << 40)], 1007,
         {"ways": (ONE,)}),
        ("shown far within large text of three bytes each", [],
         [text("語".encode() * 30_000 + b"\xe8\xaa(", length=1 << 30)], 1007, {"ways": (ONE, 1021)}),
        ("shown behind a ping within the message", [text(GREEK[:3], fin=False), ping(b"p")],
         [go_on(b"(", fin=False, length=2)], 1007, {"ways": (ONE, SHOWN)})])
    cases += numbered("6.6", "8.1", [
        (f"text ends within a character: {end.hex()}", [text("hello")], [text(GREEK + end)], 1007)
        for end in UNFINISHED])
    cases += numbered("6.26", "8.1", [
        (f"a message ends within a character, in fragments: {end.hex()}", [text("", fin=False)],
         [go_on(end, fin=False), go_on("")], 1007) for end in UNFINISHED])
    cases += numbered("6.27", "8.1", [
        ("a character is begun in one message and finished in another", [],
         [text(GREEK[:3]), text(GREEK[3:])], 1007),
        ("a close frame within a character of an unfinished message is no fault",
         [text(GREEK[:3], fin=False)])])
    return cases


def cases():
    """A part may have both kinds: their numbers go on."""
    made, taken = [], {}
    for one in valid() + invalid() + fail_fast():
        part = one.id.rsplit(".", 1)[0]
        taken[part] = taken.get(part, 0) + 1
        made.append(replace(one, id=f"{part}.{taken[part]}", needs=NEEDED if one.bad else ""))
    return made
