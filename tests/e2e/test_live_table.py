"""The live table of connections: its rows, filters, order and pages, and kicks."""

import contextlib
import re
import threading
import time
import urllib.parse

import pytest

from support.admin import TWO_SHARDS, admin_config, admin_of
from support.crowds import come_from
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import FEW
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    def begin(variant=TWO_SHARDS, **more):
        routes = [{"name": "chat", "host": "chat.test", "pool": "echo"},
                  {"name": "rest", "pool": "echo"}]
        gateway = start_gateway(admin_config(tmp_path, {"echo": echo.port}, routes, **more), variant)
        return gateway, admin_of(gateway)
    return begin


@pytest.fixture
def crowd():
    with contextlib.ExitStack() as stack:
        yield stack.enter_context


def say(websocket, count=1, payload=b"x" * 10):
    for _ in range(count):
        websocket.send(frame(TEXT, payload))
        assert read_frame(websocket).payload == payload


def ids(admin, query=""):
    return [row["id"] for row in admin.connections(query)["connections"]]


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_row_says_what_a_connection_is(start, crowd, echo, variant):
    gateway, admin = start(variant)
    idle = crowd(connect(gateway.http_port, False))
    plain = crowd(connect(gateway.http_port, False))
    secure = crowd(connect(gateway.https_port, True))
    open_echo(plain, "/echo?access_token=secret", "chat.test")
    open_echo(secure)
    say(plain, 3)
    say(secure, 1, b"y" * 200)
    wait_until(lambda: len(ids(admin)) == 3, "three rows")
    rows = {row["port"]: row for row in admin.connections()["connections"]}
    row = rows[idle.local_port]
    assert (row["kind"], row["requests"], row["request"], row["route"], row["server"]) == (
        "idle", 0, None, None, None)
    row = rows[plain.local_port]
    assert (row["kind"], row["client"], row["tls"], row["route"], row["pool"], row["server"]) == (
        "websocket", "127.0.0.1", None, "chat", "echo", f"127.0.0.1:{echo.port}")
    assert row["listener"] == f"127.0.0.1:{gateway.http_port}"
    assert row["request"].startswith("GET chat.test /echo?access_token=") and "secret" not in row["request"]
    assert (row["messages_from_client"], row["messages_from_upstream"]) == (3, 3)
    assert (row["bytes_from_client"], row["bytes_from_upstream"], row["buffered_bytes"]) == (30, 30, 0)
    row = rows[secure.local_port]
    assert (row["kind"], row["tls"], row["route"]) == ("websocket", "TLSv1.3", "rest")
    assert (row["bytes_from_client"], row["bytes_from_upstream"]) == (200, 200)
    details = admin.get(f"/connections/{row['id']}")
    assert details["tls_cipher"].startswith("TLS_") and details["server_name"] == "localhost"
    assert details["from_client"]["frames"] == 1 and details["closing"] is False
    assert details["from_client"]["wire_bytes_from"] > 200 and details["generation"] == 1
    assert admin.ask("/connections/424242").status == 404


def test_a_request_under_way_has_a_row(start_gateway, tmp_path, upstream, raw_port):
    config = admin_config(tmp_path, {"raw": raw_port}, [{"name": "raw", "pool": "raw"}])
    gateway = start_gateway(config, TWO_SHARDS)
    admin = admin_of(gateway)
    with connect(gateway.http_port, False) as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        with upstream.accept() as server:
            server.read_head()
            row, = admin.connections("kind=http")["connections"]
            assert (row["kind"], row["request"], row["server"]) == (
                "http", "GET raw.test /slow", f"127.0.0.1:{raw_port}")
            assert admin.post(f"/connections/{row['id']}/kick", {"reason": "x"}).json() == {"kicked": 1}
            head, body = client.read_response()
            assert head.status == 503 and b"closed by the operator" in body
            assert head.get("Connection") == "close" and client.read_to_end() == b""
    gateway.wait_for(lambda: "end=kicked by=gateway" in gateway.log(), "its line")


