#!/usr/bin/python3
"""Peers that never read: 100 wss clients while the backend pushes to them without end, and 100
backend sides while their clients flood.

The gateway's memory grows by less than 30 MB in all, and a healthy connection completes 1,000
echoes meanwhile.
"""

import selectors
import threading
import time

from common import arguments, finish, kib, reset_peak, site, verdict
from support.frames import BINARY, TEXT, frame, read_frame
from support.relay import open_echo
from support.streams import connect

GROWTH_MAX_KIB = 30_000_000 // 1024
CALM = 1.0  # seconds in which nothing moves: everybody is held back


class Flood(threading.Thread):
    """Clients that send as long as anything is taken."""

    def __init__(self, streams, message):
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        self.taken = 0
        self.last_taken = time.monotonic()
        self.ended = False
        for stream in streams:
            stream.socket.setblocking(False)
            self.selector.register(stream.socket, selectors.EVENT_WRITE, [stream, message, b""])

    def run(self):
        while not self.ended:
            for key, _ in self.selector.select(0.1):
                stream, message, rest = key.data
                rest = rest or stream.seal(message)
                try:
                    sent = key.fileobj.send(rest)
                except BlockingIOError:
                    sent = 0
                key.data[2] = rest[sent:]
                self.taken += sent
                if sent:
                    self.last_taken = time.monotonic()

    def held_back(self):
        return time.monotonic() - self.last_taken > CALM

    def stop(self):
        self.ended = True
        self.join()


def echoes(stream, count):
    begun = time.monotonic()
    for number in range(count):
        stream.send(frame(TEXT, b"%d" % number))
        assert read_frame(stream).payload == b"%d" % number
    return time.monotonic() - begun


def main():
    options = arguments(__doc__, clients=(100, "of each kind"), echoes=(1000, "to be completed"),
                        size=(16384, "bytes of a message"))
    with site(options) as (gateway, echo):
        def dial(path, **settings):
            stream = connect(gateway.https_port, True, **settings)
            open_echo(stream, path)
            return stream

        healthy = dial("/echo")
        echoes(healthy, 10)
        reset_peak(gateway)
        before, peak_before = kib(gateway), kib(gateway, "VmHWM")

        silent = [dial(f"/push?rate=0&size={options.size}") for _ in range(options.clients)]
        flooding = [dial("/sink?read=no") for _ in range(options.clients)]
        flood = Flood(flooding, frame(BINARY, bytes(options.size)))
        flood.start()
        seconds = echoes(healthy, options.echoes)
        deadline = time.monotonic() + 60
        while not flood.held_back() and time.monotonic() < deadline:
            echoes(healthy, 10)
        verdict(flood.held_back(),
                f"the flood is held back: {flood.taken / 2**20:.0f} MiB were taken from "
                f"{options.clients} clients, the kernel's buffers included")
        more = echoes(healthy, options.echoes)
        after, peak = kib(gateway), kib(gateway, "VmHWM")
        flood.stop()
        verdict(True, f"{options.echoes} echoes in {seconds:.2f} s while the peers fill up, "
                      f"{more:.2f} s when all are held back")
        growth = max(after - before, peak - peak_before)
        verdict(growth < GROWTH_MAX_KIB,
                f"{options.receive}, {options.shards} shard(s): VmRSS {before} -> {after} KiB, "
                f"VmHWM {peak_before} -> {peak} KiB: {growth} KiB more (below {GROWTH_MAX_KIB})")
        for stream in silent + flooding:
            stream.reset()
        healthy.close()
        echo.kill()
        gateway.wait_for_descriptors(30)
        verdict(True, f"all left: descriptors are back to {gateway.descriptors_at_start}")
    finish()


if __name__ == "__main__":
    main()
