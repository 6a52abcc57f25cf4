"""Requests that no server can take at once: limits, queues, holds, and the budgets of upgrades and
retries."""

import contextlib
import threading
import time

import pytest

from support.frames import KEY, upgrade_request, upgrade_response
from support.gateway import Config, Variant
from support.pools import order
from support.ports import free_port
from support.serving import Serving
from support.site import Site
from support.streams import Upstream, connect
from support.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n"


@pytest.fixture
def server():
    upstream = Upstream(free_port())
    yield Serving(upstream)
    upstream.close()


@pytest.fixture
def clients():
    """clients(gateway): one that has asked, and is closed after the test."""
    opened = []

    def ask(gateway, request=GET):
        opened.append(connect(gateway.http_port))
        opened[-1].send(request)
        return opened[-1]

    yield ask
    for client in opened:
        client.close()


def start(start_gateway, servers, variant=Variant(2), timeouts=None, control=None, **keys):
    return start_gateway(Config({"app": {"servers": servers, **keys}}, [{"pool": "app"}],
                                defaults={"timeouts": timeouts or {}}, control=control), variant)


def status_of(client):
    return client.read_response()[0].status


def waiting_ended(gateway, count, word):
    return wait_until(lambda: gateway.log().count(f"end={word}") >= count, f"{count} {word}")


def test_a_server_gets_no_more_than_its_limit_others_wait(start_gateway, server, clients):
    gateway = start(start_gateway, server.upstream.port, Variant(1), connections_max=1,
                    queue={"length": 2, "time": "20s"})
    first = clients(gateway)
    request = server.read_request()
    waiting = [clients(gateway), clients(gateway)]
    # The third in line is refused: so both are in it.
    head = wait_until(lambda: refused_at_once(gateway), "a full queue")
    assert head.status == 503 and head.get("Retry-After") == "5"
    assert server.is_quiet()
    server.answer(request)
    assert status_of(first) == 200
    for _ in waiting:
        request = server.read_request()
        assert server.is_quiet(), "one at a time"
        server.answer(request)
    assert [status_of(client) for client in waiting] == [200, 200]


def refused_at_once(gateway):
    """The head of an answer to who asks now; None: he waits, and has left again. One shard takes its
    clients as they come, so nobody is overtaken by him."""
    with connect(gateway.http_port) as client:
        client.send(GET)
        return client.read_response()[0] if client.wait_readable(0.3) else None


def test_who_waits_too_long_gets_503(start_gateway, server, clients):
    gateway = start(start_gateway, server.upstream.port, connections_max=1,
                    queue={"time": "200ms"})
    first = clients(gateway)
    request = server.read_request()
    second = clients(gateway)
    head = second.read_response()[0]
    assert head.status == 503 and head.get("Retry-After") == "5"
    waiting_ended(gateway, 1, "queue-timeout")
    server.answer(request)
    assert status_of(first) == 200


def test_without_a_queue_nobody_waits(start_gateway, server, clients):
    gateway = start(start_gateway, server.upstream.port, connections_max=1)
    first = clients(gateway)
    request = server.read_request()
    assert status_of(clients(gateway)) == 503
    waiting_ended(gateway, 1, "queue-full")
    server.answer(request)
    assert status_of(first) == 200


def test_who_leaves_frees_its_place_in_the_queue(start_gateway, server, clients):
    gateway = start(start_gateway, server.upstream.port, Variant(1), connections_max=1,
                    queue={"length": 1, "time": "20s"})
    first = clients(gateway)
    request = server.read_request()
    leaving = clients(gateway)
    wait_until(lambda: refused_at_once(gateway), "the queue to be full")
    leaving.reset()
    waiting_ended(gateway, 1, "client-reset")
    second = clients(gateway)
    server.answer(request)
    assert status_of(first) == 200
    request = server.read_request()
    server.answer(request)
    assert status_of(second) == 200
    assert server.is_quiet()


def test_who_waits_is_served_on_every_shard(start_gateway, server, clients):
    """Places that become free on one shard are those of whoever has waited for longest on any."""
    gateway = start(start_gateway, server.upstream.port, Variant(4), connections_max=1,
                    queue={"length": 50, "time": "20s"})
    first = clients(gateway)
    request = server.read_request()
    waiting = [clients(gateway) for _ in range(20)]
    for _ in waiting:
        server.answer(request)
        request = server.read_request()
        assert server.is_quiet()
    server.answer(request)
    assert [status_of(client) for client in (first, *waiting)] == [200] * 21


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_uploads_that_wait_hold_nothing_that_others_need(start_gateway, server, clients, secure):
    """What they send meanwhile, byte by byte, is not in the buffers that all are received with."""
    app = {"servers": server.upstream.port, "connections_max": 1,
           "queue": {"length": 500, "time": "20s"}}
    own = {"path": "/own", "answer": {"body": "own"}}
    gateway = start_gateway(Config({"app": app}, [own, {"pool": "app"}]), Variant(1))
    with contextlib.ExitStack() as stack:
        waiting = []
        for _ in range(400):
            client = stack.enter_context(
                connect(gateway.https_port if secure else gateway.http_port, secure))
            # Kept, it is received from before it asks again.
            client.send(GET)
            server.answer(server.read_request())
            assert status_of(client) == 200
            waiting.append(client)
        first = clients(gateway)
        request = server.read_request()
        for piece in (b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 4\r\n\r\n",
                      b"a", b"b", b"c"):
            for client in waiting:
                client.send(piece)
        asking = clients(gateway, b"GET /own HTTP/1.1\r\nHost: x.test\r\n\r\n")
        assert asking.read_response()[1] == b"own"
        for client in waiting[1:]:
            client.reset()
        waiting_ended(gateway, len(waiting) - 1, "client-reset")
        server.answer(request)
        assert status_of(first) == 200
        waiting[0].send(b"d")
        request = server.read_request()
        assert request.seen.body == "abcd"
        server.answer(request)
        assert status_of(waiting[0]) == 200


