"""Groups 9 and 10: large messages, in frames, fragments and writes of every size."""

from support.conformance.case import FRAMES, ONE, F, cut, fragments, numbered
from support.frames import BINARY, TEXT

KIB, MIB = 1024, 1 << 20
ENOUGH = 65_536  # bytes in one write, where the frame is larger


def named(size):
    for unit, name in ((MIB, "MiB"), (KIB, "KiB"), (1, "bytes")):
        if size >= unit:
            return f"{size // unit} {name}"
    return "no bytes"


def cases():
    made = []
    kinds = (("text", TEXT, b"*"), ("binary", BINARY, b"\x00\xff"))
    for number, (name, opcode, data) in enumerate(kinds, 1):
        def whole(size, data=data):
            return data * (size // len(data))
        made += numbered(f"9.{number}", "5.2", [
            (f"{name} of {named(size)}", [F(opcode, whole(size))], {"ways": (ENOUGH,)})
            for size in (64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB)])
        made += numbered(f"9.{number + 2}", "5.4", [
            (f"{name} of 4 MiB in fragments of {named(size)}",
             fragments(opcode, cut(whole(4 * MIB), size)), {"ways": (ENOUGH,)})
            for size in (64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB)])
        made += numbered(f"9.{number + 4}", "5.2", [
            (f"{name} of 1 MiB in writes of {named(size)}", [F(opcode, whole(MIB))],
             {"ways": (size,)}) for size in (64, 128, 256, 512, KIB, 2 * KIB)])
        made += numbered(f"9.{number + 6}", "5.2", [
            (f"1000 messages of {name} of {named(size)}", [F(opcode, whole(size))] * 1000,
             {"ways": (ENOUGH,)}) for size in (0, 16, 64, 256, KIB, 4 * KIB)])
    made += numbered("10.1", "5.4", [
        ("text of 65536 bytes in fragments of 1300", fragments(TEXT, cut(b"*" * 65_536, 1300)),
         {"ways": (FRAMES, ONE)}),
        ("binary of 65536 bytes in fragments of 1300", fragments(BINARY, cut(b"\xff" * 65_536, 1300)),
         {"ways": (FRAMES, ONE)})])
    return made
