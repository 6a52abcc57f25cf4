"""gateway-load's bad citizens against servers that bear with them: they stay, the run ends in time, and what
happens to them is in none of the others' figures."""

import pytest
from raw_server import RawServer
from test_load import FAILED, LIMITED, PASSED, USAGE, load, over_all, run

FAIR = (PASSED, LIMITED)
PATIENT = ["slow-reader", "half-open", "never-pong", "oversize", "broken"]
ALL = ",".join(f"{kind}=10%" for kind in [*PATIENT, "reset"])


def ended(bad):
    """By the target; what became of all adds up."""
    count = sum(bad["closes"].values()) + sum(bad["statuses"].values()) + bad["cut"]
    assert bad["opened"] == count + bad["ended_by_us"] + bad["open"]
    assert bad.get("until_ended", {"count": 0})["count"] == count
    return count


def listen(server, peer):
    """Upgrades, then reads all and says nothing."""
    peer.upgrade()
    while peer.connection.recv(1 << 16):
        server.count("answered")


@pytest.mark.parametrize("threads", [1, 2])
def test_the_load_is_carried_by_the_others(echo, threads):
    result = run(echo.ws("/echo"), "--connections", 30, "--rate", 300, "--duration", 1.5, "--warm-up",
                 0, "--bad", ALL, "--threads", threads, statuses=FAIR)
    assert {kind: bad["opened"] >= 3 for kind, bad in result["bad"].items()} == dict.fromkeys(
        [*PATIENT, "reset"], True)
    for kind, bad in result["bad"].items():
        assert ended(bad) == 0 or kind == "broken"
        assert bad["refused"] == 0
    assert over_all(result, "opened") == result["open"] == 12
    assert over_all(result, "received") > 0
    for name in ("lost", "unanswered", "unexpected", "failed", "lost_idle", "lost_sending"):
        assert over_all(result, name) == 0, name
    assert result["errors"] == {} and result["closes_by_peer"] == {}
    assert result["closes_by_us"] == {"1000": 12} and result["statuses"] == {"101": 12}


def test_a_server_that_ends_nobody_keeps_them_to_the_end():
    with RawServer(listen) as server:
        result = run(server.url("ws"), "--pattern", "push", "--connections", 20, "--duration", 1,
                     "--warm-up", 0, "--bad", ",".join(f"{kind}=10%" for kind in PATIENT),
                     statuses=(FAILED, LIMITED))
    assert set(result["bad"]) == set(PATIENT)
    for kind, bad in result["bad"].items():
        assert (bad["opened"], bad["open"], ended(bad)) == (2, 2, 0), kind
        assert bad["open_longest_ns"] > 0
        assert f"{kind}: none of 2 was ended by the target; 2 were open" in result["verdict"]["text"]


def test_where_the_server_sends_they_say_nothing():
    """Else others would get what no publisher has sent."""
    said = []

    def keep(_server, peer):
        peer.upgrade()
        while more := peer.connection.recv(1 << 16):
            said.append(more)

    with RawServer(keep) as server:
        result = run(server.url("ws"), "--pattern", "push", "--connections", 10, "--duration", 1,
                     "--warm-up", 0, "--bad", "never-pong=20%,slow-reader=20%", statuses=(FAILED, LIMITED))
    assert [bad["opened"] for bad in result["bad"].values()] == [2, 2]
    # The close frames of the others.
    assert {each[:1] for each in said} == {b"\x88"} and len(said) == 6


def test_a_reset_comes_in_the_middle_of_a_message():
    cut = []

    def notice(server, peer):
        peer.upgrade()
        received = b""
        try:
            while more := peer.connection.recv(1 << 16):
                received += more
        except ConnectionResetError:
            cut.append(received)

    with RawServer(notice) as server:
        result = run(server.url("ws"), "--pattern", "push", "--connections", 4, "--duration", 2,
                     "--warm-up", 0, "--size", 1000, "--bad", "reset=50%", statuses=(FAILED, LIMITED))
        for thread in list(server.threads):
            thread.join(30)
    reset = result["bad"]["reset"]
    assert ended(reset) == 0 and reset["opened"] > 2
    # The others end with a close frame.
    cut = [each for each in cut if not each.startswith(b"\x88")]
    assert len(cut) == reset["opened"]
    # Half of 1000 bytes and a header of 8; one that opened as the run ended may have said nothing yet.
    assert {len(each) for each in cut} <= {0, 504} and any(cut)
    assert result["errors"] == {} and over_all(result, "opened") == 2


