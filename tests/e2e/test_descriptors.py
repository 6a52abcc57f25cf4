"""Few open files: whoever is in is served, and whoever cannot be waits in the kernel."""

import contextlib

import pytest

from support.gateway import FEW, Config
from support.streams import connect
from support.waiting import wait_until

LIMIT = 64  # with one shard
STRANGERS = 80  # more than there is ever room for
WAITING = 20  # no more than there is room for


def limit_of(variant):
    """Each shard needs some for itself."""
    return LIMIT + 16 * (variant.shards - 1)


def ask(client):
    client.send(b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")


def answer(client):
    return client.read_response()[0].status


def crowd(stack, port, count):
    """Clients that say nothing. Each is connected as soon as the kernel knows of it."""
    return [stack.enter_context(connect(port)) for _ in range(count)]


@pytest.fixture(params=[{"keep_alive_idle": "off"}, {"keep_alive_idle": "1m"}],
                ids=["connection-per-request", "kept-connections"])
def pool(request, echo):
    return {"servers": echo.port, **request.param}


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_whoever_is_in_is_served_whoever_else_comes(start_gateway, log_of, pool, variant):
    gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}]), variant,
                            open_files=limit_of(variant))
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        inside = crowd(stack, gateway.http_port, 5)
        for client in inside:
            ask(client)
            assert answer(client) == 200
        crowd(stack, gateway.http_port, STRANGERS)
        log.wait(" warning ", "accepting pauses")
        for _ in range(20):
            for client in inside:
                ask(client)
            assert [answer(client) for client in inside] == [200] * len(inside)
        assert gateway.descriptors() <= limit_of(variant)
    assert not log.lines("status=503") and not log.lines(" error ")


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_whoever_waits_is_served_when_others_go(start_gateway, log_of, pool, variant):
    gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}]), variant,
                            open_files=limit_of(variant))
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        with contextlib.ExitStack() as strangers:
            crowd(strangers, gateway.http_port, STRANGERS)
            room = log.wait(" warning ", "accepting pauses")
            assert WAITING <= int(room.split("all ")[1].split()[0]) < STRANGERS
            waiting = crowd(stack, gateway.http_port, WAITING)
            for client in waiting:
                ask(client)
        for client in waiting:
            assert answer(client) == 200
            client.close()
    assert not log.lines("status=503")


def test_connections_that_are_kept_for_later_make_way_for_clients(start_gateway, echo, log_of):
    """Each of many servers has had its request; their kept connections alone fill the limit."""
    servers = 40
    pools = {f"app{number}": echo.port for number in range(servers)}
    routes = [{"host": f"app{number}.test", "pool": f"app{number}"} for number in range(servers)]
    gateway = start_gateway(Config(pools, routes), open_files=LIMIT)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        for number in range(servers):
            client.send(f"GET /echo HTTP/1.1\r\nHost: app{number}.test\r\n\r\n".encode())
            assert answer(client) == 200
    with contextlib.ExitStack() as stack:
        clients = crowd(stack, gateway.http_port, 10)
        for number, client in enumerate(clients):
            client.send(f"GET /echo HTTP/1.1\r\nHost: app{number}.test\r\n\r\n".encode())
        assert [answer(client) for client in clients] == [200] * len(clients)
    assert not log.lines("status=503")
    wait_until(lambda: gateway.descriptors() <= LIMIT, "descriptors to be given back")
