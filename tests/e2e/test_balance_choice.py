"""Which server of a pool is chosen: weights, backups, zones, least connections, hashes; over shards and
reloads."""

import contextlib
from collections import Counter

import pytest

from support.frames import upgrade_request
from support.gateway import FEW, Config, Variant
from support.streams import connect
from support.waiting import wait_until

KEYS = 10_000
IN_FLIGHT = 50


def table(port, **more):
    return {"address": f"127.0.0.1:{port}", **more}


def ask(port, heads):
    """Who answers each of them, all over one connection."""
    answers = []
    with connect(port) as client:
        for begin in range(0, len(heads), IN_FLIGHT):
            some = heads[begin:begin + IN_FLIGHT]
            client.send("".join(some).encode())
            for _ in some:
                head, body = client.read_response()
                assert head.status == 200, head
                answers.append(int(body))
    return answers


def get(target="/", fields=""):
    return f"GET {target} HTTP/1.1\r\nHost: x.test\r\n{fields}\r\n"


def open_websockets(gateway, count, stack, fields=""):
    """So many, which stay open; all handshakes are done."""
    clients = [stack.enter_context(connect(gateway.http_port)) for _ in range(count)]
    for client in clients:
        client.send(upgrade_request("/", "x.test", more=fields))
        assert client.read_head().status == 101
    return clients


def test_weights_share_out_requests(start_gateway, named):
    servers = named(3)
    one, other, none = servers.ports
    gateway = start_gateway(Config({"app": [table(one, weight=3), table(other), table(none, weight=0)]},
                                   [{"pool": "app"}]), Variant(1))
    assert ask(gateway.http_port, [get()] * 8) == [0, 0, 1, 0, 0, 0, 1, 0]


def test_backups_get_what_nobody_else_can_take(start_gateway, named):
    servers = named(3)
    # Whom the balance chooses, where nobody is ejected and each failure is tried elsewhere.
    pool = {"servers": [table(servers.ports[0]), table(servers.ports[1]),
                        table(servers.ports[2], backup=True)],
            "ejection": {"in_a_row": "off"}, "retry_budget": "off"}
    gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}]), Variant(1))
    assert set(ask(gateway.http_port, [get()] * 10)) == {0, 1}
    servers.kill(0)
    assert set(ask(gateway.http_port, [get()] * 10)) == {1}
    servers.kill(1)
    assert set(ask(gateway.http_port, [get()] * 10)) == {2}
    servers.start_again(0)
    assert set(ask(gateway.http_port, [get()] * 10)) == {0}


def test_the_own_zone_comes_first(start_gateway, named):
    servers = named(3)
    zones = ["a", "b", "b"]
    gateway = start_gateway(
        Config({"app": [table(port, zone=zone) for port, zone in zip(servers.ports, zones)]},
               [{"pool": "app"}], top={"zone": "b"}), Variant(1))
    assert set(ask(gateway.http_port, [get()] * 10)) == {1, 2}
    servers.kill(1)
    servers.kill(2)
    assert set(ask(gateway.http_port, [get()] * 10)) == {0}


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_least_connections_counts_websockets_over_all_shards_and_reloads(start_reloading, named, variant):
    servers = named(3)
    gateway, reload = start_reloading(
        Config({"app": {"servers": servers.ports, "balance": "least-connections"}},
               [{"pool": "app"}]), variant)
    with contextlib.ExitStack() as stack:
        open_websockets(gateway, 60, stack)
        assert servers.websockets() == [20, 20, 20]
        gateway.config.pools["app"]["servers"] = [
            table(servers.ports[0]), table(servers.ports[1], weight=2), table(servers.ports[2])]
        assert "pool app changed" in reload()
        open_websockets(gateway, 60, stack)
        assert servers.websockets() == [30, 60, 30]


def test_random_of_two_stays_near_the_mean(start_gateway, named):
    servers = named(4)
    gateway = start_gateway(Config({"app": {"servers": servers.ports, "balance": "random-of-two"}},
                                   [{"pool": "app"}]), Variant(2))
    with contextlib.ExitStack() as stack:
        open_websockets(gateway, 120, stack)
        assert all(20 <= count <= 40 for count in servers.websockets()), servers.websockets()


def test_a_server_that_goes_moves_only_its_keys(start_reloading, named):
    servers = named(5)
    gateway, reload = start_reloading(
        Config({"app": {"servers": list(servers.ports), "balance": "hash", "hash": "header:X-User"}},
               [{"pool": "app"}]))
    heads = [get(fields=f"X-User: user-{number}\r\n") for number in range(KEYS)]
    before = ask(gateway.http_port, heads)
    assert ask(gateway.http_port, heads[:500]) == before[:500]
    shares = Counter(before)
    assert all(KEYS / 5 * 0.87 < shares[server] < KEYS / 5 * 1.13 for server in range(5)), shares
    # In another order, too.
    gateway.config.pools["app"]["servers"] = [servers.ports[at] for at in (4, 0, 3, 1)]
    reload()
    after = ask(gateway.http_port, heads)
    moved = sum(had != has for had, has in zip(before, after))
    assert moved == shares[2], "who has lost nothing keeps his"
    assert moved <= KEYS / 4


@pytest.mark.parametrize("key,one,other", [
    ("path", get("/a?x=1"), get("/b?x=1")),
    ("header:X-User", get(fields="x-user: a\r\n"), get(fields="x-user: b\r\n")),
    ("cookie:session", get(fields="Cookie: x=1; session=a\r\n"), get(fields="Cookie: session=\"b\"\r\n")),
    ("query:user", get("/?x=1&user=a"), get("/?user=b&x=1")),
    ("address", get(fields="X-Forwarded-For: 192.0.2.1, 127.0.0.9\r\n"),
     get(fields="X-Forwarded-For: 192.0.2.3\r\n")),
])
def test_each_kind_of_key(start_gateway, named, key, one, other):
    servers = named(8)
    gateway = start_gateway(
        Config({"app": {"servers": servers.ports, "balance": "hash", "hash": key}}, [{"pool": "app"}],
               top={"trusted_proxies": ["127.0.0.0/8"]}), Variant(2))
    answers = ask(gateway.http_port, [one, other] * 10)
    assert len(set(answers[::2])) == 1
    assert len(set(answers[1::2])) == 1
    if key != "address":
        without = ask(gateway.http_port, [get(f"/{number}") for number in range(100)])
        assert len(set(without)) > 4, "who has none is anybody's"


def test_who_is_not_trusted_does_not_choose_his_address(start_gateway, named):
    servers = named(8)
    gateway = start_gateway(
        Config({"app": {"servers": servers.ports, "balance": "hash", "hash": "address"}},
               [{"pool": "app"}]), Variant(2))
    heads = [get(fields=f"X-Forwarded-For: 192.0.2.{number}\r\n") for number in range(50)]
    assert len(set(ask(gateway.http_port, heads))) == 1


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_no_server_gets_more_of_one_key_than_its_bound(start_gateway, named, variant):
    servers = named(4)
    gateway = start_gateway(
        Config({"app": {"servers": servers.ports, "balance": "hash", "hash": "header:X-User",
                        "hash_load": 150}}, [{"pool": "app"}]), variant)
    with contextlib.ExitStack() as stack:
        open_websockets(gateway, 100, stack, "X-User: everybody\r\n")
        counts = sorted(servers.websockets())
        assert sum(counts) == 100
        assert counts[-1] <= 38, counts
    wait_until(lambda: servers.websockets() == [0] * 4, "all to end")
