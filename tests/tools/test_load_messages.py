"""gateway-load: what its messages are. Sizes that are drawn, templates, what replies give, scenarios whose
steps log in before the load."""

import pytest
import faulty_server
from faulty_server import FaultyServer
from test_load import FAILED, LIMITED, PASSED, QUICK, UNREACHABLE, USAGE, held, load, over_all, run

FAULTS = [("lose", "lost", "lost"), ("double", "doubled", "duplicated"), ("swap", "swapped", "reordered")]
NUMBERED = '{{"n":{seq},"c":{conn},"at":{time},"x":"{rand:8}"}}'


def assert_counted_exactly(result, server, done, counted):
    assert server.received > 0 and getattr(server, done) > 0
    assert over_all(result, counted) == getattr(server, done)
    others = {"lost", "duplicated", "reordered", "unexpected", "unanswered"} - {counted}
    assert {name: over_all(result, name) for name in others} == dict.fromkeys(others, 0)


@pytest.fixture(name="users")
def _users(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text('id,name\n1,ann\n2,"b o b"\n3,eve\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("sizes, least, most", [
    ("0..100", 0, 100), ("16..40", 16, 40), ("64..16k", 64, 16384), ("exp:1k", 1, 32768),
    ("64*9,16k*1", 64, 16384), ("10,1M", 10, 1 << 20),
])
@pytest.mark.parametrize("kind", [[], ["--text"]], ids=["binary", "text"])
def test_sizes_that_are_drawn_come_back(echo, sizes, least, most, kind):
    result = run(echo.ws("/echo"), "--size", sizes, "--connections", 3, "--in-flight", 4, *QUICK, *kind)
    counts = held(result)["counts"]
    assert result["errors"] == {}
    mean = counts["received_bytes"] / counts["received"]
    assert least <= mean <= most and (counts["received"] < 1000 or least < mean < most)
    assert [counts.get(name, 0) for name in ("lost", "duplicated", "reordered", "unexpected")] == [0] * 4


@pytest.mark.parametrize("messages", [["--size", "24..9k"], ["--message", NUMBERED]],
                         ids=["sizes", "template"])
@pytest.mark.parametrize("fault, done, counted", FAULTS)
def test_faults_are_counted_exactly(fault, done, counted, messages):
    with FaultyServer(getattr(faulty_server, fault)) as server:
        result = run(server.url, "--connections", 3, "--in-flight", 8, "--duration", "0.5", "--warm-up",
                     "0", *messages)
    assert_counted_exactly(result, server, done, counted)


def test_a_template_without_a_number_is_answered_in_order(echo, users):
    result = run(echo.ws("/echo"), "--message", f"hello {{file:{users}:name}}", "--connections", 3,
                 "--in-flight", 2, *QUICK)
    counts = held(result)["counts"]
    assert result["errors"] == {} and counts["received"] > 0
    # "ann", "b o b" and "eve", each on its own connection.
    assert 9 <= counts["received_bytes"] / counts["received"] <= 11


def test_what_is_no_echo_answers_the_oldest():
    with FaultyServer(faulty_server.replying("ok")) as server:
        result = run(server.url, "--message", NUMBERED, "--in-flight", 4, *QUICK)
    assert result["errors"] == {} and over_all(result, "lost") == 0
    counts = held(result)["counts"]
    assert counts["received_bytes"] == 2 * counts["received"] > 0


def test_large_templates_are_sent_whole(echo):
    text = "{seq} " + "{rand:65536}" * 16
    result = run(echo.ws("/echo"), "--message", text, "--connections", 2, *QUICK)
    counts = held(result)["counts"]
    assert result["errors"] == {} and counts["received_bytes"] > counts["received"] * 16 * 65536 > 0


def test_what_a_template_publishes_reaches_all():
    with FaultyServer(faulty_server.broadcast) as server:
        result = run(server.url, "--pattern", "publish", "--connections", 12, "--rate", 100, "--message",
                     NUMBERED, "--duration", 1, "--warm-up", 0, statuses=(PASSED, LIMITED))
    counts = held(result)["counts"]
    assert counts["delivered"] == pytest.approx(12 * counts["received"], abs=48)
    assert held(result)["timings"]["delivery"]["count"] > 0
    assert over_all(result, "lost") == 0 and result["errors"] == {}


SCENARIO = """
target = "{url}"
connections = 5
warm_up = 0
duration = "300ms"
message = '{{{{"n":{{seq}},"token":"{{token}}"}}}}'

[[step]]
[[step]]
send = '{{{{"login":"{{file:{users}:name}}"}}}}'
extract = {{ token = "/data/token" }}
[[step]]
send = "subscribe {{token}}"
reply = false
"""


