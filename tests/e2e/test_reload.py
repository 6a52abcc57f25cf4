"""SIGHUP: another configuration is taken over while clients stay connected, or is refused."""

import os

import pytest

from support.checking import run as run_gateway
from support.frames import CLOSE, TEXT, frame, read_frame
from support.gateway import ALL, Config
from support.ports import free_port
from support.relay import open_echo, open_relay
from support.reloading import ask, ask_anew, echoes, refuses, saying
from support.streams import Upstream, connect

every_shape = pytest.mark.parametrize("variant", ALL, ids=str)


# What changes nothing, and what changes everything.

def test_nothing_happens_where_nothing_has_changed_in_meaning(start_reloading):
    gateway, reload = start_reloading(Config({}, [saying("one")]))
    sockets = os.listdir(f"/proc/{gateway.pid}/fd")
    assert reload() == "no change"
    assert reload("# A comment.\n" + gateway.config.text()) == "no change"
    gateway.config.routes = [saying("two", "/two"), saying("one")]
    gateway.config.routes[0]["name"] = "other"
    assert reload().startswith("generation 2: route other added; ")
    gateway.config.routes.reverse()
    assert reload() == "no change"
    assert os.listdir(f"/proc/{gateway.pid}/fd") == sockets


@every_shape
def test_kept_connections_go_on_with_what_is_new(start_reloading, echo, variant):
    config = Config({"echo": echo.port}, [saying("one"), {"name": "echo", "path": "/echo",
                                                          "pool": "echo"}])
    gateway, reload = start_reloading(config, variant)
    with connect(gateway.http_port, False) as plain, connect(gateway.https_port, True) as secure, \
            connect(gateway.http_port, False) as ws, connect(gateway.https_port, True) as wss:
        for websocket in (ws, wss):
            open_echo(websocket)
        for number in range(2, 7):
            before = (200, config.routes[0]["answer"]["body"])
            assert [ask(one) for one in (plain, secure)] == [before, before]
            config.routes[0] = saying(f"number {number}")
            assert reload() == (f"generation {number}: route says changed; 2 websockets and 0 requests "
                                "kept, 0 closed")
            for client in (plain, secure):
                assert ask(client) == (200, f"number {number}")
            for websocket in (ws, wss):
                assert echoes(websocket)
        assert ask_anew(gateway.http_port) == (200, "number 6")