def test_a_request_whose_server_is_dialled_is_at_none_yet(start_gateway, tmp_path, upstream):
    """One that takes a connection and never answers the TLS handshake."""
    server = f"127.0.0.1:{upstream.port}"
    config = admin_config(tmp_path, {"silent": {"servers": [server], "tls": {"verify": False}}},
                          [{"name": "silent", "pool": "silent"}], timeouts={"connect": "60s"})
    gateway = start_gateway(config, TWO_SHARDS)
    admin = admin_of(gateway)
    with connect(gateway.http_port, False) as client:
        client.send(b"GET /dialling HTTP/1.1\r\nHost: silent.test\r\n\r\n")
        with upstream.accept():
            row, = admin.connections("kind=http")["connections"]
            assert row["request"] == "GET silent.test /dialling" and not row.get("server")
            assert admin.connections(f"server={server}")["connections"] == []


def test_filters_mean_what_they_say(start, crowd):
    gateway, admin = start()
    chats = [crowd(connect(gateway.http_port, False)) for _ in range(3)]
    rests = [crowd(come_from("127.0.0.9", gateway.http_port)) for _ in range(2)]
    for one in chats:
        open_echo(one, host="chat.test")
    for one in rests:
        open_echo(one)
    crowd(connect(gateway.http_port, False))
    wait_until(lambda: len(ids(admin)) == 6, "all rows")
    server = admin.get("/servers")["servers"][0]["server"]
    for query, count in (("route=chat", 3), ("route=rest", 2), ("route=none", 0), ("pool=echo", 5),
                         ("kind=websocket", 5), ("kind=idle", 1), ("kind=http", 0), ("kind=tunnel", 0),
                         ("client=127.0.0.9", 2), ("client=127.0.0.0/8", 6), ("client=10.0.0.0/8", 0),
                         ("route=chat&client=127.0.0.9", 0), (f"server={server}", 5),
                         (f"listener=127.0.0.1:{gateway.http_port}", 6), ("listener=none", 0),
                         ("age=1h", 0), ("idle=1h", 0), ("age=1ms", 6), ("buffered=1B", 0),
                         ("message_rate=0", 6), ("message_rate=1e9", 0)):
        answer = admin.connections(query)
        assert (len(answer["connections"]), answer["matched"]) == (count, count), query
        assert (answer["looked_at"], answer["next"]) == (6, None)
    wait_until(lambda: len(ids(admin, "idle=1s")) == 6, "all to be idle for a second")
    say(chats[0])
    assert len(ids(admin, "idle=1s&route=chat")) == 2
    for bad in ("idle=soon", "kind=x", "client=x", "message_rate=-1", "sort=x", "limit=1001", "after=x", "nonsense=1",
                "route="):
        answer = admin.ask(f"/connections?{bad}")
        assert answer.status == 400 and answer.error(), bad


def test_pages_have_each_row_once_whatever_the_order(start, crowd):
    gateway, admin = start()
    for number in range(23):
        websocket = crowd(connect(gateway.http_port, False))
        open_echo(websocket, host="chat.test")
        say(websocket, number % 5)
    everybody = ids(admin, "limit=1000")
    assert len(set(everybody)) == 23
    for sort in ("id", "-id", "age", "-age", "messages", "-messages", "bytes", "-bytes", "buffered", "-rate"):
        found, after, values = [], "", []
        while True:
            answer = admin.connections(f"sort={sort}&limit=5{after}")
            found += [row["id"] for row in answer["connections"]]
            values += [row["messages_from_client"] for row in answer["connections"]]
            assert len(answer["connections"]) <= 5
            if answer["next"] is None:
                break
            after = "&after=" + urllib.parse.quote(answer["next"])
        if sort not in ("age", "-age", "-rate"):  # which change meanwhile
            assert sorted(found) == sorted(everybody), sort
        if sort == "-messages":
            assert values == sorted(values, reverse=True)
    lines = admin.ask("/connections?format=lines").lines()
    assert [row["id"] for row in lines] == sorted(everybody)
    assert len(admin.ask("/connections?format=lines&route=none").lines()) == 0


