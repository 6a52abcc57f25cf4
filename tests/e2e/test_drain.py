"""A stop in order with many to be told: WebSockets are closed one by one over a time, each with the
code and the text of the configuration, requests come to their end, and the exit status and the last
lines of the log say what became of all."""

import contextlib
import re
import selectors
import signal
import threading
import time

import pytest

from support.frames import (BINARY, CLOSE, TEXT, close_payload, frame, read_frame, upgrade_request,
                            upgrade_response)
from support.gateway import FEW, HAS_CUT, Config, Variant
from support.relay import open_echo, open_relay
from support.serving import Serving
from support.streams import connect
from support.waiting import DEADLINE, wait_until
from test_stop import STOPS, ask, is_refused

# Nothing of these tests takes so long.
LONG = {"over": "1h", "hard_stop": "2h"}


@pytest.fixture
def site(raw_port, echo):
    def config(**drain):
        return Config({"raw": raw_port, "echo": echo.port},
                      [{"path": "/own", "answer": {"body": "x"}},
                       {"path": "/", "host": "raw.test", "pool": "raw"},
                       {"path": "/", "pool": "echo"}], drain=drain)
    return config


def last_words(gateway):
    """requests, by us, by peers, cut: as the last line about the stop tells them."""
    found = re.findall(r"drain: finished: requests finished=(\d+), websockets closed by us=(\d+), "
                       r"by peers=(\d+), cut=(\d+)", gateway.log())
    assert len(found) == 1, gateway.log()
    return tuple(map(int, found[0]))


@contextlib.contextmanager
def open_relays(gateway, upstream, count):
    with contextlib.ExitStack() as stack:
        relays = []
        for _ in range(count):
            client = stack.enter_context(connect(gateway.http_port))
            relays.append(open_relay(client, upstream))
        yield relays


def close_politely(relay, code):
    relay.client.send(frame(CLOSE, close_payload(code)))
    relay.upstream.send(frame(CLOSE, close_payload(code), masked=False))


@STOPS
@pytest.mark.parametrize("variant", FEW, ids=str)
@pytest.mark.parametrize("code,reason", [(1001, "the gateway is stopping"), (1012, "back sööhn"),
                                         (4999, "")], ids=["usual", "other", "no-reason"])
def test_both_ends_are_told_the_code_and_the_reason(start_gateway, site, upstream, log_of, variant,
                                                    how, code, reason):
    drain = {} if code == 1001 else {"close_code": code, "close_reason": reason}
    gateway = start_gateway(site(**drain), variant)
    log = log_of(gateway)
    with connect(gateway.https_port, True) as client:
        relay = open_relay(client, upstream)
        gateway.process.send_signal(how)
        for peer in (client, relay.upstream):
            closing = read_frame(peer)
            assert (closing.close_code, closing.close_reason) == (code, reason)
        close_politely(relay, code)
        assert client.read_ending() == (b"", "end")
    assert gateway.wait() == 0
    assert last_words(gateway) == (0, 1, 0, 0)
    log.wait("websocket", "end=stopping", "by=gateway", f"code={code}")


def times_of_closes(clients, began, check):
    """When each was closed, in order; each is answered, so that it ends."""
    times = []
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        while len(times) < len(clients):
            ready = selector.select(DEADLINE)
            assert ready, f"only {len(times)} of {len(clients)} were closed"
            for key, _ in ready:
                closing = read_frame(key.data)
                times.append(time.monotonic() - began)
                check(closing)
                selector.unregister(key.fileobj)
                key.data.send(frame(CLOSE, close_payload(closing.close_code)))
    return times


