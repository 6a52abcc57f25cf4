"""gateway-load: what it counts and measures, against gateway-echo and servers that do it wrong; how it
ends."""

import json
import os
import signal
import socket
import subprocess
import time

import faulty_server
import pytest
from faulty_server import FaultyServer
from raw_server import RawServer

PASSED, FAILED, USAGE, LIMITED, UNREACHABLE = range(5)
FAIR = (PASSED, LIMITED)
QUICK = ["--duration", "0.3", "--warm-up", "0.1"]


def load(*arguments):
    return subprocess.run([os.environ["GATEWAY_LOAD"], *map(str, arguments)], capture_output=True,
                          text=True, timeout=60, check=False)


def load_unhindered(*arguments, statuses=(PASSED,)):
    """Where the machine has other work, a run may be the generator's limit: another one then."""
    for _ in range(3):
        answer = load(*arguments)
        if answer.returncode != LIMITED or LIMITED in statuses:
            break
    return answer


def run(*arguments, statuses=FAIR):
    """The result; its counters add up."""
    answer = load_unhindered(*arguments, "--json", "-", statuses=statuses)
    assert answer.returncode in statuses, answer.stderr
    result = json.loads(answer.stdout)
    for phase in result["phases"]:
        counts = phase["counts"]
        assert counts.get("sent", 0) == sum(
            counts.get(name, 0) for name in ("received", "lost", "in_flight", "unanswered")), phase
    return result


def over_all(result, name):
    return sum(phase["counts"].get(name, 0) for phase in result["phases"])


def held(result):
    """The one phase that is measured."""
    phases = [phase for phase in result["phases"] if phase["name"] == "hold"]
    assert len(phases) == 1
    return phases[0]


@pytest.mark.parametrize("kind", [[], ["--text"]], ids=["binary", "text"])
@pytest.mark.parametrize("connections, in_flight, size", [
    (1, 1, 0), (1, 2, 15), (1, 3, 16), (20, 1, 64), (5, 32, 126), (2, 8, 1_000_000),
])
def test_echoes_are_counted(echo, connections, in_flight, size, kind):
    result = run("--url", echo.ws("/echo"), "--connections", connections, "--in-flight",
                 in_flight, "--size", size, *QUICK, "--cpu-of", echo.process.pid, *kind)
    assert result["errors"] == {}
    assert over_all(result, "opened") == connections and over_all(result, "failed") == 0
    phase = held(result)
    counts = phase["counts"]
    assert counts["received"] > 0 and phase["length_ns"] >= 3e8
    # What was in flight when it ended is not among what was received.
    assert counts.get("received_bytes", 0) == counts["received"] * size
    assert [counts.get(name, 0) for name in ("lost", "duplicated", "reordered", "unexpected")] == [0] * 4
    rtt = phase["timings"]["rtt"]
    assert 0 < rtt["p50_ns"] <= rtt["p99_ns"] <= rtt["max_ns"]
    # How long those took that came when it had ended is among the times.
    assert counts["received"] <= rtt["count"] <= counts["received"] + counts.get("in_flight", 0)
    assert result["closes_by_us"] == {"1000": connections}
    watched, = result["watched"]
    assert watched["pid"] == echo.process.pid and watched["resident_bytes_max"] > 1_000_000


def test_a_url_alone_explains_itself(echo):
    answer = load_unhindered(echo.ws("/echo"), "--duration", "0.2", "--warm-up", "0")
    assert answer.returncode == PASSED
    for word in ("hold", "RTT", "p99", "passed"):
        assert word in answer.stdout


def test_poisson_arrivals_have_the_same_rate(echo):
    result = run(echo.ws("/echo"), "--connections", 5, "--rate-each", 200, "--poisson",
                 "--duration", "1", "--warm-up", "0", statuses=(PASSED, LIMITED))
    counts, seconds = held(result)["counts"], held(result)["length_ns"] / 1e9
    assert counts["sent"] + counts.get("unsent", 0) == pytest.approx(1000 * seconds, abs=200)


