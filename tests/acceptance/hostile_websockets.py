#!/usr/bin/python3
"""WebSockets that mean harm, while other clients' echoes are measured: 200 clients that never read what
their server pushes at them; pings without end, of clients that read the pongs and of clients that do
not; one message in fragments of a byte without end. The harm has a server and a process of its own;
what others feel of it is the gateway, and that there are only so many cores.

The gateway's memory stays within its bounds, and gives back what it took; the others' p99 is shown
before, during and after, and must stay below --p99-ms.
"""

import multiprocessing
import selectors
import tempfile
import time
from pathlib import Path

from common import arguments, finish, kib, raise_descriptor_limit, reset_peak, verdict
from support.frames import BINARY, CONTINUATION, PING, frame
from support.gateway import Config, Echo, Gateway, Variant
from support.load import run_load
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until

BURST = 65_536  # bytes of one write


def repeated(one):
    return one * (BURST // len(one))


class Attack:
    """`count` clients of `path`; `begin`, and then `again` without end, is what they send."""

    def __init__(self, name, count, path, begin=b"", again=b"", reads=False, secure=False,
                 receive_buffer=None):
        self.name, self.count, self.path = name, count, path
        self.begin, self.again, self.reads = begin, again, reads
        self.secure, self.receive_buffer = secure, receive_buffer

    def open(self, gateway):
        port = gateway.https_port if self.secure else gateway.http_port
        streams = []
        for _ in range(self.count):
            streams.append(connect(port, self.secure, receive_buffer=self.receive_buffer))
            open_echo(streams[-1], self.path, host="harm.test")
            if self.begin:
                streams[-1].send(self.begin)
        return streams

    def run(self, gateway, ready, stop, taken):
        """In a process of its own. `taken`: how many bytes of it the kernel has taken."""
        streams = self.open(gateway)
        ready.set()
        selector = selectors.DefaultSelector()
        for stream in streams:
            stream.socket.setblocking(False)
            events = (selectors.EVENT_WRITE if self.again else 0) | (
                selectors.EVENT_READ if self.reads else 0)
            if events:
                selector.register(stream.socket, events, [b""])
        while not stop.is_set():
            for key, events in selector.select(0.1):
                if events & selectors.EVENT_READ:
                    key.fileobj.recv(1 << 20)
                if events & selectors.EVENT_WRITE:
                    rest = key.data[0] or self.again
                    sent = key.fileobj.send(rest)
                    taken.value += sent
                    key.data[0] = rest[sent:]
        for stream in streams:
            stream.reset()


def attacks(options):
    fragment = frame(CONTINUATION, b"x", fin=False)
    ping = frame(PING, bytes(125))
    begin = frame(BINARY, b"x", fin=False)
    return [
        Attack(f"{options.slow} slow consumers", options.slow, "/push?rate=0&size=16384", secure=True,
               receive_buffer=4096),
        Attack("pings without end, pongs read", options.flooding, "/echo", again=repeated(ping),
               reads=True),
        Attack("pings without end, pongs not read", options.flooding, "/echo", again=repeated(ping)),
        Attack("empty pings without end", options.flooding, "/echo", again=repeated(frame(PING)),
               reads=True),
        Attack("fragments of a byte without end", options.flooding, "/sink", begin, repeated(fragment)),
        Attack("empty fragments without end", options.flooding, "/sink", begin,
               repeated(frame(CONTINUATION, b"", fin=False))),
    ]


def measure(gateway, options):
    return run_load(gateway, "wss", "--connections", options.others, "--size", 64, "--duration",
                    options.seconds)


def described(result):
    return (f"p50 {result.rtt_ms('p50'):.1f} ms, p99 {result.rtt_ms('p99'):.1f} ms, "
            f"{result.messages_per_second:.0f}/s")


def judge(attack, gateway, options):
    context = multiprocessing.get_context("fork")
    ready, stop, taken = context.Event(), context.Event(), context.Value("q", 0)
    before = measure(gateway, options)
    reset_peak(gateway)
    memory, begun = kib(gateway), time.monotonic()
    process = context.Process(target=attack.run, args=(gateway, ready, stop, taken), daemon=True)
    process.start()
    try:
        assert ready.wait(60), "it has not begun"
        filling, full = measure(gateway, options), measure(gateway, options)
        peak = kib(gateway, "VmHWM")
    finally:
        stop.set()
        process.join(30)
    seconds = time.monotonic() - begun
    wait_until(lambda: gateway.descriptors() <= gateway.descriptors_at_start + 4, "those to leave")
    after = measure(gateway, options)
    print(f"{attack.name}: {taken.value / 2**20 / seconds:.0f} MiB/s taken from {attack.count} clients")
    for when, result in (("before", before), ("first", filling), ("then", full), ("after", after)):
        print(f"      others {when}: {described(result)}")
    worst = max(filling.rtt_ms("p99"), full.rtt_ms("p99"))
    verdict(worst < options.p99_ms, f"{attack.name}: the others' p99 is {worst:.1f} ms at worst")
    verdict(peak - memory < options.growth_kib, f"{attack.name}: VmRSS {memory} KiB, at the most {peak} "
            f"KiB, now {kib(gateway)} KiB (less than {options.growth_kib} KiB more)")


def main():
    options = arguments(__doc__, slow=(200, "slow consumers"), flooding=(20, "clients that flood"),
                        others=(20, "clients that are measured"), seconds=(3.0, "of each measurement"),
                        growth_kib=(30_000, "that the gateway may take"),
                        p99_ms=(100.0, "that the others may wait"), only=("", "attacks with these words"))
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder = Path(name)
        echo, harmed = Echo(folder), Echo(folder, "harmed")
        gateway = Gateway(folder, Config({"app": echo.port, "harm": harmed.port}, [
            {"host": "harm.test", "pool": "harm"}, {"pool": "app"}], level="info"),
                          Variant(options.shards, options.receive))
        try:
            for attack in attacks(options):
                if options.only in attack.name:
                    judge(attack, gateway, options)
            gateway.finish()
        finally:
            gateway.kill()
            harmed.kill()
            echo.kill()
    finish()


if __name__ == "__main__":
    main()
