"""Whether the peers that judge the gateway are right themselves: support/strict.py and its like."""

import os
import re
import zlib

import pytest

from support.blind import Blind
from support.conformance.deflate import violations
from support.conformance.groups import by_group
from support.frames import BINARY, CLOSE, PING, PONG, TEXT, close_payload, frame
from support.permessage_deflate import Deflater, Inflater, Offer, agreed, parse
from support.strict import CLIENT, SERVER, Control, Message, Reader, Utf8, read_all

# RFC 3629 section 4, as it stands there.
TAIL = "[\x80-\xbf]"
CHARACTER = re.compile(
    f"[\x00-\x7f]|[\xc2-\xdf]{TAIL}|\xe0[\xa0-\xbf]{TAIL}|[\xe1-\xec]{TAIL}{TAIL}|\xed[\x80-\x9f]{TAIL}|"
    f"[\xee-\xef]{TAIL}{TAIL}|\xf0[\x90-\xbf]{TAIL}{TAIL}|[\xf1-\xf3]{TAIL}{TAIL}{TAIL}|"
    f"\xf4[\x80-\x8f]{TAIL}{TAIL}".encode("latin-1"), re.DOTALL)
# One of each kind of byte, and both borders.
KINDS = bytes([0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
               0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFC, 0xFE, 0xFF])
ENDS = [bytes(tail) for tail in ((), (0x80,), (0x80, 0x80), (0x80,) * 3, (0x90,), (0x90, 0x80),
                                 (0x90, 0x80, 0x80), (0xA0,), (0xA0, 0x80))]


def could_begin(data):
    """Some valid text begins like that."""
    at = 0
    while match := CHARACTER.match(data, at):
        at = match.end()
    return at == len(data) or any(CHARACTER.fullmatch(data[at:] + end) for end in ENDS)


def test_utf_8_is_judged_as_the_grammar_says():
    strings = [b""]
    for _ in range(3):
        strings += [one + bytes([kind]) for one in strings[-len(KINDS)**2:] for kind in KINDS]
    for string in strings:
        wanted = next((at for at in range(len(string)) if not could_begin(string[:at + 1])), None)
        for split in range(len(string) + 1):
            text = Utf8()
            found = text.add(string[:split])
            if found is None and (found := text.add(string[split:])) is not None:
                found += split
            assert found == wanted, (string.hex(), split)


@pytest.mark.parametrize("sender", [CLIENT, SERVER])
def test_each_case_breaks_the_rule_that_its_table_says_and_no_other(sender):
    groups = by_group()
    for case in [one for name in groups if name != "9" for one in groups[name]] + violations():
        if sender not in case.senders:
            continue
        inflater = Inflater() if case.answered else None
        good, bad = (b"".join(one.sent_by(sender) for one in part) for part in (case.good, case.bad))
        reader, _ = read_all(sender, good + bad, inflater)
        if not case.bad:
            assert reader.violation is None and not reader.in_frame, (case, reader.violation)
            continue
        assert (reader.violation.code, reader.violation.offset >= len(good)) == (case.code, True), case
        # It is shown by that byte, and by none before.
        offset = reader.violation.offset
        inflater = Inflater() if case.answered else None
        assert read_all(sender, (good + bad)[:offset], inflater)[0].violation is None, case


def test_what_is_read_depends_on_no_split():
    sent = (frame(TEXT, "grüße".encode(), fin=False) + frame(PING, b"p") + frame(0, b"!")
            + frame(BINARY, os.urandom(300)) + frame(CLOSE, close_payload(4000, "ü")))
    _, wanted = read_all(CLIENT, sent)
    assert [type(one) for one in wanted] == [Control, Message, Message, Control]
    assert (wanted[1].data.decode(), wanted[1].fragments) == ("grüße!", [7, 1])
    assert (wanted[3].code, wanted[3].reason) == (4000, "ü")
    for at in range(len(sent) + 1):
        reader = Reader(CLIENT)
        assert reader.feed(sent[:at]) + reader.feed(sent[at:]) == wanted, at
    reader = Reader(CLIENT)
    assert [one for at in range(len(sent)) for one in reader.feed(sent[at:at + 1])] == wanted


def test_a_blind_peer_sends_back_what_it_gets():
    wrong = [frame(3, b"x", rsv=7), frame(TEXT, b"\xff", fin=False), frame(BINARY, b"x", length_bytes=8),
             frame(CLOSE, b"\x03"), frame(0, bytes(70_000))]
    plain = [frame(3, b"x", False, rsv=7), frame(TEXT, b"\xff", False, fin=False),
             frame(BINARY, b"x", False, length_bytes=8), frame(CLOSE, b"\x03", False),
             frame(0, bytes(70_000), False)]
    for size in (1, 1000, 1 << 20):
        blind, sent = Blind(False), b"".join(wrong)
        assert b"".join(blind.turn(sent[at:at + size]) for at in range(0, len(sent), size)) == b"".join(
            plain)
    assert Blind(False).turn(frame(PING, b"p") + frame(PONG, b"q")) == frame(PONG, b"p", False)
    masked = Blind(True).turn(frame(TEXT, b"hello", False))
    assert read_all(CLIENT, masked)[1][0].data == b"hello"


# Section 7.2.3 of RFC 7692.

def test_the_samples_of_the_rfc_are_inflated():
    for takeover, messages in ((True, ["f248cdc9c90700", "f200110000"]),
                               (False, ["f248cdc9c90700", "f248cdc9c90700"]),
                               (True, ["000500faff48656c6c6f00", "f3 48cdc9c907 00 00"])):
        inflater = Inflater(15, takeover)
        for message in messages:
            assert inflater.add(bytes.fromhex(message)) + inflater.finish() == b"Hello"


@pytest.mark.parametrize("bits", range(8, 16))
def test_a_distance_beyond_the_window_is_none(bits):
    noise = os.urandom((1 << bits) * 9 // 8)
    for takeover in (True, False):
        deflater, inflater = Deflater(bits, takeover), Inflater(bits, takeover)
        for data in (noise + noise, b"", b"abc" * 1000, noise):
            deflated = deflater.message(data)
            assert inflater.add(deflated) + inflater.finish() == data
    if bits < 15:
        with pytest.raises(zlib.error):
            Inflater(bits).add(Deflater(15).message(noise + noise))


@pytest.mark.parametrize("answer", [
    "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits", "permessage-deflate; client_max_window_bits=10",
    "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; x=1", "x", "",
    "permessage-deflate; server_max_window_bits=010", "permessage-deflate, permessage-deflate",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover"])
def test_an_answer_that_may_not_be_is_told(answer):
    with pytest.raises(AssertionError):
        agreed(Offer(), answer)


def test_extensions_are_parsed():
    assert parse('a; b="1"; c, d;e=2') == [("a", [("b", "1"), ("c", None)]), ("d", [("e", "2")])]
    for wrong in ("a;", ";", "a b", "a=1", "a; b=", 'a; b="x', "a,,b;"):
        with pytest.raises(AssertionError):
            parse(wrong)