def test_who_is_refused_is_counted_apart():
    def one_only(server, peer):
        if peer.index == 0:
            return listen(server, peer)
        peer.read_head()
        peer.connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        return None

    with RawServer(one_only) as server:
        result = run(server.url("ws"), "--pattern", "push", "--connections", 2, "--duration", 1,
                     "--warm-up", 0, "--bad", "never-pong=50%", statuses=(FAILED, LIMITED))
    bad = result["bad"]["never-pong"]
    assert bad["refused"] >= 1 and bad["opened"] == ended(bad) == 0
    assert result["errors"] == {} and result["statuses"] == {"101": 1}
    assert over_all(result, "connects") == over_all(result, "opened") == 1


def test_http_has_half_open_ones_and_resets(echo):
    result = run(echo.http("/echo"), "--connections", 20, "--duration", 1.5, "--warm-up", 0, "--bad",
                 "half-open=20%,reset=10%", statuses=FAIR)
    half_open, reset = (result["bad"][kind] for kind in ("half-open", "reset"))
    assert half_open["opened"] == half_open["open"] == 4
    assert reset["ended_by_us"] >= 2 and ended(reset) == 0
    assert result["errors"] == {} and over_all(result, "opened") == 14
    assert over_all(result, "received") > 0 and over_all(result, "lost") == 0


def test_a_scenario_has_them_in_each_phase(tmp_path):
    scenario = tmp_path / "scenario.toml"
    with RawServer(listen) as server:
        scenario.write_text(f"""
            target = "{server.url("ws")}"
            pattern = "push"
            warm_up = 0
            bad = ["never-pong=30%", "half-open=20%"]
            [[phase]]
            duration = 0.5
            connections = 10
            [[phase]]
            name = "more"
            duration = 1
            connections = 20
            [[phase]]
            name = "fewer"
            duration = 1
            connections = 10
            """)
        result = run("run", scenario, statuses=(FAILED, LIMITED))
    never_pong, half_open = (result["bad"][kind] for kind in ("never-pong", "half-open"))
    assert ended(never_pong) == ended(half_open) == 0
    assert (never_pong["opened"], never_pong["ended_by_us"], never_pong["open"]) == (6, 3, 3)
    assert (half_open["opened"], half_open["ended_by_us"], half_open["open"]) == (4, 2, 2)
    assert over_all(result, "opened") == 10


@pytest.mark.parametrize("scheme, bad, cure", [
    ("ws", "slow-raeder=5%", "--bad: unknown kind 'slow-raeder'; did you mean 'slow-reader'?"),
    ("ws", "reset=60%,broken=50%", "--bad: the shares come to 110 % together: at most 100 %"),
    ("ws", "reset=100%", "--bad: of 10 connections none is left to carry the load"),
    ("ws", "reset", "--bad: not KIND=SHARE, such as slow-reader=5%: reset"),
    ("ws", "reset=much", "--bad: reset: "),
    ("http", "never-pong=5%", "--bad: never-pong is for ws:// and wss://; http:// and https:// have"),
])
def test_what_is_wrong_is_told_with_the_cure(echo, tmp_path, scheme, bad, cure):
    url = echo.ws("/echo") if scheme == "ws" else echo.http("/echo")
    answer = load(url, "--bad", bad)
    assert answer.returncode == USAGE and cure in answer.stderr
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(f'target = "{url}"\nbad = "{bad}"\n')
    answer = load("run", scenario)
    assert answer.returncode == USAGE and f"scenario.toml:2:7: {cure}" in answer.stderr


@pytest.mark.parametrize("kind", ["half-open", "reset"])
def test_requests_larger_than_a_batch_hurt_nobody(echo, kind):
    result = run(echo.http("/echo"), "--body", "1M", "--connections", 8, "--bad", f"{kind}=50%", "--duration",
                 1, "--warm-up", 0, statuses=FAIR)
    assert result["bad"][kind]["opened"] >= 4 and over_all(result, "received") > 0


@pytest.mark.parametrize("kind", ["slow-reader", "reset", "never-pong", "half-open", "oversize", "broken"])
def test_messages_larger_than_a_batch_hurt_nobody(echo, kind, tmp_path):
    scenario = tmp_path / "large.toml"
    scenario.write_text(f"message = '{{seq}} {'{rand:65536}' * 8}'\nwarm_up = 0\nduration = '1s'\n"
                        f"connections = 8\nbad = '{kind}=50%'\n")
    result = run("run", scenario, "--url", echo.ws("/echo"), statuses=FAIR)
    assert result["bad"][kind]["opened"] >= 4 and over_all(result, "received") > 0
