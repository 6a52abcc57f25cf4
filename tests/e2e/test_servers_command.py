"""`gateway servers` and `gateway pools`: other servers for a pool that serves, without a file."""

import contextlib
import os
import stat

import pytest

from support.checking import run
from support.frames import TEXT, frame, read_frame
from support.gateway import FEW, Variant
from support.name_server import Name, NameServer
from support.pools import NamesConfig, asks, order, pools_of, servers_of
from support.relay import open_echo
from support.sites import sites
from support.streams import connect
from support.waiting import wait_until


@pytest.fixture
def start(start_gateway, tmp_path):
    def begin(servers, variant=Variant(2), **options):
        return start_gateway(NamesConfig(servers, tmp_path, **options), variant)
    return begin


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.close()


def refused(gateway, *words):
    done = run(*words, "-c", gateway.file)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith("gateway: error: ") and done.stderr.endswith("\n"), done.stderr
    return done.stderr[len("gateway: error: "):-1]


def at(port, *lasts):
    return [f"127.0.0.{last}:{port}" for last in lasts]


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_pool_gets_other_servers_at_once_and_its_websockets_live_on(start, log_of, variant):
    with sites(3) as (port, site):
        gateway = start(at(port, 1), variant)
        log = log_of(gateway)
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(connect(gateway.http_port, False))
            open_echo(client)
            one, two, three = at(port, 1, 2, 3)
            assert order(gateway, "servers", "app", "set", f"{two}=2", three) == (
                "pool app: 2 servers, 2 added, 1 removed\n")
            assert set(asks(gateway, 12)) == {"127.0.0.2", "127.0.0.3"}
            log.wait(f'servers pool=app servers=2 added="{two}, {three}" removed="{one}"')
            assert [(row["server"], row["state"], row["weight"], row["websockets"], row["from"])
                    for row in pools_of(gateway)["app"]] == [
                        (two, "up", 2, 0, "control"), (three, "up", 1, 0, "control"),
                        (one, "removed", 0, 1, "-")]
            site["127.0.0.1"].websockets[0].send(frame(TEXT, b"still here", masked=False))
            assert read_frame(client).payload == b"still here"
        wait_until(lambda: servers_of(gateway, "removed") == [], "its WebSocket to be gone")
        assert order(gateway, "servers", "app", "add", one) == "pool app: 3 servers, 1 added, 0 removed\n"
        assert order(gateway, "servers", "app", "remove", two, three) == (
            "pool app: 1 server, 0 added, 2 removed\n")
        assert set(asks(gateway)) == {"127.0.0.1"}
        assert order(gateway, "servers", "app", "set", one) == "pool app: 1 server, 0 added, 0 removed\n"
        order(gateway, "servers", "app", "set", f"localhost:{port}")
        assert servers_of(gateway) == [f"localhost:{port}"]
        assert set(asks(gateway)) == {"127.0.0.1"}
        order(gateway, "servers", "app", "set", two)
        assert order(gateway, "servers", "app", "reset") == "pool app: 1 server, 1 added, 1 removed\n"
        assert pools_of(gateway)["app"][0]["from"] == "file"


def test_pools_are_a_table_for_people(start):
    with sites(1) as (port, _):
        gateway = start(at(port, 1))
        order(gateway, "servers", "app", "set", f"127.0.0.1:{port}=0")
        assert order(gateway, "pools").splitlines()[1].split()[3] == "0"
        order(gateway, "servers", "app", "reset")
        lines = order(gateway, "pools").splitlines()
        assert lines[0].split() == ["POOL", "SERVER", "STATE", "WEIGHT", "REQUESTS", "WEBSOCKETS", "FROM"]
        assert [line.split() for line in lines[1:]] == [
            ["app", f"127.0.0.1:{port}", "up", "1", "0", "0", "file"]]


def test_what_is_wrong_is_told_as_of_the_file_and_changes_nothing(start, names):
    with sites(2) as (port, _):
        one, two = at(port, 1, 2)
        gateway = start([one], name_server=names)
        usage = {
            ("app", "set"): "'set' needs servers, such as 10.0.0.7:9001",
            ("app", "reset", two): "'reset' takes no servers: they are those of the configuration again",
            ("app", "put", two): "'put' must be 'set', 'add', 'remove' or 'reset'",
            ("a b", "set", two): "'a b' names no pool",
            ("app", "set", "10.0.0.7"): "'10.0.0.7' has no port: write \"HOST:PORT\" or \"[IPV6]:PORT\"",
            ("app", "set", f"{two}=65536"): f"'{two}' must have a weight between 0 and 65535, not 65536",
            ("app", "set", f"{two}=4294967297"): f"'{two}' must have a weight between 0 and 65535, "
                                                 "not 4294967297",
            ("app", "set", two, f"{two}=2"): f"server '{two}' is given twice",
            ("app", "set", "srv:app.test"): "'srv:app.test' must be the name of a service (SRV), such as "
                                            "\"srv:_app._tcp.example.com\"",
        }
        for words, told in usage.items():
            done = run("servers", *words, "-c", gateway.file)
            assert (done.returncode, done.stdout, done.stderr) == (2, "", f"gateway: error: {told}\n")
        told = {
            ("other", "set", two): "there is no pool 'other': the pools are app",
            ("app", "add", two, one): f"server '{one}' is in this pool already",
            ("app", "remove", two): f"pool 'app' has no server '{two}': its servers are {one}",
            ("app", "remove", one): "pool 'app' would have no server: 'gateway drain app' lets all of them "
                                    "get nothing new",
            ("app", "set", two, "nobody.test:1"): "'nobody.test' cannot be resolved: there is no such name",
        }
        for words, expected in told.items():
            assert refused(gateway, "servers", *words) == expected
        assert servers_of(gateway) == [one]
        assert set(asks(gateway)) == {"127.0.0.1"}


