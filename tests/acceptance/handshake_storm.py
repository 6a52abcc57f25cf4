#!/usr/bin/python3
"""New TLS clients come all at once, beside WebSockets that are open and talk: how late the answers of
these get."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from common import arguments, finish, site, verdict
from support.gateway import LOAD

LATE_MS_MAX = 20


def load(gateway, result, *more):
    return subprocess.Popen(
        [LOAD, f"wss://127.0.0.1:{gateway.https_port}/echo", "--warm-up", "0", "--json", result,
         *map(str, more)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def phases(result):
    return json.loads(result.read_text())["phases"]


def main():
    options = arguments(__doc__, newcomers=(2000, "TLS clients"), times=(3, "storms"))
    with site(options, level="warning") as (gateway, _), \
            tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        for number in range(options.times):
            talk, storm = Path(name, f"talk-{number}"), Path(name, f"storm-{number}")
            talking = load(gateway, talk, "--connections", 40, "--rate", 400, "--duration", "12s")
            time.sleep(3)
            coming = load(gateway, storm, "--connections", options.newcomers, "--pattern", "hold",
                          "--duration", "4s")
            talking.wait()
            coming.wait()
            rtt = next(one["timings"]["rtt"] for one in phases(talk) if "rtt" in one["timings"])
            opened = sum(one["counts"].get("opened", 0) for one in phases(storm))
            late = rtt["p99_ns"] / 1e6
            verdict(late < LATE_MS_MAX, f"{opened} new ones: p99 {late:.2f} ms of "
                                        f"{rtt['count']} answers, longest {rtt['max_ns'] / 1e6:.2f} ms")
    finish()


if __name__ == "__main__":
    main()
