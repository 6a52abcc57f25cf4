"""`gateway drain` and `gateway undrain`: a server gets nothing new, and its WebSockets are closed one by
one with the code and the text that were asked for, while all else goes on."""

import contextlib
import signal
import socket
import threading
import time

import pytest

from support.checking import run
from support.counting import status_of
from support.frames import (BINARY, CLOSE, TEXT, close_payload, frame, read_frame, upgrade_request,
                            upgrade_response)
from support.gateway import FEW, Config, Variant
from support.ports import free_port
from support.relay import open_echo, open_relay
from support.serving import Serving
from support.streams import Upstream, connect
from support.waiting import DEADLINE, wait_until
from test_drain import close_politely, times_of_closes

REASON = "the server takes no more connections"  # by default
ONE_SHARD = Variant(1, "multishot")


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    """A gateway before the servers of the pool raw, and their echoing neighbour."""
    def begin(ports, variant=Variant(2), **drain):
        drain = {"over": "0s", "hard_stop": "20s", **drain}
        config = Config({"raw": list(ports), "echo": echo.port},
                        [{"name": "raw", "host": "raw.test", "pool": "raw"},
                         {"name": "echo", "pool": "echo"}],
                        control={"socket": str(tmp_path / "control.sock")}, drain=drain)
        return start_gateway(config, variant)
    return begin


@pytest.fixture
def pair():
    servers = [Upstream(free_port()) for _ in range(2)]
    yield servers
    for server in servers:
        server.close()


def name_of(server):
    return f"raw/127.0.0.1:{server.port}"


def order(gateway, *words):
    """What it says; it has to be done."""
    done = run(*words, "-c", gateway.file)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def server_status(gateway, server):
    state, websockets, requests = status_of(gateway)[f"server {name_of(server)}"].split()
    return state, int(websockets.split("=")[1]), int(requests.split("=")[1])


def relays_with(gateway, server, count, stack):
    return [open_relay(stack.enter_context(connect(gateway.http_port)), server)
            for _ in range(count)]


def echo_through(relay):
    relay.client.send(frame(TEXT, b"still here"))
    assert read_frame(relay.upstream).payload == b"still here"
    relay.upstream.send(frame(TEXT, b"so am I", masked=False))
    assert read_frame(relay.client).payload == b"so am I"


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_drained_server_gets_nothing_new_and_its_websockets_are_closed(start, pair, log_of, variant):
    one, other = pair
    gateway = start([one.port, other.port], variant)
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        assert order(gateway, "drain", name_of(other)) == (
            f"draining {name_of(other)}: 0 websockets are closed at once\n")
        relays = relays_with(gateway, one, 3, stack)
        order(gateway, "undrain", name_of(other))
        neighbour = stack.enter_context(connect(gateway.http_port))
        open_echo(neighbour)
        assert order(gateway, "drain", name_of(one), "--over", "0s", "--code", "4321", "--reason",
                     "käme wieder") == f"draining {name_of(one)}: 3 websockets are closed at once\n"
        for relay in relays:
            for peer in (relay.client, relay.upstream):
                closing = read_frame(peer)
                assert (closing.close_code, closing.close_reason) == (4321, "käme wieder")
            close_politely(relay, 4321)
            assert relay.client.read_ending() == (b"", "end")
        log.wait_many(3, "websocket", "end=draining", "by=gateway", "code=4321")
        log.wait(f"drain: {name_of(one)}: finished")
        for relay in relays_with(gateway, other, 4, stack):
            echo_through(relay)
        assert server_status(gateway, one) == ("draining", 0, 0)
        assert server_status(gateway, other) == ("serving", 4, 0)
        neighbour.send(frame(TEXT, b"x"))
        assert read_frame(neighbour).payload == b"x"


def test_by_default_it_is_done_as_the_configuration_says(start, upstream):
    gateway = start([upstream.port], over="0s", close_code=1012)
    with connect(gateway.https_port, True) as client:
        relay = open_relay(client, upstream)
        assert order(gateway, "drain", "raw") == (
            "draining raw: 1 websocket is closed at once\n"
            "pool raw has no other server: requests for it are answered with 503\n")
        for peer in (client, relay.upstream):
            closing = read_frame(peer)
            assert (closing.close_code, closing.close_reason) == (1012, REASON)
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        assert client.read_response()[0].status == 503
        client.send(b"GET /info HTTP/1.1\r\nHost: x.test\r\n\r\n")
        assert client.read_response()[0].status != 503, "the other pool's server is none of it"


