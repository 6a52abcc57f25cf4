"""Names of servers: looked up again when their time is over, each address a server; whatever name servers do,
what was found last goes on."""

import contextlib

import pytest

from support.checking import run
from support.frames import CLOSE, TEXT, frame, read_frame
from support.gateway import FEW, Variant
from support.name_server import NO_SUCH_NAME, SERVER_FAILURE, Name, NameServer
from support.pools import NamesConfig, asks, order, pools_of, servers_of
from support.relay import open_echo
from support.sites import sites
from support.streams import connect
from support.waiting import wait_until

APP = "app.test"


@pytest.fixture
def names():
    server = NameServer()
    server.names[APP] = Name(["127.0.0.1", "127.0.0.2"])
    yield server
    server.close()


@pytest.fixture
def start(start_gateway, tmp_path, names):
    def begin(servers, variant=Variant(2), **options):
        return start_gateway(NamesConfig(servers, tmp_path, names, **options), variant)
    return begin


def texts(port, *lasts):
    return [f"{APP}:{port}/127.0.0.{last}" for last in lasts]


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_each_address_is_a_server_and_what_comes_and_goes_is_found_in_time(start, names, log_of, variant):
    with sites(3) as (port, site):
        gateway = start([f"{APP}:{port}"], variant)
        log = log_of(gateway)
        assert set(asks(gateway)) == {"127.0.0.1", "127.0.0.2"}
        with contextlib.ExitStack() as stack:
            clients = []
            while len(site["127.0.0.1"].websockets) < 2:
                clients.append(stack.enter_context(connect(gateway.http_port, False)))
                open_echo(clients[-1])
            held = len(site["127.0.0.1"].websockets)
            names.names[APP].addresses = ["127.0.0.2", "127.0.0.3"]
            wait_until(lambda: servers_of(gateway) == texts(port, 2, 3), "the other list")
            log.wait("servers pool=app servers=2", f'added="{texts(port, 3)[0]}"',
                     f'removed="{texts(port, 1)[0]}"')
            wait_until(lambda: set(asks(gateway)) == {"127.0.0.2", "127.0.0.3"}, "the new one")
            assert servers_of(gateway, "removed") == texts(port, 1)
            for stream in site["127.0.0.1"].websockets:
                stream.send(frame(TEXT, b"still here", masked=False))
            for client in wait_for_bytes(clients, held):
                assert read_frame(client).payload == b"still here"
        wait_until(lambda: servers_of(gateway, "removed") == [], "its WebSockets to be gone")


def wait_for_bytes(clients, count):
    """Those of them that have got something: so many."""
    def who():
        some = [client for client in clients if client.wait_readable(0)]
        return some if len(some) >= count else None
    some = wait_until(who, f"bytes for {count} of {len(clients)}")
    assert len(some) == count
    return some


def test_websockets_of_a_vanished_address_are_closed_where_orphans_are(start, names, log_of):
    with sites(2) as (port, site):
        gateway = start([f"{APP}:{port}"], Variant(1), reload={"orphans": "drain"})
        log = log_of(gateway)
        with connect(gateway.http_port, False) as one, connect(gateway.http_port, False) as other:
            for client in (one, other):
                open_echo(client)
            [goes], [stays] = (site[address].websockets for address in ("127.0.0.1", "127.0.0.2"))
            names.names[APP].addresses = ["127.0.0.2"]
            assert read_frame(goes).close_code == 1001
            log.wait("servers orphans: 1 is closed at once")
            stays.send(frame(TEXT, b"x", masked=False))
            kinds = sorted(read_frame(client).opcode for client in wait_for_bytes([one, other], 2))
            assert kinds == sorted([TEXT, CLOSE])


def failing(server, how):
    if how == "silent":
        server.is_silent = True
    elif how == "server failure":
        server.names[APP].code = SERVER_FAILURE
    elif how == "no such name":
        server.names[APP].code = NO_SUCH_NAME
    elif how == "no address":
        server.names[APP].addresses = []
    elif how == "another's answer":
        server.lie = lambda answer: bytes([answer[0] ^ 1]) + answer[1:]
    elif how == "another question":
        server.lie = lambda answer: answer.replace(b"\x03app\x04test", b"\x03apq\x04test")
    elif how == "cut short":
        server.lie = lambda answer: answer[:-3]
    elif how == "rubbish":
        server.lie = lambda answer: b"\xff" * 200
    elif how == "a loop":
        server.lie = lambda answer: answer[:12] + b"\xc0\x0c" + answer[12:]


@pytest.mark.parametrize("how", ["silent", "server failure", "no such name", "no address", "another's answer",
                                 "another question", "cut short", "rubbish", "a loop"])
