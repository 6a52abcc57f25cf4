"""Servers that are checked: what a check asks and finds, and what is known through reloads."""

import os
import signal
import threading

import pytest

from support.checking import run
from support.gateway import Config, Variant
from support.health import FAST, get, playing, start, state_lines
from support.ports import free_port
from support.reloading import saying
from support.streams import Upstream
from support.waiting import wait_until


@pytest.fixture
def play():
    with playing() as start_playing:
        yield start_playing


def test_a_server_that_stands_still_is_found_by_its_checks(start_gateway, start_echo, play, log_of):
    echo = start_echo()
    sites = play("one", "two")
    gateway, log = start(start_gateway, log_of, [*sites, echo],
                         health={**FAST, "timeout": "1s", "status": "200-499"})
    os.kill(echo.pid, signal.SIGSTOP)
    try:
        assert "in time" in log.wait("server pool=app", f"127.0.0.1:{echo.port}", "state=down")
        # A site that was late itself is back soon.
        wait_until(lambda: {get(gateway)[1] for _ in range(20)} == {"one", "two"}, "the two to serve")
    finally:
        os.kill(echo.pid, signal.SIGCONT)
    log.wait("server pool=app", f"127.0.0.1:{echo.port}", "state=up after=check")
    wait_until(lambda: get(gateway)[1] not in ("one", "two"), "an answer of the one that was stopped")


@pytest.mark.parametrize("kind, passes", [
    ({"type": "http"}, True),
    ({"type": "http", "path": "/missing"}, False),
    ({"type": "http", "status": [204]}, False),
    ({"type": "http", "body": "fi"}, True),
    ({"type": "http", "body": "fine and more"}, False),
    ({"type": "http", "body": "gone"}, False),
    ({"type": "tcp"}, True),
    ({"type": "websocket"}, False),
], ids=str)
def test_what_a_check_asks_decides(start_gateway, play, log_of, kind, passes):
    site, = play("fine")
    site.answers["/missing"] = (404, {})
    _, log = start(start_gateway, log_of, [site], health={**FAST, **kind, "initially": "down"})
    word = "up after=check" if passes else "down"
    if passes:
        log.wait("server pool=app", f"state={word}")
    else:
        wait_until(lambda: len(site.asked(kind.get("path", "/"))) >= 3, "three checks")
        assert not state_lines(log, "up")


def test_a_websocket_check_wants_its_echo(start_gateway, start_echo, log_of):
    echo = start_echo()
    _, log = start(start_gateway, log_of, [echo], health={
        **FAST, "type": "websocket", "path": "/echo", "echo": "are you there", "initially": "down"})
    log.wait("server pool=app", "state=up after=check")


@pytest.mark.parametrize("kind", ["tls", "http"])
def test_checks_speak_tls_where_the_pool_does(start_gateway, log_of, kind):
    backend = start_gateway(Config({}, [saying("fine")]))
    for port, state in ((backend.https_port, "up after=check"), (backend.http_port, "down")):
        _, log = start(start_gateway, log_of, [port], tls={"verify": False}, health={
            **FAST, "type": kind, "initially": "down" if state.startswith("up") else "up"})
        log.wait("server pool=app", f"state={state}")


def test_hostile_answers_to_a_check_are_failures(start_gateway, log_of):
    for answer in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000,
                   b"HTTP/1.1 103 Early Hints\r\n\r\n" * 4_000,
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nf"):
        server = Upstream(free_port())
        try:
            gateway, log = start(start_gateway, log_of, [server], health={**FAST, "body": "fine"})
            for _ in range(2):
                stream = server.accept()
                stream.read_until(b"\r\n\r\n")
                try:
                    stream.send(answer)
                    stream.finish()
                except OSError:
                    pass
            log.wait("server pool=app", "state=down")
            gateway.finish()
        finally:
            server.close()