def test_a_stall_is_charged_from_when_messages_were_due():
    """How exact that is a unit test has; this machine may be busy."""
    with FaultyServer(faulty_server.stalling(5, 2)) as server:
        result = run(server.url, "--connections", 10, "--rate", 1000, "--duration", 10,
                     "--warm-up", 0, statuses=(PASSED, LIMITED))
    timings = held(result)["timings"]
    assert timings["rtt"]["p99_ns"] >= 8e8
    assert timings["service"]["p99_ns"] < timings["rtt"]["p99_ns"] / 4
    assert timings["service"]["max_ns"] >= 1e9


@pytest.mark.parametrize("size", [16, 64, 70_000])
@pytest.mark.parametrize("kind", [[], ["--text"]], ids=["binary", "text"])
@pytest.mark.parametrize("fault, done, counted", [
    ("lose", "lost", "lost"), ("double", "doubled", "duplicated"), ("swap", "swapped", "reordered"),
])
def test_faults_are_counted_exactly(fault, done, counted, kind, size):
    with FaultyServer(getattr(faulty_server, fault)) as server:
        result = run(server.url, "--connections", 3, "--in-flight", 8, "--size", size, "--duration",
                     "0.5", "--warm-up", "0", *kind)
    assert server.received > 0 and getattr(server, done) > 0
    assert over_all(result, counted) == getattr(server, done)
    others = {"lost", "duplicated", "reordered", "unexpected", "unanswered"} - {counted}
    assert {name: over_all(result, name) for name in others} == dict.fromkeys(others, 0)


def test_a_peer_that_never_answers_is_given_up():
    with FaultyServer(faulty_server.hang) as server:
        result = run(server.url, "--connections", 2, "--timeout", "0.2", "--duration", "1",
                     "--warm-up", "0", statuses=(FAILED,))
        # What was written last may not be read yet.
        deadline = time.monotonic() + 30
        while server.received < over_all(result, "lost") and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "none of" in result["verdict"]["text"]
    counts = held(result)["counts"]
    assert counts["lost"] >= 4 and counts.get("received", 0) == 0
    assert over_all(result, "lost") == server.received
    # They took as long as they were waited for, at the least.
    for name in ("rtt", "service"):
        timing = held(result)["timings"][name]
        assert timing["count"] == server.received and timing["p50_ns"] >= 0.19e9


def test_what_hangs_when_a_run_ends_is_in_its_latency():
    with FaultyServer(faulty_server.hang) as server:
        result = run(server.url, "--connections", 2, "--rate", 10, "--duration", 1, "--warm-up", 0,
                     statuses=(FAILED, LIMITED))
    assert server.received == 2
    rtt = held(result)["timings"]["rtt"]
    assert rtt["count"] == 2 + over_all(result, "unsent") and rtt["p50_ns"] >= 1e9


def test_intervals_are_those_of_their_phases(echo):
    """What is answered after a phase's end is in both, and no interval has two phases in it."""
    result = run(echo.ws("/echo"), "--connections", 5, "--rate", 500, "--warm-up", "0.25",
                 "--duration", "0.75", "--ramp-down", "0.35", statuses=FAIR)
    for number, phase in enumerate(result["phases"]):
        inside = [one for one in result["intervals"] if one["phase"] == number]
        for count in ("sent", "received", "opened"):
            assert sum(one["counts"].get(count, 0) for one in inside) == \
                phase["counts"].get(count, 0), (number, count)
        assert sum(one.get("rtt", {}).get("count", 0) for one in inside) == \
            phase["timings"].get("rtt", {}).get("count", 0)


def test_what_is_open_is_of_the_measured_phases(echo):
    result = run(echo.ws("/echo"), "--connections", 3, "--ramp-down", "0.3", "--fail-if", "open<3",
                 *QUICK, statuses=FAIR)
    assert result["open"] == result["open_max"] == 3