@pytest.mark.parametrize("variant", [*FEW, Variant(4, "multishot")], ids=str)
def test_websockets_are_closed_over_the_time_that_was_asked_for(start, variant):
    """None before its turn. How late it may be is for the machine to say."""
    sessions, over = 120, 3
    gateway = start([free_port()], variant)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway.http_port)) for _ in range(sessions)]
        for client in clients:
            open_echo(client)
        began = time.monotonic()
        assert order(gateway, "drain", "echo", "--over", f"{over}s").startswith(
            f"draining echo: {sessions} websockets are closed over {over}s\n")

        def check(closing):
            assert (closing.close_code, closing.close_reason) == (1001, REASON)

        for turn, closed_at in enumerate(times_of_closes(clients, began, check)):
            # Each shard begins with one of its own.
            assert closed_at >= (turn - variant.shards) * over / sessions, turn
        for client in clients:
            assert client.read_ending() == (b"", "end")


def test_undrain_leaves_the_rest_open(start, upstream, log_of):
    gateway = start([upstream.port], ONE_SHARD, order="oldest")
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        first, *rest = relays_with(gateway, upstream, 3, stack)
        order(gateway, "drain", "raw", "--over", "1h")
        assert read_frame(first.client).close_code == 1001
        log.wait("drain: raw: ", "remain", "s left")
        assert order(gateway, "undrain", name_of(upstream)) == (
            f"{name_of(upstream)} is drained no more\n")
        for relay in rest:
            echo_through(relay)
        rest += relays_with(gateway, upstream, 1, stack)
        # They would be first at once, in a drain of their own.
        order(gateway, "drain", "raw", "--over", "1h")
        assert read_frame(rest[0].client).close_code == 1001
        for relay in rest[1:]:
            echo_through(relay)
        assert order(gateway, "undrain", "raw") == "raw is drained no more\n"
        assert order(gateway, "undrain", "raw") == "raw is not drained\n"
        echo_through(rest[1])


def test_the_later_drain_goes_by_its_own_plan(start, upstream):
    gateway = start([upstream.port], ONE_SHARD, order="oldest")
    with contextlib.ExitStack() as stack:
        relays = relays_with(gateway, upstream, 3, stack)
        order(gateway, "drain", "raw", "--over", "1h")
        assert read_frame(relays[0].client).close_code == 1001
        close_politely(relays[0], 1001)
        order(gateway, "drain", name_of(upstream), "--over", "0s", "--code", "4000")
        for relay in relays[1:]:
            assert read_frame(relay.client).close_code == 4000


def test_a_client_that_closes_by_itself_counts(start, upstream, log_of):
    gateway = start([upstream.port], ONE_SHARD, order="oldest")
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        first, second, third = relays_with(gateway, upstream, 3, stack)
        order(gateway, "drain", "raw", "--over", "1h")
        assert read_frame(first.client).close_code == 1001
        close_politely(first, 1001)
        second.client.send(frame(CLOSE, close_payload(4001, "mine")))
        closing = read_frame(second.upstream)
        assert (closing.close_code, closing.close_reason) == (4001, "mine")
        second.upstream.send(frame(CLOSE, close_payload(4001), masked=False))
        assert read_frame(second.client).close_code == 4001
        wait_until(lambda: server_status(gateway, upstream)[1] == 1, "one to be left")
        told = status_of(gateway)["drain raw"].split()
        assert told[:2] == ["websockets=1", "requests=0"]
        assert 0 < int(told[2].removeprefix("seconds_left=")) <= 3600
        third.client.reset()
        log.wait("drain: raw: finished: nothing is left there")
        assert "drain raw" not in status_of(gateway)


def test_a_request_under_way_is_finished_and_waited_for(start, upstream, log_of):
    gateway = start([upstream.port])
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = Serving(upstream)
        request = server.read_request()
        order(gateway, "drain", "raw")
        assert server_status(gateway, upstream) == ("draining", 0, 1)
        log.wait("drain: raw: 0 websockets and 1 request remain")
        server.answer(request)
        head, body = client.read_response()
        assert (head.status, body) == (200, b"/slow")
        log.wait("drain: raw: finished")


