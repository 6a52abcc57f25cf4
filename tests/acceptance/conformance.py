#!/usr/bin/python3
"""Whether a WebSocket peer that judges nothing looks, through the gateway, like a strict one: every
case of RFC 6455 that tests/e2e/support/conformance has, over ws and wss, broken by the client and
by the server, in every way of cutting it. Counts for each group; what fails is shown with its bytes.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.conformance.groups import NAMES, by_group
from support.conformance.play import Player, runs_of
from support.conformance.site import Site
from support.gateway import Variant
from support.websocket_keys import is_known

FAULTS_SHOWN = 10


async def play(site, cases, options):
    async with site.serving():
        player = Player(site, options.at_once)
        await player.play(runs_of(cases))
    player.judge_log(site.gateway.log())
    return player


def main():
    groups = by_group()
    options = arguments(__doc__, groups=(",".join(groups), "which groups"),
                        only=("", "cases whose number begins so"), at_once=(16, "at a time"))
    raise_descriptor_limit()
    total = passed = 0
    for name in options.groups.split(","):
        cases = [case for case in groups[name] if case.id.startswith(options.only)]
        now = [case for case in cases if not case.needs or is_known(case.needs)]
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
            site = Site(Path(folder), Variant(options.shards, options.receive))
            player = asyncio.run(play(site, now, options))
        for run, wrong in player.failed[:FAULTS_SHOWN]:
            print(f"      {run}: {wrong}")
        failed = {run for run, _ in player.failed}
        good_cases = len(now) - len({run.case.id for run in failed})
        waiting = len(cases) - len(now)
        total, passed = total + len(cases), passed + good_cases
        verdict(not failed, f"group {name}, {NAMES[name]}: {good_cases} of {len(now)} cases, "
                f"{player.count - len(failed)} of {player.count} runs, "
                f"{time.monotonic() - begun:.0f} s"
                + (f"; {waiting} wait for a key that this gateway does not know" if waiting else ""))
    print(f"{passed} of {total} cases")
    finish()


if __name__ == "__main__":
    main()
