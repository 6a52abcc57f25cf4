"""Clients who stay are spread evenly over the shards, from however many addresses they come."""

import re
from collections import Counter

import pytest

from support.crowds import come_from, open_websocket
from support.gateway import Config, Variant

MANY = 2000


def shards_of(gateway, clients):
    """By its lines of who has opened a WebSocket: how many each shard has."""
    def told():
        found = re.findall(r"shard=(\d+) websocket-opened ", gateway.log())
        return found if len(found) >= clients else None
    return Counter(gateway.wait_for(told, "a line of each"))


@pytest.mark.parametrize("count", [1, 500], ids=["one-address", "many-addresses"])
@pytest.mark.parametrize("shards", [2, 3])
def test_websockets_end_up_within_a_tenth_of_the_mean(start_gateway, echo, count, shards):
    gateway = start_gateway(Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}],
                                   log={"websocket_open": True}, log_buffer="4MiB"),
                            Variant(shards), open_files=20_000)
    clients = []
    for n in range(MANY):
        clients.append(come_from(f"127.2.{n % count // 200}.{n % count % 200 + 1}",
                                 gateway.http_port))
        assert open_websocket(clients[-1]) == 101
    spread = shards_of(gateway, MANY)
    mean = MANY / shards
    assert len(spread) == shards
    assert all(abs(have - mean) <= mean / 10 for have in spread.values()), spread
    for client in clients:
        client.close()