@pytest.mark.parametrize("variant", [*FEW, Variant(4, "multishot")], ids=str)
def test_websockets_are_closed_over_a_time(start_gateway, site, variant):
    """None before its turn. How late it may be is for the machine to say."""
    sessions, over = 300, 3
    gateway = start_gateway(site(over=f"{over}s", close_code=4001, close_reason="later"), variant)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway.http_port)) for _ in range(sessions)]
        for client in clients:
            open_echo(client)
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)

        def check(closing):
            assert (closing.close_code, closing.close_reason) == (4001, "later")

        for turn, closed_at in enumerate(times_of_closes(clients, began, check)):
            assert closed_at >= (turn - 1) * over / sessions, turn
        for client in clients:
            assert client.read_ending() == (b"", "end")
    assert gateway.wait() == 0
    assert last_words(gateway) == (0, sessions, 0, 0)


def ids_in_order_of_closing(gateway):
    return [int(one) for one in re.findall(r"websocket id=(\d+) .*end=stopping", gateway.log())]


@pytest.mark.parametrize("order", ["oldest", "random"])
def test_the_order_is_by_age_or_random(start_gateway, site, order):
    sessions = 60
    gateway = start_gateway(site(over="600ms", order=order), Variant(1, "multishot"))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway.http_port)) for _ in range(sessions)]
        for client in clients:
            open_echo(client)
        gateway.process.send_signal(signal.SIGTERM)
        times_of_closes(clients, time.monotonic(), lambda _: None)
    assert gateway.wait() == 0
    ids = ids_in_order_of_closing(gateway)
    assert len(ids) == sessions
    assert (ids == sorted(ids)) == (order == "oldest")


def test_no_time_at_all_closes_all_at_once(start_gateway, site, upstream):
    gateway = start_gateway(site(over="0s"))
    with open_relays(gateway, upstream, 5) as relays:
        gateway.process.send_signal(signal.SIGTERM)
        for relay in relays:
            assert read_frame(relay.client).close_code == 1001
            assert read_frame(relay.upstream).close_code == 1001
    assert gateway.wait() == 0


def test_websockets_go_on_until_their_turn_and_it_ends_when_nobody_is_left(start_gateway, site,
                                                                           upstream):
    """Those that leave by themselves are not waited for."""
    gateway = start_gateway(site(order="oldest", **LONG))
    with open_relays(gateway, upstream, 4) as (first, second, third, fourth):
        gateway.process.send_signal(signal.SIGTERM)
        assert read_frame(first.client).close_code == 1001
        second.client.send(frame(TEXT, b"still here"))
        assert read_frame(second.upstream).payload == b"still here"
        second.upstream.send(frame(TEXT, b"me too", masked=False))
        assert read_frame(second.client).payload == b"me too"
        # Its client closes, a server does, and a client vanishes.
        second.client.send(frame(CLOSE, close_payload(4001, "mine")))
        closing = read_frame(second.upstream)
        assert (closing.close_code, closing.close_reason) == (4001, "mine")
        second.upstream.send(frame(CLOSE, close_payload(4001), masked=False))
        assert read_frame(second.client).close_code == 4001
        third.upstream.send(frame(CLOSE, close_payload(4002, "theirs"), masked=False))
        closing = read_frame(third.client)
        assert (closing.close_code, closing.close_reason) == (4002, "theirs")
        third.client.send(frame(CLOSE, close_payload(4002)))
        assert read_frame(third.upstream).close_code == 4002
        fourth.client.reset()
    assert gateway.wait() == 0
    assert last_words(gateway) == (0, 1, 3, 0)


def test_a_close_that_waits_for_its_answer_is_not_replaced(start_gateway, site, upstream):
    """Its turn comes when one end has sent its close frame, and the other has not answered."""
    gateway = start_gateway(site(over="300ms", order="oldest"))
    with open_relays(gateway, upstream, 3) as (first, second, third):
        second.client.send(frame(CLOSE, close_payload(4001, "mine")))
        assert read_frame(second.upstream).close_code == 4001
        gateway.process.send_signal(signal.SIGTERM)
        for relay in (first, third):
            assert read_frame(relay.client).close_code == 1001
        second.upstream.send(frame(CLOSE, close_payload(4003, "as you like"), masked=False))
        closing = read_frame(second.client)
        assert (closing.close_code, closing.close_reason) == (4003, "as you like")
    assert gateway.wait() == 0
    assert last_words(gateway) == (0, 2, 1, 0)