def test_the_rate_is_of_the_time_since_the_last_look(start, crowd):
    gateway, admin = start()
    busy, quiet = (crowd(connect(gateway.http_port, False)) for _ in range(2))
    for one in (busy, quiet):
        open_echo(one, host="chat.test")
    def fastest():
        say(busy, 5)
        row = admin.connections("sort=-rate&limit=1")["connections"][0]
        return row["port"] == busy.local_port and row["messages_per_second"] > 0
    wait_until(fastest, "the busy one to be the fastest")
    wait_until(lambda: all(row["messages_per_second"] == 0
                           for row in admin.connections()["connections"]), "it to be quiet again")


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_one_is_kicked_with_a_code_and_a_reason(start, crowd, variant):
    gateway, admin = start(variant)
    gone, stays = (crowd(connect(gateway.http_port, False)) for _ in range(2))
    for one in (gone, stays):
        open_echo(one, host="chat.test")
    row = next(row for row in admin.connections()["connections"] if row["port"] == gone.local_port)
    answer = admin.post(f"/connections/{row['id']}/kick", {"code": 4001, "reason": "too long idle"})
    assert answer.json() == {"kicked": 1}
    told = read_frame(gone)
    assert (told.opcode, told.payload) == (CLOSE, close_payload(4001, "too long idle"))
    gone.send(frame(CLOSE, told.payload))
    say(stays)
    line = gateway.wait_for(lambda: re.search(r"websocket id=.* end=kicked .*", gateway.log()), "its line")[0]
    assert 'by=gateway code=4001 reason="too long idle"' in line
    wait_until(lambda: admin.post(f"/connections/{row['id']}/kick").status == 404, "it to be gone")
    snapshot = admin.get("/snapshot")
    assert snapshot["ended"] == {"kicked": 1} and snapshot["closed"]["gateway"] == {"4xxx": 1}


def test_many_are_kicked_by_a_filter_at_a_rate(start, crowd):
    gateway, admin = start()
    chats = [crowd(connect(gateway.http_port, False)) for _ in range(20)]
    rest = crowd(connect(gateway.http_port, False))
    idle = crowd(connect(gateway.http_port, False))
    for one in chats:
        open_echo(one, host="chat.test")
    open_echo(rest)
    wait_until(lambda: len(ids(admin)) == 22, "all rows")
    began = time.monotonic()
    assert admin.post("/connections/kick", {"route": "chat", "code": 4001, "rate": 20}).json() == {"kicked": 20}
    for one in chats:
        told = read_frame(one)
        assert (told.opcode, told.close_code) == (CLOSE, 4001)
        one.send(frame(CLOSE, told.payload))
    # The last of twenty has its turn 19/20 of a second behind the first: none of them came at once.
    assert time.monotonic() - began > 0.8
    say(rest)
    wait_until(lambda: admin.get("/snapshot")["totals"]["websockets"] == 1, "them to be gone")
    assert admin.post("/connections/kick", {"all": True}).json() == {"kicked": 1}
    assert read_frame(rest).payload == close_payload(1008, "closed by the operator")
    rest.send(frame(CLOSE, close_payload(1008)))
    wait_until(lambda: len(ids(admin)) == 1, "only who has asked nothing to be left")
    assert admin.post("/connections/kick", {"kind": "idle"}).json() == {"kicked": 1}
    assert idle.read_to_end() == b""


def test_whoever_is_not_meant_is_not_kicked(start, crowd):
    gateway, admin = start()
    one = crowd(connect(gateway.http_port, False))
    open_echo(one, host="chat.test")
    for bad, status in (({}, 400), ({"code": 4001}, 400), ({"all": False}, 400), ({"rout": "chat"}, 400),
                        ({"all": True, "code": 1005}, 400), ({"all": True, "code": 5000}, 400),
                        ({"all": True, "code": 1006}, 400), ({"all": True, "code": "4001"}, 400),
                        ({"all": True, "reason": "x" * 124}, 400), ({"all": True, "rate": -1}, 400),
                        ({"all": True, "rate": "fast"}, 400), ({"all": True, "rate": 1e-300}, 400),
                        ({"all": True, "reason": "two\nlines"}, 400), ({"rate": 500}, 400),
                        ({"route": "none"}, 200),
                        ({"idle": "1h"}, 200), ({"kind": "http"}, 200)):
        answer = admin.post("/connections/kick", bad)
        assert answer.status == status, (bad, answer)
        if status == 200:
            assert answer.json() == {"kicked": 0}, bad
    for path in ("/connections/none/kick", "/connections/-1/kick", "/connections/77/kick"):
        assert admin.post(path).status == 404
    say(one)


