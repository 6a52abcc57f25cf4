#!/usr/bin/python3
"""Clients that come and go: WebSockets over TLS and plain ones, requests, resets. Memory is to be flat
after the first minute; descriptors, counts and the table's entries are to be as at the start when all have
gone."""

import os
import subprocess
import tempfile
import time

from common import arguments, finish, kib, site, verdict
from support.counting import status_of
from support.gateway import LOAD
from support.waiting import wait_until

GROWN_KIB_MAX = 1024


def load(gateway, scheme, path, options, *more):
    port = gateway.https_port if scheme in ("wss", "https") else gateway.http_port
    return subprocess.Popen(
        [LOAD, f"{scheme}://127.0.0.1:{port}{path}",
         "--duration", f"{options.seconds}s", "--warm-up", "0", *map(str, more)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.pid}/fd"))


def facts(gateway):
    told = status_of(gateway)
    return {"connections": told["connections"], "addresses": told["addresses"].split(" uncounted")[0]}


def main():
    options = arguments(__doc__, seconds=(600, "in all"), rate=(300, "new WebSockets over TLS in a second"))
    folder = tempfile.TemporaryDirectory(prefix="gateway-acceptance-")
    settings = {"limits": {"address": {"connections": 100_000}},
                "control": {"socket": f"{folder.name}/control.sock"}}
    with folder, site(options, level="warning", **settings) as (gateway, _):
        churn = ["--life", "200ms", "--connections", 2000]
        before, open_before = facts(gateway), descriptors(gateway)
        loads = [
            load(gateway, "wss", "/echo", options, "--churn", options.rate, *churn),
            load(gateway, "ws", "/echo", options, "--churn", options.rate, *churn),
            load(gateway, "http", "/bytes?n=128", options, "--churn", options.rate, *churn),
            load(gateway, "ws", "/echo", options, "--connections", 50, "--rate", 500,
                 "--reconnect", "at-once", "--bad", "reset=20%,half-open=10%"),
        ]
        begun = time.monotonic()
        samples = []
        while any(one.poll() is None for one in loads):
            time.sleep(5)
            samples.append((time.monotonic() - begun, kib(gateway)))
            if len(samples) % 12 == 0:
                print(f"  {samples[-1][0]:4.0f} s  VmRSS {samples[-1][1]} kB", flush=True)
        for one in loads:
            lines = [line for line in one.communicate()[0].splitlines() if line.strip()]
            print("  " + lines[-1])
        first = max(size for when, size in samples if when <= 60)
        last = max((size for when, size in samples if when > 60), default=first)
        verdict(last - first < GROWN_KIB_MAX, f"grown by {last - first} kB after the first minute")
        wait_until(lambda: facts(gateway) == before, f"{before}, as at first")
        verdict(True, f"as at first: {before}")
        wait_until(lambda: descriptors(gateway) <= open_before, f"{open_before} descriptors", 120)
        verdict(True, f"{open_before} descriptors, as at first")
    finish()


if __name__ == "__main__":
    main()
