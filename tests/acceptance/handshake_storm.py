#!/usr/bin/python3
"""New TLS clients come all at once, beside WebSockets that are open and talk: how late the answers of
these get. Where there are cores enough the gateway has one for each shard, and whoever talks or answers
comes before the crowd: what is late is the gateway's doing then, not that of whoever shares its core. With
--together 1 all share all cores, all alike.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from common import arguments, finish, site, verdict
from support.gateway import LOAD

LATE_MS_MAX = 20


def keep_apart(gateway, echo, shards):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) <= shards:
        return
    for process, its_own in ((gateway, cores[:shards]), (echo, cores[shards:])):
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            os.sched_setaffinity(int(thread), its_own)
    os.sched_setaffinity(0, cores[shards:])  # and who is started from here


def load(gateway, result, *more, niceness=0):
    return subprocess.Popen(
        ["nice", "-n", str(niceness), LOAD, f"wss://127.0.0.1:{gateway.https_port}/echo",
         "--warm-up", "0", "--json", result, *map(str, more)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def phases(result):
    return json.loads(result.read_text())["phases"]


def main():
    options = arguments(__doc__, newcomers=(2000, "TLS clients"), times=(3, "storms"),
                        together=(0, "1: without cores of its own"))
    with site(options, level="warning") as (gateway, echo), \
            tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        if not options.together:
            keep_apart(gateway, echo, options.shards)
        for number in range(options.times):
            talk, storm = Path(name, f"talk-{number}"), Path(name, f"storm-{number}")
            talking = load(gateway, talk, "--connections", 40, "--rate", 400, "--duration", "12s")
            time.sleep(3)
            coming = load(gateway, storm, "--connections", options.newcomers, "--pattern", "hold",
                          "--duration", "4s", niceness=0 if options.together else 19)
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
