"""The rules of RFC 6455 and RFC 7692, case by case: support/conformance has the tables. With a peer
behind it that judges nothing the gateway must look like a strict one, to either side.

Here each case is cut in fewer ways than in tests/acceptance/conformance.py and compression.py.
"""

import asyncio

import pytest

from support.conformance.case import FRAMES, ONE, SHOWN
from support.conformance.deflate import talks, violations
from support.conformance.groups import by_group
from support.conformance.play import Player, runs_of
from support.conformance.site import Site
from support.conformance.talk import MODES, TalkPlayer
from support.gateway import FEW, is_sanitized
from support.strict import CLIENT, SERVER
from support.websocket_keys import is_known

SHOWN_AT_MOST = 10
# What one run has to do for: of messages in more frames or more bytes a script has all sizes.
FRAMES_AT_MOST = 5000
BYTES_AT_MOST = 5 << 20

groups = by_group()
every_variant = pytest.mark.parametrize("variant", FEW, ids=str)


def fail_with(failed, count):
    text = "\n".join(f"{run}: {wrong}" for run, wrong in failed[:SHOWN_AT_MOST])
    assert not failed, f"{len(failed)} of {count} runs:\n{text}"


def play_cases(folder, variant, runs):
    async def play():
        site = Site(folder, variant)
        async with site.serving():
            player = Player(site)
            await player.play(runs)
        player.judge_log(site.gateway.log())
        return player
    player = asyncio.run(play())
    fail_with(player.failed, player.count)


def needs(cases):
    """Those that this gateway can be asked for."""
    return [case for case in cases if not case.needs or is_known(case.needs)]


@every_variant
@pytest.mark.parametrize("sender", [CLIENT, SERVER])
@pytest.mark.parametrize("group", [name for name in groups if name != "9"])
def test_a_blind_peer_looks_strict(tmp_path, variant, group, sender):
    """Over ws with one write for each case, over wss with no byte more than shows what is wrong."""
    cases = needs(groups[group])
    play_cases(tmp_path, variant, runs_of(cases, (sender,), (False,), (ONE,))
               + runs_of(cases, (sender,), (True,), (SHOWN, FRAMES)))


@every_variant
def test_large_messages_come_back_in_every_form(tmp_path, variant):
    """Alternately from either side, over ws and over wss."""
    most = BYTES_AT_MOST // (4 if is_sanitized() else 1)
    cases = [case for case in groups["9"]
             if len(case.good) <= FRAMES_AT_MOST and case.bytes_sent() <= most]
    runs = [runs_of([case], ((CLIENT, SERVER)[number % 2],), ((False, True)[number // 2 % 2],))[0]
            for number, case in enumerate(cases)]
    play_cases(tmp_path, variant, runs)


@every_variant
def test_reserved_bits_have_a_meaning_only_where_an_extension_gives_it(tmp_path, variant):
    play_cases(tmp_path, variant, runs_of(needs(violations()), ways=(ONE, SHOWN)))


@every_variant
@pytest.mark.parametrize("group", ["12", "13"])
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_compressed_messages_arrive_as_they_were(tmp_path, variant, mode, group):
    if mode.needs and not is_known(*mode.needs):
        pytest.skip(f"this gateway does not know the mode {mode.name}")
    wanted = [talk for talk in talks() if talk.group == group and mode.suits(talk)]

    async def play():
        site = Site(tmp_path, variant, mode.settings)
        async with site.serving():
            player = TalkPlayer(site, mode)
            await player.play([(talk, number % 2 == 0) for number, talk in enumerate(wanted)])
        return player
    player = asyncio.run(play())
    fail_with(player.failed, player.count)