def test_a_name_server_that_fails_changes_nothing(start, names, log_of, how):
    with sites(2) as (port, _):
        gateway = start([f"{APP}:{port}"], resolver={"timeout": "500ms", "tries": 2})
        log = log_of(gateway)
        failing(names, how)
        log.wait(f'name name="{APP}" state=failing')
        asked = names.asked_for(APP)
        wait_until(lambda: names.asked_for(APP) > asked + 1, "another try")
        assert set(asks(gateway)) == {"127.0.0.1", "127.0.0.2"}
        assert servers_of(gateway) == texts(port, 1, 2)
        assert len(log.lines("state=failing")) == 1
        names.is_silent, names.lie = False, None
        names.names[APP] = Name(["127.0.0.2"])
        log.wait(f'name name="{APP}" state=fine')
        wait_until(lambda: servers_of(gateway) == texts(port, 2), "the new list")


def addresses_of_first(gateway):
    return pools_of(gateway)["app"][0]["addresses"]


def test_a_failure_of_one_family_leaves_what_was_known_of_it(start, names, log_of):
    names.names[APP] = Name(["127.0.0.1", "::1"], ipv6_code=0)
    with sites(2) as (port, _):
        gateway = start([f"{APP}:{port}"])
        log = log_of(gateway)
        assert servers_of(gateway) == [f"{APP}:{port}"], "one server at both"
        names.names[APP] = Name(["127.0.0.1", "127.0.0.2"], ipv6_code=SERVER_FAILURE)
        wait_until(lambda: servers_of(gateway) == [f"{APP}:{port}", *texts(port, 2)],
                   "the other address")
        assert addresses_of_first(gateway) == [f"127.0.0.1:{port}", f"[::1]:{port}"]
        names.names[APP].ipv6_code = 0
        wait_until(lambda: addresses_of_first(gateway) == [f"127.0.0.1:{port}"], "the end of what is denied")
        assert servers_of(gateway) == [f"{APP}:{port}", *texts(port, 2)], "it stays what it is called"
        assert not log.lines("state=failing")


def test_all_addresses_are_one_server_where_they_are_to_be(start, names):
    with sites(3) as (port, _):
        gateway = start([{"address": f"{APP}:{port}", "resolve": "one"}])
        assert servers_of(gateway) == [f"{APP}:{port}"]
        names.names[APP].addresses = ["127.0.0.3"]
        wait_until(lambda: pools_of(gateway)["app"][0]["addresses"] == [f"127.0.0.3:{port}"],
                   "the other address")
        wait_until(lambda: asks(gateway, 1) == ["127.0.0.3"], "an answer from there")
        assert servers_of(gateway) == [f"{APP}:{port}"]


def test_services_have_ports_weights_and_priorities(start, names):
    with sites(2) as (port, _), sites(1) as (other_port, _):
        names.names["_app._tcp.test"] = Name(services=[(1, 30, port, "a.test"), (2, 1, other_port, "b.test")])
        names.names["a.test"] = Name(["127.0.0.2"])
        names.names["b.test"] = Name(["127.0.0.1"])
        gateway = start(["srv:_app._tcp.test"])
        rows = {one["server"]: (one["backup"], one["from"]) for one in pools_of(gateway)["app"]}
        assert rows == {f"a.test:{port}/127.0.0.2": (False, "dns"),
                        f"b.test:{other_port}/127.0.0.1": (True, "dns")}
        names.names["_app._tcp.test"].services = [(2, 0, port, "a.test"), (2, 60, other_port, "b.test")]
        wait_until(lambda: {one["server"]: (one["backup"], one["weight"])
                            for one in pools_of(gateway)["app"]}
                   == {f"a.test:{port}/127.0.0.2": (False, 1), f"b.test:{other_port}/127.0.0.1": (False, 60)},
                   "the other weights")
        assert set(asks(gateway, 80)) == {"127.0.0.1", "127.0.0.2"}
        names.names["_app._tcp.test"].services = [(0, 0, 0, ".")]
        wait_until(lambda: names.asked_for("_app._tcp.test") > 4, "a refusal of the service")
        assert len(servers_of(gateway)) == 2, "what was found last goes on"


def test_what_does_not_fit_in_a_datagram_comes_through_a_stream(start, names):
    names.truncates = True
    with sites(2) as (port, _):
        gateway = start([f"{APP}:{port}"])
        assert servers_of(gateway) == texts(port, 1, 2)
        names.names[APP].addresses = ["127.0.0.2"]
        wait_until(lambda: servers_of(gateway) == texts(port, 2), "the other list")
        assert ("udp" in {one[2] for one in names.asked}) and ("tcp" in {one[2] for one in names.asked})


