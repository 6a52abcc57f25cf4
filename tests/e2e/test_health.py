"""Servers that fail and come back: what requests meet, what checks find, who is asked meanwhile."""

import os
import re
import select
import signal
import threading

import pytest

from support.checking import run
from support.frames import KEY, TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import Config, Variant
from support.ports import free_port
from support.reloading import ask, saying
from support.serving import Serving
from support.site import Site
from support.streams import Upstream, connect
from support.waiting import wait_until

FOR_LONG = {"time": "10m", "time_max": "10m"}
FAST = {"every": "100ms", "timeout": "1s", "fall": 2, "rise": 2}


@pytest.fixture
def play():
    """play(name): a server that answers until the test ends."""
    played = []

    def start(*names):
        played.extend(Site(name) for name in names)
        return played[-len(names):]

    yield start
    for site in played:
        for delay in site.delays.values():
            delay.set()
        site.stop()


def start(start_gateway, log_of, sites, variant=Variant(2), control=None, **keys):
    ports = [getattr(site, "port", site) for site in sites]
    gateway = start_gateway(Config({"app": {"servers": ports, **keys}}, [{"pool": "app"}],
                                   control=control), variant)
    log = log_of(gateway)
    log.mark = 0  # the first check may have been made before
    return gateway, log


def get(gateway, target="/"):
    with connect(gateway.http_port) as client:
        return ask(client, target)


def field(gateway, name, target="/"):
    with connect(gateway.http_port) as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())
        head, _ = client.read_response()
        return head.status, head.get(name)


def state_lines(log, word):
    return log.lines("server pool=app", f" state={word}")


def test_a_server_that_refuses_is_ejected_and_nobody_notices(start_gateway, play, log_of, tmp_path):
    good = play("good")
    gateway, log = start(start_gateway, log_of, [*good, free_port()], ejection=FOR_LONG,
                         control={"socket": str(tmp_path / "control.sock")})
    assert {get(gateway) for _ in range(40)} == {(200, "good")}
    lines = state_lines(log, "ejected")
    assert len(lines) == 1, "one line for the process"
    assert "for=10m" in lines[0] and "Connection refused" in lines[0]
    told = run("status", "-c", gateway.file).stdout
    assert re.search(r"server app/\S+ +ejected websockets=0 requests=0 ejections=1$", told, re.M)
    refused = len(log.lines("resends=1"))
    assert {get(gateway) for _ in range(20)} == {(200, "good")}
    assert len(log.lines("resends=1")) == refused


def test_a_server_that_is_killed_fails_no_request_that_may_be_repeated(start_gateway, start_echo,
                                                                       play, log_of):
    echo = start_echo()
    sites = play("one", "two")
    gateway, log = start(start_gateway, log_of, [*sites, echo], ejection=FOR_LONG)
    assert get(gateway)[0] == 200
    echo.kill()
    assert {get(gateway)[0] for _ in range(30)} == {200}
    assert f"127.0.0.1:{echo.port}" in log.wait("server pool=app", "state=ejected")


def test_a_server_that_stands_still_is_found_by_its_checks(start_gateway, start_echo, play, log_of):
    echo = start_echo()
    sites = play("one", "two")
    gateway, log = start(start_gateway, log_of, [*sites, echo],
                         health={**FAST, "timeout": "200ms", "status": "200-499"})
    os.kill(echo.pid, signal.SIGSTOP)
    try:
        line = log.wait("server pool=app", "state=down")
        assert f"127.0.0.1:{echo.port}" in line and "in time" in line
        assert {get(gateway)[1] for _ in range(20)} == {"one", "two"}
    finally:
        os.kill(echo.pid, signal.SIGCONT)
    log.wait("server pool=app", f"127.0.0.1:{echo.port}", "state=up after=check")
    wait_until(lambda: get(gateway)[1] not in ("one", "two"), "an answer of the one that was stopped")


