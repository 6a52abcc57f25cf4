"""What a stand-in for the admin listener has to tell: a gateway of so many connections whose counters grow by
known steps, as docs/admin.md describes its JSON. Each snapshot is a second later than the one before, whenever
it is sent, so that the rates that a page makes of two are exact."""

import ipaddress
import re
from dataclasses import dataclass, field

START = 1_796_000_000.0
# By how much the totals grow from one snapshot to the next: a second.
STEPS = {"requests": 41, "websockets_opened": 7, "websockets_ended": 5, "messages_from_client": 1234,
         "messages_from_upstream": 4321, "bytes_from_client": 4096, "bytes_from_upstream": 1_048_576,
         "pushed_back_seconds": 2.5}
SIZES = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024 ** 2}
TIMES = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
SORTS = {"id": "id", "age": "age_seconds", "idle": "idle_seconds", "buffered": "buffered_bytes",
         "rate": "messages_per_second"}
NAMES = {"kind", "route", "pool", "server", "listener"}
BOUNDS = {"age": "age_seconds", "idle": "idle_seconds", "buffered": "buffered_bytes",
          "message_rate": "messages_per_second"}
FILTERS = NAMES | {"client"} | set(BOUNDS)


class Refused(Exception):
    """Of a query that is none; says what is wrong."""


def measure(text, units):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if not match or match[2] not in units:
        raise Refused(f"'{text}' is none of {', '.join(f'1{unit}' for unit in units)}")
    return float(match[1]) * units[match[2]]


def server(name, **more):
    return {"pool": "chat", "server": name, "state": "up", "weight": 1, "backup": False, "from": "file",
            "addresses": [name], "requests": 3, "websockets": 4500, "kept": 5, "downs": 0, "ejections": 0,
            "requests_total": 7000, "websockets_total": 900, "failures_total": 0, **more}


def route(name, **more):
    return {"name": name, "hosts": [f"{name}.example.com"], "path": "/", "pool": "chat", "under_way": 9012,
            "requests_total": 6001, "websockets_total": 3000, "answered": {"2xx": 5990, "4xx": 8, "none": 3},
            "bytes_from_client_total": 123_456, "bytes_to_client_total": 9_876_543, **more}


def row(number, **more):
    """Of the live table; what it has follows from its number."""
    return {"id": number, "shard": number % 2, "kind": "websocket", "client": f"192.0.2.{number % 250}",
            "port": 20_000 + number, "listener": "0.0.0.0:443", "tls": "TLSv1.3",
            "age_seconds": 60.0 + number, "idle_seconds": float(number % 900), "requests": 1,
            "request": f"GET chat.example.com/ws/{number}", "route": "chat" if number % 10 else "feed",
            "pool": "chat", "server": f"127.0.0.1:900{number % 3 + 1}", "messages_from_client": number,
            "messages_from_upstream": 2 * number, "bytes_from_client": 64 * number,
            "bytes_from_upstream": 128 * number, "messages_per_second": number % 97 + 0.5,
            "buffered_bytes": number % 5 * 1024, "pushed_back_seconds": 0.0, **more}


