"""What is measured: each scenario is one kind of load, and names the figure by which it compares.

The names are those of --scenario. A row of the table is one scenario.
"""

from dataclasses import dataclass, replace

# The figures by which rows compare; of each, less is better.
CPU = "cpu"          # processor time of the proxy for one message, request, handshake
MEMORY = "memory"    # resident bytes of the proxy for one connection
LATENCY = "latency"  # p99


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    scheme: str                # ws, wss, http, https
    path: str = "/echo"
    pattern: str = "echo"      # echo, push, get, handshake, idle
    connections: int = 100
    in_flight: int = 1
    size_bytes: int = 64
    resumed: bool = False      # handshakes
    compares: str = CPU
    unit: str = "message"
    # Open loop: at half of the rate that nginx has reached in the closed loop of that name.
    half_of: str | None = None
    quick: bool = False        # is part of --quick

    def title_at(self, share):
        """Of an open loop, whose rate may have had to be less."""
        return self.title if share >= 0.5 else self.title.replace("half", f"{share:.0%}")

    @property
    def is_tls(self):
        return self.scheme in ("wss", "https")


def _both(name, title, **rest):
    """The plain one, and the one over TLS."""
    return [Scenario(f"{name}-{scheme}", f"{title}, {scheme}", scheme, **rest)
            for scheme in ("ws", "wss")]


def _push_path(size_bytes, burst, rate):
    return f"/push?size={size_bytes}&burst={burst}&rate={rate}"


_IDLE = Scenario("idle-wss", "9,500 idle connections, wss", "wss", pattern="idle",
                 connections=9500, compares=MEMORY, unit="connection", quick=True)
_OPEN = Scenario("open-wss", "64 B at half of nginx's capacity, 100 connections, wss", "wss",
                 compares=LATENCY, half_of="echo-64-100-wss", quick=True)

ALL = [
    *_both("echo-64-100", "echo 64 B, 100 connections", quick=True),
    *_both("echo-64-1000", "echo 64 B, 1,000 connections", connections=1000),
    *_both("echo-64-flight", "echo 64 B, 100 connections, 32 in flight", in_flight=32),
    *_both("echo-16k", "echo 16 KiB, 100 connections, 4 in flight", in_flight=4,
           size_bytes=16384),
    *_both("echo-1m", "echo 1 MiB, 10 connections", connections=10, size_bytes=1 << 20),
    *_both("burst", "bursts of 10 x 128 B to 1,000 clients", pattern="push", connections=1000,
           size_bytes=128, path=_push_path(128, 10, 40)),
    Scenario("handshake-full", "full handshakes, TLS 1.3", "https", pattern="handshake",
             connections=50, unit="handshake", quick=True),
    Scenario("handshake-resumed", "resumed handshakes, TLS 1.3", "https", pattern="handshake",
             connections=50, resumed=True, unit="handshake"),
    Scenario("get-http", "keep-alive GET 128 B, 100 connections, http", "http", "/bytes?n=128",
             "get", size_bytes=128, unit="request"),
    Scenario("get-https", "keep-alive GET 128 B, 100 connections, https", "https",
             "/bytes?n=128", "get", size_bytes=128, unit="request", quick=True),
    _IDLE,
    _OPEN,
]
# Only by their names: how the cost of a message grows (docs/performance/choices.md).
GROWTH = [
    *_both("echo-64-9500", "echo 64 B, 9,500 connections", connections=9500),
    *[Scenario(f"echo-{name}-wss", f"echo {title}, 100 connections, 4 in flight, wss", "wss",
               in_flight=4, size_bytes=size_bytes)
      for name, title, size_bytes in (("1k", "1 KiB", 1 << 10), ("4k", "4 KiB", 1 << 12),
                                      ("64k", "64 KiB", 1 << 16))],
]
# --quick has too little time for many handshakes, so it holds fewer connections.
_QUICK_INSTEAD = {
    "idle-wss": replace(_IDLE, title="1,000 idle connections, wss", connections=1000),
}
BY_NAME = {scenario.name: scenario for scenario in ALL + GROWTH}


def chosen(names, quick):
    """Those of these names, or all; with `quick` and no names its part of them. KeyError: no such
    scenario."""
    if names:
        found = [BY_NAME[name] for name in names]
    else:
        found = [scenario for scenario in ALL if scenario.quick or not quick]
    return [_QUICK_INSTEAD.get(one.name, one) if quick else one for one in found]
