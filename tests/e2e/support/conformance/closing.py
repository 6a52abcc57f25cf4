"""Group 7: the closing handshake."""

from support.conformance.case import (OCTETS, ONE, F, binary, close, go_on, numbered, ping, pong,
                                      text)
from support.frames import BINARY, CLOSE

HELLO = text("Hello, world!")
VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999,
         4000, 4001, 4500, 4999]
INVALID = [0, 1, 100, 255, 256, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000,
           5001, 9999, 10_000, 32_768, 65_535]
NOT_UTF_8 = [b"\xff", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", b"\xc0\x80",
             b"cut \xe2\x82", b"\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"]


def cases():
    made = numbered("7.1", "5.5.1", [
        ("a message, then close", [HELLO]),
        ("two close frames", [], {"behind": (close(1000),)}),
        ("two close frames with different codes", [], {"behind": (close(4001, "other"),)}),
        ("a ping behind the close frame", [], {"behind": (ping(b"too late"),)}),
        ("a pong behind the close frame", [], {"behind": (pong(b"too late"),)}),
        ("text behind the close frame", [], {"behind": (HELLO,)}),
        ("the rest of a message behind the close frame", [text("fragment1", fin=False)],
         {"behind": (go_on("fragment2"),)}),
        ("256 KiB, close, then a ping", [F(BINARY, b"*" * 262_144)], {"behind": (ping(),)}),
        ("close, then 256 KiB", [], {"behind": (F(BINARY, b"*" * 262_144),)}),
        ("close, then what breaks a rule", [], {"behind": (F(3, b"x"),)}),
        ("close, then half a frame", [], {"behind": (binary(b"x", length=1000),)}),
    ])
    made += numbered("7.3", "5.5.1", [
        ("close without payload", [HELLO], {"closing": close()}),
        ("close with half a code", [HELLO], [F(CLOSE, b"\x03")], 1002),
        ("close with a code", [HELLO], {"closing": close(1000)}),
        ("close with code and reason", [HELLO], {"closing": close(1000, "Hello, world!")}),
        ("close with a reason of 123 bytes", [HELLO], {"closing": close(1000, "*" * 123)}),
        ("close with a reason of 124 bytes", [HELLO], [close(1000, "*" * 124)], 1002),
        ("close with a reason of 123 bytes, of many kinds", [],
         {"closing": close(4999, "κόσμε " * 10 + "\U0001f600\0" + "*" * 8)}),
        ("close of 65536 bytes", [], [F(CLOSE, b"\x03\xe8" + b"*" * 65_534)], 1002),
    ])
    made += numbered("7.5", "8.1", [
        (f"close with a reason that is not UTF-8: {reason.hex()}", [HELLO],
         [F(CLOSE, b"\x03\xe8" + reason)], 1007) for reason in NOT_UTF_8])
    made += numbered("7.7", "7.4", [
        (f"close code {code}{' with a reason' if reason else ''}", [HELLO],
         {"closing": close(code, reason), "ways": (ONE,)})
        for code in VALID for reason in ("", "because")])
    made += numbered("7.9", "7.4", [
        (f"close code {code}{' with a reason' if reason else ''}", [HELLO], [close(code, reason)],
         1002, {"ways": (ONE, OCTETS)}) for code in INVALID for reason in ("", "because")])
    made += numbered("7.13", "7.4", [
        ("close code 65536, which has no room", [], [F(CLOSE, (65_536).to_bytes(4, "big"))], 1002),
        ("close code 1000 that is not UTF-8 and invalid too", [], [F(CLOSE, b"\x03\xe7\xff")], 1002),
    ])
    return made