def test_a_scenario_logs_in_and_subscribes(tmp_path, users):
    scenario = tmp_path / "scenario.toml"
    with FaultyServer(faulty_server.log_in) as server:
        scenario.write_text(SCENARIO.format(url=server.url, users=users), encoding="utf-8")
        result = run("run", scenario, "--in-flight", 2)
    assert result["errors"] == {} and over_all(result, "opened") == 5
    assert sorted(server.names) == ["ann", "ann", "b o b", "b o b", "eve"]
    # Steps are none of the load.
    assert over_all(result, "sent") == server.received > 0
    assert over_all(result, "lost") == 0 and over_all(result, "unexpected") == 0


def test_a_first_message_gives_what_the_others_need(users):
    with FaultyServer(faulty_server.replying('{"token":"t\\u00e9","n":[7]}')) as server:
        result = run(server.url, "--first", f"{{file:{users}:id}}", "--extract", "token=/token",
                     "--extract", "n=/n/0", "--message", "{token}-{n}", "--connections", 2, "--duration",
                     "0.3", "--warm-up", 0)
    counts = held(result)["counts"]
    assert result["errors"] == {}
    assert counts["sent_bytes"] == len("t\u00e9-7".encode()) * counts["sent"] > 0


@pytest.mark.parametrize("handle, error", [
    (faulty_server.replying("{}"), "step 1: /data/token in a reply: nothing is there"),
    (faulty_server.replying("no"), "step 1: a reply to take from is not JSON"),
    (faulty_server.replying(b"\xff" * 2_000_000), "step 1: a reply above 1 MiB to take from"),
    (faulty_server.turn_away, "step 1: closed by the peer: 1008"),
    (faulty_server.hang, "step 1: no reply: timeout"),
])
def test_a_step_that_fails_is_told(handle, error):
    with FaultyServer(handle) as server:
        result = run(server.url, "--first", "login", "--extract", "token=/data/token", "--connections", 2,
                     "--timeout", "0.2", *QUICK, statuses=(UNREACHABLE,))
    assert set(result["errors"]) == {error} and result["errors"][error]["count"] == 2
    assert over_all(result, "failed") == 2 and over_all(result, "sent") == 0


@pytest.mark.parametrize("arguments, told", [
    (["--size", "9..8"], "--size: the smaller size comes first"),
    (["--size", "64", "--message", "x"], "--size excludes --message"),
    (["--message", "a{tokne}"], "--message: column 2: {tokne} is none of {seq}"),
    (["--message", "{file:/nowhere.csv:a}"], "--message: column 1: cannot read /nowhere.csv: No such file"),
    (["--message", "{file:/dev/zero:a}"], "above 16 MiB"),
    (["--message", "{seq}", "--pattern", "publish"], "--message: what is published has {seq} and {conn}"),
    (["--pattern", "publish", "--size", "8..64"], "--size: a message that is published"),
    (["--extract", "a=/b"], "--extract: it takes out of the reply to --first"),
    (["--first", "x", "--extract", "seq=/b"], "--extract: not a name"),
    (["--first", "x", "--extract", "a=/b", "--extract", "a=/c"], "--extract: a second field"),
])
def test_usage_errors_name_the_option(arguments, told):
    answer = load("ws://127.0.0.1:1/", *arguments)
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert told in answer.stderr


def test_templates_are_for_websockets(echo):
    answer = load(echo.http("/echo"), "--message", "x")
    assert answer.returncode == USAGE and "ws://" in answer.stderr


@pytest.mark.parametrize("text, told", [
    ("conections = 1", ":1:1: unknown key 'conections'; did you mean 'connections'?"),
    ("\nsize = '1x'", ":2:8: --size: not a size"),
    ("target = 'ws://127.0.0.1:1/'\nmessage = '{x}'", ":2:11: --message: column 1: {x} is none of"),
    ("connections = 0", ":1:15: --connections: "),
    ("[[step]]\nwaits = 1", ":2:1: unknown key 'waits'; did you mean 'wait'?"),
    ("[[step]]\nwait = 'soon'", ":2:8: wait: not a number"),
    ("[[step]]\nwait = '0..2h'", ":2:8: wait: at most 1h"),
    ("x =", ":1:"),
])
def test_a_scenarios_errors_have_their_place(tmp_path, text, told):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(text, encoding="utf-8")
    answer = load("run", scenario)
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert f"{scenario}{told}" in answer.stderr


def test_options_behind_a_scenario_come_after_it(echo, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(f"target = '{echo.ws('/echo')}'\nsize = 100\nfail_if = 'sent<1'\n", encoding="utf-8")
    result = run("run", scenario, "--size", 50, *QUICK)
    counts = held(result)["counts"]
    assert counts["received_bytes"] == 50 * counts["received"] > 0
    assert load("run", scenario, *QUICK, "--fail-if", "sent>0").returncode == FAILED
