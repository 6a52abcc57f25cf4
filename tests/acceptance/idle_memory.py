#!/usr/bin/python3
"""Resident memory of idle wss connections: after one message each, at most 6,500 bytes a connection; the
process itself starts under 60 MB."""

from common import arguments, finish, kib, site, verdict
from support.frames import TEXT, frame, read_frame
from support.relay import open_echo
from support.streams import connect

EACH_MAX_BYTES = 6500
START_MAX_KIB = 60_000_000 // 1024


def main():
    options = arguments(__doc__, connections=(5000, "to be held"))
    with site(options) as (gateway, _):
        start = kib(gateway)
        verdict(start < START_MAX_KIB, f"VmRSS at start: {start} KiB (below {START_MAX_KIB})")
        held = []
        for _ in range(options.connections):
            stream = connect(gateway.https_port, True)
            open_echo(stream)
            stream.send(frame(TEXT, b"hello"))
            assert read_frame(stream).payload == b"hello"
            held.append(stream)
        full = kib(gateway)
        each = (full - start) * 1024 / options.connections
        verdict(each <= EACH_MAX_BYTES,
                f"VmRSS at {options.connections} idle wss connections: {full} KiB: {each:.0f} "
                f"bytes each (at most {EACH_MAX_BYTES})")
        for stream in held:
            stream.reset()
        gateway.wait_for_descriptors(60)
        verdict(True, f"descriptors are back to {gateway.descriptors_at_start}; "
                      f"VmRSS {kib(gateway)} KiB")
    finish()


if __name__ == "__main__":
    main()