def test_one_that_opens_meanwhile_is_closed_too(start, upstream):
    gateway = start([upstream.port])
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/ws", "raw.test"))
        server = upstream.accept()
        key = server.read_head().get("Sec-WebSocket-Key")
        order(gateway, "drain", "raw", "--code", "4000")
        server.send(upgrade_response(key))
        assert client.read_head().status == 101
        for peer in (client, server):
            assert read_frame(peer).close_code == 4000


def test_it_is_kept_over_reloads(start, pair):
    one, other = pair
    gateway = start([one.port, other.port])
    config = gateway.config

    def reload(*servers, route="raw"):
        config.pools["raw"] = [server.port for server in servers]
        config.routes[0]["name"] = route
        gateway.file.write_text(config.text())
        return order(gateway, "reload")

    def all_go_to(server):
        with contextlib.ExitStack() as stack:
            for relay in relays_with(gateway, server, 4, stack):
                echo_through(relay)

    order(gateway, "drain", name_of(one))
    assert "route other added" in reload(one, other, route="other")
    assert server_status(gateway, one)[0] == "draining"
    all_go_to(other)
    assert "pool raw 1 draining" in reload(other, route="other")
    assert server_status(gateway, one)[0] == "draining,removed"
    assert "pool raw +1 server" in reload(one, other, route="other")
    assert server_status(gateway, one)[0] == "draining"
    all_go_to(other)
    reload(other, route="other")
    assert order(gateway, "undrain", name_of(one)) == f"{name_of(one)} is drained no more\n"
    assert f"server {name_of(one)}" not in status_of(gateway)
    reload(one, other, route="other")
    order(gateway, "drain", name_of(other))
    all_go_to(one)


def test_it_may_be_hurried_for_a_server_that_a_reload_has_left_out(start, pair):
    one, other = pair
    gateway = start([one.port, other.port], ONE_SHARD, over="1h", hard_stop="2h")
    config = gateway.config
    with contextlib.ExitStack() as stack:
        relays = [relay for server in pair for relay in relays_with(gateway, server, 1, stack)]
        order(gateway, "drain", "raw")
        config.pools["raw"] = [other.port]
        gateway.file.write_text(config.text())
        order(gateway, "reload")
        order(gateway, "drain", "raw", "--over", "0s")
        for relay in relays:
            assert read_frame(relay.client).close_code == 1001
            close_politely(relay, 1001)


# Peers that make it hard.

def test_a_frame_under_way_comes_to_its_end_first(start, upstream):
    """To a client that reads it late: as much as is on its way has not room in any buffer."""
    payload = bytes(range(256)) * 8_000
    gateway = start([upstream.port])
    with connect(gateway.https_port, True, receive_buffer=4096) as client:
        relay = open_relay(client, upstream)
        whole = frame(BINARY, payload, masked=False)
        relay.upstream.send(whole[:100])
        start_of_it = client.read_exactly(50)
        order(gateway, "drain", "raw")
        assert read_frame(relay.upstream).close_code == 1001, "that way it is between two frames"
        sender = threading.Thread(target=relay.upstream.send, args=[whole[100:]])
        sender.start()
        client.buffered = start_of_it + client.buffered
        assert read_frame(client).payload == payload
        sender.join()
        assert read_frame(client).close_code == 1001
        assert client.read_ending() == (b"", "end")


def test_peers_that_flood_are_closed_between_two_frames(start, upstream, log_of):
    gateway = start([upstream.port])
    log = log_of(gateway)
    words = frame(TEXT, b"x" * 1000, masked=False)
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream)

        def flood():
            with contextlib.suppress(OSError):
                while True:
                    relay.upstream.send(words)

        sender = threading.Thread(target=flood)
        sender.start()
        for _ in range(100):
            assert read_frame(client).payload == b"x" * 1000
        order(gateway, "drain", "raw", "--code", "4000")
        while (got := read_frame(client)).opcode == TEXT:
            assert got.payload == b"x" * 1000
        assert (got.opcode, got.close_code) == (CLOSE, 4000)
        client.send(frame(CLOSE, close_payload(4000)))
        log.wait("websocket", "end=draining", "code=4000")
        sender.join(DEADLINE)
        assert not sender.is_alive()


def test_peers_that_are_dead_do_not_hold_it_up(start, upstream, log_of):
    """They answer no close frame."""
    gateway = start([upstream.port])
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        relays_with(gateway, upstream, 3, stack)
        order(gateway, "drain", "raw")
        log.wait_many(3, "websocket", "end=draining")
        log.wait("drain: raw: finished")
        assert server_status(gateway, upstream) == ("draining", 0, 0)


