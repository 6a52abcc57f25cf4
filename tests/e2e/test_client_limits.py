"""How many clients there may be: in all, of a listener, of a route, of an address; and how fast they may
come and ask. Each address of 127.0.0.0/8 is a client of its own here."""

import concurrent.futures
import ssl
import time

import pytest

from support.counting import status_of
from support.crowds import (addresses, ask, come_from, echoes, is_reset, open_websocket, refused)
from support.gateway import Config, Variant
from support.ports import free_port
from support.reloading import Reloading
from support.streams import client_context
from support.waiting import wait_until

ANNA, BOB = "127.0.1.1", "127.0.1.2"
OK = (200, None)
SHARDS = (1, 2)


def says(**more):
    return {"name": "says", "path": "/says", "answer": {"body": "hello"}, **more}


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    """start(limits, shards): before the echo backend, whose route may have limits of its own."""
    def begin(limits=None, shards=2, route=None, listeners=(), top=None):
        config = Config({"echo": echo.port},
                        [says(), {"name": "echo", "path": "/echo", "pool": "echo", **(route or {})},
                         {"name": "other", "path": "/", "pool": "echo"}],
                        limits=limits, listeners=listeners, top=top,
                        control={"socket": str(tmp_path / "control.sock")})
        return start_gateway(config, Variant(shards))
    return begin


def fill(port, count, address=ANNA, tls=False):
    """So many who are let in, and stay."""
    clients = []
    for _ in range(count):
        clients.append(come_from(address, port, tls))
        assert ask(clients[-1], "/says") == OK
    return clients


def finish(clients):
    for client in clients:
        client.close()


@pytest.mark.parametrize("shards", SHARDS)
def test_an_address_has_so_many_connections_over_all_shards(start, shards):
    gateway = start({"address": {"connections": 3}}, shards)
    clients = fill(gateway.http_port, 3)
    with come_from(ANNA, gateway.http_port) as fourth:
        assert ask(fourth, "/says") == (429, "1")
        assert fourth.read_ending() == (b"", "end")
    assert is_reset(ANNA, gateway.https_port, tls=True)  # before its handshake
    with come_from(BOB, gateway.http_port) as other:
        assert ask(other, "/says") == OK
    clients.pop().close()
    wait_until(lambda: addresses(gateway)["connections"] == 2, "one connection less")
    clients += fill(gateway.http_port, 1)
    assert refused(gateway) == {"address-connections": 2}
    finish(clients)
    wait_until(lambda: addresses(gateway)["in_use"] == 0, "nobody to be known any more")


def test_it_is_exact_where_two_thousand_come_at_once(start):
    gateway = start({"address": {"connections": 100}})
    def come(_):
        client = None
        try:
            client = come_from(ANNA, gateway.http_port)
            return client, ask(client, "/says")[0]
        except (ConnectionResetError, BrokenPipeError):
            return client, "reset"
        except EOFError:
            return client, "late"  # who is refused is not waited for for long
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        came = list(pool.map(come, range(2000)))
    assert sum(1 for _, status in came if status == 200) == 100
    statuses = {status for _, status in came}
    assert 429 in statuses and statuses <= {200, 429, "reset", "late"}
    assert addresses(gateway)["connections"] == 100
    finish(client for client, _ in came if client)
    wait_until(lambda: addresses(gateway)["in_use"] == 0, "nobody to be known any more")
    with come_from(ANNA, gateway.http_port) as client:
        assert ask(client, "/says") == OK


