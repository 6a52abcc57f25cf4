"""gateway-load: waits in the steps of a scenario, think time between messages. How long a pause was is
measured from below only."""

import json
import os
import signal
import subprocess
import time

import patient_server
import pytest
from faulty_server import FaultyServer
from patient_server import Notes
from test_load import FAILED, QUICK, UNREACHABLE, USAGE, held, load, over_all, run
from test_load_tls import Certificate, server_context

DEADLINE = 50


@pytest.fixture(scope="module", name="contexts")
def _contexts(tmp_path_factory):
    """By whether it is secure."""
    certificate = Certificate(tmp_path_factory.mktemp("certificates"), "server")
    return {False: None, True: server_context({"server": certificate})}


@pytest.fixture(name="scenario")
def _scenario(tmp_path):
    def write(server, steps, more=""):
        path = tmp_path / "scenario.toml"
        path.write_text(f"target = '{server.url}'\nwarm_up = 0\nduration = '300ms'\n{more}\n{steps}",
                        encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_wait_may_end_in_the_middle_of_what_comes(scenario, contexts, secure):
    """Whatever it ends within, the stream is whole behind it."""
    connections = 20
    with FaultyServer(patient_server.stream, tls=contexts[secure]) as server:
        result = run("run", scenario(server, """
[[step]]
send = "begin"
""" + """
[[step]]
wait = "0..30ms"
[[step]]
send = "next"
""" * 20, f"connections = {connections}\npattern = 'push'"))
    assert result["errors"] == {} and over_all(result, "opened") == connections
    assert server.received == connections * 21


def test_waits_are_waited_and_are_no_time_of_the_servers(scenario):
    notes = Notes()
    with FaultyServer(notes.echo) as server:
        result = run("run", scenario(server, """
[[step]]
send = "first"
[[step]]
wait = "2500ms"
[[step]]
wait = "2500ms..3s"
send = "second"
""", "connections = 3\ntimeout = 2\nopen_timeout = 2"))
    assert result["errors"] == {} and over_all(result, "opened") == 3
    assert notes.events[:6].count("first") == 3 == notes.events.count("second")
    waited = 5.0
    assert len([pause for pause in notes.pauses if pause >= waited]) == 3
    assert held(result)["counts"]["received"] > 0
    first, = [phase["timings"]["first_message"] for phase in result["phases"]
              if "first_message" in phase["timings"]]
    assert 0 < first["max_ns"] < waited * 1e9


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_what_comes_while_it_waits_belongs_to_no_step(scenario, contexts, secure):
    notes = Notes()
    with FaultyServer(notes.interrupt, tls=contexts[secure]) as server:
        result = run("run", scenario(server, """
[[step]]
send = "first"
[[step]]
wait = "500ms"
send = "second"
extract = { token = "/token" }
""", "connections = 1\nmessage = '{token}{seq}'"))
    assert result["errors"] == {} and over_all(result, "opened") == 1
    assert notes.events == ["pong", "second"]
    assert over_all(result, "unexpected") == over_all(result, "delivered") == 0


@pytest.mark.parametrize("handle, error", [
    (patient_server.leave, "step 2: closed by the peer: 4001"),
    (patient_server.vanish, "step 2: while it waited: end of the stream"),
])
def test_an_end_while_it_waits_is_told(scenario, handle, error):
    with FaultyServer(handle) as server:
        result = run("run", scenario(server, '[[step]]\nsend = "x"\n[[step]]\nwait = "30m"'),
                     "--connections", 2, statuses=(UNREACHABLE,))
    assert result["errors"][error]["count"] == over_all(result, "failed") == 2


def test_who_waits_keeps_nobody_from_connecting(scenario):
    """More than may shake hands at a time; and an interrupt ends the waiting."""
    connections = 300
    with FaultyServer(patient_server.gather) as server:
        with subprocess.Popen([os.environ["GATEWAY_LOAD"], "run",
                               scenario(server, '[[step]]\nwait = "1h"', f"connections = {connections}"),
                               "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as process:
            try:
                limit = time.monotonic() + DEADLINE
                while len(server.members) < connections and time.monotonic() < limit:
                    time.sleep(0.02)
                assert len(server.members) == connections
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=DEADLINE)
            finally:
                process.kill()
    result = json.loads(output)
    assert result["interrupted"] and over_all(result, "connects") == connections
    assert over_all(result, "opened") == 0


@pytest.mark.parametrize("think", ["200ms", "200ms..400ms"])
def test_think_time_passes_between_messages(think):
    notes = Notes()
    with FaultyServer(notes.echo) as server:
        result = run(server.url, "--think", think, "--connections", 3, "--duration", 1, "--warm-up", 0)
    assert result["errors"] == {} and over_all(result, "lost") == 0
    assert notes.pauses and min(notes.pauses) >= 0.2


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_each_place_in_flight_has_think_time_of_its_own(echo, scheme):
    in_flight, connections, think = 3, 4, 0.1
    result = run(getattr(echo, scheme)("/echo"), "--think", f"{think}s", "--in-flight", in_flight,
                 "--connections", connections, "--duration", 1, "--warm-up", 0)
    assert result["errors"] == {}
    # The first of each goes without one; all others have it before them.
    seconds = sum(phase["length_ns"] for phase in result["phases"]) / 1e9
    places = in_flight * connections
    assert places < over_all(result, "received") <= places * (seconds / think + 1)


def test_a_lost_message_is_thought_about(echo):
    result = run(echo.ws("/sink"), "--think", "30m", "--timeout", "0.1", "--connections", 3, "--size", 64,
                 *QUICK, "--duration", 1, statuses=(FAILED,))
    assert over_all(result, "lost") == 3
    assert sum(phase["counts"].get("sent", 0) - phase["counts"].get("in_flight", 0)
               for phase in result["phases"]) == 3


@pytest.mark.parametrize("arguments, told", [
    (["--think", "1s", "--rate", 10], "--think: with a rate"),
    (["--think", "1s", "--rate-each", 10], "--think: with a rate"),
    (["--think", "1s", "--find", "rtt.p99<20ms"], "--think: with a rate"),
    (["--think", "1s", "--pattern", "push"], "--think: it comes after an answer"),
    (["--think", "50..150ms"], "--think: the shorter one comes first"),
    (["--think", "2h"], "--think: at most 1h"),
])
def test_usage_errors_name_the_cure(arguments, told):
    answer = load("ws://127.0.0.1:1/", *arguments)
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert told in answer.stderr


def test_a_phase_with_a_rate_has_no_think_time(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text("target = 'ws://127.0.0.1:1/'\nthink = '1s'\n[[phase]]\nrate = 5\n", encoding="utf-8")
    answer = load("run", path)
    assert answer.returncode == USAGE and ":2:9: --think: with a rate" in answer.stderr