def test_a_frame_under_way_comes_to_its_end_first(start_gateway, site, upstream):
    """To a client that reads it late: as much as is on its way has not room in any buffer."""
    payload = bytes(range(256)) * 8_000
    gateway = start_gateway(site(over="0s"))
    with connect(gateway.https_port, True, receive_buffer=4096) as client:
        relay = open_relay(client, upstream)
        whole = frame(BINARY, payload, masked=False)
        relay.upstream.send(whole[:100])
        start = client.read_exactly(50)
        gateway.process.send_signal(signal.SIGTERM)
        assert read_frame(relay.upstream).close_code == 1001, "that way it is between two frames"
        sender = threading.Thread(target=relay.upstream.send, args=[whole[100:]])
        sender.start()
        client.buffered = start + client.buffered
        assert read_frame(client).payload == payload
        sender.join()
        assert read_frame(client).close_code == 1001
        assert client.read_ending() == (b"", "end")
    assert gateway.wait() == 0
    assert last_words(gateway) == (0, 1, 0, 0)


def test_a_websocket_that_opens_meanwhile_comes_last(start_gateway, site, upstream, log_of):
    gateway = start_gateway(site(over="600ms"))
    log = log_of(gateway)
    with open_relays(gateway, upstream, 2) as relays, connect(gateway.http_port) as client:
        client.send(upgrade_request("/ws", "raw.test"))
        server = upstream.accept()
        key = server.read_head().get("Sec-WebSocket-Key")
        gateway.process.send_signal(signal.SIGTERM)
        log.wait("SIGTERM", "in order")
        wait_until(lambda: is_refused(gateway.http_port), "new clients to be refused")
        server.send(upgrade_response(key))
        assert client.read_head().status == 101
        for peer in (client, server, *(relay.client for relay in relays)):
            assert read_frame(peer).close_code == 1001
    assert gateway.wait() == 0
    assert last_words(gateway) == (0, 3, 0, 0)