def test_answers_that_are_failures_eject_and_a_trial_decides(start_gateway, play, log_of):
    good, bad = play("good", "bad")
    bad.status = 503
    gateway, log = start(start_gateway, log_of, [good, bad], ejection={"time": "300ms"})
    failed = 0
    while failed < 3:
        assert not state_lines(log, "ejected")
        failed += get(gateway) == (503, "bad")
    first = log.wait("server pool=app", "state=ejected for=300ms")
    assert "answered 503" in first
    # Its trials fail, each time for longer.
    wait_until(lambda: get(gateway) and log.lines("state=ejected for=600ms"), "a trial that fails")
    bad.status = 200
    wait_until(lambda: get(gateway) and log.lines("state=up after=ejected"), "one that succeeds")
    assert {get(gateway)[1] for _ in range(10)} == {"good", "bad"}


@pytest.fixture
def played_first(play):
    """A server that the test plays, and the keys of a pool that goes to another one where that is ejected."""
    other, = play("other")
    upstream = Upstream(free_port())
    yield Serving(upstream), [upstream.port, {"address": f"127.0.0.1:{other.port}", "backup": True}]
    upstream.close()


def keep_two(gateway, server):
    """Two connections to the server, which are kept."""
    with connect(gateway.http_port) as one, connect(gateway.http_port) as two:
        for client in (one, two):
            client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        requests = [server.read_request(), server.read_request()]
        assert requests[0].stream is not requests[1].stream
        for request in requests:
            server.answer(request)
        assert [client.read_response()[0].status for client in (one, two)] == [200, 200]


def test_a_kept_connection_that_has_closed_is_no_failure_of_its_server(start_gateway, log_of, played_first):
    server, servers = played_first
    gateway = start_gateway(Config({"app": {"servers": servers, "ejection": {**FOR_LONG, "in_a_row": 2}}},
                                   [{"pool": "app"}]), Variant(1))
    log = log_of(gateway)
    keep_two(gateway, server)
    for _ in range(2):
        with connect(gateway.http_port) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 1\r\n\r\nx")
            request = server.read_request()
            server.open.remove(request.stream)
            request.stream.close()
            assert client.read_response()[0].status == 502, "it may not be sent twice"
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server.answer(server.read_request())
        assert client.read_response()[0].status == 200
    assert not state_lines(log, "ejected")


