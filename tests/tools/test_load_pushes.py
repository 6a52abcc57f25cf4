"""gateway-load: what a server pushes, when it was sent, and which of it is missing."""

import os
import subprocess

import push_server
import pytest
from faulty_server import FaultyServer
from test_load import FAILED, LIMITED, PASSED, QUICK, USAGE, held, load, over_all, run

PUSH = ["--pattern", "push"]
# It ends with the last connection, and so it has failed.
SOME = [*PUSH, "--connections", 2, "--duration", 50, "--warm-up", 0]
GOODBYE = "closed by the peer: 1000"
KINDS = ("undelivered", "duplicated", "reordered", "late", "unexpected")


def counted(result, **expected):
    assert {name: over_all(result, name) for name in KINDS} == dict.fromkeys(KINDS, 0) | expected


def errors_of(result):
    """But for the goodbye."""
    return {kind: error for kind, error in result["errors"].items() if kind != GOODBYE}


def deliveries(result):
    return sum(phase["timings"].get("delivery", {"count": 0})["count"] for phase in result["phases"])


@pytest.fixture(name="gateway")
def _gateway(echo, tmp_path):
    """The real one, in front of the real gateway-echo; gives its Unix socket."""
    address = tmp_path / "gateway.sock"
    configuration = tmp_path / "gateway.conf"
    configuration.write_text(
        f'shards = 1\n[[listen]]\naddress = "unix:{address}"\n[pool.echo]\n'
        f'servers = "{echo.address}"\n[[route]]\npath = "/"\npool = "echo"\n', encoding="utf-8")
    with subprocess.Popen([os.environ["GATEWAY"], "-c", configuration], stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            assert any("ready" in line for line in process.stderr), "it did not start"
            yield address
        finally:
            process.terminate()
            process.stderr.close()


def test_pushes_through_the_gateway_have_a_delivery_time(gateway):
    result = run(f"unix:{gateway}:/push?rate=500&size=100&mark=1", *PUSH, "--sent-at", "mark",
                 "--connections", 3, *QUICK)
    assert result["errors"] == {}
    counted(result)
    counts = held(result)["counts"]
    delivery = held(result)["timings"]["delivery"]
    assert counts["received_bytes"] == 100 * counts["delivered"] > 0
    assert counts["delivered"] <= delivery["count"]
    assert 0 < delivery["p50_ns"] <= delivery["max_ns"] < 60e9


def test_a_small_push_has_room_for_its_mark(echo):
    result = run(echo.ws("/push?rate=100&size=1&mark=1"), *PUSH, "--sent-at", "mark", *QUICK)
    counts = held(result)["counts"]
    assert result["errors"] == {} and counts["received_bytes"] == 24 * counts["delivered"] > 0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("text", [False, True])
def test_times_of_any_unit_are_delivery_times(unit, text):
    with FaultyServer(push_server.telling(lambda: push_server.unix_time(unit, text))) as server:
        result = run(server.url, *SOME, "--sent-at", "/data/ts", statuses=(FAILED,))
    assert errors_of(result) == {}
    assert over_all(result, "delivered") == server.received == deliveries(result) > 0
    worst = max(phase["timings"]["delivery"]["max_ns"] for phase in result["phases"]
                if "delivery" in phase["timings"])
    assert 0 < worst < 60e9


def test_a_time_in_the_future_is_an_error():
    ahead = push_server.telling(lambda: push_server.unix_time("ms", ahead=push_server.SECONDS_AHEAD))
    with FaultyServer(ahead) as server:
        result = run(server.url, *SOME, "--sent-at", "/data/ts", statuses=(FAILED,))
    assert deliveries(result) == 0
    error = result["errors"]["a time in the future (clocks differ)"]
    assert error["count"] == over_all(result, "delivered") == server.received > 0
    assert " us ahead: " in error["example"]


def test_a_mark_in_the_future_is_an_error():
    with FaultyServer(push_server.run_ahead) as server:
        result = run(server.url, *SOME, "--sent-at", "mark", statuses=(FAILED,))
    assert result["errors"]["a time in the future (clocks differ)"]["count"] == 2
    assert deliveries(result) == over_all(result, "opened") == 2


@pytest.mark.parametrize("message, error", [
    ('{"data":{"ts":"noon"}}', "no Unix time at /data/ts"),
    ('{"data":{"ts":-5}}', "no Unix time at /data/ts"),
    ('{"data":{"ts":null}}', "no Unix time at /data/ts"),
    ('{"data":{}}', "no Unix time at /data/ts"),
    ("tick", "a message with a time is not JSON"),
    (b"\xff\xfe", "a message with a time is not JSON"),
])
def test_a_push_without_its_time_is_told(message, error):
    with FaultyServer(push_server.saying(message)) as server:
        result = run(server.url, *SOME, "--sent-at", "/data/ts", statuses=(FAILED,))
    assert set(errors_of(result)) == {error} and deliveries(result) == 0
    assert result["errors"][error]["count"] == over_all(result, "delivered") == server.received > 0


def test_a_push_without_a_mark_is_told():
    with FaultyServer(push_server.saying("short")) as server:
        result = run(server.url, *SOME, "--sent-at", "mark", statuses=(FAILED,))
    assert set(errors_of(result)) == {"a push without a mark"}
    counted(result)


@pytest.mark.parametrize("order, expected", [
    ([0, 1, 2, 3], {}),
    ([0, 2, 3, 7, 8], {"undelivered": 4}),
    ([3, 4], {"undelivered": 3}),
    ([0, 1, 1, 2, 0, 3], {"duplicated": 2}),
    ([0, 3, 1, 2, 5, 4], {"reordered": 3}),
    ([1, 0, 5, 3, 3, 9], {"undelivered": 5, "reordered": 2, "duplicated": 1}),
    ([0, 1 << 60, 1], {"unexpected": 1}),
])
def test_numbers_tell_what_is_missing(order, expected):
    with FaultyServer(push_server.numbering(order)) as server:
        result = run(server.url, *SOME, "--sent-at", "mark", statuses=(FAILED,))
    assert over_all(result, "delivered") == server.received == 2 * len(order)
    counted(result, **{name: 2 * count for name, count in expected.items()})


def test_a_push_after_its_time_is_late():
    with FaultyServer(push_server.fill_a_gap_late) as server:
        result = run(server.url, *SOME, "--sent-at", "mark", "--timeout", "0.2", statuses=(FAILED,))
    counted(result, undelivered=server.received, late=server.received)
    assert server.received == 2


def test_without_numbers_nothing_is_missing():
    with FaultyServer(push_server.numbering([5, 3, 3])) as server:
        result = run(server.url, *SOME, statuses=(FAILED,))
    counted(result)
    assert over_all(result, "delivered") == 6 and deliveries(result) == 0


def test_what_is_published_in_another_form_has_a_delivery_time():
    with FaultyServer(push_server.publish_enveloped) as server:
        result = run(server.url, "--pattern", "publish", "--connections", 4, "--rate", 50, "--duration", 1,
                     "--warm-up", 0, "--message", '{{"n":{seq},"c":{conn},"at":{time}}}', "--sent-at",
                     "/payload/at", statuses=(PASSED, LIMITED))
    assert result["errors"] == {}
    assert deliveries(result) >= over_all(result, "delivered") > 0


@pytest.mark.parametrize("arguments, told", [
    ([*PUSH, "--sent-at", "ts"], "--sent-at: neither mark nor a JSON pointer: ts"),
    (["--sent-at", "/ts"], "--sent-at: it needs --pattern push, publish or request"),
    (["--pattern", "publish", "--sent-at", "mark"], "--sent-at: mark is for --pattern push"),
])
def test_usage_errors_name_the_cure(arguments, told):
    answer = load("ws://127.0.0.1:1/", *arguments)
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert told in answer.stderr