def test_upgrades_beyond_their_bound_take_no_turn(start_gateway, clients):
    upstreams = [Upstream(free_port()), Upstream(free_port())]
    try:
        first, second = map(Serving, upstreams)
        gateway = start(start_gateway, [one.port for one in upstreams], Variant(1), upgrades_max=1)
        opening = clients(gateway, upgrade_request(host="x.test"))
        request = first.read_request()
        assert status_of(clients(gateway, upgrade_request(host="x.test"))) == 503
        asking = clients(gateway)
        second.answer(second.read_request())
        assert status_of(asking) == 200
        open_websocket(first, request)
        assert opens(opening)
    finally:
        for upstream in upstreams:
            upstream.close()


def test_a_servers_own_limit_is_its_own(start_gateway, clients):
    upstreams = [Upstream(free_port()), Upstream(free_port())]
    try:
        small, large = map(Serving, upstreams)
        gateway = start(start_gateway, [
            {"address": f"127.0.0.1:{small.upstream.port}", "connections_max": 1},
            {"address": f"127.0.0.1:{large.upstream.port}", "connections_max": 3}])
        asking = [clients(gateway) for _ in range(4)]
        requests = [small.read_request()] + [large.read_request() for _ in range(3)]
        assert status_of(clients(gateway)) == 503
        for serving, request in zip((small, large, large, large), requests):
            serving.answer(request)
        assert [status_of(client) for client in asking] == [200] * 4
    finally:
        for upstream in upstreams:
            upstream.close()


def test_a_crowd_of_upgrades_does_not_stand_before_requests(start_gateway, server, clients):
    gateway = start(start_gateway, server.upstream.port, upgrades_max=1,
                    queue={"length": 10, "time": "20s"})
    opening = clients(gateway, upgrade_request(host="x.test"))
    handshake = server.read_request()
    next_one = clients(gateway, upgrade_request(host="x.test"))
    requests = [clients(gateway) for _ in range(3)]
    for _ in requests:
        request = server.read_request()
        assert "Upgrade: websocket" not in request.seen.lines
        server.answer(request)
    assert [status_of(client) for client in requests] == [200] * 3
    assert server.is_quiet()
    open_websocket(server, handshake)
    assert opens(opening)
    open_websocket(server, server.read_request())
    assert opens(next_one)


def test_a_try_that_has_to_wait_knows_whom_it_has_tried(start_gateway, clients):
    upstreams = [Upstream(free_port()), Upstream(free_port())]
    try:
        bad, good = map(Serving, upstreams)
        gateway = start(start_gateway, [
            {"address": f"127.0.0.1:{bad.upstream.port}", "weight": 100},
            {"address": f"127.0.0.1:{good.upstream.port}", "weight": 1}], Variant(1),
            upgrades_max=1, queue={"length": 10, "time": "60s"}, ejection={"in_a_row": "off"})
        first = clients(gateway, upgrade_request(host="x.test"))
        request = bad.read_request()
        second = clients(gateway, upgrade_request(host="x.test"))
        # One shard takes them as they come: behind this one it is in line.
        probe = clients(gateway)
        bad.answer(bad.read_request())
        assert status_of(probe) == 200
        bad.open.remove(request.stream)
        request.stream.close()
        open_websocket(bad, bad.read_request())
        assert opens(second)
        open_websocket(good, good.read_request())
        assert opens(first)
    finally:
        for upstream in upstreams:
            upstream.close()


def open_websocket(server, request):
    server.answer(request, upgrade_response(KEY))


def opens(client):
    return b" 101 " in client.read_until(b"\r\n\r\n")


def test_websockets_leave_a_part_of_the_limit_to_requests(start_gateway, server, clients):
    gateway = start(start_gateway, server.upstream.port, connections_max=2, websockets_share="50%")
    opened = clients(gateway, upgrade_request(host="x.test"))
    open_websocket(server, server.read_request())
    assert opens(opened)
    assert status_of(clients(gateway, upgrade_request(host="x.test"))) == 503
    asking = clients(gateway)
    server.answer(server.read_request())
    assert status_of(asking) == 200
    opened.close()
    # Its place is free again once its server has heard of that.
    wait_until(lambda: gateway.log().count("websocket ") >= 1, "the WebSocket's end")


