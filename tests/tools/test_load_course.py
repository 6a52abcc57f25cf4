"""The course of a run of gateway-load: rates, ramps, storms, churn, phases, interrupts. Whatever comes and
goes, what was due was sent or is counted as unsent."""

import json
import os
import re
import signal
import socket
import subprocess
import time

import faulty_server
import pytest
from faulty_server import FaultyServer
from test_load import LIMITED, PASSED, UNREACHABLE, USAGE, held, load, over_all, run

# Of what is too slow each time, and not only where the machine has other work.
TRIES = 3


def due_of(result):
    """What has left the schedule: each of these has a lag. Of what was sent, what the phase before had in
    flight is counted twice."""
    carried = sum(phase["counts"].get("in_flight", 0) for phase in result["phases"][:-1])
    due = over_all(result, "sent") - carried + over_all(result, "unsent")
    assert due == sum(phase["timings"].get("lag", {}).get("count", 0) for phase in result["phases"])
    return due


def rate_of(result, name="hold"):
    """Of what was due, by how long the phase was on this machine."""
    phase, = [phase for phase in result["phases"] if phase["name"] == name]
    return phase["timings"]["lag"]["count"] / (phase["length_ns"] / 1e9)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_connections_and_rate(echo, threads):
    result = run(echo.ws("/echo"), "--threads", threads, "--connections", 7, "--rate", 500,
                 "--duration", "1", "--warm-up", "0", statuses=(PASSED, LIMITED))
    assert result["generator"]["shards"] == threads
    assert over_all(result, "opened") == 7
    # Each thread begins and ends when it has a core: three rates in place of one would be 1500.
    assert due_of(result) > 0 and rate_of(result) == pytest.approx(500, rel=0.4)


def test_a_rate_that_no_generator_holds_is_its_own_limit(echo):
    result = run(echo.ws("/echo"), "--rate", 100_000_000, "--duration", 1.5, "--warm-up", 0,
                 statuses=(LIMITED,))
    assert result["generator"]["limits"]
    assert held(result)["counts"]["unsent"] > held(result)["counts"]["sent"]


def test_what_was_never_sent_is_in_the_verdict():
    """One message is answered, so the second one of each connection is the last."""
    with FaultyServer(faulty_server.answer_once) as server:
        answer = load(server.url, "--connections", 2, "--rate", 100, "--duration", "0.5", "--warm-up", 0)
    assert answer.returncode in (PASSED, LIMITED)
    if answer.returncode == PASSED:
        assert re.search(r"but 9\d\.\d % of what was due was never sent:\n.*--in-flight", answer.stdout)


@pytest.mark.parametrize("arguments", [
    ["--churn", 100, "--life", "50ms", "--connections", 1000],
    ["--storm", "at=200ms drop=100% reconnect=full-jitter:300ms", "--connections", 20],
    ["--ramp-up", 0.3, "--ramp-down", 0.3, "--connections", 20],
    ["--life", "50ms", "--connections", 5, "--threads", 2],
    ["--storm", "at=200ms drop=50% reconnect=no", "--connections", 9, "--threads", 3],
], ids=["churn", "storm", "ramp", "life", "storm for good"])
@pytest.mark.parametrize("rate", ["--rate", "--rate-each"])
def test_what_is_due_is_sent_or_unsent(echo, arguments, rate):
    result = run(echo.ws("/echo"), rate, 1000 if rate == "--rate" else 50, "--duration", 1, "--warm-up",
                 "0.1", *arguments, statuses=(PASSED, LIMITED))
    assert due_of(result) > 0


def test_a_ramp_has_the_part_of_the_rate_that_is_open(echo):
    """A straight line up, or down, has half of it on average; all of it would be twice as much."""
    for each in (["--rate", 2000], ["--rate-each", 100]):
        result = run(echo.ws("/echo"), "--connections", 20, *each, "--ramp-up", 1, "--duration", 1,
                     "--ramp-down", 1, statuses=(PASSED, LIMITED))
        for name in ("ramp-up", "ramp-down"):
            assert rate_of(result, name) == pytest.approx(rate_of(result) / 2, rel=0.4)


def test_a_storm_has_a_time_to_recover(echo):
    result = run(echo.ws("/echo"), "--connections", 20, "--rate", 200, "--duration", 4, "--storm",
                 "at=300ms drop=50% reconnect=full-jitter:200ms", statuses=(PASSED, LIMITED))
    storm, = result["storms"]
    assert storm["dropped"] == 10
    assert 0 < storm["recovered_ns"] < 3.7e9
    assert over_all(result, "opened") == 30 and result["open"] == 20


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("connections, share, dropped", [(3, "50%", 2), (20, "100%", 20)])
def test_a_storm_that_is_over_at_once_has_recovered(echo, threads, connections, share, dropped):
    result = run(echo.ws("/echo"), "--connections", connections, "--rate", 50, "--duration", 3, "--storm",
                 f"at=100ms drop={share} reconnect=at-once", "--threads", threads,
                 statuses=(PASSED, LIMITED))
    storm, = result["storms"]
    assert storm["dropped"] == dropped
    assert storm["recovered_ns"] is not None and storm["recovered_ns"] > 0
    assert over_all(result, "opened") == connections + dropped and result["open"] == connections


