"""Pools: which server gets a request, which connections are kept for the next one, and what becomes
of requests when servers stop, start again or die."""

import select
import threading
import time

import pytest

from support.frames import TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import ALL, Config, Variant
from support.ports import free_port
from support.relay import open_relay
from support.serving import Serving
from support.streams import Upstream, connect
from support.upstreams import Ipv6Upstream, UnixUpstream, has_ipv6
from support.waiting import DEADLINE, wait_until

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MANY = 50


def ask(client, target="/", method="GET", more="", body=b""):
    client.send(f"{method} {target} HTTP/1.1\r\nHost: x.test\r\n{more}\r\n".encode() + body)


@pytest.fixture
def play():
    """play(upstream): serves there until the test ends."""
    played = []

    def start(upstream=None):
        played.append(upstream or Upstream(free_port(), backlog=2 * MANY))
        return Serving(played[-1])

    yield start
    for upstream in played:
        upstream.close()


@pytest.fixture
def start_before(start_gateway):
    """start_before(pool's keys): a gateway whose one pool these are."""
    def start(variant=Variant(1), **pool):
        return start_gateway(Config({"app": pool}, [{"pool": "app"}]), variant)
    return start


@pytest.fixture
def open_clients():
    opened = []

    def start(gateway, count, secure=False):
        port = gateway.https_port if secure else gateway.http_port
        opened.extend(connect(port, secure) for _ in range(count))
        return opened[-count:]

    yield start
    for client in opened:
        client.close()


def port_of(serving):
    return serving.upstream.port


def exchange(client, serving, response=FINE):
    ask(client)
    request = serving.read_request()
    serving.answer(request, response)
    assert client.read_response()[0].status == 200
    return request.stream


def busy_one(servings):
    """Whichever of them got something."""
    return wait_until(lambda: next((one for one in servings if not one.is_quiet()), None),
                      "a request at one of the servers")


def ended(stream):
    """Without waiting: the gateway has closed this connection, having sent nothing more."""
    return stream.wait_readable(0) and stream.read_ending() == (b"", "end")


# Where a server may be.

def test_a_server_behind_a_unix_socket(start_before, play, tmp_path):
    serving = play(UnixUpstream(tmp_path / "app.sock"))
    gateway = start_before(servers=f"unix:{tmp_path}/app.sock")
    with connect(gateway.http_port) as client:
        first = exchange(client, serving)
        assert exchange(client, serving) is first
    with connect(gateway.https_port, True) as client:
        assert exchange(client, serving) is first


def test_a_websocket_behind_a_unix_socket(start_before, tmp_path):
    upstream = UnixUpstream(tmp_path / "app.sock")
    gateway = start_before(servers=f"unix:{tmp_path}/app.sock")
    with connect(gateway.https_port, True) as client:
        relay = open_relay(client, upstream, "x.test")
        client.send(frame(TEXT, b"there"))
        assert read_frame(relay.upstream).payload == b"there"
        relay.upstream.send(frame(TEXT, b"back", masked=False))
        assert read_frame(client).payload == b"back"
    upstream.close()


def test_a_unix_socket_that_nobody_serves_is_502(start_before, tmp_path, log_of):
    gateway = start_before(servers=f"unix:{tmp_path}/nobody.sock")
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client)
        assert client.read_response()[0].status == 502
    assert "No such file" in log.wait("status=502", "nobody.sock", "end=upstream-unreachable")


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
def test_a_server_on_ipv6(start_before, play):
    serving = play(Ipv6Upstream())
    gateway = start_before(servers=f"[::1]:{port_of(serving)}")
    with connect(gateway.http_port) as client:
        exchange(client, serving)
        exchange(client, serving)


# Which server.

def test_servers_take_turns(start_before, play):
    servings = [play() for _ in range(3)]
    gateway = start_before(servers=[port_of(one) for one in servings])
    got = []
    with connect(gateway.http_port) as client:
        for _ in range(12):
            ask(client)
            serving = busy_one(servings)
            serving.answer(serving.read_request(), FINE)
            assert client.read_response()[0].status == 200
            got.append(servings.index(serving))
    assert got == got[:3] * 4 and sorted(got[:3]) == [0, 1, 2]


