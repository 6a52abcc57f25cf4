"""What the metrics say of a run is what the test has done, exactly, in both formats; and promtool takes them."""

import asyncio
import json
import re
import threading

import pytest

from support.frames import (BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame, read_frame)
from support.gateway import FEW, Config, Echo
from support.metrics import (DOCS, Scrape, dashboard_expressions, documented, families_of, metrics_text,
                             names_in, promtool, scrape, scrape_openmetrics)
from support.ports import free_port
from support.relay import dial, open_echo, run
from support.reloading import Reloading
from support.streams import connect

VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)
CLIENTS = 5


@pytest.fixture
def second_echo(tmp_path):
    backend = Echo(tmp_path, "second-echo")
    yield backend
    backend.stop()


@pytest.fixture
def site(start_gateway, tmp_path, echo, second_echo):
    """Two pools, one of two servers; a route that answers itself, one whose server is down."""
    def begin(variant, **more):
        config = Config(
            {"chat": [echo.port, second_echo.port], "api": echo.port, "down": free_port()},
            [{"name": "chat", "path": "/chat", "strip_prefix": True, "pool": "chat", **more},
             {"name": "api", "path": "/api", "strip_prefix": True, "pool": "api"},
             {"name": "own", "path": "/own", "answer": {"status": 404, "body": "x"}},
             {"name": "lost", "path": "/lost", "pool": "down"}],
            control={"socket": str(tmp_path / "control.sock")})
        return start_gateway(config, variant)
    return begin


def ask(gateway, target, count=1, secure=False, method="GET", body=b""):
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        for _ in range(count):
            client.send(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
                        .encode() + body)
            client.read_response()


def close(client, payload=b""):
    client.send(frame(CLOSE, payload))
    assert read_frame(client).opcode == CLOSE
    client.close()


def settled(gateway):
    """Once nothing is open any more."""
    gateway.wait_for(lambda: scrape(gateway).sum("gateway_connections_open") == 0, "their end")
    return scrape(gateway)


@VARIANTS
def test_what_was_asked_is_counted_exactly(site, variant):
    gateway = site(variant)
    for _ in range(CLIENTS):
        ask(gateway, "/api/bytes?n=100", count=3)
        ask(gateway, "/own")
        ask(gateway, "/api/echo", method="POST", body=b"x" * 500, secure=True)
    ask(gateway, "/lost", count=2)
    ask(gateway, "/nowhere")
    told = settled(gateway)
    assert told.by("gateway_requests_total", "route") == {
        "api": 4 * CLIENTS, "own": CLIENTS, "lost": 2, "-": 1}
    assert told.by("gateway_requests_total", "cause") == {
        "done": 5 * CLIENTS, "upstream-unreachable": 2, "no-route": 1}
    assert told.by("gateway_requests_total", "code", route="lost") == {"5xx": 2}
    assert told.by("gateway_requests_total", "code", route="-") == {"4xx": 1}
    assert told.by("gateway_request_seconds_count", "route") == {
        "api": 4 * CLIENTS, "own": CLIENTS, "lost": 2, "-": 1}
    assert told.by("gateway_first_byte_seconds_count", "route") == {"api": 4 * CLIENTS}
    assert told.sum("gateway_request_body_bytes_total", route="api") == 500 * CLIENTS
    assert told.sum("gateway_response_body_bytes_total", route="own") == 0, "it came from no server"
    assert told.by("gateway_server_requests_total", "pool", code="5xx") == {"down": 2}
    assert told.by("gateway_server_requests_total", "pool") == {"api": 4 * CLIENTS, "down": 2}
    assert told.by("gateway_server_failures_total", "cause") == {"upstream-unreachable": 2}
    assert told.by("gateway_server_connection_failures_total", "cause") == {"upstream-unreachable": 2}
    assert (told.sum("gateway_server_connections_opened_total", pool="api")
            + told.sum("gateway_server_connections_reused_total", pool="api")) == 4 * CLIENTS
    assert told.sum("gateway_server_connections_reused_total", pool="api") >= 2 * CLIENTS
    listeners = told.by("gateway_connections_accepted_total", "listener")
    assert listeners == {f"127.0.0.1:{gateway.http_port}": 2 * CLIENTS + 2,
                         f"127.0.0.1:{gateway.https_port}": CLIENTS}
    assert told.sum("gateway_tls_handshakes_total", version="TLSv1.3") == CLIENTS
    assert told.sum("gateway_tls_handshake_seconds_count") == CLIENTS


