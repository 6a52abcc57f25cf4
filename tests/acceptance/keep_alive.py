#!/usr/bin/python3
"""Kept-alive GETs of a small body through TLS: processor time a request beside nginx, system calls
and allocations a request in the steady state. Needs wrk, and nginx for the comparison; strace for
the system calls."""

import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from common import arguments, finish, site, trace_shards, verdict
from compare_nginx import Nginx
from support.certificates import make_certificate

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(port, scheme, options, seconds):
    """Requests that were answered."""
    done = subprocess.run(["wrk", "-t", "1", "-c", str(options.connections), "-d", f"{seconds}s",
                           f"{scheme}://127.0.0.1:{port}/bytes?n={options.size}"],
                          capture_output=True, text=True, check=True)
    assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout
    return int(re.search(r"(\d+) requests in", done.stdout)[1])


def cost(pid, port, scheme, options):
    before = cpu_seconds(pid)
    requests = load(port, scheme, options, options.seconds)
    return (cpu_seconds(pid) - before) / requests * 1e6, requests / options.seconds


def compare(gateway, nginx, scheme, options):
    best = {}
    for _ in range(options.rounds):
        for label, server, pid in (("gateway", gateway, gateway.pid),
                                   ("nginx", nginx, nginx.worker())):
            port = server.https_port if scheme == "https" else server.http_port
            result = cost(pid, port, scheme, options)
            best[label] = min(best.get(label, result), result)
    (ours, our_rate), (theirs, their_rate) = best["gateway"], best["nginx"]
    verdict(ours < theirs, f"{scheme}: gateway {ours:.1f} us a request ({our_rate:.0f}/s), nginx "
            f"{theirs:.1f} us ({their_rate:.0f}/s), ratio {ours / theirs:.2f}")


def count_system_calls(gateway, options):
    """From two seconds on: the connections are open then."""
    seconds = max(10, options.seconds)
    requests = []
    loading = threading.Thread(target=lambda: requests.append(
        load(gateway.https_port, "https", options, seconds)))
    loading.start()
    time.sleep(2)
    calls = trace_shards(gateway, options.shards, seconds - 4)
    loading.join()
    total = sum(calls.values())
    # strace slows the gateway, so that this is the most that it can be.
    most = total / (requests[0] * (seconds - 4) / seconds)
    verdict(total > 0 and calls.get("io_uring_enter", 0) > 0.99 * total,
            f"system calls of the shard: about {most:.2f} a request: {calls}")


def count_allocations(options, certificate, folder):
    library, counter = folder / "count.so", folder / "count"
    source = Path(__file__).with_name("count_allocations.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    counter.write_bytes(bytes(8))
    environment = {"LD_PRELOAD": str(library), "COUNT_ALLOCATIONS": str(counter)}
    with site(options, level="warning", environment=environment,
              certificates=[certificate]) as (gateway, _):
        def count(seconds):
            before = struct.unpack("Q", counter.read_bytes())[0]
            requests = load(gateway.https_port, "https", options, seconds)
            return requests, struct.unpack("Q", counter.read_bytes())[0] - before
        count(2)
        # What the new connections of each run cost is the same in a short one and in a long one.
        (short, with_short), (long, with_long) = count(1), count(5)
    a_request = (with_long - with_short) / (long - short)
    verdict(a_request < 0.01, f"allocations: {a_request:.5f} a request ({with_short} with {short} "
            f"requests, {with_long} with {long})")


def main():
    options = arguments(__doc__, connections=(100, "to open"), size=(128, "bytes of a body"),
                        seconds=(5, "of each run"), rounds=(3, "of each"))
    with tempfile.TemporaryDirectory(prefix="gateway-keep-alive-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        certificate = make_certificate(folder, ["localhost"])
        count_allocations(options, certificate, folder)
        with site(options, level="warning", certificates=[certificate]) as (gateway, echo):
            if shutil.which("strace"):
                count_system_calls(gateway, options)
            nginx = Nginx(folder, echo.port, certificate)
            try:
                for scheme in ("http", "https"):
                    compare(gateway, nginx, scheme, options)
            finally:
                nginx.stop()
    finish()


if __name__ == "__main__":
    main()
