"""[reload] orphans: what becomes of open WebSockets whose route or server a reload leaves out."""

import contextlib
import signal
import time

import pytest

from support.checking import run
from support.frames import TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import FEW, Config, Variant
from support.ports import free_port
from support.relay import open_echo, open_relay
from support.reloading import Reloading, echoes, saying
from support.streams import connect
from test_drain import close_politely, times_of_closes

REASON = "its route or its server is gone"  # by default
ONE_SHARD = Variant(1, "multishot")
RAW = {"name": "raw", "host": "raw.test", "pool": "raw"}


class Site:
    """A gateway before `upstream`, by the route and the pool raw, and before an echo server."""

    def __init__(self, gateway, log, raw_port):
        self.gateway = gateway
        self.config = gateway.config
        self.log = log
        self.reload = Reloading(gateway, log)
        self.raw_port = raw_port

    def without_raw(self):
        self.config.pools.pop("raw")
        self.config.routes.remove(RAW)
        return self.reload()

    def with_raw(self):
        self.config.pools["raw"] = self.raw_port
        self.config.routes.insert(0, RAW)
        return self.reload()

    def order(self, *words):
        done = run(*words, "-c", self.gateway.file)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout


@pytest.fixture
def start(start_gateway, log_of, echo, raw_port, tmp_path):
    def begin(variant=Variant(2), orphans="drain", **drain):
        drain = {"over": "0s", "hard_stop": "20s", **drain}
        config = Config({"raw": raw_port, "echo": echo.port},
                        [RAW, {"name": "echo", "path": "/echo", "pool": "echo"}, saying("rest")],
                        control={"socket": str(tmp_path / "control.sock")}, drain=drain,
                        reload={"orphans": orphans})
        gateway = start_gateway(config, variant)
        return Site(gateway, log_of(gateway), raw_port)
    return begin


@contextlib.contextmanager
def open_relays(site, upstream, count):
    with contextlib.ExitStack() as stack:
        yield [open_relay(stack.enter_context(connect(site.gateway.http_port)), upstream)
               for _ in range(count)]


def lives(relay):
    relay.client.send(frame(TEXT, b"still here"))
    assert read_frame(relay.upstream).payload == b"still here"
    relay.upstream.send(frame(TEXT, b"so am I", masked=False))
    assert read_frame(relay.client).payload == b"so am I"


def is_told(relay, code, reason=REASON):
    for peer in (relay.client, relay.upstream):
        closing = read_frame(peer)
        assert (closing.close_code, closing.close_reason) == (code, reason)


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_whose_route_and_server_have_gone_are_closed_and_the_others_live(start, upstream, variant):
    site = start(variant, close_code=1012)
    with open_relays(site, upstream, 3) as relays, connect(site.gateway.https_port, True) as other:
        open_echo(other)
        assert site.without_raw() == (
            "generation 2: route raw removed, pool raw removed; 1 websockets and 0 requests kept, 3 are "
            "closed at once")
        for relay in relays:
            is_told(relay, 1012)
            close_politely(relay, 1012)
            assert relay.client.read_ending() == (b"", "end")
        site.log.wait_many(3, "websocket", "end=orphaned", "by=gateway", "code=1012", "route=raw")
        site.log.wait("orphans: finished: nobody waits any more")
        assert echoes(other)


def test_a_route_alone_and_a_server_alone_are_enough(start, upstream, start_echo):
    site = start(close_reason="moved")
    other = start_echo()
    site.config.pools["raw"] = [site.raw_port, other.port]
    assert "pool raw +1 server; 0 websockets and 0 requests kept, 0 closed" in site.reload()
    site.order("drain", f"raw/127.0.0.1:{other.port}")  # so that it is the other one that is met
    with open_relays(site, upstream, 1) as (relay,):
        site.config.pools["raw"] = other.port
        assert site.reload() == ("generation 3: pool raw 1 draining; 0 websockets and 0 requests kept, "
                                 "1 is closed at once")
        is_told(relay, 1001, "moved")
    site.config.pools["raw"] = site.raw_port
    site.reload()
    with open_relays(site, upstream, 1) as (relay,):
        site.config.routes[0] = {**RAW, "name": "new"}
        assert site.reload() == ("generation 5: route raw removed, route new added; 0 websockets and 0 "
                                 "requests kept, 1 is closed at once")
        is_told(relay, 1001, "moved")


def test_a_route_without_a_name_is_not_taken_for_another(start, upstream):
    """What names it by default, its place, is another one's behind the reload."""
    site = start()
    site.config.routes = [{"path": "/gone", "pool": "raw"}, {"host": "raw.test", "pool": "raw"}]
    site.reload()
    with open_relays(site, upstream, 1) as (relay,), connect(site.gateway.http_port) as client:
        client.send(upgrade_request("/gone", "x.test"))
        server = upstream.accept()
        server.send(upgrade_response(server.read_head().get("Sec-WebSocket-Key")))
        assert client.read_head().status == 101
        site.config.routes.pop(0)
        assert site.reload().endswith("; 1 websockets and 0 requests kept, 1 is closed at once")
        for peer in (client, server):
            assert read_frame(peer).close_reason == REASON
        lives(relay)


def test_a_listener_or_a_changed_route_leaves_nobody_behind(start, upstream):
    site = start()
    with open_relays(site, upstream, 2) as relays:
        site.config.routes[0] = {**RAW, "timeouts": {"websocket_idle": "1h"}}
        site.config.http_port = free_port()
        assert site.reload().endswith("; 2 websockets and 0 requests kept, 0 closed")
        for relay in relays:
            lives(relay)


