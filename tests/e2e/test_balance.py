"""Which server of a pool has the next turn: each pool, and each shard, counts for itself, and a
server that fails moves nobody else's turn."""

import socket

import pytest

from support.gateway import Config, Variant
from support.ports import free_port
from support.serving import Serving
from support.streams import Stream, Upstream, connect
from support.waiting import wait_until


@pytest.fixture
def play():
    """play(count): so many servers, which serve until the test ends."""
    played = []

    def start(count):
        played.extend(Upstream(free_port()) for _ in range(count))
        return [Serving(one) for one in played[-count:]]

    yield start
    for upstream in played:
        upstream.close()


def ports_of(servings):
    return [one.upstream.port for one in servings]


def busy_one(servings):
    """The index of whichever got something."""
    return wait_until(lambda: next((index for index, one in enumerate(servings, 1)
                                    if not one.is_quiet()), None), "a request at a server") - 1


def ask(client, servings, host="x.test", drop=0):
    """The index of the server that answers a GET, behind so many that only close."""
    client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    for _ in range(drop):
        failing = servings[busy_one(servings)]
        stream = failing.read_request().stream
        stream.close()
        failing.open.remove(stream)
    index = busy_one(servings)
    servings[index].answer(servings[index].read_request())
    assert client.read_response()[0].status == 200
    return index


def test_pools_that_are_asked_in_turn_use_all_their_servers(start_gateway, play):
    pools = {name: play(2) for name in ("a", "b")}
    gateway = start_gateway(Config(
        {name: ports_of(pools[name]) for name in pools},
        [{"host": f"{name}.test", "pool": name} for name in pools]), Variant(1))
    got = {name: [] for name in pools}
    with connect(gateway.http_port) as client:
        for _ in range(4):
            for name, servings in pools.items():
                got[name].append(ask(client, servings, f"{name}.test"))
    assert got == {"a": [0, 1, 0, 1], "b": [0, 1, 0, 1]}


def test_shards_begin_with_different_servers_of_each_pool(start_gateway, play, tmp_path):
    """The clients of a Unix socket go to the shards in turn."""
    pools = {name: play(2) for name in ("a", "b")}
    start_gateway(Config({name: ports_of(pools[name]) for name in pools},
                         [{"host": f"{name}.test", "pool": name} for name in pools],
                         listeners=[{"address": f"unix:{tmp_path}/clients.sock"}]), Variant(2))
    for name, servings in pools.items():
        got = []
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{tmp_path}/clients.sock")
                got.append(ask(Stream(connection), servings, f"{name}.test"))
        assert sorted(got) == [0, 1], name


def test_a_server_that_refuses_moves_nobody_elses_turn(start_gateway, play):
    servings = play(2)
    first, second = ports_of(servings)
    gateway = start_gateway(Config({"app": [first, free_port(), second]}, [{"pool": "app"}]),
                            Variant(1))
    with connect(gateway.http_port) as client:
        assert [ask(client, servings) for _ in range(6)] == [0, 1, 1, 0, 1, 1]


def test_a_server_that_drops_a_request_moves_nobody_elses_turn(start_gateway, play):
    servings = play(3)
    gateway = start_gateway(Config({"app": ports_of(servings)}, [{"pool": "app"}]), Variant(1))
    with connect(gateway.http_port) as client:
        got = [ask(client, servings, drop=drop) for drop in (1, 0, 2, 0, 0)]
    assert got == [1, 1, 1, 0, 1]