@pytest.mark.parametrize("variant", ALL, ids=str)
def test_the_server_with_the_fewest_exchanges_gets_the_next(start_before, play, open_clients,
                                                            variant):
    """The shards count together."""
    servings = [play(), play()]
    gateway = start_before(variant, servers=[port_of(one) for one in servings],
                           balance="least-connections")
    requests = {id(one): [] for one in servings}
    clients = {}

    def begin(count):
        for client in open_clients(gateway, count):
            ask(client, f"/{client.local_port}")
            serving = busy_one(servings)
            request = serving.read_request()
            clients[request.target] = client
            requests[id(serving)].append(request)

    begin(12)
    held, freed = servings
    assert [len(requests[id(one)]) for one in servings] == [6, 6]
    for request in requests[id(freed)]:
        freed.answer(request, FINE)
        assert clients[request.target].read_response()[0].status == 200
    requests[id(freed)] = []
    begin(6)
    assert [len(requests[id(one)]) for one in (held, freed)] == [6, 6]


def test_an_open_websocket_counts_as_an_exchange(start_before, play):
    servings = [play(), play()]
    gateway = start_before(servers=[port_of(one) for one in servings],
                           balance="least-connections")
    with connect(gateway.http_port) as client, connect(gateway.http_port) as other:
        ask(other)
        first = busy_one(servings)
        first.answer(first.read_request(), FINE)
        other.read_response()
        client.send(upgrade_request("/ws", "x.test"))
        taken = busy_one(servings)
        upgrade = taken.read_request()
        fields = dict(line.split(": ", 1) for line in upgrade.seen.lines)
        upgrade.stream.send(upgrade_response(fields["Sec-WebSocket-Key"]))
        assert client.read_head().status == 101
        free = servings[1 - servings.index(taken)]
        for _ in range(4):
            exchange(other, free)


