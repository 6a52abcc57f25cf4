"""After a server has come, surplus WebSockets of the fuller ones are asked to come again: gently, no more
than it takes, and nobody where nothing has come."""

import select
import time

import pytest

from support.frames import CLOSE, close_payload, frame, read_frame, upgrade_request
from support.gateway import FEW, Config, Variant
from support.streams import connect
from support.waiting import DEADLINE
from test_balance_choice import table

CODE = 1012


class Crowd:
    """Clients that come again as soon as they are asked to."""

    def __init__(self, gateway, count):
        self.gateway = gateway
        self.closed = []  # when, and with which code and reason
        self.clients = [self.open() for _ in range(count)]

    def open(self):
        client = connect(self.gateway.http_port)
        client.send(upgrade_request("/", "x.test"))
        assert client.read_head().status == 101
        return client

    def come_again(self, seconds):
        """Whoever is asked within that time; false: nobody was."""
        ready = select.select([client.socket for client in self.clients], [], [], seconds)[0]
        for at, client in enumerate(self.clients):
            if client.socket not in ready:
                continue
            close = read_frame(client)
            assert close.opcode == CLOSE
            self.closed.append((time.monotonic(), close.close_code, close.close_reason))
            client.send(frame(CLOSE, close_payload(close.close_code)))
            client.close()
            self.clients[at] = self.open()
        return bool(ready)

    def come_again_until(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            self.come_again(0.05)
            assert time.monotonic() < deadline, "too late"

    def close(self):
        for client in self.clients:
            client.close()


@pytest.fixture
def crowd_of():
    started = []

    def start(gateway, count):
        started.append(Crowd(gateway, count))
        return started[-1]
    yield start
    for crowd in started:
        crowd.close()


def pool_of(servers, rate="100/s", code=CODE):
    return {"servers": servers, "balance": "least-connections",
            "rebalance": {"rate": rate, "code": code}}


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_server_that_comes_gets_its_share(start_reloading, named, crowd_of, variant):
    servers = named(4)
    gateway, reload = start_reloading(
        Config({"app": pool_of(servers.ports[:3])}, [{"pool": "app"}]), variant)
    crowd = crowd_of(gateway, 90)
    assert servers.websockets() == [30, 30, 30, 0]
    reload()
    log = reload.log
    gateway.config.pools["app"]["servers"] = list(servers.ports)
    reload()
    crowd.come_again_until(lambda: log.lines("rebalance pool=app done"))
    crowd.come_again_until(lambda: sum(servers.websockets()) == 90)
    while crowd.come_again(0.5):
        pass
    counts = servers.websockets()
    assert sum(counts) == 90
    assert max(counts) - min(counts) <= 3, counts
    assert len(crowd.closed) <= 24, "no more than it takes"
    assert {(code, reason) for _, code, reason in crowd.closed} == {
        (CODE, "another server has room: connect again")}
    assert log.lines("rebalance pool=app surplus=")[0].count("rate=100/s") == 1
    ended = log.wait_many(len(crowd.closed), "end=rebalanced")
    assert len(ended) == len(crowd.closed)


def test_servers_that_are_full_have_some_to_give(start_reloading, named, crowd_of):
    servers = named(3)
    config = Config({"app": {**pool_of(servers.ports[:2]), "connections_max": 15}}, [{"pool": "app"}])
    gateway, reload = start_reloading(config, Variant(2))
    crowd = crowd_of(gateway, 30)
    assert servers.websockets() == [15, 15, 0]
    gateway.config.pools["app"]["servers"] = list(servers.ports)
    reload()
    log = reload.log
    crowd.come_again_until(lambda: log.lines("rebalance pool=app done"))
    while crowd.come_again(0.5):
        pass
    crowd.come_again_until(lambda: sum(servers.websockets()) == 30)
    counts = servers.websockets()
    assert max(counts) - min(counts) <= 3, counts
    assert len(log.lines("rebalance pool=app surplus=")) == 1


def test_it_goes_at_its_rate(start_reloading, named, crowd_of):
    servers = named(2)
    gateway, reload = start_reloading(
        Config({"app": pool_of(servers.ports[:1], "10/s", 4321)}, [{"pool": "app"}]), Variant(2))
    crowd = crowd_of(gateway, 40)
    gateway.config.pools["app"]["servers"] = list(servers.ports)
    begun = time.monotonic()
    reload()
    crowd.come_again_until(lambda: len(crowd.closed) >= 15)
    assert crowd.closed[14][0] - begun >= 1.4
    assert {code for _, code, _ in crowd.closed} == {4321}


def test_other_weights_move_some_too(start_reloading, named, crowd_of):
    servers = named(2)
    gateway, reload = start_reloading(Config({"app": pool_of(servers.ports)}, [{"pool": "app"}]),
                                      Variant(2))
    crowd = crowd_of(gateway, 60)
    assert servers.websockets() == [30, 30]
    gateway.config.pools["app"]["servers"] = [table(servers.ports[0]),
                                              table(servers.ports[1], weight=3)]
    reload()
    crowd.come_again_until(lambda: reload.log.lines("rebalance pool=app done"))
    while crowd.come_again(0.5):
        pass
    assert abs(servers.websockets()[0] - 15) <= 2, servers.websockets()


def test_nobody_is_asked_where_nothing_has_come_or_nobody_wants_it(start_reloading, named, crowd_of):
    servers = named(3)
    pools = {"app": {"servers": servers.ports[:2], "balance": "least-connections"}}
    gateway, reload = start_reloading(Config(pools, [{"pool": "app"}]), Variant(2))
    crowd = crowd_of(gateway, 20)
    gateway.config.pools["app"]["servers"] = list(servers.ports)
    reload()
    # From here on it is wanted, of whoever comes then.
    gateway.config.pools["app"].update(pool_of(servers.ports))
    reload()
    gateway.config.pools["app"]["servers"] = servers.ports[:2]
    reload()
    assert not crowd.come_again(1)
    assert servers.websockets() == [10, 10, 0]