def test_a_trial_goes_over_a_new_connection(start_gateway, log_of, played_first):
    server, servers = played_first
    ejection = {"in_a_row": 1, "status": 503, "time": "100ms", "time_max": "100ms"}
    gateway = start_gateway(Config({"app": {"servers": servers, "ejection": ejection}},
                                   [{"pool": "app"}]), Variant(1))
    log = log_of(gateway)
    keep_two(gateway, server)
    kept = list(server.open)
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server.answer(server.read_request(),
                      b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        assert client.read_response()[0].status == 503
    assert len(log.wait_many(1, "server pool=app", " state=ejected")) == 1

    def trial():
        with connect(gateway.http_port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
            sockets = [client.socket, server.listener, *(stream.socket for stream in kept)]
            ready = select.select(sockets, [], [], 5)[0]
            if client.socket in ready:
                assert client.read_response()[0].status == 200
                return None
            request = server.read_request()
            server.answer(request)
            assert client.read_response()[0].status == 200
            return request.stream

    assert wait_until(trial, "a trial") not in kept
    log.wait("server pool=app", "state=up after=ejected")


def test_no_more_than_half_of_a_pool_is_ejected(start_gateway, play, log_of):
    sites = play("a", "b", "c", "d", "e")
    for site in sites:
        site.status = 502
    gateway, log = start(start_gateway, log_of, sites, ejection=FOR_LONG)
    for _ in range(60):
        assert get(gateway)[0] == 502
    assert len(state_lines(log, "ejected")) == 2


def test_the_only_server_is_never_ejected(start_gateway, play, log_of):
    site, = play("only")
    site.status = 503
    gateway, log = start(start_gateway, log_of, [site])
    assert {get(gateway) for _ in range(10)} == {(503, "only")}
    site.status = 200
    assert get(gateway) == (200, "only")
    assert not state_lines(log, "ejected")


def test_a_rate_ejects_among_enough_requests(start_gateway, play, log_of):
    good, bad = play("good", "bad")
    bad.answers["/bad"] = (500, {})
    gateway, log = start(start_gateway, log_of, [good, bad], Variant(1),
                         ejection={"in_a_row": "off", "rate": "40%", "requests_min": 10,
                                   "status": [500], "window": "10m", **FOR_LONG})
    for _ in range(15):
        get(gateway)
        get(gateway)
        get(gateway, "/bad")
        get(gateway, "/bad")
    assert len(state_lines(log, "ejected")) == 1


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


def test_what_is_known_of_a_server_outlives_a_reload(start_reloading, play):
    good, = play("good")
    config = Config({"app": {"servers": [good.port, free_port()],
                             "ejection": FOR_LONG}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config)
    for _ in range(20):
        assert get(gateway)[0] == 200
    assert len(reload.log.lines("state=ejected")) == 1
    config.top = {"via": "other"}
    assert "generation 2" in reload()
    for _ in range(20):
        assert get(gateway)[0] == 200
    assert len(reload.log.lines("state=ejected")) == 1
    config.pools["app"]["ejection"] = {"in_a_row": "off"}
    reload()
    reload.log.wait("server pool=app", "state=up after=reload")


def test_a_server_that_says_that_it_leaves_keeps_its_websockets(start_gateway, log_of, play):
    other, = play("other")
    leaving = Upstream(free_port())
    try:
        gateway, log = start(start_gateway, log_of, [leaving, other], Variant(1), drain_on=[503],
                             drain_time="1s", ejection={"in_a_row": "off"})
        client = connect(gateway.http_port)
        client.send(upgrade_request(host="x.test"))
        server = leaving.accept()
        server.read_until(b"\r\n\r\n")
        server.send(upgrade_response(KEY))
        assert b" 101 " in client.read_until(b"\r\n\r\n")
        assert get(gateway) == (200, "other")
        with connect(gateway.http_port) as asking:
            asking.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
            stream = leaving.accept()
            stream.read_until(b"\r\n\r\n")
            stream.send(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                        b"Content-Length: 0\r\n\r\n")
            assert asking.read_response()[0].status == 503
        log.wait("server pool=app", "state=leaving status=503")
        assert {get(gateway) for _ in range(4)} == {(200, "other")}
        client.send(frame(TEXT, b"still here", masked=True))
        assert read_frame(server).payload == b"still here"
        client.close()
        wait_until(lambda: reaches(gateway, leaving), "it to be asked again")
    finally:
        leaving.close()


def reaches(gateway, upstream):
    """Whether this request reaches the server that the test plays."""
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        ready = select.select([client.socket, upstream.listener], [], [], 5)[0]
        return upstream.listener in ready


def test_where_no_server_is_up_nobody_is_dialled(start_gateway, log_of, play):
    site, = play("only")
    site.answers["/health"] = (500, {})
    gateway, log = start(start_gateway, log_of, [site], health={**FAST, "path": "/health"},
                         retry_after="7s")
    log.wait("server pool=app", "state=down")
    assert field(gateway, "Retry-After") == (503, "7")
    assert not site.asked("/")
    log.wait("request", "end=no-server")


def test_all_are_asked_where_none_is_up_and_that_is_wanted(start_gateway, log_of, play):
    site, = play("only")
    site.answers["/health"] = (500, {})
    gateway, log = start(start_gateway, log_of, [site], health={**FAST, "path": "/health"},
                         fallback="all")
    log.wait("server pool=app", "state=down")
    assert get(gateway) == (200, "only")


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
