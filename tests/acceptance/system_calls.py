#!/usr/bin/python3
"""System calls of the shards under load: 100 connections, 32 messages in flight on each.

Nothing but io_uring_enter takes more than 1 % of the calls (strace on the shards' threads); at most
1.05 enters a turn and 0.1 a message (from the shards' own counters, without strace).
"""

import re
import subprocess
import time

from common import arguments, finish, site, stop_counters, trace_shards, verdict
from support.load import LoadResult, load_command

OTHERS_MAX = 0.01
ENTERS_PER_TURN_MAX = 1.05
ENTERS_PER_MESSAGE_MAX = 0.1


def start_load(gateway, scheme, options, seconds):
    return subprocess.Popen(
        load_command(gateway, scheme, "--connections", options.connections, "--in-flight",
                     options.in_flight, "--size", 64, "--duration", seconds),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def trace(gateway, scheme, options):
    """Calls by name, while nothing opens or closes."""
    load = start_load(gateway, scheme, options, options.seconds + 5)
    time.sleep(2)  # into the measured window: connections are open, threads have done work
    calls = trace_shards(gateway, options.shards, options.seconds)
    load.communicate()
    return calls


def main():
    options = arguments(__doc__, connections=(100, "to open"), in_flight=(32, "messages on each"),
                        seconds=(10, "to measure"))
    for scheme in ("ws", "wss"):
        with site(options) as (gateway, _):
            calls = trace(gateway, scheme, options)
            total = sum(calls.values())
            others = total - calls.get("io_uring_enter", 0)
            verdict(total > 0 and others / total <= OTHERS_MAX,
                    f"{scheme}: of {total} calls {others} were not io_uring_enter: {calls}")
        with site(options) as (gateway, _):
            load = start_load(gateway, scheme, options, options.seconds)
            result = LoadResult(load.communicate()[0])
        counters = stop_counters(gateway)
        log = gateway.final_log
        messages = sum(map(int, re.findall(r"client_messages=(\d+)", log)))
        enters, turns = counters["enters"], counters["turns"]
        print(f"      {scheme}: {result.messages_per_second:.0f} echoes/s, {messages} messages "
              f"each way, {enters} enters, {turns} turns, "
              f"{counters['completions'] / turns:.1f} completions a turn")
        verdict(enters / turns <= ENTERS_PER_TURN_MAX,
                f"{scheme}: {enters / turns:.3f} enters a turn (at most {ENTERS_PER_TURN_MAX})")
        verdict(enters / messages <= ENTERS_PER_MESSAGE_MAX,
                f"{scheme}: {enters / messages:.4f} enters a message and its echo "
                f"(at most {ENTERS_PER_MESSAGE_MAX})")
    finish()


if __name__ == "__main__":
    main()
