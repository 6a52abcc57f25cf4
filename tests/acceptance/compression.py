#!/usr/bin/python3
"""permessage-deflate through the gateway between two strict peers, in each mode that it knows:
messages of every size and kind in frames of several sizes (group 12), every combination of
parameters and what neither side may do (group 13), over ws and wss. Counts for each group.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.conformance.deflate import talks, violations
from support.conformance.play import Player, runs_of
from support.conformance.site import Site
from support.conformance.talk import MODES, TalkPlayer
from support.gateway import Variant
from support.websocket_keys import is_known

FAULTS_SHOWN = 10


def show(failed):
    for run, wrong in failed[:FAULTS_SHOWN]:
        print(f"      {run}: {wrong}")


async def play_talks(site, mode, wanted, options):
    async with site.serving():
        player = TalkPlayer(site, mode, options.at_once)
        await player.play([(talk, secure) for talk in wanted for secure in (False, True)])
    return player


async def play_violations(site, cases, options):
    async with site.serving():
        player = Player(site, options.at_once)
        await player.play(runs_of(cases))
    player.judge_log(site.gateway.log())
    return player


def report(what, failed, count, begun):
    show(failed)
    verdict(not failed, f"{what}: {count - len(failed)} of {count} runs, {time.monotonic() - begun:.0f} s")


def main():
    options = arguments(__doc__, modes=(",".join(MODES), "which modes"), at_once=(16, "at a time"))
    raise_descriptor_limit()

    def site(folder, settings):
        return Site(Path(folder), Variant(options.shards, options.receive), settings)
    for mode in [MODES[name] for name in options.modes.split(",")]:
        if mode.needs and not is_known(*mode.needs):
            print(f"      this gateway does not know the mode {mode.name}")
            continue
        for group in ("12", "13"):
            wanted = [talk for talk in talks() if talk.group == group and mode.suits(talk)]
            begun = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
                player = asyncio.run(play_talks(site(folder, mode.settings), mode, wanted, options))
            report(f"{mode.name}, group {group}: {len(wanted)} conversations", player.failed,
                   player.count, begun)
    cases = violations()
    now = [case for case in cases if not case.needs or is_known(case.needs)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        player = asyncio.run(play_violations(site(folder, {}), now, options))
    report(f"pass, group 13, reserved bits: {len(now)} of {len(cases)} cases", player.failed,
           player.count, begun)
    finish()


if __name__ == "__main__":
    main()