def test_idle_connections_end_at_once_and_requests_in_their_time(start_gateway, site, upstream):
    gateway = start_gateway(site(**LONG))
    with open_relays(gateway, upstream, 2) as relays, connect(gateway.http_port) as idle, \
            connect(gateway.http_port) as client:
        ask(idle)
        assert idle.read_response()[1] == b"x"
        client.send(b"GET /slow HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = Serving(upstream)
        request = server.read_request()
        gateway.process.send_signal(signal.SIGTERM)
        assert idle.read_ending() == (b"", "end")
        server.answer(request)
        head, body = client.read_response()
        assert (head.status, body, head.get("Connection")) == (200, b"/slow", "close")
        assert client.read_ending() == (b"", "end")
        for relay in relays:
            relay.client.reset()
    assert gateway.wait() == 0
    requests, _, _, cut = last_words(gateway)
    assert (requests, cut) == (1, 0)


def test_a_delay_lets_clients_in_as_before(start_gateway, site, upstream, log_of):
    gateway = start_gateway(site(delay="1h", over="30m", hard_stop="2h"))
    log = log_of(gateway)
    with open_relays(gateway, upstream, 2) as relays:
        gateway.process.send_signal(signal.SIGTERM)
        log.wait("SIGTERM", "in order")
        def is_told():
            with connect(gateway.http_port) as client:
                ask(client)
                return client.read_response()[0].get("Connection") == "close"
        wait_until(is_told, "the shards to know")
        for _ in range(2):
            with connect(gateway.http_port) as client:
                ask(client)
                head, body = client.read_response()
                assert (head.status, body, head.get("Connection")) == (200, b"x", "close")
        for relay in relays:
            relay.client.send(frame(TEXT, b"still here"))
            assert read_frame(relay.upstream).payload == b"still here"
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.wait() == HAS_CUT, "who has no patience cuts WebSockets"
    # The first one's turn has come.
    assert last_words(gateway)[3] in (1, 2)


@STOPS
@pytest.mark.parametrize("variant", FEW, ids=str)
def test_whoever_asks_is_told_at_once_that_it_is_to_stop(start_gateway, echo, variant, how):
    answer = {"body": "ready", "stopping_status": 503}
    gateway = start_gateway(Config({"echo": echo.port}, [{"path": "/ready", "answer": answer},
                                                         {"path": "/", "pool": "echo"}],
                                   drain={"delay": "1h", "hard_stop": "2h"}), variant)

    def ask_whether_ready():
        with connect(gateway.https_port, True) as client:
            client.send(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, body = client.read_response()
            return head.status, head.get("Connection"), body

    with connect(gateway.http_port) as kept:
        assert ask_whether_ready() == (200, None, b"ready")
        gateway.process.send_signal(how)
        # The signal is on its way to the shards.
        wait_until(lambda: ask_whether_ready()[0] == 503, "it to be told")
        assert ask_whether_ready() == (
            503, "close", b"503 Service Unavailable\nthe gateway is stopping\n")
        with connect(gateway.http_port) as client:
            client.send(b"HEAD /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.read_head().status == 503
            assert client.read_ending() == (b"", "end")
        kept.send(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert kept.read_response()[0].status == 503
        # Requests are served.
        with connect(gateway.http_port) as client:
            client.send(b"GET /bytes?n=3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.read_response()[0].status == 200
    gateway.process.send_signal(how)
    assert gateway.wait() == 0


def test_behind_the_delay_new_clients_are_refused(start_gateway, site, upstream):
    gateway = start_gateway(site(delay="300ms", **LONG))
    with open_relays(gateway, upstream, 1) as (relay,):
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(gateway.http_port), "new clients to be refused")
        assert read_frame(relay.client).close_code == 1001
    assert gateway.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT],
                         ids=lambda one: one.name)
def test_a_second_signal_cuts_those_whose_turn_has_not_come(start_gateway, site, upstream, second):
    gateway = start_gateway(site(order="oldest", **LONG))
    with open_relays(gateway, upstream, 3) as relays:
        gateway.process.send_signal(signal.SIGTERM)
        assert read_frame(relays[0].client).close_code == 1001
        assert relays[0].client.read_ending()[0] == b""
        gateway.process.send_signal(second)
        assert gateway.wait() == HAS_CUT
    assert last_words(gateway) == (0, 1, 0, 2)


def test_what_is_left_at_the_hard_stop_is_cut(start_gateway, site, upstream, log_of):
    gateway = start_gateway(site(over="0s", hard_stop="3s"))
    log = log_of(gateway)
    with open_relays(gateway, upstream, 1) as (relay,), connect(gateway.http_port) as client:
        client.send(b"GET /never HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        Serving(upstream).read_request()
        gateway.process.send_signal(signal.SIGTERM)
        assert read_frame(relay.client).close_code == 1001
        assert gateway.wait() == HAS_CUT
    log.wait("warning", "hard_stop is over", "0 websockets and 1 request")
    assert last_words(gateway) == (0, 1, 0, 1)


def test_an_answer_that_is_not_taken_by_then_is_cut(start_gateway, site):
    gateway = start_gateway(site(over="0s", hard_stop="600ms"))
    with connect(gateway.http_port, receive_buffer=4096) as client:
        client.send(b"GET /bytes?n=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.read_head().status == 200
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.wait() == HAS_CUT
    assert last_words(gateway) == (0, 0, 0, 1)


def test_it_says_every_few_seconds_what_remains(start_gateway, site, upstream, log_of):
    gateway = start_gateway(site(order="oldest", **LONG))
    log = log_of(gateway)
    with open_relays(gateway, upstream, 3) as relays:
        gateway.process.send_signal(signal.SIGTERM)
        assert read_frame(relays[0].client).close_code == 1001
        relays[0].client.close()
        log.wait_many(2, "drain: 2 websockets and 0 requests remain,", "s left")
        for relay in relays[1:]:
            relay.client.reset()
    assert gateway.wait() == 0