@VARIANTS
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_open_websockets_are_counted_while_they_talk(site, variant, secure):
    gateway = site(variant)
    port = gateway.https_port if secure else gateway.http_port
    clients = [connect(port, secure) for _ in range(CLIENTS)]
    for client in clients:
        open_echo(client, "/chat/echo")
        client.send(frame(TEXT, b"12345") + frame(BINARY, bytes(100), fin=False) + frame(PING, b"no message")
                    + frame(CONTINUATION, bytes(100)))
        assert sorted(len(read_frame(client).payload) for _ in range(4)) == [5, 10, 100, 100]
    now = scrape(gateway)
    for side in ("client", "upstream"):
        its = {"route": "chat", "from": side}
        assert now.sum("gateway_websocket_messages_total", **its) == 2 * CLIENTS
        assert now.sum("gateway_websocket_payload_bytes_total", **its) == 205 * CLIENTS
        size = "gateway_websocket_message_size_bytes"
        assert now.sum(f"{size}_count", **its) == 2 * CLIENTS
        assert now.sum(f"{size}_sum", **its) == 205 * CLIENTS
        assert [now.sum(f"{size}_bucket", le=le, **its) for le in ("64.0", "256.0")] == [CLIENTS, 2 * CLIENTS]
    assert now.sum("gateway_websockets_open", route="chat") == CLIENTS
    assert now.sum("gateway_shard_websockets_open") == CLIENTS
    assert now.sum("gateway_server_websockets_open", pool="chat") == CLIENTS
    assert now.sum("gateway_websockets_opened_total") == CLIENTS
    assert now.sum("gateway_websocket_upgrade_seconds_count", route="chat") == CLIENTS
    assert now.sum("gateway_websockets_closed_total") == 0
    for client, code in zip(clients, (1000, 1000, 3999, 4001)):
        close(client, close_payload(code))
    clients[-1].reset()
    told = settled(gateway)
    assert told.by("gateway_websockets_closed_total", "code", side="client") == {
        "1000": 2, "3xxx": 1, "4xxx": 1, "none": 1}
    assert told.by("gateway_websockets_closed_total", "cause") == {"done": 4, "client-reset": 1}
    assert told.sum("gateway_websocket_lifetime_seconds_count", route="chat") == CLIENTS
    assert told.sum("gateway_websockets_open") == 0
    assert told.sum("gateway_websocket_messages_total") == 4 * CLIENTS, "each was counted once"


@VARIANTS
def test_counts_go_on_over_reloads(site, variant, log_of):
    gateway = site(variant)
    reload = Reloading(gateway, log_of(gateway))
    with connect(gateway.http_port) as client:
        open_echo(client, "/chat/echo")
        client.send(frame(TEXT, b"before"))
        read_frame(client)
        gateway.config.routes[0]["timeouts"] = {"websocket_idle": "1h"}
        reload()
        client.send(frame(TEXT, b"behind"))
        read_frame(client)
        told = scrape(gateway)
        assert told.sum("gateway_websocket_payload_bytes_total", route="chat") == 24
        assert told.sum("gateway_config_generation") == 2
        assert told.by("gateway_reloads_total", "result") == {"applied": 1}
        assert told.sum("gateway_websockets_open", route="chat") == 1
        close(client)
    assert settled(gateway).sum("gateway_websockets_open") == 0


@VARIANTS
def test_sends_and_receives_are_counted_by_side(site, variant):
    gateway = site(variant)
    ask(gateway, "/api/bytes?n=100000")
    told = settled(gateway)
    assert told.sum("gateway_sent_bytes_total", side="client") > 100_000
    assert 100_000 < told.sum("gateway_received_bytes_total", side="upstream") < 101_000
    assert 1 <= told.sum("gateway_sends_total", side="upstream") <= 3
    assert told.sum("gateway_sent_bytes_total", side="upstream") < 1000


@VARIANTS
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_sends_of_websockets_are_counted_by_route_while_they_are_open(site, variant, secure):
    gateway = site(variant)
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        open_echo(client, "/chat/echo")
        for _ in range(10):
            client.send(frame(TEXT, b"x" * 1000))
            assert len(read_frame(client).payload) == 1000
        now = scrape(gateway)
        for side in ("client", "upstream"):
            its = {"route": "chat", "side": side}
            assert 10 <= now.sum("gateway_websocket_sends_total", **its) <= 12, "one each, and what has opened it"
            assert 10_000 < now.sum("gateway_websocket_sent_bytes_total", **its) < 11_500
            assert (now.sum("gateway_websocket_sent_bytes_total", **its)
                    <= now.sum("gateway_sent_bytes_total", side=side))
        assert now.by("gateway_websocket_sends_total", "route").keys() == {"chat"}
        assert now.sum("gateway_websocket_pushed_back_total") == 0
        close(client)
    settled(gateway)


def test_who_is_not_read_is_counted_by_route_while_it_is_open(site):
    gateway = site(FEW[0])
    ask(gateway, "/api/bytes?n=100000")
    with connect(gateway.http_port, receive_buffer=4096) as client:
        open_echo(client, "/chat/echo")
        message = frame(BINARY, bytes(200_000))
        sender = threading.Thread(target=lambda: [client.send(message) for _ in range(100)])
        sender.start()
        gateway.wait_for(lambda: scrape(gateway).sum("gateway_pushed_back_total", side="client") > 0,
                         "a client that is not read, since it takes nothing")
        for _ in range(100):
            assert len(read_frame(client).payload) == 200_000
        sender.join()
        now = scrape(gateway)
        for side in ("client", "upstream"):
            assert (now.sum("gateway_websocket_pushed_back_total", route="chat", side=side)
                    == now.sum("gateway_pushed_back_total", side=side)), side
            assert now.sum("gateway_websocket_pushed_back_seconds_total", route="chat", side=side) == pytest.approx(
                now.sum("gateway_pushed_back_seconds_total", side=side))
        assert now.sum("gateway_websocket_pushed_back_total", route="chat") > 0