def test_kept_ones_live_on_until_a_reload_says_otherwise(start, upstream):
    site = start(orphans="keep")
    with open_relays(site, upstream, 2) as relays:
        assert site.without_raw().endswith("; 2 websockets and 0 requests kept, 0 closed")
        for relay in relays:
            lives(relay)
        site.config.reload = {"orphans": "drain"}
        assert site.reload() == ("generation 3: [reload] changed; 0 websockets and 0 requests kept, 2 are "
                                 "closed at once")
        for relay in relays:
            is_told(relay, 1001)


@pytest.mark.parametrize("variant", [*FEW, Variant(4, "multishot")], ids=str)
def test_they_are_closed_over_a_time(start, variant):
    """None before its turn. How late it may be is for the machine to say."""
    sessions, over = 120, 3
    site = start(variant, over=f"{over}s")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(site.gateway.http_port)) for _ in range(sessions)]
        for client in clients:
            open_echo(client)
        site.config.routes = [saying("rest")]
        began = time.monotonic()
        assert site.reload().endswith(f"; 0 websockets and 0 requests kept, {sessions} are closed "
                                      f"over {over}s")

        def check(closing):
            assert (closing.close_code, closing.close_reason) == (1001, REASON)

        for turn, closed_at in enumerate(times_of_closes(clients, began, check)):
            # Each shard begins with one of its own.
            assert closed_at >= (turn - variant.shards) * over / sessions, turn
        for client in clients:
            assert client.read_ending() == (b"", "end")
        site.log.wait("orphans: finished")


def test_whoever_waits_goes_on_where_his_route_comes_back(start, upstream):
    site = start(ONE_SHARD, over="1h", order="oldest", hard_stop="2h")
    with open_relays(site, upstream, 3) as (first, *rest):
        assert site.without_raw().endswith("; 0 websockets and 0 requests kept, 3 are closed over 1h")
        is_told(first, 1001)
        close_politely(first, 1001)
        site.log.wait("orphans: 2 websockets remain,", "s left")
        assert site.order("status").split("orphans:")[1].split()[0] == "websockets=2"
        assert site.with_raw().endswith("; 2 websockets and 0 requests kept, 0 closed")
        for relay in rest:
            lives(relay)
        site.log.wait("orphans: finished")
        # Nobody is left in the list to be closed at once with a new one.
        assert site.without_raw().endswith("2 are closed over 1h")
        is_told(rest[0], 1001)
        lives(rest[1])
        rest[1].client.reset()


def test_whoever_waits_goes_on_where_orphans_are_kept(start, upstream):
    site = start(ONE_SHARD, over="1h", order="oldest", hard_stop="2h")
    with open_relays(site, upstream, 2) as (first, second):
        site.without_raw()
        is_told(first, 1001)
        close_politely(first, 1001)
        site.config.reload = {"orphans": "keep"}
        assert site.reload().endswith("0 closed")
        lives(second)
        site.log.wait("orphans: finished")
        second.client.reset()


def test_another_reload_changes_the_plan_but_not_without_need(start, upstream):
    site = start(ONE_SHARD, over="1h", order="oldest", hard_stop="2h")
    with open_relays(site, upstream, 3) as (first, *rest):
        site.without_raw()
        is_told(first, 1001)
        close_politely(first, 1001)
        site.log.wait("websocket", "end=orphaned")
        # Each that began anew would close one at once.
        for number in range(3):
            site.config.routes[-1] = saying(f"number {number}")
            assert site.reload().endswith("; 0 websockets and 0 requests kept, 2 wait to be closed still")
        for relay in rest:
            lives(relay)
        site.config.drain = {"over": "0s", "close_code": 4005, "hard_stop": "20s"}
        assert site.reload().endswith("2 are closed at once")
        for relay in rest:
            is_told(relay, 4005)


def test_one_that_opens_behind_the_reload_is_closed_too(start, upstream):
    site = start()
    with connect(site.gateway.http_port) as client:
        client.send(upgrade_request("/ws", "raw.test"))
        server = upstream.accept()
        key = server.read_head().get("Sec-WebSocket-Key")
        assert site.without_raw().endswith("; 0 websockets and 1 requests kept, 0 closed")
        server.send(upgrade_response(key))
        assert client.read_head().status == 101
        for peer in (client, server):
            assert read_frame(peer).close_reason == REASON


def test_a_reload_and_a_drained_server(start, upstream):
    """Whom the reload lets go the drain takes back."""
    site = start(ONE_SHARD, over="1h", order="oldest", close_code=4001, hard_stop="2h")
    with open_relays(site, upstream, 4) as (first, second, third, fourth):
        site.order("drain", "raw", "--code", "4002")
        assert read_frame(first.client).close_code == 4002
        close_politely(first, 4002)
        site.log.wait("websocket", "end=draining")
        assert site.without_raw().endswith("3 are closed over 1h")
        is_told(second, 4001)
        close_politely(second, 4001)
        site.log.wait("websocket", "end=orphaned")
        assert site.with_raw().endswith("; 2 websockets and 0 requests kept, 0 closed")
        # The first one of an empty list comes at once.
        assert read_frame(third.client).close_code == 4002
        lives(fourth)
        site.order("undrain", "raw")
        lives(fourth)
        fourth.client.reset()


def test_a_stop_takes_over(start, upstream):
    site = start(ONE_SHARD, over="1h", order="oldest", hard_stop="2h")
    with open_relays(site, upstream, 3) as (first, second, third):
        site.without_raw()
        is_told(first, 1001)
        site.gateway.process.send_signal(signal.SIGTERM)
        is_told(second, 1001, "the gateway is stopping")
        for relay in (first, second, third):
            relay.client.reset()
        assert site.gateway.wait() == 0