def test_too_many_kicks_at_once_are_refused(start, crowd):
    gateway, admin = start(drain={"over": "0s", "hard_stop": "20s"})
    sockets = [crowd(come_from(f"127.0.1.{number // 3}", gateway.http_port)) for number in range(27)]
    for one in sockets:
        open_echo(one, host="chat.test")
    # Of three each, one goes at once, and two wait for their turns.
    for number in range(8):
        answer = admin.post("/connections/kick", {"client": f"127.0.1.{number}", "rate": 0.01})
        assert answer.json() == {"kicked": 3}
    answer = admin.post("/connections/kick", {"client": "127.0.1.8", "rate": 0.01})
    assert answer.status == 429 and "8 kicks are under way" in answer.error()
    # Whoever is not waited for makes room.
    for one in sockets[:3]:
        one.close()
    wait_until(lambda: admin.post("/connections/kick", {"client": "127.0.1.8", "rate": 0.01}).status == 200,
               "room for another one")


def test_the_table_stays_right_while_connections_come_and_go(start):
    gateway, admin = start()
    over = threading.Event()
    failures = []

    def come_and_go():
        try:
            while not over.is_set():
                with contextlib.ExitStack() as stack:
                    some = [stack.enter_context(connect(gateway.http_port, False)) for _ in range(20)]
                    for one in some:
                        open_echo(one, host="chat.test")
                        say(one)
        except Exception as failure:  # told by the test's own thread
            failures.append(failure)

    with contextlib.ExitStack() as stack:
        stay = [stack.enter_context(connect(gateway.http_port, False)) for _ in range(300)]
        for one in stay:
            open_echo(one)
        ports = {one.local_port for one in stay}
        threads = [threading.Thread(target=come_and_go) for _ in range(3)]
        for one in threads:
            one.start()
        try:
            for _ in range(20):
                rows = admin.ask("/connections?format=lines&route=rest").lines()
                assert len(rows) == len({row["id"] for row in rows})
                assert {row["port"] for row in rows} == ports
                assert admin.connections("route=rest&limit=1&sort=-idle")["matched"] == 300
        finally:
            over.set()
            for one in threads:
                one.join()
        assert not failures, failures
        for one in stay:
            say(one)


def test_a_stream_of_rows_that_nobody_takes_holds_up_nobody(start, crowd):
    gateway, admin = start()
    for _ in range(600):
        open_echo(crowd(connect(gateway.http_port, False)), "/echo?" + "x" * 900, "chat.test")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(admin.connect()) for _ in range(5)]
        for one in slow:
            one.send(b"GET /connections?format=lines HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert len(admin.ask("/connections?format=lines").lines()) == 600
        assert admin.ask("/healthz").status == 200
        for one in slow:
            head, body = one.read_response()
            assert head.status == 200 and body.count(b"\n") == 600


def test_a_stop_ends_a_look_and_a_kick(start, crowd):
    gateway, admin = start(drain={"over": "1s", "hard_stop": "20s"})
    some = [crowd(connect(gateway.http_port, False)) for _ in range(10)]
    for one in some:
        open_echo(one, host="chat.test")
    assert admin.post("/connections/kick", {"all": True, "rate": 0.5, "code": 4001}).json() == {"kicked": 10}
    gateway.process.terminate()
    codes = []
    for one in some:
        told = read_frame(one)
        codes.append(told.close_code)
        one.send(frame(CLOSE, told.payload))
    # Who was not kicked before is closed by the stop.
    assert set(codes) <= {1001, 4001} and 1001 in codes
    assert gateway.wait() == 0