def test_no_more_addresses_are_taken_than_are_used_and_the_same_ones_each_time(start, names, log_of):
    names.truncates = True
    many = [f"127.0.1.{last}" for last in range(1, 101)]
    names.names[APP].addresses = many
    gateway = start([f"{APP}:1"])
    log = log_of(gateway)
    first = servers_of(gateway)
    assert len(first) == 64
    asked = names.asked_for(APP)
    names.names[APP].addresses = many[50:] + many[:50]
    wait_until(lambda: names.asked_for(APP) > asked + 4, "more questions")
    assert servers_of(gateway) == first
    assert not log.lines("servers pool=app")


def test_an_alias_is_followed(start, names):
    names.names["alias.test"] = Name(alias=APP)
    with sites(2) as (port, _):
        gateway = start([f"alias.test:{port}"])
        assert servers_of(gateway) == [f"alias.test:{port}/127.0.0.{last}" for last in (1, 2)]


def test_a_reload_looks_again_and_keeps_what_was_found(start, names):
    names.names[APP].ttl = 600
    with sites(2) as (port, _):
        gateway = start([f"{APP}:{port}"], resolver={"ttl_max": "1h"})
        names.names[APP].addresses = ["127.0.0.2"]
        assert order(gateway, "reload") == "reload: no change\n"
        wait_until(lambda: servers_of(gateway) == texts(port, 2), "the other list")
        gateway.config.pools["app"]["balance"] = "least-connections"
        gateway.file.write_text(gateway.config.text())
        order(gateway, "reload")
        assert servers_of(gateway) == texts(port, 2)
        assert set(asks(gateway)) == {"127.0.0.2"}


def test_a_drain_of_a_name_is_of_all_its_addresses(start, names):
    with sites(3) as (port, _):
        names.names[APP].addresses = ["127.0.0.1", "127.0.0.2"]
        gateway = start([f"{APP}:{port}", f"127.0.0.3:{port}"])
        order(gateway, "drain", f"app/{APP}:{port}/127.0.0.1")
        assert servers_of(gateway, "draining") == texts(port, 1)
        order(gateway, "drain", f"app/{APP}:{port}")
        assert servers_of(gateway, "draining") == texts(port, 1, 2)
        assert set(asks(gateway)) == {"127.0.0.3"}
        order(gateway, "undrain", f"app/{APP}:{port}")
        assert servers_of(gateway, "draining") == []


def test_checks_ask_for_the_name_as_clients_would(start, names):
    with sites(2) as (port, site):
        start([f"{APP}:{port}"], pool={"health": {"path": "/health", "every": "100ms"}})
        wait_until(lambda: all(one.hosts for one in site.values()), "checks of both addresses")
        assert {host for one in site.values() for host in one.hosts} == {f"{APP}:{port}"}


def test_a_drained_name_is_drained_at_addresses_that_come(start, names):
    with sites(4) as (port, _):
        names.names[APP].addresses = ["127.0.0.1"]
        gateway = start([f"{APP}:{port}", f"127.0.0.4:{port}"])
        order(gateway, "drain", f"app/{APP}:{port}")
        names.names[APP].addresses = ["127.0.0.2", "127.0.0.3"]
        wait_until(lambda: servers_of(gateway, "draining") == texts(port, 2, 3), "the others")
        assert set(asks(gateway)) == {"127.0.0.4"}
        order(gateway, "undrain", f"app/{APP}:{port}")
        assert set(asks(gateway, 12)) == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}


def test_a_name_that_nobody_knows_is_an_error_of_the_configuration(tmp_path, names):
    for text, name in (("nobody.test:1", "nobody.test"), ("srv:_no._tcp.test", "_no._tcp.test")):
        file = tmp_path / "gateway.conf"
        file.write_text(NamesConfig([text], tmp_path, names).text())
        done = run("-t", "-c", file)
        assert done.returncode == 1
        assert f"'{name}' cannot be resolved: there is no such name" in done.stderr


def test_requests_are_served_while_name_servers_are_silent(start, names, log_of):
    with sites(2) as (port, _):
        gateway = start([f"{APP}:{port}"], resolver={"timeout": "10s", "tries": 3})
        log = log_of(gateway)
        names.is_silent = True
        asked = names.asked_for(APP)
        wait_until(lambda: names.asked_for(APP) > asked, "a question that nobody answers")
        assert set(asks(gateway, 40)) == {"127.0.0.1", "127.0.0.2"}
        assert run("status", "-c", gateway.file).returncode == 0
        assert not log.lines("state=failing"), "it waits still"
