#!/usr/bin/python3
"""What validate = "full" costs over "off" in instructions, counted by callgrind: of a shard's turns that
relay small text messages over wss, on the simulated kernel, whose own instructions are left out. Two
counts of messages are run, so that what is not done for each message cancels out. The real gateway
does not run under valgrind, which does not know that io_uring_enter waits.
"""

import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from common import arguments, finish, verdict
from support.gateway import BUILD

PROGRAM = BUILD / "tests" / "simulation" / "message_cost"
TURN = "uring::Loop::turn(*"
KERNEL = "SimulatedKernel::"
WAYS = ("full", "headers", "off")
RATIO_MAX = 1.05
NAME = re.compile(r"^(c?fn)=\((\d+)\)(?: (.*))?$")


def counted(profile):
    """Instructions that were counted, and of these those of the kernel as seen by its callers."""
    names, caller, callee, calls = {}, "", "", False
    own, of_kernel = 0, 0
    for line in profile.splitlines():
        if match := NAME.match(line):
            kind, number, name = match.groups()
            names.setdefault(number, name or "")
            if kind == "fn":
                caller = names[number]
            else:
                callee = names[number]
        elif line.startswith("calls="):
            calls = True
        elif re.match(r"^[+\-*\d]", line):
            cost = int(line.split()[-1]) if len(line.split()) > 1 else 0
            if not calls:
                own += cost
            elif KERNEL in callee and KERNEL not in caller:
                of_kernel += cost
            calls = False
    return own, of_kernel


def instructions(folder, way, messages):
    out = folder / f"{way}-{messages}.out"
    subprocess.run(["valgrind", "--tool=callgrind", f"--toggle-collect={TURN}", "--compress-pos=no",
                    f"--callgrind-out-file={out}", PROGRAM, str(messages), way],
                   check=True, capture_output=True, timeout=600)
    own, of_kernel = counted(out.read_text(encoding="utf-8"))
    verdict(0 < of_kernel < own, f"{way}, {messages} messages: {own} instructions in turns, "
                                 f"{of_kernel} of these the simulated kernel's")
    return own - of_kernel


def main():
    options = arguments(__doc__, few=(200, "messages each way"), many=(1200, "messages each way"))
    each = defaultdict(float)
    with tempfile.TemporaryDirectory(prefix="gateway-callgrind-") as name:
        for way in WAYS:
            few, many = (instructions(Path(name), way, count)
                         for count in (options.few, options.many))
            each[way] = (many - few) / (options.many - options.few) / 2
            print(f"      {way}: {each[way]:.0f} instructions a message", flush=True)
    for way in WAYS[:-1]:
        ratio = each[way] / each["off"]
        verdict(ratio <= RATIO_MAX, f"instructions a message, {way} to off: {ratio:.3f}, "
                                    f"{each[way] - each['off']:+.0f} (at most {RATIO_MAX})")
    finish()


if __name__ == "__main__":
    main()
