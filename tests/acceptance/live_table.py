#!/usr/bin/python3
"""9,500 WebSockets are open, and the live table is filtered, sorted and paged through the admin listener,
all of it again and again; meanwhile others talk: how late their answers are, beside a time without looks.
Then 5,000 of them are kicked at 500 a second with the code 4001.
"""

import json
import re
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from common import arguments, finish, verdict
from support.admin import admin_config, admin_of
from support.gateway import LOAD, Echo, Gateway, Variant
from support.waiting import wait_until

ECHO_PATH = "/echo"
TALKERS = 40
KICK_RATE = 500
# Looks cost the main thread, which may have to share a core with whoever talks.
LATE_MS_MAX = 20


def load(port, host, connections, result, *more):
    return subprocess.Popen(
        [LOAD, f"ws://127.0.0.1:{port}{ECHO_PATH}", "--host", host, "--connections", str(connections),
         "--warm-up", "0", "--json", result, *map(str, more)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def timings(result):
    phases = json.loads(Path(result).read_text())["phases"]
    return next(one["timings"]["rtt"] for one in phases if "rtt" in one["timings"])


def page_through(admin, query):
    """How many rows, and how many pages."""
    rows, pages, after = 0, 0, ""
    while True:
        answer = admin.connections(f"{query}&limit=1000{after}")
        rows += len(answer["connections"])
        pages += 1
        if answer["next"] is None:
            return rows, pages
        after = "&after=" + urllib.parse.quote(answer["next"])


class Looker(threading.Thread):
    def __init__(self, admin):
        super().__init__()
        self.admin, self.over, self.looks, self.rows = admin, threading.Event(), 0, 0

    def run(self):
        queries = ["sort=id", "sort=-age", "sort=-rate&kind=websocket", "route=hold&sort=-idle", "sort=-bytes"]
        while not self.over.is_set():
            rows, pages = page_through(self.admin, queries[self.looks % len(queries)])
            self.looks += 1
            self.rows += rows


def talk(gateway, folder, name):
    result = Path(folder, name)
    load(gateway.http_port, "talk.test", TALKERS, result, "--rate", 400, "--duration", "8s").wait()
    return timings(result)


def codes_of_kicks(gateway, count):
    """Once there are so many: those that the log has."""
    codes = re.findall(r"end=kicked by=gateway code=(\d+) reason=\"come again\"", gateway.log())
    return codes if len(codes) >= count else None


def main():
    options = arguments(__doc__, connections=(9450, "WebSockets"), kicked=(5000, "of them"))
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder = Path(name)
        echo = Echo(folder)
        config = admin_config(folder, {"echo": echo.port},
                              [{"name": "hold", "host": "hold.test", "pool": "echo"},
                               {"name": "talk", "host": "talk.test", "pool": "echo"}], level="info")
        gateway = Gateway(folder, config, Variant(options.shards))
        admin = admin_of(gateway)
        holding = load(gateway.http_port, "hold.test", options.connections, folder / "hold", "--hold",
                       "--connect-rate", 2000)
        try:
            wait_until(lambda: admin.get("/snapshot")["totals"]["websockets"] == options.connections,
                       "all to be open", 60)
            # In the first seconds behind so many openings the machine is not quiet yet.
            talk(gateway, folder, "first")
            quiet = talk(gateway, folder, "quiet")
            looker = Looker(admin)
            looker.start()
            busy = talk(gateway, folder, "busy")
            looker.over.set()
            looker.join()
            print(f"without looks: p50 {quiet['p50_ns'] / 1e6:.2f} ms, p99 {quiet['p99_ns'] / 1e6:.2f} ms, "
                  f"longest {quiet['max_ns'] / 1e6:.2f} ms of {quiet['count']} answers")
            verdict(busy["p99_ns"] / 1e6 < LATE_MS_MAX,
                    f"{looker.looks} times through the table, {looker.rows} rows: p50 {busy['p50_ns'] / 1e6:.2f} "
                    f"ms, p99 {busy['p99_ns'] / 1e6:.2f} ms, longest {busy['max_ns'] / 1e6:.2f} ms of "
                    f"{busy['count']} answers")
            began = time.monotonic()
            oldest = admin.connections("route=hold&sort=-age&limit=1")["connections"][0]["age_seconds"]
            lines = admin.ask("/connections?format=lines&route=hold").lines()
            verdict(len(lines) == options.connections, f"{len(lines)} rows as one stream, in "
                                                       f"{time.monotonic() - began:.2f} s")
            ages = sorted((row["age_seconds"] for row in lines), reverse=True)
            age = ages[options.kicked - 1]
            answer = admin.post("/connections/kick",
                                {"route": "hold", "age": f"{int(age * 1000)}ms", "code": 4001,
                                 "reason": "come again", "rate": KICK_RATE})
            began = time.monotonic()
            kicked = answer.json()["kicked"]
            print(f"the oldest is {oldest:.1f} s old; asked to kick those of {age:.3f} s and more: {kicked}")
            left = options.connections - kicked
            half = None
            while (now := admin.get("/snapshot")["totals"]["websockets"]) > left:
                if half is None and now <= options.connections - kicked / 2:
                    half = time.monotonic() - began
                time.sleep(0.05)
            took = time.monotonic() - began
            wanted = kicked / KICK_RATE
            verdict(abs(took - wanted) < 0.1 * wanted + 0.5 and abs(half - wanted / 2) < 0.1 * wanted + 0.5,
                    f"{kicked} kicked in {took:.2f} s, half of them in {half:.2f} s: {kicked / took:.0f} a second")
            # A line is written a moment after its end.
            codes = wait_until(lambda: codes_of_kicks(gateway, kicked), f"{kicked} lines of kicks")
            verdict(len(codes) == kicked and set(codes) == {"4001"},
                    f"{len(codes)} lines say end=kicked by=gateway code=4001")
            snapshot = admin.get("/snapshot")
            verdict(snapshot["ended"].get("kicked") == kicked and
                    snapshot["closed"]["gateway"].get("4xxx") == kicked,
                    f"the counters: ended kicked={snapshot['ended'].get('kicked')}, closed by the gateway "
                    f"with 4xxx={snapshot['closed']['gateway'].get('4xxx')}")
        finally:
            holding.kill()
            holding.wait()
            gateway.kill()
            echo.stop()
    finish()


if __name__ == "__main__":
    main()
