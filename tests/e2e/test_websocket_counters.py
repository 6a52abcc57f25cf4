"""What is counted of WebSockets, as `gateway status` says it: exactly what a test has done, over all shards,
and whatever a reload changes. test_websocket_ways.py has each way of ending."""

from collections import Counter

import pytest

from support.counting import counts_of
from support.frames import (BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame, read_frame)
from support.gateway import FEW, Config
from support.relay import open_echo
from support.reloading import Reloading
from support.streams import connect

CLIENTS = 6


@pytest.fixture
def site(start_gateway, tmp_path, echo, log_of):
    def begin(variant):
        gateway = start_gateway(Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}],
                                       control={"socket": str(tmp_path / "control.sock")}), variant)
        return gateway, Reloading(gateway, log_of(gateway))
    return begin


def close(client, payload=b""):
    client.send(frame(CLOSE, payload))
    assert read_frame(client).opcode == CLOSE


def settled(gateway):
    gateway.wait_for(lambda: counts_of(gateway).open == 0, "their end")
    return counts_of(gateway)


@pytest.mark.parametrize("variant", FEW, ids=str)
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_what_was_done_is_counted_exactly(site, variant, secure):
    gateway, reload = site(variant)
    port = gateway.https_port if secure else gateway.http_port
    nothing = counts_of(gateway)
    assert (nothing.open, nothing.opened, nothing.ended, nothing.closed) == (0, 0, {}, {})
    clients = [connect(port, secure) for _ in range(CLIENTS)]
    for client in clients:
        open_echo(client)
        client.send(frame(TEXT, b"12345") + frame(BINARY, b"123", fin=False) + frame(PING, b"no message")
                    + frame(CONTINUATION, b"45"))
        assert sorted(len(read_frame(client).payload) for _ in range(4)) == [2, 3, 5, 10]
    now = counts_of(gateway)
    assert (now.open, now.opened, now.ended) == (CLIENTS, CLIENTS, {}), "nothing has ended yet"
    gateway.config.routes[0]["timeouts"] = {"websocket_idle": "1h"}
    reload()
    for client, code in zip(clients, (1000, 1000, 3999, 4000, 4999)):
        close(client, close_payload(code))
    close(clients[-1])
    told = settled(gateway)
    assert (told.opened, told.ended) == (CLIENTS, {"done": CLIENTS})
    assert told.closed == {("client", "1000"): 2, ("client", "3xxx"): 1, ("client", "4xxx"): 2,
                           ("client", "1005"): 1}
    each = {"messages": 2 * CLIENTS, "bytes": 10 * CLIENTS}
    assert told.sent == {"client": each, "upstream": each}
    for client in clients:
        client.close()
    with connect(port, secure) as client:
        open_echo(client)
        client.reset()
        more = settled(gateway).since(told)
    assert (more.opened, more.ended, more.closed) == (
        1, Counter({"client-reset": 1}), Counter({("client", "none"): 1}))
    gateway.config.routes[0]["name"] = "another"
    reload()
    assert counts_of(gateway) == settled(gateway).since(nothing)
    assert counts_of(gateway).opened == CLIENTS + 1, "a route that is new has changed nothing"