POSTS = {
    "length": ("Content-Length: 5\r\n", b"money"),
    "chunked": ("Transfer-Encoding: chunked\r\n", b"5\r\nmoney\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("name", POSTS)
def test_a_post_goes_to_the_next_server_where_one_refuses(start_before, play, name):
    """Nothing of it has been sent: no harm is done."""
    serving = play()
    gateway = start_before(servers=[free_port(), port_of(serving)])
    more, body = POSTS[name]
    with connect(gateway.http_port) as client:
        for _ in range(4):
            ask(client, "/", "POST", more, body)
            request = serving.read_request()
            assert request.seen.body == "money"
            serving.answer(request, FINE)
            assert client.read_response()[0].status == 200


# Which connections are kept.

def test_a_connection_is_kept_no_longer_than_configured(start_before, play):
    serving = play()
    gateway = start_before(servers=port_of(serving), keep_alive_idle="100ms")
    with connect(gateway.http_port) as client:
        used = exchange(client, serving)
        assert used.read_ending() == (b"", "end")
        serving.open.remove(used)
        assert exchange(client, serving) is not used


def test_no_connection_is_kept_where_that_is_off(start_before, play):
    serving = play()
    gateway = start_before(servers=port_of(serving), keep_alive_idle="off")
    with connect(gateway.http_port) as client:
        for _ in range(3):
            used = exchange(client, serving)
            assert used.read_ending() == (b"", "end")
            serving.open.remove(used)
    assert len(serving.upstream.streams) == 3


def test_a_connection_that_is_too_old_is_not_used_again(start_before, play):
    serving = play()
    gateway = start_before(servers=port_of(serving), keep_alive_age="100ms")
    with connect(gateway.http_port) as client:
        used = exchange(client, serving)
        assert used.read_ending() == (b"", "end")


def begin_many(clients, serving):
    """A request of each, all under way at once."""
    for client in clients:
        ask(client)
    return [serving.read_request() for _ in clients]


def answer_many(requests, clients, serving):
    for request in requests:
        serving.answer(request, FINE)
    for client in clients:
        assert client.read_response()[0].status == 200


def test_no_more_connections_are_kept_than_configured(start_before, play, open_clients):
    serving = play()
    gateway = start_before(servers=port_of(serving), keep_alive_connections=2)
    clients = open_clients(gateway, 5)
    requests = begin_many(clients, serving)
    answer_many(requests, clients, serving)
    streams = [request.stream for request in requests]
    over = []

    def surplus_closed():
        over.extend(one for one in streams if one not in over and ended(one))
        return len(over) >= 3

    wait_until(surplus_closed, "the surplus connections to be closed")
    serving.open = [one for one in streams if one not in over]
    again = begin_many(clients[:2], serving)
    assert {id(one.stream) for one in again} == {id(one) for one in streams if one not in over}
    answer_many(again, clients[:2], serving)
    assert len(serving.upstream.streams) == 5


def test_no_more_connections_are_kept_by_all_shards_together(start_before, play, open_clients):
    serving = play()
    gateway = start_before(Variant(2), servers=port_of(serving), keep_alive_connections=2)
    clients = open_clients(gateway, 12)
    requests = begin_many(clients, serving)
    answer_many(requests, clients, serving)
    streams = [request.stream for request in requests]
    over = []

    def surplus_closed():
        over.extend(one for one in streams if one not in over and ended(one))
        return len(over) >= 10

    wait_until(surplus_closed, "the surplus connections to be closed")
    assert len(over) == 10


@pytest.mark.parametrize("said_seconds", [1, 3])
def test_a_server_is_left_a_second_before_it_would_leave(start_before, play, said_seconds):
    """Far sooner than the gateway's own limit, and not before its time."""
    serving = play()
    gateway = start_before(servers=port_of(serving), keep_alive_idle="10m")
    response = FINE.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=%d\r\n\r\n" % said_seconds)
    with connect(gateway.http_port) as client:
        begun = time.monotonic()
        used = exchange(client, serving, response)
        assert used.read_ending() == (b"", "end")
        assert time.monotonic() - begun >= said_seconds - 1


# Servers that stop and start.

def test_a_restart_of_the_server_fails_no_get(start_before, play, open_clients):
    serving = play()
    port = port_of(serving)
    gateway = start_before(Variant(2), servers=port)
    clients = open_clients(gateway, MANY)
    answer_many(begin_many(clients, serving), clients, serving)
    assert len(serving.upstream.streams) == MANY
    serving.upstream.close()
    serving = play(Upstream(port, backlog=2 * MANY))
    answer_many(begin_many(clients, serving), clients, serving)


class Getter(threading.Thread):
    """One GET after the other on one connection, until told to stop. `failed`: what went wrong."""

    def __init__(self, gateway):
        super().__init__()
        self.client = connect(gateway.http_port)
        self.told = threading.Event()
        self.done = 0
        self.failed = []

    def run(self):
        try:
            while not self.told.is_set():
                ask(self.client, f"/bytes?n={self.done % 50}")
                head, body = self.client.read_response()
                if (head.status, len(body)) != (200, self.done % 50):
                    self.failed.append((head, body))
                self.done += 1
        except Exception as error:  # whatever it is, it has failed
            self.failed.append(error)

    def stop(self):
        self.told.set()
        self.join(DEADLINE)
        self.client.close()


@pytest.mark.parametrize("variant", [Variant(1), Variant(2)], ids=str)
def test_a_server_that_is_killed_and_comes_back_fails_no_get(start_before, start_echo, variant):
    backends = [start_echo(), start_echo()]
    gateway = start_before(variant, servers=[one.port for one in backends])
    getters = [Getter(gateway) for _ in range(6)]
    for getter in getters:
        getter.start()

    def wait_for_more(count):
        marks = [one.done for one in getters]
        wait_until(lambda: any(one.failed for one in getters)
                   or all(one.done >= mark + count for one, mark in zip(getters, marks)),
                   "all clients to go on")

    try:
        for round_number in range(6):
            victim = backends[round_number % 2]
            wait_for_more(30)
            victim.kill()
            wait_for_more(30)
            backends[round_number % 2] = start_echo(port=victim.port)
        wait_for_more(30)
    finally:
        for getter in getters:
            getter.stop()
    assert [one.failed for one in getters] == [[]] * len(getters)


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("name", POSTS)
def test_posts_that_die_unanswered_are_never_sent_twice(start_before, play, name, kept):
    servings = [play(), play()]
    gateway = start_before(servers=[port_of(one) for one in servings])
    more, body = POSTS[name]
    received = 0
    with connect(gateway.http_port) as client:
        for _ in range(10):
            if kept:
                for _ in servings:
                    ask(client)
                    serving = busy_one(servings)
                    serving.answer(serving.read_request(), FINE)
                    assert client.read_response()[0].status == 200
            ask(client, "/pay", "POST", more, body)
            serving = busy_one(servings)
            request = serving.read_request()
            assert (request.target, request.seen.body) == ("/pay", "money")
            received += 1
            request.stream.close()
            serving.open.remove(request.stream)
            assert client.read_response()[0].status == 502
            assert all(one.is_quiet() for one in servings), "sent once more"
    assert received == 10


def test_a_get_that_one_server_drops_is_asked_of_the_next(start_before, play):
    servings = [play(), play()]
    gateway = start_before(servers=[port_of(one) for one in servings])
    with connect(gateway.http_port) as client:
        ask(client, "/again")
        first = busy_one(servings)
        first.read_request().stream.close()
        first.open.clear()
        second = servings[1 - servings.index(first)]
        request = second.read_request()
        assert request.target == "/again"
        second.answer(request, FINE)
        assert client.read_response()[0].status == 200
    assert not select.select([first.listener], [], [], 0)[0]