def test_websockets_count_until_they_end(start):
    gateway = start({"address": {"connections": 2}}, route={"limits": {"connections": 3}})
    clients = [come_from(address, gateway.http_port) for address in (ANNA, ANNA, BOB)]
    for client in clients:
        assert open_websocket(client) == 101
    with come_from(ANNA, gateway.http_port) as client:
        assert ask(client, "/says") == (429, "1")
    with come_from(BOB, gateway.http_port) as client:
        assert open_websocket(client) == 503  # of the route
    wait_until(lambda: addresses(gateway)["connections"] == 3, "that one to be gone")
    with come_from(BOB, gateway.http_port) as client:
        assert ask(client, "/says") == OK  # of another one
    assert all(map(echoes, clients))
    clients.pop(0).close()
    def opens():
        with come_from(ANNA, gateway.http_port) as client:
            return open_websocket(client) == 101
    wait_until(opens, "a WebSocket to be let in again")
    assert all(map(echoes, clients))
    finish(clients)


def test_a_route_has_so_many_requests_under_way(start, start_gateway, raw_port, server, tmp_path):
    gateway = start_gateway(Config(
        {"raw": raw_port}, [{"name": "raw", "pool": "raw", "limits": {"connections": 1}}],
        control={"socket": str(tmp_path / "control.sock")}), Variant(2))
    with come_from(ANNA, gateway.http_port) as first, come_from(BOB, gateway.http_port) as second:
        first.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = server.read_request()
        assert ask(second) == (503, "1")
        server.answer(received, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert first.read_response()[0].status == 200
        # The one who was refused is still connected.
        second.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        server.answer(server.read_request(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert second.read_response()[0].status == 200
    assert refused(gateway) == {"route-connections": 1}


@pytest.mark.parametrize("limits,cause", [({"connections": 2}, "connections"),
                                          (None, "listener-connections")], ids=["all", "listener"])
def test_there_are_so_many_connections(start, limits, cause):
    port = free_port()
    listener = {"address": f"127.0.0.1:{port}", **({} if limits else {"connections": 2})}
    gateway = start(limits, listeners=[listener])
    clients = [*fill(port, 1), *fill(port, 1, BOB)]
    with come_from("127.0.1.3", port) as third:
        assert ask(third, "/says") == (503, "1")
    others = gateway.http_port
    with come_from("127.0.1.3", others) as other:
        assert ask(other, "/says") == ((503, "1") if limits else OK)
    finish(clients)
    def lets_in():
        with come_from(ANNA, port) as client:
            return ask(client, "/says") == OK
    wait_until(lets_in, "room for another one")
    assert refused(gateway)[cause] >= 1


BURST = 20  # at a rate of one a second: what a busy machine takes longer for is few beside it


def test_an_address_asks_so_often(start):
    gateway = start({"address": {"requests_per_second": 1, "burst": f"{BURST}s"}})
    with (come_from(ANNA, gateway.http_port) as client,
          come_from(ANNA, gateway.https_port, tls=True) as secure):
        begun = time.monotonic()
        answers = [ask(one, "/says") for _ in range(BURST) for one in (client, secure)]
        assert BURST <= answers.count(OK) <= BURST + (time.monotonic() - begun) + 1
        assert set(answers) == {OK, (429, "1")}
        assert refused(gateway) == {"address-requests": answers.count((429, "1"))}
        with come_from(BOB, gateway.http_port) as other:
            assert ask(other, "/says") == OK
        # It is still connected, and is let in again when its time has come.
        wait_until(lambda: ask(client, "/says") == OK, "its rate to be whole again")


def test_an_address_comes_so_often(start):
    gateway = start({"address": {"connections_per_second": 1, "burst": f"{BURST}s"}})
    def come():
        with come_from(ANNA, gateway.http_port) as client:
            return ask(client, "/says")
    begun = time.monotonic()
    answers = [come() for _ in range(2 * BURST)]
    secure = sum(not is_reset(ANNA, gateway.https_port, tls=True) for _ in range(BURST))
    let_in = answers.count(OK) + secure
    assert BURST <= let_in <= BURST + (time.monotonic() - begun) + 1
    assert all(one == OK or (one[0] == 429 and 1 <= int(one[1]) <= 2) for one in answers)
    with come_from(BOB, gateway.http_port) as client:
        assert ask(client, "/says") == OK
    assert refused(gateway) == {"address-rate": 3 * BURST - let_in}


def test_an_address_shakes_hands_so_often(start):
    gateway = start({"address": {"handshakes_per_second": 1, "burst": f"{BURST}s"}})
    begun = time.monotonic()
    let_in = sum(not is_reset(ANNA, gateway.https_port, tls=True) for _ in range(2 * BURST))
    assert BURST <= let_in <= BURST + (time.monotonic() - begun) + 1
    with come_from(ANNA, gateway.http_port) as client:  # in plain text it does not
        assert ask(client, "/says") == OK


def test_clients_of_a_trusted_proxy_are_told_apart(start):
    gateway = start({"address": {"connections": 1, "requests_per_second": 1, "burst": f"{BURST}s"}},
                    top={"trusted_proxies": ["127.0.9.0/24"]})
    proxy = "127.0.9.1"
    clients = [come_from(proxy, gateway.http_port) for _ in range(5)]  # itself it is no client
    via = "X-Forwarded-For: {}\r\n".format
    begun = time.monotonic()
    assert open_websocket(clients[0], more=via("192.0.2.1")) == 101
    assert open_websocket(clients[1], more=via("192.0.2.1, 127.0.9.7")) == 429
    assert open_websocket(clients[2], more=via("192.0.2.2:17085")) == 101
    answers = [ask(clients[3], "/says", via("192.0.2.1")) for _ in range(2 * BURST)]
    assert BURST - 2 <= answers.count(OK) <= BURST - 1 + (time.monotonic() - begun)  # has asked twice
    assert set(answers) == {OK, (429, "1")}
    assert ask(clients[4], "/says", via("192.0.2.3")) == OK
    assert refused(gateway) == {"address-connections": 1, "address-requests": answers.count((429, "1"))}
    # What somebody else says of himself is nobody's word.
    with come_from(ANNA, gateway.http_port) as liar:
        begun = time.monotonic()
        count = [ask(liar, "/says", via(f"192.0.2.{n}")) for n in range(10, 10 + 2 * BURST)].count(OK)
        assert BURST <= count <= BURST + (time.monotonic() - begun) + 1
    finish(clients)
    wait_until(lambda: addresses(gateway)["connections"] == 0, "all to be gone")


@pytest.mark.parametrize("full,status", [("refuse", 503), ("allow", 200)])
def test_a_full_table_fails_as_the_file_says(start, log_of, full, status):
    gateway = start({"addresses": 1, "table_full": full, "address": {"connections": 1}})
    size = addresses(gateway)["size"]
    clients = []
    statuses = []
    for n in range(size * 4):
        try:
            clients.append(come_from(f"127.1.{n // 200}.{n % 200 + 1}", gateway.http_port))
            statuses.append(ask(clients[-1], "/says")[0])
        except (ConnectionResetError, BrokenPipeError):
            statuses.append(503)
    assert set(statuses) == {200, status}
    known = addresses(gateway)
    assert known["connections"] <= size
    if full == "refuse":
        assert statuses.count(200) == known["connections"]
        assert refused(gateway)["table-full"] == statuses.count(503)
    else:
        assert known["uncounted"] == len(statuses) - known["connections"]
    gateway.wait_for(lambda: "the table of addresses is full" in gateway.log(), "its warning")
    finish(clients)
    wait_until(lambda: addresses(gateway)["in_use"] == 0, "nobody to be known any more")


def client_hello():
    to_peer = ssl.MemoryBIO()
    tls = client_context().wrap_bio(ssl.MemoryBIO(), to_peer)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return to_peer.read()


def test_handshakes_beyond_those_that_may_wait_are_reset(start):
    gateway = start({"handshakes_waiting": 5}, shards=1)
    hello = client_hello()
    with come_from(BOB, gateway.http_port) as other:
        assert open_websocket(other) == 101
        with gateway.paused():  # all of them come at once
            clients = [come_from(ANNA, gateway.https_port) for _ in range(100)]
            for client in clients:
                client.send(hello)
        assert echoes(other)
        answered = 0
        for client in clients:
            try:
                answered += client.fill() > 0
            except ConnectionResetError:
                pass
        assert echoes(other)
    assert 5 < answered < 100
    assert refused(gateway) == {"handshakes-waiting": 100 - answered}
    finish(clients)
    with come_from(ANNA, gateway.https_port, tls=True) as client:
        assert ask(client, "/says") == OK


def test_who_says_nothing_keeps_nobody_from_shaking_hands(start):
    gateway = start({"handshakes_waiting": 1}, shards=1)
    silent = [come_from(ANNA, gateway.https_port) for _ in range(50)]
    with come_from(BOB, gateway.https_port, tls=True) as client:
        assert ask(client, "/says") == OK
    finish(silent)


def test_who_is_refused_and_asks_nothing_is_let_go_of_soon(start):
    gateway = start({"address": {"connections": 1}})
    clients = fill(gateway.http_port, 1)
    begun = time.monotonic()
    with come_from(ANNA, gateway.http_port) as silent:
        _, ending = silent.read_ending()
    assert ending == "end" and time.monotonic() - begun >= 1
    assert ask(clients[0], "/says") == OK
    finish(clients)


def test_a_reload_changes_the_bounds_and_keeps_the_counts(start, log_of):
    gateway = start()
    clients = fill(gateway.http_port, 3)
    reloading = Reloading(gateway, log_of(gateway))
    gateway.config.limits = {"address": {"connections": 4}}
    reloading.write()
    reloading.signal()
    assert reloading.ending().startswith("generation 2: [limits] changed")
    clients += fill(gateway.http_port, 1)
    with come_from(ANNA, gateway.http_port) as fifth:
        assert ask(fifth, "/says") == (429, "1")
    assert all(ask(client, "/says") == OK for client in clients)
    gateway.config.limits = {"address": {"connections": "off"}, "addresses": 70000}
    reloading.write()
    reloading.signal()
    assert reloading.ending() == "limits.addresses stays as it is until a restart"
    assert reloading.ending().startswith("generation 3: [limits] changed")
    clients += fill(gateway.http_port, 2)
    finish(clients)


def memory(gateway):
    told = dict(one.split("=") for one in status_of(gateway)["memory"].split())
    return int(told["in_use"]), int(told["max"])


def come_until_reset(port, tls=False):
    """Those who were served; memory grows and shrinks with handshakes, so nobody asks beforehand."""
    clients = []
    while len(clients) < 5000:
        try:
            client = come_from(ANNA, port, tls)
            assert ask(client, "/says") == OK
        except (ConnectionResetError, BrokenPipeError):
            return clients
        clients.append(client)
    return clients


def test_memory_that_is_nearly_spent_lets_nobody_new_in(start):
    gateway = start({"memory_max": "16MiB"}, shards=1)
    at_start, most = memory(gateway)
    assert most == 16 << 20 and 0 < at_start < most // 2
    clients = come_until_reset(gateway.https_port, tls=True)
    assert 100 < len(clients) < 5000
    assert memory(gateway)[0] >= most * 0.9
    # What a handshake had may have been given back.
    clients += come_until_reset(gateway.http_port)
    assert len(clients) < 5000
    assert refused(gateway)["memory"] >= 2
    # Nothing dies: who is in is served, also as a WebSocket.
    assert all(ask(client, "/says") == OK for client in clients[-20:])
    assert open_websocket(clients[0]) == 101 and echoes(clients[0])
    finish(clients[1:])
    wait_until(lambda: not is_reset(ANNA, gateway.https_port, tls=True), "somebody to be let in")
    assert echoes(clients[0])
    finish(clients[:1])
    wait_until(lambda: memory(gateway)[0] < at_start + (9 << 20), "the memory to be given back")