def test_the_process_asks_once_in_a_while_whatever_shards_and_reloads(start_reloading, play):
    sites = play("one", "two", "three", "four")
    config = Config({"app": {"servers": [site.port for site in sites], "health": {
        "path": "/health", "every": "200ms"}}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config, Variant(4))
    wait_until(lambda: all(len(site.asked("/health")) >= 5 for site in sites), "five checks")
    config.top = {"via": "other"}
    reload()
    wait_until(lambda: all(len(site.asked("/health")) >= 15 for site in sites), "fifteen checks")
    for site in sites:
        asked = site.asked("/health")
        assert (asked[-1] - asked[0]) / (len(asked) - 1) > 0.1, "not once for each shard"
    config.pools["app"].pop("health")
    reload()
    counts = [len(site.asked("/health")) for site in sites]
    for _ in range(20):
        get(gateway)
    # Those that were under way may have ended meanwhile.
    assert all(len(site.asked("/health")) <= count + 1 for site, count in zip(sites, counts))


def test_a_check_says_that_a_server_leaves_and_that_it_stays(start_gateway, log_of, play):
    site, other = play("site", "other")
    gateway, log = start(start_gateway, log_of, [site, other], health={**FAST, "path": "/health"},
                         drain_on=503)
    site.answers["/health"] = (503, {})
    log.wait("server pool=app", f":{site.port}", "state=leaving check=")
    assert {get(gateway) for _ in range(6)} == {(200, "other")}
    del site.answers["/health"]
    log.wait("server pool=app", f":{site.port}", "state=up after=check")
    assert {get(gateway)[1] for _ in range(6)} == {"site", "other"}


def test_what_a_check_has_said_is_over_with_the_checks(start_reloading, play):
    site, other = play("site", "other")
    config = Config({"app": {"servers": [site.port, other.port], "drain_on": 503,
                             "health": {**FAST, "path": "/health"}}}, [{"pool": "app"}])
    site.answers["/health"] = (503, {})
    gateway, reload = start_reloading(config)
    gateway.wait_for(lambda: "state=leaving check=" in gateway.log(), "the check's outcome")
    config.pools["app"].pop("health")
    reload()
    reload.log.wait("server pool=app", f":{site.port}", "state=up after=reload")
    assert {get(gateway)[1] for _ in range(6)} == {"site", "other"}


def test_who_serves_is_not_down_when_a_reload_brings_checks(start_reloading, play):
    old, new = play("old", "new")
    config = Config({"app": {"servers": [old.port]}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config, Variant(3))
    assert get(gateway) == (200, "old")
    for site in (old, new):
        site.delays["/health"] = threading.Event()
    config.pools["app"]["health"] = {"path": "/health", "every": "100ms", "timeout": "60s",
                                     "initially": "down"}
    reload()
    assert {get(gateway) for _ in range(6)} == {(200, "old")}
    config.pools["app"]["servers"].append(new.port)
    reload()
    assert len(reload.log.wait_many(1, "server pool=app", "state=down until=check")) == 1
    assert {get(gateway) for _ in range(12)} == {(200, "old")}
    new.delays["/health"].set()
    reload.log.wait("server pool=app", f":{new.port}", "state=up after=check")
    assert {get(gateway)[1] for _ in range(12)} == {"old", "new"}
    assert len(state_lines(reload.log, "down")) == 1


def test_a_reload_cuts_no_check_short(start_reloading, play):
    slow, quick = play("slow", "quick")
    slow.delays["/health"] = threading.Event()
    config = Config({"app": {"servers": [slow.port, quick.port], "health": {
        "path": "/health", "every": "300ms", "timeout": "60s", "fall": 1}}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config)
    wait_until(lambda: slow.asked("/health"), "the check that is under way")
    config.pools["app"]["health"]["every"] = "100ms"
    reload()
    asked = len(quick.asked("/health"))
    wait_until(lambda: len(quick.asked("/health")) >= asked + 5, "more time than between two checks")
    slow.delays["/health"].set()
    wait_until(lambda: len(slow.asked("/health")) >= 2, "the next check")
    assert not state_lines(reload.log, "down")
    assert get(gateway)[0] == 200


def test_the_check_of_a_configuration_prints_and_refuses(tmp_path):
    file = tmp_path / "gateway.conf"
    config = Config({"app": {"servers": free_port(), "health": {"type": "tcp", "every": "3s"}}},
                    [{"pool": "app"}])
    file.write_text(config.text())
    done = run("-t", "-c", file)
    assert done.returncode == 0 and '[pool.app.health]\ntype = "tcp"\nevery = "3s"' in done.stdout
    file.write_text(config.text().replace('"tcp"', '"icmp"'))
    assert "'type' must be" in run("-t", "-c", file).stderr
