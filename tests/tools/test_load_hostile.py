"""gateway-load against servers that answer late, out of turn or not at all, that flood, and that close when
it suits them."""

import os
import time

import faulty_server
import pytest
from faulty_server import FaultyServer
from measured import run_measured
from raw_server import RawServer
from test_load import FAILED, LIMITED, PASSED, held, over_all, run

FAIR = (PASSED, LIMITED)
MEMORY_MAX_KIB = 100 * 1024
# Beyond what a histogram rounds.
ROUNDING = 1.01


def test_a_flood_of_pings_costs_no_memory():
    """Who floods them reads nothing: what we wanted to say stays with us."""
    pings = (b"\x89\x7d" + b"p" * 125) * 500

    def flood(server, peer):
        peer.upgrade()
        while not server.stopping.is_set():
            peer.connection.sendall(pings)
            server.answered += 500

    with RawServer(flood, receive_bytes=4096) as server:
        told, status, peak = run_measured(
            [os.environ["GATEWAY_LOAD"], server.url("ws"), "--connections", 2, "--in-flight", 1000, "--size",
             1000, "--duration", 2, "--warm-up", 0, "--timeout", 1])
    assert status in (FAILED, LIMITED), told
    assert server.answered > 10_000
    assert 0 < peak < MEMORY_MAX_KIB


@pytest.mark.parametrize("size", [64, 1_000_000])
def test_pings_are_answered_between_messages(size):
    with FaultyServer(faulty_server.ping) as server:
        result = run(server.url, "--connections", 1, "--in-flight", 4, "--size", size, "--duration",
                     2, "--warm-up", 0)
    assert server.ponged > 1 and over_all(result, "received") > 0
    assert result["errors"] == {}


def test_one_slow_answer_among_many_is_not_lost():
    with FaultyServer(faulty_server.overtake) as server:
        result = run(server.url, "--connections", 1, "--in-flight", 8, "--timeout", 30,
                     "--duration", 3, "--warm-up", 0)
    assert server.swapped == over_all(result, "reordered") == 1
    for name in ("lost", "late", "duplicated", "unexpected"):
        assert over_all(result, name) == 0, name


def test_answers_that_come_too_late_are_neither_duplicates_nor_unexpected():
    with FaultyServer(faulty_server.answer_late) as server:
        result = run(server.url, "--connections", 1, "--in-flight", 4, "--timeout", "0.3",
                     "--duration", 4, "--warm-up", 0, statuses=FAIR)
    assert 1 <= over_all(result, "late") <= over_all(result, "lost")
    for name in ("duplicated", "unexpected"):
        assert over_all(result, name) == 0, name


def test_without_numbers_a_late_answer_is_nobody_elses_websocket():
    with FaultyServer(faulty_server.answer_late) as server:
        result = run(server.url, "--connections", 1, "--size", 8, "--timeout", "0.3", "--duration",
                     4, "--warm-up", 0, statuses=FAIR)
    assert set(result["errors"]) == {"answer: timeout"}
    assert over_all(result, "lost") >= 1 and over_all(result, "opened") >= 2
    assert over_all(result, "received") > 0 and over_all(result, "late") == 0


def test_without_numbers_a_late_answer_is_nobody_elses_http():
    def answer_late(server, peer):
        while peer.read_head() is not None:
            if peer.index == 0:
                server.stopping.wait(2)
            peer.answer()

    with RawServer(answer_late) as server:
        result = run(server.url("http"), "--connections", 1, "--timeout", "0.3", "--duration", 4,
                     "--warm-up", 0, statuses=FAIR)
    assert set(result["errors"]) == {"answer: timeout"}
    assert over_all(result, "lost") >= 1 and server.accepted >= 2
    assert over_all(result, "received") > 0 and over_all(result, "unexpected") == 0


def test_http_connections_in_use_are_ended_in_order():
    """Each has requests under way whenever it is to end."""
    def answer_slowly(server, peer):
        while peer.read_head() is not None:
            time.sleep(0.02)
            peer.answer()

    with RawServer(answer_slowly) as server:
        result = run(server.url("http"), "--connections", 10, "--pipeline", 4, "--warm-up", 0,
                     "--duration", "0.3", "--ramp-down", "0.5", statuses=FAIR)
        assert over_all(result, "closed_by_us") == 10
        for thread in list(server.threads):
            thread.join(30)
        assert (server.resets, server.ends) == (0, 10)
    assert over_all(result, "unanswered") == 0 and result["errors"] == {}


def test_what_a_peer_closes_over_is_unanswered():
    with FaultyServer(faulty_server.turn_away_later) as server:
        result = run(server.url, "--connections", 3, "--in-flight", 2, "--duration", "1.5",
                     "--warm-up", 0, statuses=(FAILED,))
    assert server.received == 6
    assert over_all(result, "unanswered") == 6 and over_all(result, "lost") == 0
    assert result["closes_by_peer"] == {"4000": 3}


def test_each_error_is_counted():
    with FaultyServer(faulty_server.intrude) as server:
        result = run(server.url, "--connections", 3, "--duration", "1.5", "--warm-up", 0,
                     statuses=(FAILED,))
    assert result["errors"]["a message that nobody sent"]["count"] == 30
    assert result["errors"]["connection ended by the peer"]["count"] == 3
    assert result["closes_by_peer"] == {"1006": 3}


def test_delivery_is_from_when_a_message_was_due():
    with FaultyServer(faulty_server.broadcast_slowly) as server:
        result = run(server.url, "--pattern", "publish", "--connections", 1, "--rate", 100,
                     "--duration", 1, "--warm-up", 0, statuses=FAIR)
    timings = held(result)["timings"]
    # It takes 20 of 100 a second.
    assert timings["delivery"]["count"] > 0
    assert timings["delivery"]["max_ns"] > timings["service"]["max_ns"]


def test_the_first_message_does_not_wait_for_other_connections(echo):
    result = run(echo.ws("/echo"), "--connections", 20, "--connect-rate", 20, "--duration", "0.3",
                 "--warm-up", 0, statuses=FAIR)
    longest = {name: max(phase["timings"][name]["max_ns"] for phase in result["phases"]
                         if phase["timings"].get(name, {}).get("count"))
               for name in ("tcp", "upgrade", "rtt", "first_message")}
    parts = longest["tcp"] + longest["upgrade"] + longest["rtt"]
    assert longest["first_message"] <= parts * ROUNDING
