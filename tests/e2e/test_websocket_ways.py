"""The table of endings, row by row: what both peers see, what the log says, what is counted.

support/websocket_ways.py has the rows; that what a peer says right before its end arrives is part of
each row that permits it. All of them run at a time, over ws and wss, before plain servers and servers
behind TLS. What the gateway itself ends, by a command or a signal, follows.
"""

import asyncio
import re
import signal
from collections import Counter
from dataclasses import dataclass

import pytest

from support.checking import run
from support.counting import counts_of, ended_in_all
from support.ending_site import EndingSite, path_name
from support.frames import BINARY, frame
from support.gateway import FEW, HAS_CUT, Variant
from support.ports import free_port
from support.reloading import Reloading
from support.websocket_ways import GONE, WAYS, answer_close, both, suits
from support.websocket_ways_by_rule import ways
from test_counts import served

PATIENCE = 5  # seconds until who says nothing is closed
LAST_WORDS = 70_000  # bytes
LINE = re.compile(r'websocket id=.* request="GET [^"]*/open/([\w-]+)" route=(\S+) .* end=(\S+) '
                  r'by=(\S+) code=(\S+)')

sides = pytest.mark.parametrize("secure_client", [False, True], ids=["ws", "wss"])
servers = pytest.mark.parametrize("secure_server", [False, True], ids=["plain-server", "tls-server"])


async def end(site, way, secure_client, secure_server):
    """What is wrong with what the two saw, or None."""
    client, server = await site.open_websocket(way.route, path_name(way), secure_client,
                                               secure_server)
    before = f"frame of {LAST_WORDS}, " if way.last_words else ""
    try:
        if way.last_words:
            speaker = client if way.last_words == "client" else server
            await speaker.send(frame(BINARY, bytes(LAST_WORDS), way.last_words == "client"))
        saw = await way.run(client, server)
    finally:
        client.close()
        server.close()
    for side, seen, may, secure in (("client", saw[0], way.client, secure_client),
                                    ("server", saw[1], way.server, secure_server)):
        heard = before if way.last_words and way.last_words != side and GONE not in may else ""
        if not (seen.startswith(heard) and any(suits(seen[len(heard):], one, secure) for one in may)):
            return f"the {side} saw {seen!r} instead of {heard + ' or '.join(may)!r}"
    return None


def judge_log(way, line):
    if line is None:
        return "it has no line in the log"
    _, word, by, code = line
    wanted = way.log or [word], way.by or by, str(way.code or code)
    good = word in wanted[0] and (by, code) == wanted[1:]
    return None if good else f"the log says {line} instead of {wanted}"


@pytest.mark.parametrize("variant", FEW, ids=str)
@sides
@servers
def test_each_way_is_seen_and_logged_as_the_table_says(tmp_path, variant, secure_client,
                                                       secure_server):
    tls = {"client" if secure_client else "", "server" if secure_server else "", ""}
    chosen = [way for way in ways() if way.needs in tls]
    site = EndingSite(tmp_path, free_port(), variant, PATIENCE, chosen)

    async def play():
        async with site.serving():
            found = await asyncio.gather(
                *(end(site, way, secure_client, secure_server) for way in chosen),
                return_exceptions=True)
            await asyncio.to_thread(site.gateway.wait_for_descriptors)
        return found
    try:
        wrong = dict(zip((way.name for way in chosen), asyncio.run(play())))
        site.gateway.finish()
    finally:
        site.gateway.kill()
    lines = lines_of(site)
    for way in chosen:
        wrong[way.name] = wrong[way.name] or judge_log(way, lines.get(path_name(way)))
    assert not any(wrong.values()), "\n".join(
        f"{name}: {text!r}" for name, text in wrong.items() if text)
    judge_counters(site, chosen, [lines[path_name(way)][0] for way in chosen])


def lines_of(site):
    return {name: rest for name, *rest in LINE.findall(site.gateway.log())}


def rounds(chosen):
    """What can go at a time, since no two of it may raise the same counter."""
    sets = []
    for way in chosen:
        fitting = (one for one in sets
                   if all(other.counter and not set(way.counter) & set(other.counter) for other in one))
        together = next(fitting, None) if way.counter else None
        if together is None:
            sets.append(together := [])
        together.append(way)
    return sets


def test_each_way_raises_its_counter_and_no_other(tmp_path):
    site = EndingSite(tmp_path, free_port(), Variant(2), PATIENCE, ways(),
                      control={"socket": str(tmp_path / "control.sock")})
    before = counts_of(site.gateway)
    wrong = []

    async def play():
        async with site.serving():
            for together in rounds(ways()):
                await asyncio.gather(*(end(site, way, True, True) for way in together))
                await asyncio.to_thread(count, together)

    def count(together):
        nonlocal before
        site.gateway.wait_for(lambda: counts_of(site.gateway).open == 0, "the end of each")
        now = counts_of(site.gateway)
        more, before = now.since(before), now
        site.gateway.wait_for(lambda: all(path_name(way) in lines_of(site) for way in together),
                              "the line of each")
        told = [lines_of(site)[path_name(way)] for way in together]
        wrong.extend(f"{way.name}: not one of {way.counter} rose by one: {more.ended}"
                     for way in together
                     if way.counter and sum(more.ended[one] for one in way.counter) != 1)
        assert (more.opened, before.opened) == (len(together), sum(before.ended.values()))
        assert more.ended == Counter(word for _, word, _, _ in told)
        assert more.closed == Counter((by, class_of(code)) for _, _, by, code in told)
    try:
        asyncio.run(play())
        site.gateway.finish()
    finally:
        site.gateway.kill()
    assert not wrong, "\n".join(wrong)


