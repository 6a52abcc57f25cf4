"""Servers that fail and come back: what requests meet, who is ejected, who is asked meanwhile."""

import re
import select
import time

import pytest

from support.checking import run
from support.frames import KEY, TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import Config, Variant
from support.health import FAST, FOR_LONG, field, get, playing, start, state_lines
from support.pools import order
from support.ports import free_port
from support.serving import Serving
from support.streams import Upstream, connect
from support.waiting import wait_until


@pytest.fixture
def play():
    with playing() as start_playing:
        yield start_playing


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


def test_who_answers_where_none_is_up_is_back_with_the_head_of_its_answer(start_gateway, log_of, played_first, tmp_path):
    server, servers = played_first
    ejection = {**FOR_LONG, "in_a_row": 1, "status": 503}
    gateway = start_gateway(Config({"app": {"servers": servers, "ejection": ejection}}, [{"pool": "app"}],
                                   control={"socket": str(tmp_path / "control.sock")}), Variant(1))
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server.answer(server.read_request(), b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        assert client.read_response()[0].status == 503
    log.wait("server pool=app", "state=ejected")
    order(gateway, "drain", f"app/{servers[1]['address']}")
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        request = server.read_request()
        server.answer(request, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
        log.wait("server pool=app", "state=up after=ejected")
        request.stream.send(b"x")
        assert client.read_response()[1] == b"x"


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


def test_what_is_known_of_a_server_outlives_a_reload(start_reloading, play):
    good, = play("good")
    config = Config({"app": {"servers": [good.port, free_port()],
                             "ejection": FOR_LONG}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config)
    for _ in range(20):
        assert get(gateway)[0] == 200
    assert len(reload.log.wait_many(1, "state=ejected")) == 1
    config.top = {"via": "other"}
    assert "generation 2" in reload()
    for _ in range(20):
        assert get(gateway)[0] == 200
    assert len(reload.log.lines("state=ejected")) == 1
    config.pools["app"]["ejection"] = {"in_a_row": "off"}
    reload()
    reload.log.wait("server pool=app", "state=up after=reload")


def test_a_request_from_before_a_reload_is_judged_by_what_the_reload_has_set(start_reloading, played_first):
    server, servers = played_first
    ejection = {**FOR_LONG, "in_a_row": 1}
    config = Config({"app": {"servers": servers, "ejection": ejection}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config, Variant(1))
    with connect(gateway.http_port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 1\r\n\r\nx")
        request = server.read_request()
        config.pools["app"]["ejection"] = {"in_a_row": "off"}
        assert "generation 2" in reload()
        server.open.remove(request.stream)
        request.stream.close()
        assert client.read_response()[0].status == 502
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server.answer(server.read_request())
        assert client.read_response()[0].status == 200
    assert not state_lines(reload.log, "ejected")


def test_a_server_that_says_that_it_leaves_keeps_its_websockets(start_gateway, log_of, play):
    other, = play("other")
    leaving = Upstream(free_port())
    try:
        gateway, log = start(start_gateway, log_of, [leaving, other], Variant(1), drain_on=[503],
                             drain_time="5s", ejection={"in_a_row": "off"})
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
            told = time.monotonic()
            stream.send(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                        b"Content-Length: 0\r\n\r\n")
            assert asking.read_response()[0].status == 503
        log.wait("server pool=app", "state=leaving status=503")
        reached = [reaches(gateway, leaving) for _ in range(4)]
        assert not any(reached) or time.monotonic() - told >= 5
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
