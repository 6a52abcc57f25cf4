#!/usr/bin/python3
"""A WebSocket that is ended in each of thirteen ways: what the log's line, the metrics and the live table say of
it, side by side. They agree where the log's end=, by= and code= are the cause, side and code of the one metric
that rose by one, the JSON totals say the same, and the row was there before and is not there afterwards.
"""

import re
import tempfile
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.admin import admin_config, admin_of
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import Gateway, Variant
from support.metrics import Scrape
from support.ports import free_port
from support.relay import open_relay
from support.streams import Upstream, connect
from support.waiting import wait_until

METRIC = "gateway_websockets_closed_total"


class Site:
    def __init__(self, folder, options):
        self.server = Upstream(free_port())
        config = admin_config(
            folder, {"raw": self.server.port},
            [{"name": "idle", "host": "idle.test", "pool": "raw", "timeouts": {"websocket_idle": "300ms"}},
             {"name": "short", "host": "short.test", "pool": "raw", "websocket": {"lifetime": "1s"}},
             {"name": "small", "host": "small.test", "pool": "raw", "websocket": {"message_max": "100B"}},
             {"name": "raw", "pool": "raw"}], level="info")
        self.gateway = Gateway(folder, config, Variant(options.shards, options.receive))
        self.admin = admin_of(self.gateway)

    def end(self):
        self.gateway.kill()
        self.server.close()


def answered(peer, masked):
    """Answers the close frame that it is sent."""
    told = read_frame(peer)
    assert told.opcode == CLOSE, told
    peer.send(frame(CLOSE, told.payload, masked=masked))


def client_closes(site, relay, code=1000, reason=""):
    relay.client.send(frame(CLOSE, close_payload(code, reason)))
    answered(relay.upstream, False)
    read_frame(relay.client)


def server_closes(site, relay, code=1001):
    relay.upstream.send(frame(CLOSE, close_payload(code), masked=False))
    answered(relay.client, True)
    read_frame(relay.upstream)


def kicked(site, relay):
    row, = site.admin.connections("kind=websocket")["connections"]
    assert site.admin.post(f"/connections/{row['id']}/kick", {"code": 4003, "reason": "go"}).json() == {"kicked": 1}
    answered(relay.client, True)
    answered(relay.upstream, False)


def drained(site, relay):
    site.admin.post("/pools/raw/drain", {"over": "0s"})
    answered(relay.client, True)
    answered(relay.upstream, False)
    site.admin.post("/pools/raw/undrain")


def closed_by_us(site, relay):
    answered(relay.client, True)
    answered(relay.upstream, False)


def breaks_the_protocol(site, relay):
    relay.client.send(frame(TEXT, b"x", masked=False))
    closed_by_us(site, relay)


def says_too_much(site, relay):
    relay.client.send(frame(TEXT, b"x" * 101))
    closed_by_us(site, relay)


WAYS = [
    ("the client closes with 1000", "raw.test", client_closes),
    ("the client closes with 4321", "raw.test", lambda site, relay: client_closes(site, relay, 4321, "bye")),
    ("the server closes with 1001", "raw.test", server_closes),
    ("the server closes with 3000", "raw.test", lambda site, relay: server_closes(site, relay, 3000)),
    ("the client leaves without a word", "raw.test", lambda site, relay: relay.client.close()),
    ("the client resets", "raw.test", lambda site, relay: relay.client.reset()),
    ("the server resets", "raw.test", lambda site, relay: (relay.upstream.reset(), answered(relay.client, True))),
    ("the client breaks the protocol", "raw.test", breaks_the_protocol),
    ("the client's message is too long", "small.test", says_too_much),
    ("nothing is said for too long", "idle.test", closed_by_us),
    ("it has lived long enough", "short.test", closed_by_us),
    ("an operator kicks it with 4003", "raw.test", kicked),
    ("its server is drained", "raw.test", drained),
]


def series(site):
    scrape = Scrape(site.admin.ask("/metrics").body.decode())
    return {labels: value for (name, labels), value in scrape.samples.items() if name == METRIC}


def ended(site):
    snapshot = site.admin.get("/snapshot")
    return snapshot["ended"], {(side, code): count for side, codes in snapshot["closed"].items()
                               for code, count in codes.items()}


def risen(before, now):
    return [key for key, value in now.items() if value == before.get(key, 0) + 1]


def class_of(code):
    return "none" if code == "-" else code if int(code) < 3000 else f"{int(code) // 1000}xxx"


def judge(site, name, host, end):
    counts, (causes, codes) = series(site), ended(site)
    mark = site.gateway.log_mark()
    client = connect(site.gateway.http_port, False)
    relay = open_relay(client, site.server, host)
    rows = site.admin.connections("kind=websocket")["connections"]
    end(site, relay)
    for peer in (relay.client, relay.upstream):
        peer.close()
    line = site.gateway.wait_for(lambda: re.search(r" websocket id=(\d+) .* end=(\S+) by=(\S+) code=(\S+) ",
                                                   site.gateway.log_since(mark)), "its line")
    wait_until(lambda: not site.admin.connections("kind=websocket")["connections"], "its row to be gone")
    number, cause, side, code = line.groups()
    metric, = [dict(one) for one in risen(counts, series(site))]
    now_causes, now_codes = ended(site)
    json_cause, json_code = risen(causes, now_causes), risen(codes, now_codes)
    agree = (metric["cause"] == cause and metric["side"] == side and metric["code"] == class_of(code) and
             json_cause == [cause] and json_code == [(side, class_of(code))] and
             [str(row["id"]) for row in rows] == [number])
    verdict(agree, f"{name:<34} log: end={cause} by={side} code={code}   metric: cause={metric['cause']} "
                   f"side={metric['side']} code={metric['code']}   table: row {rows[0]['id']} before, none after; "
                   f"totals ended {json_cause[0]}, closed by {json_code[0][0]} with {json_code[0][1]}")


def main():
    options = arguments(__doc__)
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        site = Site(Path(name), options)
        try:
            for way in WAYS:
                judge(site, *way)
        finally:
            site.end()
    finish()


if __name__ == "__main__":
    main()
