"""gateway-load: requests whose replies come in any order, each by its id."""

import pytest
import reply_server
from faulty_server import FaultyServer, replying
from reply_server import answering
from test_load import FAILED, LIMITED, PASSED, QUICK, USAGE, held, load, over_all, run

REQUEST = ["--pattern", "request"]
KINDS = ("lost", "duplicated", "reordered", "late", "unexpected", "unanswered", "delivered")
FULL = ["--connections", 2, "--in-flight", 10, "--duration", "0.5", "--warm-up", 0]


def counted(result, **expected):
    assert {name: over_all(result, name) for name in KINDS} == dict.fromkeys(KINDS, 0) | expected
    return result


def test_an_echo_is_a_reply(echo):
    result = counted(run(echo.ws("/echo"), *REQUEST, "--size", 200, "--in-flight", 8, *QUICK))
    counts = held(result)["counts"]
    assert result["errors"] == {}
    assert counts["received_bytes"] == 200 * counts["received"] > 0


@pytest.mark.parametrize("message", [
    [], ["--message", '{{"id":{seq},"method":"x"}}'], ["--message", '{{"id":"{conn}-{seq}"}}'],
])
def test_replies_come_in_any_order(message):
    with FaultyServer(answering()) as server:
        result = counted(run(server.url, *REQUEST, *message, *FULL))
    assert result["errors"] == {}
    assert over_all(result, "received") > 0 and server.received >= over_all(result, "received")
    assert held(result)["timings"]["rtt"]["count"] > 0


def test_a_number_may_come_back_as_a_text():
    with FaultyServer(answering(reply_server.stringify)) as server:
        result = counted(run(server.url, *REQUEST, *FULL))
    assert result["errors"] == {} and over_all(result, "received") > 0


def test_notifications_are_delivered():
    with FaultyServer(answering(reply_server.notify)) as server:
        result = run(server.url, *REQUEST, *FULL)
    # Those of the last batch may come when the run is over.
    notified = over_all(result, "delivered")
    counted(result, delivered=notified)
    assert result["errors"] == {} and 0 < notified <= server.swapped


def test_each_double_is_counted():
    with FaultyServer(answering(reply_server.double)) as server:
        result = run(server.url, *REQUEST, *FULL)
    counted(result, duplicated=server.doubled)
    assert result["errors"] == {} and server.doubled > 0


def test_each_loss_is_counted():
    with FaultyServer(answering(reply_server.lose, batch=4)) as server:
        result = run(server.url, *REQUEST, "--connections", 2, "--in-flight", 8, "--duration", "0.5",
                     "--warm-up", 0)
    counted(result, lost=server.lost)
    assert server.lost > 0


def test_ids_that_nobody_has_are_unexpected():
    with FaultyServer(answering(reply_server.misname)) as server:
        result = run(server.url, *REQUEST, *FULL)
    counted(result, unexpected=server.swapped)
    assert server.swapped > 0
    assert result["errors"]["an id that no request has"]["count"] == server.swapped
    assert '"id"' in result["errors"]["an id that no request has"]["example"]


def test_an_answer_after_its_time_is_late():
    with FaultyServer(reply_server.answer_late) as server:
        result = run(server.url, *REQUEST, "--connections", 1, "--in-flight", 2, "--duration", 5,
                     "--warm-up", 0, "--timeout", "0.3", "--rate", 50, statuses=(PASSED, LIMITED))
    assert server.swapped == 1
    assert over_all(result, "late") == 1 and over_all(result, "lost") >= 1


@pytest.mark.parametrize("handle, error", [
    (replying("hello"), "a reply is not JSON"),
    (replying(b"\xff\xff"), "a reply is not JSON"),
    (reply_server.answer_much, "a reply above 1 MiB, with no id in that"),
])
def test_what_has_no_readable_id_answers_nothing(handle, error):
    with FaultyServer(handle) as server:
        result = run(server.url, *REQUEST, "--timeout", "0.5", "--connections", 2, "--duration", 1,
                     "--warm-up", "0.1", statuses=(FAILED,))
    assert set(result["errors"]) == {error}
    assert over_all(result, "received") == 0
    # What still comes when it closes is counted, but no error any more.
    assert over_all(result, "unexpected") >= result["errors"][error]["count"] > 0


def test_one_of_two_messages_is_the_reply():
    with FaultyServer(reply_server.answer_twice) as server:
        result = run(server.url, *REQUEST, "--reply-if", "/type=next", "--in-flight", 4, *QUICK)
        assert result["errors"] == {}
        counted(result, delivered=over_all(result, "delivered"))
        assert over_all(result, "delivered") > 0 and over_all(result, "received") > 0
        before = server.received
        result = run(server.url, *REQUEST, "--connections", 1, *QUICK)
        doubles = over_all(result, "duplicated")
    assert 0 < doubles <= server.received - before


SCENARIO = """
target = "{url}"
pattern = "request"
connections = 3
in_flight = 2
warm_up = 0
duration = "300ms"
message = '{{{{"id":"{{token}}/{{seq}}"}}}}'

[[step]]
send = '{{{{"id":"login"}}}}'
extract = {{ token = "/token" }}
"""


def test_a_scenario_logs_in_before_its_requests(tmp_path):
    scenario = tmp_path / "scenario.toml"
    with FaultyServer(reply_server.log_in) as server:
        scenario.write_text(SCENARIO.format(url=server.url), encoding="utf-8")
        result = counted(run("run", scenario))
    assert result["errors"] == {} and over_all(result, "opened") == 3
    assert 0 < over_all(result, "received") <= server.doubled == over_all(result, "sent")


@pytest.mark.parametrize("arguments, told", [
    ([*REQUEST, "--message", "{{}}"], "--message: its id at /id has no {seq}"),
    ([*REQUEST, "--message", '{{"id":"{rand:8}","n":{seq}}}'], "such as '{{\"id\":{seq}}}'"),
    ([*REQUEST, "--reply-id", "id"], "--reply-id: not a JSON pointer"),
    ([*REQUEST, "--reply-if", "type=next"], "--reply-if: not /POINTER=TEXT"),
    ([*REQUEST, "--reply-if", "/type"], "--reply-if: not /POINTER=TEXT"),
    ([*REQUEST, "--size", 20], "--size: a request has at least 64 bytes"),
    (["--reply-id", "/id"], "--reply-id: it needs --pattern request"),
    (["--reply-if", "/a=b"], "--reply-if: it needs --pattern request"),
])
def test_usage_errors_name_the_cure(arguments, told):
    answer = load("ws://127.0.0.1:1/", *arguments)
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert told in answer.stderr


def test_requests_by_id_are_for_websockets(echo):
    answer = load(echo.http("/echo"), *REQUEST)
    assert answer.returncode == USAGE and "--pattern: request is for ws://" in answer.stderr