@VARIANTS
def test_memory_of_shards_is_a_part_of_all(site, variant):
    gateway = site(variant)
    with connect(gateway.https_port, True) as client:
        open_echo(client, "/chat/echo")
        now = scrape(gateway)
        for kind, number in now.by("gateway_memory_bytes", "kind").items():
            of_shards = now.sum("gateway_shard_memory_bytes", kind=kind)
            assert of_shards == number or kind in ("tls", "blocks", "batches") and of_shards <= number, kind
        assert now.sum("gateway_shard_memory_bytes", kind="tls") > 0
        assert now.sum("gateway_shard_memory_bytes", kind="receive") == now.sum("gateway_memory_bytes", kind="receive")
        close(client)


@VARIANTS
def test_compression_and_pings_are_counted(site, variant):
    gateway = site(variant, websocket={"compression": "terminate", "ping": "1s"})

    async def talk():
        async with dial(gateway, "/chat/echo", secure=False, ping_interval=None) as client:
            for _ in range(3):
                await client.send("x" * 10_000)
                assert await client.recv() == "x" * 10_000
            while scrape(gateway).sum("gateway_websocket_ping_seconds_count", peer="client") == 0:
                await asyncio.sleep(0)
    run(talk())
    told = settled(gateway)
    for side in ("client", "upstream"):
        assert told.sum("gateway_compression_plain_bytes_total", **{"from": side}) == 30_000
        assert 0 < told.sum("gateway_compression_compressed_bytes_total", **{"from": side}) < 1500


@VARIANTS
def test_failed_handshakes_are_counted_by_cause(site, variant):
    gateway = site(variant)
    with connect(gateway.https_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.read_head().status == 400
    told = settled(gateway)
    assert told.by("gateway_tls_handshake_failures_total", "cause") == {"plain-http": 1}
    assert told.sum("gateway_tls_handshakes_total") == 0


def talked_with(gateway):
    """A bit of everything, so that each family has a sample."""
    ask(gateway, "/api/bytes?n=100", secure=True)
    ask(gateway, "/lost")
    with connect(gateway.https_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.read_head()
    with connect(gateway.http_port) as client:
        open_echo(client, "/chat/echo")
        close(client, close_payload(1000))
    settled(gateway)


@VARIANTS
def test_promtool_takes_a_scrape(site, variant):
    gateway = site(variant)
    talked_with(gateway)
    checked = promtool("check", "metrics", text=metrics_text(gateway))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@VARIANTS
def test_both_formats_say_the_same(site, variant):
    gateway = site(variant)
    talked_with(gateway)
    text, more = scrape(gateway), scrape_openmetrics(gateway)
    assert metrics_text(gateway, "--openmetrics").endswith("\n# EOF\n")
    assert text.samples.keys() == more.samples.keys()
    moving = re.compile(r"process_|gateway_shard_|gateway_utilisation|gateway_memory|gateway_addresses")
    for key, value in text.samples.items():
        assert moving.match(key[0]) or more.samples[key] == value, key


def test_hostile_names_stay_in_their_labels(start_gateway, tmp_path):
    """Routes and pools have harmless names; the file of a server's socket may be called anything."""
    server = f'unix:{tmp_path}/a"b\\c{{}}=,.sock'
    gateway = start_gateway(Config({"app": server}, [{"name": "app", "pool": "app"}],
                                   control={"socket": str(tmp_path / "control.sock")}))
    ask(gateway, "/")
    told = settled(gateway)
    assert told.by("gateway_server_requests_total", "server") == {server: 1}
    assert promtool("check", "metrics", text=metrics_text(gateway)).returncode == 0
    assert scrape_openmetrics(gateway).by("gateway_server_requests_total", "server") == {server: 1}


def test_the_table_of_the_documentation_is_what_there_is(site):
    gateway = site(FEW[0])
    talked_with(gateway)
    text = metrics_text(gateway)
    told, rows = families_of(text), documented()
    assert told.keys() == rows.keys()
    assert {name: kind for name, (kind, _) in told.items()} == {name: kind for name, (kind, _) in rows.items()}
    seen = Scrape(text).labels
    for name, (kind, labels) in rows.items():
        its = seen.get(name, seen.get(name.removesuffix("_total"), set()))
        if its:
            assert its - {"le"} == labels, name


def test_rules_and_dashboard_name_what_there_is(tmp_path):
    checked = promtool("check", "rules", DOCS / "alerts.yml")
    assert checked.returncode == 0, checked
    known = documented().keys()
    named = names_in((DOCS / "alerts.yml").read_text())
    assert named and named <= known, named - known
    expressions = dashboard_expressions()
    assert len(expressions) > 10
    for expression in expressions:
        assert names_in(expression) and names_in(expression) <= known, expression
    rules = [{"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
             for number, expression in enumerate(expressions)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked
