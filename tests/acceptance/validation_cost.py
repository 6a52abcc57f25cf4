#!/usr/bin/python3
"""What validate = "full" costs over "off", for echoes of small text messages over wss: processor time
per message of two gateways that take turns, a pair at a time, with the median of the pairs' ratios and
an interval that it lies in with 95 % certainty (by signs).
"""

import math
import statistics
import tempfile
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.gateway import Config, Echo, Gateway, Variant
from support.load import run_load

WAYS = ("full", "off")
RATIO_MAX = 1.05


def config_for(echo, way):
    return Config({"echo": echo.port}, [{"pool": "echo", "websocket": {"validate": way}}], level="info")


def measure(gateway, options):
    return run_load(gateway, "wss", "--text", "--connections", options.connections, "--in-flight",
                    options.in_flight, "--size", options.size, "--duration", options.seconds,
                    "--cpu-of", gateway.pid).cpu_ns_per_message


def sign_interval(values):
    """Of the median: the widest order statistics that leave less than 2.5 % on either side."""
    ordered, count = sorted(values), len(values)
    rank, left = 0, 0.0
    while rank < count // 2:
        left += math.comb(count, rank) / 2**count
        if left > 0.025:
            break
        rank += 1
    rank = max(rank - 1, 0)
    return ordered[rank], ordered[count - 1 - rank]


def compare_time(folder, echo, options):
    gateways = {}
    try:
        for way in WAYS:
            (folder / way).mkdir()
            gateways[way] = Gateway(folder / way, config_for(echo, way), Variant(options.shards))
        ratios = []
        for pair in range(options.pairs):
            cost = {way: measure(gateways[way], options) for way in (WAYS if pair % 2 else WAYS[::-1])}
            ratios.append(cost["full"] / cost["off"])
            print(f"      pair {pair + 1}: full {cost['full']:.0f} ns, off {cost['off']:.0f} ns, "
                  f"{ratios[-1]:.3f}", flush=True)
        low, high = sign_interval(ratios)
        median = statistics.median(ratios)
        verdict(median <= RATIO_MAX, f"processor time per message, full to off: {median:.3f}, between "
                                     f"{low:.3f} and {high:.3f} (at most {RATIO_MAX})")
        for gateway in gateways.values():
            gateway.finish()
    finally:
        for gateway in gateways.values():
            gateway.kill()


def main():
    options = arguments(__doc__, pairs=(15, "of measurements"), seconds=(3.0, "of each"),
                        connections=(50, "to open"), in_flight=(32, "messages on each"),
                        size=(64, "bytes of a message"))
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder = Path(name)
        echo = Echo(folder)
        try:
            compare_time(folder, echo, options)
        finally:
            echo.kill()
    finish()


if __name__ == "__main__":
    main()
