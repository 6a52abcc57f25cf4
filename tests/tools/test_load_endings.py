"""gateway-load where a target ends early, serves some only, or loses what was under way: what the figures
say then, and that the run goes on or has failed."""

import json

import faulty_server
import pytest
from faulty_server import FaultyServer
from raw_server import RawServer
from test_load import FAILED, LIMITED, PASSED, UNREACHABLE, held, load, over_all, run

FAIR = (PASSED, LIMITED)


def test_a_run_without_connections_has_failed():
    with FaultyServer(faulty_server.reset) as server:
        result = run(server.url, "--connections", 2, "--rate", 100, "--duration", 600, "--warm-up", 0,
                     "--fail-if", "rtt.p99>1h", statuses=(FAILED,))
    assert "no connection was left" in result["verdict"]["text"]
    assert result["cut_short"]["phase"] == "hold" and result["cut_short"]["of_ns"] == 600e9


def test_http_connections_that_end_while_idle_are_opened_again():
    def answer_one(_server, peer):
        if peer.read_head() is not None:
            peer.answer()

    with RawServer(answer_one) as server:
        result = run(server.url("http"), "--connections", 2, "--rate", 20, "--duration", 1, "--warm-up", 0,
                     statuses=FAIR)
        assert server.accepted > 2
    assert over_all(result, "opened") == server.accepted
    assert over_all(result, "received") > 2 and result["cut_short"] is None


def test_all_are_tried_before_any_is_tried_again(tmp_path):
    """More than the handshakes that may be under way at a time, and most are never answered."""
    served = 20

    def serve_few(server, peer):
        if peer.index >= served:
            server.stopping.wait(30)
            return
        peer.upgrade()
        server.stopping.wait(30)

    with RawServer(serve_few) as server:
        answer = load(server.url("ws"), "--connections", 400, "--reconnect", "full-jitter:1ms",
                      "--open-timeout", "2", "--pattern", "hold", "--timeout", "0.1", "--duration", "0.3",
                      "--json", tmp_path / "result.json")
    result = json.loads((tmp_path / "result.json").read_text())
    assert [phase["name"] for phase in result["phases"]] == ["ramp", "hold"], answer.stderr
    assert result["phases"][1]["length_ns"] >= 0.3e9
    assert over_all(result, "opened") >= served and over_all(result, "connects") >= 400


def test_storms_say_nothing_of_how_long_answers_take():
    with FaultyServer(faulty_server.hang) as server:
        result = run(server.url, "--connections", 10, "--storm", "at=0.3s drop=100% reconnect=no",
                     "--duration", 1, "--warm-up", 0, "--timeout", 30, statuses=(FAILED,))
    assert over_all(result, "unanswered") == 10
    assert "rtt" not in held(result)["timings"] or held(result)["timings"]["rtt"]["count"] == 0


def test_a_closed_loop_does_not_go_on_with_what_an_open_one_has_left(tmp_path):
    scenario = tmp_path / "phases.toml"
    scenario.write_text('warm_up = 0\nconnections = 1\ntimeout = "20s"\n'
                        '[[phase]]\nname = "open"\nduration = "1s"\nrate = 200\n'
                        '[[phase]]\nname = "closed"\nduration = "1s"\n')
    with FaultyServer(faulty_server.answer_slowly) as server:
        result = run("run", scenario, "--url", server.url, statuses=FAIR)
    timings = result["phases"][2]["timings"]
    # The one that was under way is late; of all others RTT and service time are the same.
    assert timings["rtt"]["count"] > 2
    assert timings["rtt"]["p50_ns"] == pytest.approx(timings["service"]["p50_ns"], rel=0.5)


def test_phases_may_be_shorter_than_a_thread_can_follow(echo, tmp_path):
    scenario = tmp_path / "phases.toml"
    scenario.write_text("connections = 2\nwarm_up = 0\n" + '[[phase]]\nduration = "1ns"\n' * 1000)
    result = run("run", scenario, "--url", echo.ws("/echo"), "--threads", 2, statuses=FAIR)
    assert len(result["phases"]) == 1001


@pytest.mark.parametrize("threads", [1, 4])
def test_weights_hold_for_all_threads_together(threads):
    met = {"heavy": 0, "light": 0}

    def door(name):
        async def count(_server, connection):
            met[name] += 1
            async for message in connection:
                await connection.send(message)
        return FaultyServer(count)

    with door("heavy") as heavy, door("light") as light:
        run(heavy.url + ";weight=3", light.url, "--connections", 8, "--pattern", "hold", "--threads", threads,
            "--duration", "0.2", statuses=FAIR)
    assert met == {"heavy": 6, "light": 2}