def class_of(code):
    if code == "-":
        return "none"
    return code if int(code) < 3000 else f"{code[0]}xxx"


def judge_counters(site, chosen, routes):
    told = served(site.gateway)
    assert sum(ended_in_all(site.gateway).values()) == len(chosen)
    for route in set(routes):
        assert told["route", route]["websockets"] == routes.count(route), route
    assert sum(one["websockets"] for (what, _), one in told.items() if what == "listener") == len(chosen)
    assert sum(one["websockets"] for (what, _), one in told.items() if what == "server") == len(chosen)


def test_every_way_has_a_name_of_its_own():
    names = [path_name(way) for way in WAYS]
    assert len(names) == len(set(names))


# What the gateway itself ends.

@dataclass
class Act:
    do: object        # (site, reload)
    told: str         # what both are told
    word: str         # the log's
    code: int = 1001
    ends: bool = False  # the gateway, too


def order(*words):
    def do(site, _reload):
        for pool in ("ws", "wss"):
            done = run(*(word.format(pool=pool) for word in words), "-c", site.gateway.file)
            assert (done.returncode, done.stderr) == (0, ""), done
    return do


def leave_out_routes(site, reload):
    site.config.routes = [one for one in site.config.routes if one["path"] not in ("/ws", "/wss")]
    assert "4 are closed" in reload()


def stop_by(number):
    return lambda site, _reload: site.gateway.process.send_signal(number)


ACTS = {
    "SIGTERM": Act(stop_by(signal.SIGTERM), 'close 1001 "the gateway is stopping"', "stopping",
                   ends=True),
    "SIGQUIT": Act(stop_by(signal.SIGQUIT), 'close 1001 "the gateway is stopping"', "stopping",
                   ends=True),
    "drain": Act(order("drain", "{pool}"), 'close 1001 "the server takes no more connections"',
                 "draining"),
    "drain with words of its own":
        Act(order("drain", "{pool}", "--code", "4321", "--reason", "moving to another"),
            'close 4321 "moving to another"', "draining", 4321),
    "a reload leaves the route out": Act(leave_out_routes, 'close 1001 "its route or its server is gone"',
                                         "orphaned"),
}


async def open_four(site):
    return [await site.open_websocket("ws", f"open-{number}", number % 2 == 0, number // 2 == 0)
            for number in range(4)]


async def leave(client, server):
    said = await answer_close(client, masked=True), await answer_close(server, masked=False)
    rest = await both(client, server)
    client.close()
    server.close()
    return *said, *rest


@pytest.mark.parametrize("name", ACTS)
def test_whom_the_gateway_ends_is_told_why(tmp_path, name, log_of):
    act = ACTS[name]
    site = EndingSite(tmp_path, free_port(), Variant(2), 20, reload={"orphans": "drain"},
                      control={"socket": str(tmp_path / "control.sock")})
    reload = Reloading(site.gateway, log_of(site.gateway))

    async def play():
        async with site.serving():
            opened = await open_four(site)
            doing = asyncio.create_task(asyncio.to_thread(act.do, site, reload))
            saw = await asyncio.gather(*(leave(*one) for one in opened))
            await doing
        return saw
    try:
        assert asyncio.run(play()) == [(act.told, act.told, "end", "end")] * 4
        if act.ends:
            assert site.gateway.wait() == 0
        else:
            site.gateway.wait_for_descriptors()
            site.gateway.finish()
    finally:
        site.gateway.kill()
    lines = LINE.findall(site.gateway.log())
    assert {line[2:5] for line in lines} == {(act.word, "gateway", str(act.code))}
    assert len(lines) == 4
    assert ended_in_all(site.gateway) == {act.word: 4}
    assert sum(one["websockets"] for (what, _), one in served(site.gateway).items()
               if what == "server") == 4


def test_whom_a_stop_at_once_ends_is_cut(tmp_path):
    """Whatever each saw, it was no orderly end of TLS without a close frame, and its log says so."""
    site = EndingSite(tmp_path, free_port(), Variant(1), 20)

    async def play():
        async with site.serving():
            opened = await open_four(site)
            site.gateway.process.send_signal(signal.SIGINT)
            saw = await asyncio.gather(*(both(*one) for one in opened))
            for client, server in opened:
                client.close()
                server.close()
        return saw
    told = 'close 1001 "the gateway is stopping"'
    try:
        saw = asyncio.run(play())
        assert site.gateway.wait() in (0, HAS_CUT)
    finally:
        site.gateway.kill()
    for number, views in enumerate(saw):
        secure = number % 2 == 0, number // 2 == 0
        for view, tls in zip(views, secure):
            allowed = [f"{told}, {how}" for how in ("end", "truncated", "reset")] + ["truncated", "reset"]
            assert view in allowed + ([] if tls else ["end"]), (number, views)
    assert {line[2:4] for line in LINE.findall(site.gateway.log())} == {("stopping", "gateway")}
    assert ended_in_all(site.gateway) == {"stopping": 4}
