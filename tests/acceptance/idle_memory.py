#!/usr/bin/python3
"""Resident memory of idle WebSockets after one message each: over TLS at most 2,700 bytes a
connection, and with heartbeats, limits and rates 3,250; without TLS at most 1,800. The process
itself starts under 60 MB. --connections 9400 has less of what a process has anyway in it."""

from common import arguments, finish, kib, site, verdict
from support.frames import TEXT, frame, read_frame
from support.relay import open_echo
from support.streams import connect

POLICIES = {"ping": "10m", "message_max": "1MiB", "frame_max": "1MiB", "lifetime": "12h",
            "message_time": "60s", "messages_per_second": 100}
EACH_MAX_BYTES = [("wss", True, {}, 2700),
                  ("wss with heartbeats, limits and rates", True, {"websocket": POLICIES}, 3250),
                  ("ws", False, {}, 1800)]
START_MAX_KIB = 60_000_000 // 1024


def measure(options, name, secure, defaults, each_max):
    with site(options, defaults=defaults) as (gateway, _):
        start = kib(gateway)
        verdict(start < START_MAX_KIB, f"VmRSS at start: {start} KiB (below {START_MAX_KIB})")
        held = []
        for _ in range(options.connections):
            port = gateway.https_port if secure else gateway.http_port
            stream = connect(port, secure)
            open_echo(stream)
            stream.send(frame(TEXT, b"hello"))
            assert read_frame(stream).payload == b"hello"
            held.append(stream)
        assert gateway.descriptors() >= gateway.descriptors_at_start + 2 * options.connections
        full = kib(gateway)
        each = (full - start) * 1024 / options.connections
        verdict(each <= each_max, f"VmRSS at {options.connections} idle connections, {name}: "
                                  f"{full} KiB: {each:.0f} bytes each (at most {each_max})")
        for stream in held:
            stream.reset()
        gateway.wait_for_descriptors(60)
        verdict(True, f"descriptors are back to {gateway.descriptors_at_start}; "
                      f"VmRSS {kib(gateway)} KiB")


def main():
    options = arguments(__doc__, connections=(5000, "to be held"))
    for case in EACH_MAX_BYTES:
        measure(options, *case)
    finish()


if __name__ == "__main__":
    main()