def test_a_restart_of_the_only_server_is_not_seen_by_who_is_held(start_gateway, clients):
    site = Site("only")
    try:
        gateway = start(start_gateway, site.port, hold="20s")
        site.stop()
        waiting = [clients(gateway) for _ in range(5)]
        answers = []
        threads = [threading.Thread(target=lambda one=one: answers.append(status_of(one)))
                   for one in waiting]
        for thread in threads:
            thread.start()
        assert not answers
        site.start()
        for thread in threads:
            thread.join(20)
        assert answers == [200] * 5
    finally:
        site.stop()


@pytest.mark.parametrize("shards", [1, 3])
def test_who_waits_gets_a_server_that_has_come_meanwhile(start_gateway, server, clients, tmp_path, shards):
    site = Site("other")
    try:
        gateway = start(start_gateway, server.upstream.port, Variant(shards),
                        control={"socket": str(tmp_path / "control.sock")},
                        connections_max=1, queue={"length": 10, "time": "60s"})
        first = clients(gateway)
        request = server.read_request()
        waiting = [clients(gateway) for _ in range(5)]
        assert not any(client.wait_readable(0.1) for client in waiting)
        order(gateway, "servers", "app", "add", f"127.0.0.1:{site.port}")
        assert [status_of(client) for client in waiting] == [200] * 5
        assert server.is_quiet()
        server.answer(request)
        assert status_of(first) == 200
    finally:
        site.stop()


def test_who_waits_has_the_bounds_of_the_newest_configuration(start_reloading, server, clients):
    pool = {"servers": server.upstream.port, "connections_max": 1,
            "queue": {"length": 10, "time": "60s"}}
    gateway, reload = start_reloading(Config({"app": pool}, [{"pool": "app"}]), Variant(2))
    asking = [clients(gateway)]
    requests = [server.read_request()]
    asking += [clients(gateway), clients(gateway)]
    assert not any(client.wait_readable(0.1) for client in asking)
    gateway.config.pools["app"]["connections_max"] = 3
    reload()
    requests += [server.read_request(), server.read_request()]
    for request in requests:
        server.answer(request)
    assert [status_of(client) for client in asking] == [200] * 3


def test_who_is_held_gets_a_server_that_has_come_meanwhile(start_gateway, clients, tmp_path):
    site = Site("new")
    try:
        gateway = start(start_gateway, free_port(), Variant(2),
                        control={"socket": str(tmp_path / "control.sock")}, hold="60s",
                        health={"type": "tcp", "every": "100ms", "fall": 1})
        gateway.wait_for(lambda: "state=down" in gateway.log(), "the check's outcome")
        waiting = [clients(gateway) for _ in range(5)]
        assert not any(client.wait_readable(0.1) for client in waiting)
        order(gateway, "servers", "app", "set", f"127.0.0.1:{site.port}")
        assert [status_of(client) for client in waiting] == [200] * 5
    finally:
        site.stop()


def test_a_hold_ends_with_the_first_failure(start_gateway, clients):
    gateway = start(start_gateway, free_port(), hold="300ms")
    assert status_of(clients(gateway)) == 502


def test_who_is_held_while_all_are_down_is_served_when_one_is_up(start_gateway, clients):
    site = Site("only")
    site.answers["/health"] = (500, {})
    try:
        gateway = start(start_gateway, site.port, hold="20s",
                        health={"path": "/health", "every": "100ms", "rise": 1})
        gateway.wait_for(lambda: "state=down" in gateway.log(), "the check's outcome")
        waiting = clients(gateway)
        del site.answers["/health"]
        assert status_of(waiting) == 200
    finally:
        site.stop()


BUDGET = {"ejection": {"in_a_row": "off"}, "retry_budget": {"share": "1%", "per_second": 1}}


def test_tries_beyond_their_budget_are_not_made(start_gateway, clients):
    site, silent = Site("good"), Site("silent")
    silent.status = None
    try:
        gateway = start(start_gateway, [silent.port, site.port], Variant(1), **BUDGET)
        began = time.monotonic()
        got = [status_of(clients(gateway)) for _ in range(40)]
        took = time.monotonic() - began
        assert got.count(502) >= 17 - took, "every second one has the server that does not answer"
        assert got.count(200) >= 21, "and one of those was tried again"
        assert set(got) == {200, 502}
    finally:
        site.stop()
        silent.stop()


def test_a_server_that_has_got_nothing_costs_no_budget(start_gateway, clients):
    site = Site("good")
    try:
        gateway = start(start_gateway, [free_port(), site.port], Variant(1), **BUDGET)
        assert [status_of(clients(gateway)) for _ in range(20)] == [200] * 20
    finally:
        site.stop()
