"""gateway-load's bad citizens at the gateway: each kind is ended with the code that is written for it, and
who carries the load notices nothing."""

import re
import signal

import pytest

from support.gateway import FEW, Config
from support.load import LoadResult, load_command
from support.program import Program
from support.waiting import DEADLINE

PING_LIMITS = {"ping": "500ms", "pong_timeout": "1s"}
NO_PONG = "end=client-no-pong .*code=1011"
# Of each kind: what the route says, which endings the log has, and how clients see them. A slow reader never
# gets to his close frame, which lies behind what he does not read.
KINDS = {
    "slow-reader": ({"slow_consumer": {"grace": "1s", "close": 4008}},
                    ["end=client-slow .*code=4008"], {"cut"}),
    "half-open": (PING_LIMITS, [NO_PONG, "end=request-timeout"], {"1011", "408"}),
    "never-pong": (PING_LIMITS, [NO_PONG], {"1011"}),
    "oversize": ({"message_max": "256KiB"},
                 ["code=1009 .*frame=1 ", "code=1009 .*frame=[1-9][0-9]* "], {"1009"}),
    "broken": ({}, ["code=1002", "code=1007"], {"1002", "1007"}),
}
# More than there are at a time that behave the same: the first of them came back, so it has seen its end.
TIMES = 3
TRIES = 3
LATE_NS = 0.5e9  # half of the shortest limit


def ways_of(bad):
    """How the target has ended them; its counters add up."""
    ended = sum(bad["closes"].values()) + sum(bad["statuses"].values()) + bad["cut"]
    assert bad["opened"] == ended + bad["ended_by_us"] + bad["open"]
    assert bad.get("until_ended", {"count": 0})["count"] == ended
    return {*bad["closes"], *bad["statuses"], *(["cut"] if bad["cut"] else [])}


def check_load(result):
    counts = {name: result.over_all(name) for name in (
        "opened", "failed", "lost", "unanswered", "unexpected", "lost_idle", "lost_sending")}
    assert counts == {**dict.fromkeys(counts, 0), "opened": 18}
    assert result.errors == {} and result.messages > 0
    assert result.json["closes_by_peer"] == {} and result.json["statuses"] == {"101": 18}
    assert result.json["open"] == result.json["open_max"] == 18


def is_late(result):
    """The generator had no core for about as long as the limits of the gateway: good ones met them, too."""
    hold, = [phase for phase in result.json["phases"] if phase["name"] == "hold"]
    return hold["timings"]["lag"]["max_ns"] > LATE_NS


def run_until(gateway, folder, done, what, *arguments, scheme="ws"):
    """Interrupted when that is so."""
    load = Program(load_command(gateway, scheme, "--connections", 20, "--rate", 200, "--duration", 0,
                                "--warm-up", 0, *arguments), folder, "load")
    try:
        load.wait_for(done, what, 2 * DEADLINE)
        load.stop(signal.SIGINT)
    finally:
        load.kill()
    return LoadResult(load.output())


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_ended_and_the_others_served(start_gateway, echo, tmp_path, kind, scheme):
    websocket, endings, ways = KINDS[kind]
    if kind == "half-open" and scheme == "wss":
        endings, ways = [*endings, "end=tls-timeout"], {*ways, "cut"}
    gateway = start_gateway(
        Config({"echo": echo.port}, [{"path": "/", "pool": "echo", "websocket": websocket}],
               timeouts={"request_header": "1s", "tls_handshake": "1s"}), FEW[0])

    def run_once():
        mark = gateway.log_mark()

        def all_are_ended():
            log = gateway.log_since(mark)
            return all(len(re.findall(ending, log)) >= TIMES for ending in endings)
        return run_until(gateway, tmp_path, all_are_ended, endings, "--bad", f"{kind}=10%", scheme=scheme)

    for _ in range(TRIES):
        result = run_once()
        if not is_late(result):
            break
    check_load(result)
    bad = result.json["bad"]
    assert list(bad) == [kind] and bad[kind]["refused"] == 0
    assert ways_of(bad[kind]) == ways
    assert f"{kind}: " in result.json["verdict"]["text"]


def test_resets_are_seen_as_such(start_gateway, echo, tmp_path):
    gateway = start_gateway(Config({"echo": echo.port}, [{"path": "/", "pool": "echo"}]), FEW[0])
    result = run_until(gateway, tmp_path, lambda: gateway.log().count("end=client-reset") >= TIMES,
                       "resets", "--bad", "reset=10%")
    check_load(result)
    reset = result.json["bad"]["reset"]
    assert ways_of(reset) == set() and reset["ended_by_us"] >= TIMES - 1