@pytest.mark.parametrize("threads", [1, 10])
def test_one_in_ten_publishes_whatever_the_threads(threads):
    publishers = set()

    async def note(server, connection):
        async for message in connection:
            publishers.add(connection)
            await connection.send(message)

    with FaultyServer(note) as server:
        run(server.url, "--pattern", "publish", "--connections", 20, "--threads", threads, "--duration",
            "0.5", "--warm-up", 0, statuses=FAIR)
    assert len(publishers) == 2


def test_those_that_wait_are_not_given_up_for_those_that_were_refused(tmp_path):
    """More are refused, at once, than handshakes may be under way."""
    accepted = 20

    def serve_few(server, peer):
        if peer.index >= accepted:
            peer.read_head()
            peer.connection.sendall(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n")
            return
        peer.upgrade()
        server.stopping.wait(30)

    scenario = tmp_path / "waits.toml"
    scenario.write_text("connections = 400\npattern = 'hold'\nwarm_up = 0\nduration = '300ms'\n"
                        "[[step]]\nwait = '1s'\n")
    with RawServer(serve_few) as server:
        result = run("run", scenario, "--url", server.url("ws"), "--timeout", "0.1",
                     statuses=(FAILED, LIMITED))
    assert over_all(result, "opened") == accepted


@pytest.mark.parametrize("threads", [1, 2])
def test_each_target_is_reached_from_each_source(threads):
    met = set()

    def door(name):
        def note(_server, peer):
            met.add((name, peer.connection.getpeername()[0]))
            while peer.read_head() is not None:
                peer.answer()
        return RawServer(note)

    with door("a") as a, door("b") as b:
        run(a.url("http"), b.url("http"), "--source", "127.0.0.2-127.0.0.3", "--connections", 8, "--threads",
            threads, "--duration", "0.2", "--warm-up", 0, statuses=FAIR)
    assert met == {(name, f"127.0.0.{last}") for name in "ab" for last in (2, 3)}


def test_a_front_that_only_accepts_is_an_error_and_not_flooded():
    def accept_and_close(_server, _peer):
        pass

    with RawServer(accept_and_close) as server:
        result = run(server.url("http"), "--connections", 2, "--rate", 10, "--duration", 1, "--warm-up", 0,
                     statuses=(FAILED, LIMITED, UNREACHABLE))
        # Each comes back after a tenth of a second, and not at once.
        assert server.accepted < 100
    assert result["errors"]["connection ended by the peer"]["count"] >= 2


def test_a_server_that_leaves_the_end_to_us_sees_no_reset():
    def linger(_server, peer):
        peer.upgrade()
        while peer.connection.recv(1 << 16):
            peer.connection.sendall(b"\x88\x02\x03\xe8")

    with RawServer(linger) as server:
        result = run(server.url("ws"), "--pattern", "handshake", "--connections", 2, "--duration", 1,
                     "--warm-up", 0, statuses=FAIR)
        for thread in list(server.threads):
            thread.join(30)
    assert over_all(result, "opened") >= 4 and server.resets == 0


def test_the_phase_in_which_all_ended_is_the_one_that_is_named(tmp_path):
    scenario = tmp_path / "phases.toml"
    scenario.write_text("connections = 2\nwarm_up = 0\n" + "".join(
        f"[[phase]]\nname = '{name}'\nduration = '20s'\n" for name in ("early", "middle", "late")))
    with FaultyServer(faulty_server.reset) as server:
        result = run("run", scenario, "--url", server.url, statuses=(FAILED, LIMITED))
    assert result["cut_short"]["phase"] == "early"


def test_a_push_run_in_which_nothing_came_has_failed():
    with FaultyServer(faulty_server.hang) as server:
        result = run(server.url, "--pattern", "push", "--connections", 2, "--duration", "0.3", "--warm-up", 0,
                     statuses=(FAILED,))
    assert "nothing was delivered" in result["verdict"]["text"]


def test_a_step_that_the_peer_does_not_read_is_given_up(tmp_path):
    """It is larger than what may be under way, so its writing waits when its time is over."""
    def accept_only(server, peer):
        peer.upgrade()
        server.stopping.wait(30)

    scenario = tmp_path / "large.toml"
    scenario.write_text("connections = 2\nwarm_up = 0\nduration = '300ms'\ntimeout = '500ms'\n"
                        f"[[step]]\nsend = '{'{rand:65536}' * 48}'\n")
    with RawServer(accept_only, receive_bytes=4096) as server:
        result = run("run", scenario, "--url", server.url("ws"), statuses=(UNREACHABLE,))
    assert over_all(result, "opened") == 0
    assert set(result["errors"]) == {"step 1: not taken: timeout"}