def test_each_storm_has_a_time_of_its_own(echo):
    result = run(echo.ws("/echo"), "--connections", 10, "--rate", 50, "--duration", 3, "--storm",
                 "at=100ms drop=50% reconnect=full-jitter:1s", "--storm",
                 "at=200ms drop=20% reconnect=at-once", statuses=(PASSED, LIMITED))
    assert [storm["recovered_ns"] is not None for storm in result["storms"]] == [True, True]
    assert result["open"] == 10


def test_a_storm_under_churn_comes_back(echo):
    result = run(echo.ws("/echo"), "--churn", 20, "--life", "100s", "--connections", 1000, "--duration", 2,
                 "--warm-up", 0, "--storm", "at=1s drop=100% reconnect=at-once",
                 statuses=(PASSED, LIMITED))
    storm, = result["storms"]
    assert storm["dropped"] > 0 and storm["recovered_ns"] is not None


def test_publishers_come_back_as_such(echo):
    """One in ten of ten publishes: when it is reset, who takes its place does, too."""
    with FaultyServer(faulty_server.broadcast) as server:
        result = run(server.url, "--pattern", "publish", "--connections", 10, "--rate", 100, "--duration",
                     2, "--warm-up", 0, "--storm", "at=200ms drop=100% reconnect=at-once",
                     statuses=(PASSED, LIMITED))
    after = [interval["counts"].get("sent", 0) for interval in result["intervals"]
             if interval["begin_ns"] > result["storms"][0]["begin_ns"] + 1e9]
    assert result["storms"][0]["recovered_ns"] is not None and sum(after) > 0


def interrupted(url, *arguments, ready):
    """Ctrl-C once something has come to the server; how it ended, and after how long."""
    process = subprocess.Popen(
        [os.environ["GATEWAY_LOAD"], url, "--duration", "1000", "--json", "-", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    return process.returncode, json.loads(output), time.monotonic() - began


def test_an_interrupt_waits_for_no_peer_that_is_silent():
    """It would take 3 s to wait for all that never say goodbye; 0.2 s is what they have."""
    def took():
        with FaultyServer(faulty_server.hang) as server:
            def ready():
                deadline = time.monotonic() + 30
                while server.received < 4 and time.monotonic() < deadline:
                    time.sleep(0.01)
            # Its event loop is held, so that it does not even answer a close frame.
            status, result, seconds = interrupted(server.url, "--connections", 4,
                                                  ready=lambda: (ready(), server.hold()))
            server.go_on()
        assert status in (PASSED, LIMITED) and result["interrupted"]
        return seconds

    assert any(took() < 2 for _ in range(TRIES))


def test_an_interrupt_of_what_nobody_accepts_is_unreachable():
    def took():
        with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
            accepted = []
            listening.settimeout(30)
            status, result, seconds = interrupted(
                f"ws://127.0.0.1:{listening.getsockname()[1]}/", "--connections", 4, "--open-timeout", 100,
                ready=lambda: accepted.append(listening.accept()))
            accepted[0][0].close()
        assert status == UNREACHABLE and result["target_unreachable"] and result["interrupted"]
        return seconds

    assert any(took() < 2 for _ in range(TRIES))


def test_many_connections_to_nothing_are_given_up_after_a_batch():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    result = run(f"ws://127.0.0.1:{port}/", "--connections", 2000, "--duration", 30,
                 statuses=(UNREACHABLE,))
    assert 256 <= over_all(result, "connects") < 1500


def test_a_scenario_has_options_and_phases(echo, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(f"""
target = "{echo.ws('/echo')}"
connections = 3
size = 10
warm_up = 0
[[phase]]
name = "ramp-up"
duration = "200ms"
[[phase]]
name = "hold"
rate = 200
duration = "500ms"
[[phase]]
name = "soak"
connections = 2
duration = "300ms"
""")
    # What stands behind the file has the last word.
    result = run("run", scenario, "--connections", 4, "--size", 100, statuses=(PASSED, LIMITED))
    assert held(result)["counts"]["received_bytes"] == 100 * held(result)["counts"]["received"] > 0
    assert [phase["name"] for phase in result["phases"]] == ["ramp", "ramp-up", "hold", "soak"]
    assert held(result)["rate_wanted"] == 200
    assert over_all(result, "opened") == 4 and result["open"] == 2
    scenario.write_text("\nsize = [[1]]")
    answer = load("run", scenario)
    assert answer.returncode == USAGE and f"{scenario}:2:9: --size" in answer.stderr


def test_phases_may_have_no_connections_and_more_than_before(echo, tmp_path):
    scenario = tmp_path / "scenario.toml"
    phases = "".join(f'[[phase]]\nname = "{name}"\nconnections = {count}\nduration = "300ms"\n'
                     for name, count in (("one", 1), ("none", 0), ("many", 6)))
    scenario.write_text(f'target = "{echo.ws("/echo")}"\nthreads = 2\nwarm_up = 0\n{phases}')
    result = run("run", scenario, statuses=(PASSED, LIMITED))
    assert [phase["name"] for phase in result["phases"]] == ["ramp", "one", "none", "many"]
    assert all(phase["length_ns"] >= 3e8 for phase in result["phases"][1:])
    assert result["phases"][3]["counts"]["received"] > 0
    assert result["generator"]["shards"] == 2 and result["open"] == 6
