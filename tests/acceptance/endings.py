#!/usr/bin/python3
"""Every kind of ending, many times: the other side sees what really happened, the log names it, and
nothing leaks: descriptors are back, and resident memory stays where it was.

A killed backend, a client's RST, a TLS truncation, a half-close each way.
"""

import re
from collections import Counter

from common import arguments, finish, kib, site, verdict
from support.frames import CLOSE, read_frame
from support.gateway import Echo
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until

GROWTH_MAX_KIB = 4096
# kind: (path, the log's words for it)
KINDS = {
    "killed backend": ("/push?rate=0&size=3000", {"upstream-reset", "upstream-left"}),
    "client RST": ("/push?rate=0&size=3000", {"client-reset"}),
    "TLS truncation": ("/echo", {"client-truncated"}),
    "client half-close": ("/echo", {"client-left"}),
    "upstream half-close": ("/misbehave/half-close", {"upstream-left"}),
}


def drain(stream):
    """How the peer's stream ends: a close code, or what happened to the connection."""
    code = None
    try:
        while code is None:
            one = read_frame(stream)
            if one.opcode == CLOSE:
                code = one.close_code
    except EOFError:
        return "end without a close frame"
    except OSError as error:
        return type(error).__name__
    return f"close {code}"


def end_all(kind, streams, echo):
    if kind == "killed backend":
        echo.kill()
    for stream in streams:
        if kind == "client RST":
            stream.reset()
        elif kind == "TLS truncation":
            stream.cut()
        elif kind == "client half-close":
            stream.finish()
    if kind == "client RST":
        return Counter()
    return Counter(drain(stream) for stream in streams)


def main():
    options = arguments(__doc__, rounds=(5, "of each kind"), connections=(40, "in each round"))
    with site(options) as (gateway, echo):
        def one_round(kind):
            nonlocal echo
            path, words = KINDS[kind]
            mark = gateway.log_mark()
            streams = []
            for _ in range(options.connections):
                streams.append(connect(gateway.https_port, True))
                open_echo(streams[-1], path)
                if path.startswith("/push"):
                    read_frame(streams[-1])
            seen = end_all(kind, streams, echo)
            for stream in streams:
                stream.close()
            gateway.wait_for_descriptors(60)
            if kind == "killed backend":
                echo = Echo(echo.log_file.parent, port=echo.port)

            def logged():
                ends = Counter(re.findall(r"websocket .* end=(\S+)", gateway.log_since(mark)))
                return ends if ends.total() >= options.connections else None
            ends = wait_until(logged, "a line for each connection in the log")
            return seen, ends, set(ends) <= words and ends.total() == options.connections

        for kind in KINDS:
            one_round(kind)
        before = kib(gateway)
        for kind in KINDS:
            results = [one_round(kind) for _ in range(options.rounds)]
            seen = sum((one[0] for one in results), Counter())
            ends = sum((one[1] for one in results), Counter())
            verdict(all(one[2] for one in results),
                    f"{kind}: clients saw {dict(seen)}; the log says {dict(ends)}")
        growth = kib(gateway) - before
        verdict(growth < GROWTH_MAX_KIB, f"VmRSS grew by {growth} KiB (below {GROWTH_MAX_KIB})")
        verdict(gateway.descriptors() == gateway.descriptors_at_start,
                f"descriptors: {gateway.descriptors()}, as at the start")
        echo.kill()
    finish()


if __name__ == "__main__":
    main()