# A stop.

def test_a_stop_takes_over(start, upstream):
    gateway = start([upstream.port], ONE_SHARD, order="oldest", close_code=4007)
    with contextlib.ExitStack() as stack:
        first, second = relays_with(gateway, upstream, 2, stack)
        order(gateway, "drain", "raw", "--over", "1h", "--code", "4000")
        assert read_frame(first.client).close_code == 4000
        gateway.process.send_signal(signal.SIGTERM)
        assert read_frame(second.client).close_code == 4007
        for relay in (first, second):
            relay.client.reset()
        assert gateway.wait() == 0


def test_nothing_is_drained_during_a_stop(start, upstream, log_of):
    gateway = start([upstream.port], delay="1h", over="1h", hard_stop="3h")
    log = log_of(gateway)
    with contextlib.ExitStack() as stack:
        # The first of a drain closes at once, so it may be in order; the other one is cut.
        relays_with(gateway, upstream, 2, stack)
        gateway.process.send_signal(signal.SIGTERM)
        log.wait("SIGTERM", "in order")
        for command in ("drain", "undrain"):
            done = run(command, "raw", "-c", gateway.file)
            assert (done.returncode, done.stdout, done.stderr) == (
                1, "", "gateway: error: refused: the gateway is stopping\n")
        assert status_of(gateway)["state"] == "stopping"
        assert server_status(gateway, upstream) == ("serving", 2, 0)
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.wait() == 3


# What is wrong.

def test_what_is_not_there_is_told_with_what_is(start):
    gateway = start([1, 2])
    for words, error in [
            (["drain", "rav"], "there is no pool 'rav': the pools are echo, raw"),
            (["drain", "raw/127.0.0.1:3"],
             "pool 'raw' has no server '127.0.0.1:3': its servers are 127.0.0.1:1, 127.0.0.1:2"),
            (["undrain", "raw/x"],
             "pool 'raw' has no server 'x': its servers are 127.0.0.1:1, 127.0.0.1:2")]:
        done = run(*words, "-c", gateway.file)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"gateway: error: {error}\n")


@pytest.mark.parametrize("words,error", [
    (["drain", "raw", "--over", "3h"], "--over must be between 0s and 2h, not 3h"),
    (["drain", "raw", "--code", "1000"],
     "--code must be a close code, 1001, 1012 or 4000 to 4999, not '1000'"),
    (["drain", "raw", "--reason", "x" * 124],
     "--reason must have at most 123 bytes, which is what fits in a close frame, not 124"),
    (["undrain", "/x"],
     "'/x' is neither POOL nor POOL/SERVER, such as 'chat' or 'chat/10.0.0.1:9001'")])
def test_wrong_options_are_told_before_anybody_is_asked(words, error):
    done = run(*words, "--control", "/no/such.sock")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"gateway: error: {error}\n")


def test_the_gateway_checks_what_it_is_told(start, log_of):
    gateway = start([1])
    log = log_of(gateway)
    for line, said in [
            (b"drain raw\tover=3h", b"--over must be between 0s and 2h, not 3h"),
            (b"drain raw\tcode=1005",
             b"--code must be a close code, 1001, 1012 or 4000 to 4999, not '1005'"),
            (b"drain raw\treason=" + b"x" * 900,
             b"--reason must have at most 123 bytes, which is what fits in a close frame, not 900"),
            (b"drain raw\treason=\xff", b"--reason must be UTF-8"),
            (b"drain raw\tover=1s\tover=2s", b"'over=2s' is not understood"),
            (b"drain \x00\x1b[2J/", b"'??[2J/' is neither POOL nor POOL/SERVER, such as 'chat' or "
                                    b"'chat/10.0.0.1:9001'"),
            (b"drain " + b"x" * 1000, b"'" + b"x" * 80 + b"...' names no server"),
            (b"undrain raw\tover=1s", b"undrain takes a pool or a server, and nothing else")]:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(DEADLINE)
            client.connect(gateway.config.control["socket"])
            client.sendall(line + b"\n")
            got = b""
            while piece := client.recv(4096):
                got += piece
        assert got == b"failed\ngateway: error: " + said + b"\n"
    assert not log.lines("drain: ")
    assert server_status(gateway, Named(1))[0] == "serving"


class Named:
    def __init__(self, port):
        self.port = port