@dataclass
class World:
    connections: int = 9500
    pid: int = 4711
    state: str = "serving"
    tick: int = 0  # how many snapshots have been told
    counted: int = 100_000  # what the totals began with
    pools: list = field(default_factory=lambda: [
        {"name": "chat", "balance": "least-connections",
         "servers": [server("127.0.0.1:9001"), server("127.0.0.1:9002", state="draining", websockets=4000),
                     server("127.0.0.1:9003", state="down", websockets=500, failures_total=17, downs=2)]}])
    routes: list = field(default_factory=lambda: [route("chat"), route("feed", pool=None, path="/feed")])
    ended: dict = field(default_factory=lambda: {"done": 2100, "idle": 80, "client-reset": 7})
    closed: dict = field(default_factory=lambda: {"client": {"1000": 2000, "none": 7}, "gateway": {"1001": 80},
                                                  "upstream": {"4xxx": 3}})
    special: dict = field(default_factory=dict)  # id: what its row has of its own
    shards: int = 2

    def total(self, name):
        return self.counted + STEPS[name] * self.tick

    def shard(self, number):
        return {"shard": number, "connections": self.connections // self.shards,
                "websockets": 9000 // self.shards, "requests": 6, "turns": 1000 * self.tick,
                "busy_seconds": (0.25 + 0.125 * (number % 2)) * self.tick, "completions": 3500 * self.tick,
                "receive_buffers_free": 1000, "receive_buffers": 1024, "batch_bytes": 65_536,
                "batch_bytes_max": 1_048_576}

    def snapshot(self):
        """The next one."""
        self.tick += 1
        latency = {"p50": 0.001, "p90": 0.002, "p99": 0.0125, "count": 512}
        rows = (self.row(number) for number in range(1, 11))
        return {"time": START + self.tick, "version": "0.1.0", "pid": self.pid, "state": self.state,
                "uptime_seconds": 86_400.5, "generation": 3, "configuration": "/etc/gateway/gateway.conf",
                "totals": {"connections": self.connections, "websockets": 9000, "requests_under_way": 12,
                           **{name: self.total(name) for name in STEPS}},
                "memory": {"bytes": 512 * 1024 ** 2, "bytes_max": 2 * 1024 ** 3},
                "descriptors": {"open": 18_500, "max": 65_536}, "utilisation": 0.31,
                "latency": {"request": latency, "first_byte": latency, "handshake": latency, "upgrade": None},
                "ended": dict(self.ended), "closed": self.closed, "pools": self.pools, "routes": self.routes,
                "shards": [self.shard(number) for number in range(self.shards)],
                "top": sorted(rows, key=lambda one: -one["messages_per_second"])}

    def history(self):
        now = START + self.tick
        return {"interval_seconds": 5, "points": [
            {"time": now - 5 * back, "connections": 9500 - back, "websockets": 9000 - back,
             "requests_per_second": 40 + back % 7, "messages_from_client_per_second": 1200 + back % 100,
             "messages_from_upstream_per_second": 4000 + back % 500, "bytes_from_client_per_second": 4000,
             "bytes_from_upstream_per_second": 1_000_000 + 1000 * (back % 90), "ended_per_second": 5,
             "pushed_back": 2.5, "busy": 0.3 + back % 20 / 100, "request_p50": 0.001,
             "request_p99": None if 300 < back < 330 else 0.012} for back in range(719, -1, -1)]}

    def row(self, number):
        return row(number, **self.special.get(number, {}))

    def fits(self, one, filters):
        for name, value in filters.items():
            if name in NAMES and one[name] != value:
                return False
            if name == "client" and ipaddress.ip_address(one["client"]) not in ipaddress.ip_network(value):
                return False
            units = {"age": TIMES, "idle": TIMES, "buffered": SIZES, "message_rate": {"": 1}}.get(name)
            if units and one[BOUNDS[name]] < measure(value, units):
                return False
        return True

    def matching(self, filters):
        if unknown := set(filters) - FILTERS:
            raise Refused(f"unknown filter '{unknown.pop()}'")
        return [one for number in range(1, self.connections + 1) if self.fits(one := self.row(number), filters)]

    def page(self, query):
        """The answer to /connections?query."""
        filters = dict(query)
        sort, limit, after = (filters.pop(name, value) for name, value in
                              {"sort": "id", "limit": "100", "after": "0"}.items())
        rows = self.matching(filters)
        rows.sort(key=lambda one: self.sorted_by(one, sort.lstrip("-")), reverse=sort.startswith("-"))
        begin, end = int(after), int(after) + int(limit)
        return {"connections": rows[begin:end], "next": str(end) if end < len(rows) else None,
                "matched": len(rows), "looked_at": self.connections}

    @staticmethod
    def sorted_by(one, key):
        if key in ("messages", "bytes"):
            return one[f"{key}_from_client"] + one[f"{key}_from_upstream"]
        return one[SORTS[key]]

    def detail(self, number):
        if not 1 <= number <= self.connections:
            return None
        side = {"frames": 12, "pings": 3, "ping_seconds": 0.041, "wire_bytes": 2048}
        return {**self.row(number), "server_name": "chat.example.com", "tls_cipher": "TLS_AES_128_GCM_SHA256",
                "tls_group": "X25519MLKEM768", "tls_resumed": False, "client_certificate": None,
                "client_side": side, "upstream_side": side, "closing": None, "generation": 3}