@every_shape
def test_a_request_and_a_websocket_outlive_their_route_and_server(start_reloading, upstream, raw_port, variant):
    config = Config({"raw": raw_port}, [{"name": "raw", "host": "raw.test", "pool": "raw"}, saying("rest")])
    gateway, reload = start_reloading(config, variant)
    with connect(gateway.http_port, False) as websocket, connect(gateway.http_port, False) as client:
        relay = open_relay(websocket, upstream)
        client.send(b"GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        config.pools, config.routes = {}, [saying("rest")]
        told = reload()
        assert told == ("generation 2: route raw removed, pool raw removed; 1 websockets and 1 requests "
                        "kept, 0 closed")
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
        head, body = client.read_response()
        assert (head.status, body) == (200, b"old")
        assert ask(client, host="raw.test") == (200, "rest")
        websocket.send(frame(TEXT, b"still there"))
        assert read_frame(relay.upstream).payload == b"still there"
        relay.upstream.send(frame(TEXT, b"I am", masked=False))
        assert read_frame(websocket).payload == b"I am"


def test_a_server_that_is_gone_gets_nothing_new(start_reloading, start_echo):
    old, new = start_echo(), start_echo()
    config = Config({"app": [old.port, new.port]}, [{"name": "app", "pool": "app"}])
    gateway, reload = start_reloading(config)
    with connect(gateway.http_port, False) as kept:
        open_echo(kept)
        config.pools = {"app": new.port}
        assert "pool app 1 draining; 1 websockets" in reload()
        old_sockets = old.descriptors()
        for _ in range(8):
            with connect(gateway.http_port, False) as client:
                open_echo(client)
                assert echoes(client)
        assert old.descriptors() <= old_sockets
        assert echoes(kept)


def test_an_open_websocket_takes_the_idle_time_of_its_route_over(start_reloading, echo):
    """The other one shows when the first one's time would have been over."""
    def route(name, idle):
        return {"name": name, "path": f"/{name}", "pool": "echo", "strip_prefix": True,
                "timeouts": {"websocket_idle": idle}}
    config = Config({"echo": echo.port}, [route("first", "4s"), route("other", "4s")])
    gateway, reload = start_reloading(config)
    with connect(gateway.http_port, False) as first, connect(gateway.http_port, False) as other:
        open_echo(first, "/first/echo")
        open_echo(other, "/other/echo")
        config.routes[0] = route("first", "1h")
        assert "route first changed" in reload()
        assert read_frame(other).opcode == CLOSE
        assert echoes(first)


# What is wrong.

WRONG = [
    "shards = 0\n",
    "colour = 1\n",
    "[[listen]\n",
    "via = \"a b\"\n",
    "[[listen]]\naddress = \"127.0.0.1\"\n",
    "[[listen]]\naddress = \"localhost:80\"\n",
    "[[listen]]\nadress = \"127.0.0.1:1\"\n",
    "[[listen]]\naddress = \"127.0.0.1:1\"\ncertificates = [\"none.pem\"]\n",
    "[[listen]]\naddress = \"127.0.0.1:1\"\nredirect = \"ftp\"\n",
    "[[route]]\npath = \"x\"\npool = \"app\"\n",
    "[[route]]\npath = \"/x\"\npool = \"none\"\n",
    "[[route]]\npath = \"/x\"\n",
    "[[route]]\npath = \"/x\"\nanswer = { status = 99 }\n",
    "[[route]]\npath = \"/x\"\nmethods = [\"CONNECT\"]\npool = \"app\"\n",
    "[[route]]\npath = \"/x\"\nhost = \"*\"\npool = \"app\"\n",
    "[pool.bad]\nservers = []\n",
    "[pool.bad]\nservers = \"127.0.0.1:99999\"\n",
    "[pool.bad]\nservers = \"no.such.name.test:1\"\n",
    "[pool.bad]\nservers = \"127.0.0.1:1\"\nbalance = \"fair\"\n",
    "[timeouts]\nrequest_header = \"0s\"\n",
    "[log]\nlevel = \"loud\"\n",
    "[log]\nfile = \"/none/of/these.log\"\n",
]


def test_a_configuration_that_is_wrong_changes_nothing_and_is_told_as_the_check_tells_it(
        start_reloading, echo, tmp_path):
    gateway, reload = start_reloading(Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}]))
    bare = gateway.config.text()
    bare = bare[:bare.index("[defaults]")]
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        for text in WRONG:
            reload.log.mark = gateway.log_mark()
            reload.reloads = 0
            ending = reload((text + bare) if not text.startswith("[") else (bare + text))
            checked = run_gateway("-t", "-c", gateway.file)
            assert checked.returncode == 1
            errors = checked.stderr.splitlines()
            for error in errors:
                assert len(reload.log.lines(" error ", error)) == 1, (error, reload.log.text())
            count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
            assert ending == f"failed: {count} in the configuration; generation 1 goes on"
        assert echoes(websocket)
        gateway.file.unlink()
        reload.log.mark = gateway.log_mark()
        reload.signal()
        reload.reloads = 0
        assert reload.ending() == "failed: 1 error in the configuration; generation 1 goes on"
        assert reload.log.lines(" error ", "there is no such file")
        assert reload() == "no change"
        assert echoes(websocket)


def test_an_address_that_cannot_be_had_changes_nothing(start_reloading, raw_port):
    taken = free_port()
    other = Upstream(taken)
    config = Config({}, [saying("one")])
    gateway, reload = start_reloading(config)
    more = free_port()
    config.routes = [saying("two")]
    config.listeners = [{"address": f"127.0.0.1:{more}"},
                        {"address": f"127.0.0.1:{taken}"}]
    told = reload()
    assert told.startswith("failed: cannot listen on 127.0.0.1:") and "Address already in use" in told
    assert told.endswith("generation 1 goes on")
    assert ask_anew(gateway.http_port) == (200, "one")
    assert refuses(more)
    other.close()
    assert reload().startswith("generation 2: ")
    assert ask_anew(more) == (200, "two")


@pytest.mark.parametrize("key, text", [
    ("shards", "shards = 7\n"), ("log.buffer", None), ("limits.compression_memory", None),
    ("limits.addresses", None)])
def test_what_needs_a_restart_is_named_and_the_rest_is_applied(start_reloading, key, text):
    config = Config({}, [saying("one")])
    gateway, reload = start_reloading(config)
    config.routes = [saying("two")]
    if key == "log.buffer":
        config.log_buffer = "512KiB"
    if key == "limits.compression_memory":
        config.limits = {"compression_memory": "2MiB"}
    if key == "limits.addresses":
        config.limits = {"addresses": 128}
    for ending in ("generation 2: route says changed; ", "no change"):
        reload.write((text or "") + config.text())
        reload.signal()
        assert reload.ending() == f"{key} stays as it is until a restart"
        assert reload.ending().startswith(ending)
        assert ask_anew(gateway.http_port) == (200, "two")
    # It is what it was: nothing is to be said of it.
    config.log_buffer, config.limits = "256KiB", {}
    assert reload() == "no change"