def test_a_process_that_ends_has_no_figures(echo):
    watched = subprocess.Popen(["sleep", "1000"])
    try:
        arguments = [echo.ws("/echo"), "--pid", watched.pid, "--fail-if", "memory>1k", "--fail-if",
                     "cpu_per_message>1h", "--warm-up", 0]
        result = run(*arguments, "--duration", "0.5", statuses=(FAILED,))
        assert result["watched"][0]["gone"] is False
        assert [gate["failed"] for gate in result["gates"]] == [True, False]
        ending = subprocess.Popen([os.environ["GATEWAY_LOAD"], *map(str, arguments), "--json", "-",
                                   "--duration", "4"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        # It was looked at before the first line.
        assert ending.stderr.readline()
        watched.kill()
        watched.wait()
        result = json.loads(ending.communicate(timeout=60)[0])
    finally:
        watched.kill()
        watched.wait()
    assert ending.returncode in (FAILED, LIMITED) and result["watched"][0]["gone"] is True
    assert [gate["failed"] for gate in result["gates"]] == [True, True]
    assert [gate["value"] for gate in result["gates"]] == [None, None]


def test_a_flood_does_not_hurt():
    with FaultyServer(faulty_server.flood) as server:
        result = run(server.url, "--connections", 2, "--duration", "0.5", "--warm-up", "0",
                     "--timeout", "0.2", statuses=(FAILED, LIMITED))
    assert "a message that nobody sent" in result["errors"]


def test_a_reset_leaves_messages_unanswered():
    with FaultyServer(faulty_server.reset) as server:
        result = run(server.url, "--connections", 4, "--duration", 1, "--warm-up", 0,
                     statuses=(FAILED,))
    assert over_all(result, "unanswered") == 4
    assert over_all(result, "received") == 8
    assert over_all(result, "lost_sending") == 4
    assert "connection ended by the peer" in result["errors"]
    with FaultyServer(faulty_server.reset) as server:
        table = load(server.url, "--connections", 4, "--duration", 1, "--warm-up", 0).stdout
    assert "/s disconnected while sending" in table


def test_what_the_peer_ends_is_opened_again():
    with FaultyServer(faulty_server.reset) as server:
        result = run(server.url, "--connections", 4, "--duration", 1, "--warm-up", 0, "--reconnect",
                     "full-jitter:50ms", statuses=(PASSED, LIMITED))
    assert over_all(result, "opened") > 4


def test_hold_keeps_idle_connections_until_interrupted(echo):
    process = subprocess.Popen(
        [os.environ["GATEWAY_LOAD"], "--url", echo.ws("/echo"), "--connections", "50", "--hold",
         "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "holding 50 connections\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    result = json.loads(output)
    assert over_all(result, "opened") == 50 and result["interrupted"]
    assert over_all(result, "sent") <= 50


@pytest.mark.parametrize("path, failed, error, status", [
    ("/nothing", 2, "upgrade: status 404", UNREACHABLE),
    ("/misbehave/bad-accept", 2, "upgrade: status 101, Sec-WebSocket-Accept", UNREACHABLE),
    ("/misbehave/violate", 0, "violation: ", FAILED),
    ("/misbehave/close?code=4000", 0, "closed by the peer: 4000", FAILED),
    ("/misbehave/early", 0, "a message that nobody sent", FAILED),
    ("/push?size=64&rate=1000", 0, "a message that nobody sent", FAILED),
])
def test_what_goes_wrong_is_named(echo, path, failed, error, status):
    result = run("--url", echo.ws(path), "--connections", "2", *QUICK, "--fail-if", "errors>0",
                 statuses=(status,))
    assert over_all(result, "failed") == failed
    assert any(kind.startswith(error) for kind in result["errors"]), result["errors"]


def test_an_unread_flood_ends_in_time(echo):
    result = run("--url", echo.ws("/sink?read=no"), "--in-flight", "100", "--size", "1000000",
                 *QUICK, "--connections", 2, statuses=(FAILED, LIMITED))
    counts = held(result)["counts"]
    assert counts.get("received", 0) == 0 and counts["sent"] > 0


def test_pushes_are_delivered(echo):
    result = run(echo.ws("/push?size=64&rate=1000"), "--pattern", "push", "--connections", 3, *QUICK)
    counts = held(result)["counts"]
    assert counts["delivered"] > 0 and counts.get("sent", 0) == 0
    assert counts["received_bytes"] == 64 * counts["delivered"]
    assert result["errors"] == {}


def test_what_is_published_reaches_all():
    with FaultyServer(faulty_server.broadcast) as server:
        result = run(server.url, "--pattern", "publish", "--connections", 12, "--rate", 100,
                     "--duration", 1, "--warm-up", 0, statuses=(PASSED, LIMITED))
    counts = held(result)["counts"]
    assert counts["received"] > 0
    # One in ten publishes, with one in flight each; all twelve get each.
    in_flight = 2
    assert counts["delivered"] == pytest.approx(12 * counts["received"], abs=12 * in_flight)
    # Those that came when it had ended have a time, too.
    extra = held(result)["timings"]["delivery"]["count"] - counts["delivered"]
    assert 0 <= extra <= 12 * in_flight
    assert over_all(result, "lost") == 0 and result["errors"] == {}


def test_handshakes_alone(echo):
    result = run(echo.ws("/echo"), "--pattern", "handshake", "--connections", 5, *QUICK)
    counts = held(result)["counts"]
    assert counts["opened"] > 5 and counts.get("sent", 0) == 0
    assert over_all(result, "failed") == 0 and result["errors"] == {}


def test_churn_begins_connections_by_the_clock(echo):
    result = run(echo.ws("/echo"), "--churn", 200, "--life", "50ms", "--connections", 200, "--rate",
                 1000, "--duration", 1, "--warm-up", 0, statuses=(PASSED, LIMITED))
    counts, seconds = held(result)["counts"], held(result)["length_ns"] / 1e9
    assert counts["connects"] == pytest.approx(200 * seconds, rel=0.4)
    assert counts["received"] > 0 and over_all(result, "failed") == 0


def test_ramps_are_phases_of_their_own(echo):
    result = run(echo.ws("/echo"), "--connections", 20, "--ramp-up", "0.5", "--duration", "0.3",
                 "--ramp-down", "0.3")
    assert [phase["name"] for phase in result["phases"]] == ["ramp", "ramp-up", "hold", "ramp-down"]
    up, down = result["phases"][1], result["phases"][3]
    # Late ones come in the next phase, where the machine has other work.
    assert 0 < up["counts"]["opened"] and over_all(result, "opened") == 20
    assert 0 < down["counts"]["closed_by_us"] and over_all(result, "closed_by_us") == 20
    # The last ones begin to close just before its end, and may still wait for the peer.
    assert result["open_max"] == 20 and result["intervals"][-1]["open"] < 20
    opens = [interval["open"] for interval in result["intervals"] if interval["phase"] == 1]
    assert opens == sorted(opens) and opens[0] < 20


@pytest.mark.parametrize("path, arguments, answer_bytes", [
    ("/bytes?n=128", [], 128), ("/bytes?n=128", ["--pipeline", "16"], 128),
    ("/echo", ["--body", "1000", "--in-flight", "4"], 1000), ("/echo", ["--body", "200k"], 200 * 1024),
])
def test_http_requests_are_answered(echo, path, arguments, answer_bytes):
    result = run(echo.http(path), "--connections", 3, *QUICK, *arguments)
    counts = held(result)["counts"]
    assert counts["received"] > 0
    assert counts["received_bytes"] == answer_bytes * counts["received"]
    assert set(result["statuses"]) == {"200"} and result["errors"] == {}


def test_http_bodies_come_in_any_framing(echo):
    for query in ("n=5000&chunked=1", "n=0", "n=200000"):
        result = run(echo.http("/bytes?" + query), "--connections", 2, *QUICK)
        assert held(result)["counts"]["received"] > 0 and result["errors"] == {}


def test_a_server_that_closes_after_each_answer_is_connected_to_again(echo):
    result = run(echo.http("/bytes?n=10&close=1"), "--connections", 2, *QUICK)
    assert over_all(result, "opened") > 2 and result["errors"] == {}
    assert over_all(result, "received") > 2


def test_statuses_that_are_errors_are_answers_too(echo):
    result = run(echo.http("/nothing"), "--connections", 2, *QUICK)
    assert set(result["statuses"]) == {"404"}
    assert set(result["errors"]) == {"status 404"}


def test_targets_share_connections_by_weight(echo):
    result = run(echo.ws("/echo") + ";weight=3", echo.ws("/push"), "--connections", 8, "--pattern",
                 "hold", "--duration", "0.2")
    assert result["targets"] == [echo.ws("/echo"), echo.ws("/push")]
    assert over_all(result, "sent") == 6 + 2


def test_connections_come_from_several_addresses(echo):
    result = run(echo.ws("/echo"), "--connections", 6, "--source", "127.0.0.2-127.0.0.4", *QUICK)
    assert over_all(result, "opened") == 6 and result["errors"] == {}


def test_addresses_of_ipv6_are_sources_too():
    seen = set()

    def look(_server, peer):
        seen.add(peer.connection.getpeername()[0])
        while peer.read_head() is not None:
            peer.answer()

    with RawServer(look, host="::1") as server:
        result = run(server.url("http"), "--connections", 2, "--source", "::1-::1", *QUICK)
    assert seen == {"::1"}
    assert over_all(result, "opened") == 2 and result["errors"] == {}


def test_a_unix_socket_is_a_target(tmp_path):
    path = tmp_path / "echo.sock"
    with FaultyServer(faulty_server.double, path) as server:
        result = run(f"unix:{path}:/any", "--connections", 2, *QUICK)
    assert over_all(result, "opened") == 2 and over_all(result, "duplicated") == server.doubled > 0


def test_an_interrupt_ends_it_with_what_it_has_found(echo):
    process = subprocess.Popen(
        [os.environ["GATEWAY_LOAD"], echo.ws("/echo"), "--rate", "100", "--duration", "1000", "--json",
         "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # The first line of progress: load is under way.
    assert "hold" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    result = json.loads(output)
    assert process.returncode in (PASSED, LIMITED)
    assert result["interrupted"] and over_all(result, "received") > 0


def test_header_host_and_subprotocol_are_sent():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            [os.environ["GATEWAY_LOAD"], f"ws://127.0.0.1:{listening.getsockname()[1]}/x?y",
             "--connections", "1", "--header", "X-One: 1", "--header", "X-Two:2", "--host", "a.b",
             "--subprotocol", "p", "--subprotocol", "q"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        listening.settimeout(30)
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(30)
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
        assert process.wait(30) == UNREACHABLE
    process.communicate()
    lines = head.decode().split("\r\n")
    assert lines[0] == "GET /x?y HTTP/1.1"
    for line in ("Host: a.b", "X-One: 1", "X-Two: 2", "Sec-WebSocket-Protocol: p, q"):
        assert line in lines


def test_nothing_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    answer = load(f"ws://127.0.0.1:{port}/", *QUICK)
    assert answer.returncode == UNREACHABLE
    assert "Connection refused" in answer.stdout


def test_gates_decide(echo):
    arguments = [echo.ws("/echo"), *QUICK]
    assert load_unhindered(*arguments, "--fail-if", "lost>0").returncode == PASSED
    answer = load(*arguments, "--fail-if", "rtt.p50>0ns")
    assert answer.returncode == FAILED and "rtt.p50" in answer.stdout


def test_it_finds_the_highest_rate_that_an_objective_allows(echo):
    """No rate is low enough for the first objective; the second one has a highest."""
    result = run(echo.ws("/echo"), "--find", "rtt.p50>1h", "--rate", 8, "--duration", "0.4", "--warm-up",
                 0, statuses=(FAILED,))
    assert result["found_rate"] == 0
    result = run(echo.ws("/echo"), "--find", "sent<20", "--rate", 8, "--duration", "0.4", "--warm-up", 0)
    assert 20 < result["found_rate"] < 60


def test_results_that_cannot_be_written_are_refused_before_the_run(echo, tmp_path):
    answer = load(echo.ws("/echo"), "--duration", 1000, "--html", tmp_path / "no" / "report.html")
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert "cannot write" in answer.stderr