def test_names_that_were_set_are_looked_up_again(start, names):
    names.names["app.test"] = Name(["127.0.0.2"])
    with sites(3) as (port, _):
        gateway = start(at(port, 1), name_server=names)
        order(gateway, "servers", "app", "set", f"app.test:{port}=3")
        assert [(row["server"], row["weight"], row["from"]) for row in pools_of(gateway)["app"]] == [
            (f"app.test:{port}/127.0.0.2", 3, "dns")]
        names.names["app.test"].addresses = ["127.0.0.3"]
        wait_until(lambda: servers_of(gateway) == [f"app.test:{port}/127.0.0.3"], "the other address")
        wait_until(lambda: set(asks(gateway)) == {"127.0.0.3"}, "each shard to have it")
        order(gateway, "servers", "app", "reset")
        asked = names.asked_for("app.test")
        assert set(asks(gateway)) == {"127.0.0.1"}
        assert names.asked_for("app.test") <= asked + 2, "nobody needs it any more"


def test_a_reload_keeps_them_unless_the_file_has_other_servers(start, log_of):
    with sites(3) as (port, _):
        gateway = start(at(port, 1))
        log = log_of(gateway)
        order(gateway, "servers", "app", "set", *at(port, 2))
        gateway.config.pools["app"]["balance"] = "least-connections"
        gateway.file.write_text(gateway.config.text())
        order(gateway, "reload")
        assert servers_of(gateway) == at(port, 2)
        assert set(asks(gateway)) == {"127.0.0.2"}
        gateway.config.pools["app"]["servers"] = at(port, 1, 3)
        gateway.file.write_text(gateway.config.text())
        order(gateway, "reload")
        assert servers_of(gateway) == at(port, 1, 3)
        assert set(asks(gateway)) == {"127.0.0.1", "127.0.0.3"}
        log.wait("servers pool=app source=file: what was set at the control socket is forgotten: "
                 "the configuration has other servers than it had then")


def test_with_a_file_of_the_state_they_outlive_the_process(start, start_gateway, tmp_path):
    state = tmp_path / "state.toml"
    with sites(3) as (port, _):
        gateway = start(at(port, 1), control={"state": str(state)})
        assert not state.exists()
        order(gateway, "servers", "app", "set", f"{at(port, 2)[0]}=7", *at(port, 3))
        assert stat.S_IMODE(os.stat(state).st_mode) == 0o600
        gateway.finish()
        again = start_gateway(gateway.config, Variant(2))
        assert [(row["server"], row["weight"], row["from"]) for row in pools_of(again)["app"]] == [
            (at(port, 2)[0], 7, "control"), (at(port, 3)[0], 1, "control")]
        assert set(asks(again, 18)) == {"127.0.0.2", "127.0.0.3"}
        again.config.pools["app"]["servers"] = at(port, 1, 2)
        again.file.write_text(again.config.text())
        order(again, "reload")
        assert "127.0.0" not in state.read_text(), "the file of the configuration has won"
        again.finish()
        third = start_gateway(gateway.config, Variant(2))
        assert servers_of(third) == at(port, 1, 2)
        order(third, "servers", "app", "set", *at(port, 3))
        third.finish()
        # What a start forgets does not come back with the file of before, either.
        gateway.config.pools["app"]["servers"] = at(port, 1)
        start_gateway(gateway.config, Variant(2)).finish()
        gateway.config.pools["app"]["servers"] = at(port, 1, 2)
        assert servers_of(start_gateway(gateway.config, Variant(2))) == at(port, 1, 2)


def test_a_file_of_the_state_that_cannot_be_read_or_written_is_told(start, tmp_path):
    state = tmp_path / "state.toml"
    for text, fault in (("servers = 1\n", "must have tables [pool.NAME] and nothing else"),
                        ("[pool.app]\nfile = \"\"\n", "must have 'file', a string, and 'servers', a list"),
                        ("[pool.app]\nfile = \"\"\nservers = [\"x\"]\n", "is wrong: 'x' has no port"),
                        ("[pool", "syntax: ")):
        state.write_text(text)
        file = tmp_path / "bad.conf"
        file.write_text(NamesConfig(["127.0.0.1:1"], tmp_path, control={"state": str(state)}).text())
        done = run("-c", file)
        assert done.returncode == 1
        assert "[control] state: " in done.stderr and fault in done.stderr, done.stderr
        assert "repair it, or remove it" in done.stderr
    state.unlink()
    with sites(2) as (port, _):
        gateway = start(at(port, 1), control={"state": str(state)})
        (tmp_path / "state.toml.new").mkdir()
        told = refused(gateway, "servers", "app", "set", *at(port, 2))
        assert told == f"cannot write {state}.new: Is a directory; nothing has changed"
        assert servers_of(gateway) == at(port, 1)


def test_an_upgrade_takes_along_what_is_in_the_file_of_the_state(start_upgrading, tmp_path):
    with sites(2) as (port, _):
        config = NamesConfig(at(port, 1), tmp_path, control={"state": str(tmp_path / "state.toml")})
        line = start_upgrading(config)
        order(line.gateway, "servers", "app", "set", *at(port, 2))
        line()
        assert servers_of(line.gateway) == at(port, 2)
        assert set(asks(line.gateway)) == {"127.0.0.2"}
        line.finish()
