"""The admin listener: who may ask, what it tells, and what it does, each with bad input, too."""

import contextlib
import re
import socket
import subprocess

import pytest

from support.admin import READS, TOKEN, TWO_SHARDS, admin_config, admin_of, read_answer
from support.checking import run
from support.frames import CLOSE, close_payload, frame, read_frame
from support.gateway import Variant
from support.ports import free_port
from support.relay import open_echo
from support.streams import connect
from support.waiting import DEADLINE, wait_until

CHANGES = [("POST", "/connections/1/kick"), ("POST", "/connections/kick"), ("POST", "/pools/echo/drain"),
           ("POST", "/pools/echo/undrain"), ("PUT", "/pools/echo/servers"), ("POST", "/reload"),
           ("PUT", "/log/level"), ("POST", "/log/reopen")]


def test_it_tells_what_there_is(start_admin, echo):
    gateway, admin = start_admin()
    assert admin.ask("/healthz").body == b"ok\n"
    assert admin.ask("/ready").body == b"ready\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", admin.get("/version")["version"])
    with connect(gateway.http_port, False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        client.read_response()
        wait_until(lambda: admin.get("/routes")["routes"][0]["requests_total"] == 1, "the request's end")
        route = admin.get("/routes")["routes"][0]
        assert (route["name"], route["pool"], route["answered"]["2xx"]) == ("chat", "echo", 1)
        listeners = admin.get("/listeners")["listeners"]
        plain = next(one for one in listeners if one["address"].endswith(f":{gateway.http_port}"))
        assert (plain["connections"], plain["requests_total"], plain["tls"]) == (1, 1, False)
    server = admin.get("/servers")["servers"][0]
    assert server["server"] == f"127.0.0.1:{echo.port}"
    assert (server["state"], server["from"], server["requests_total"]) == ("up", "file", 1)
    assert admin.get("/pools/echo")["servers"] == admin.get("/servers")["servers"]
    assert [one["shard"] for one in admin.get("/shards")["shards"]] == [0, 1]
    certificate = admin.get("/certificates")["certificates"][0]
    assert "localhost" in certificate["names"] and certificate["expires"] > 1_796_000_000
    snapshot = admin.get("/snapshot")
    assert snapshot["state"] == "serving" and snapshot["totals"]["requests"] == 1
    assert admin.get("/limits")["descriptors"]["max"] > 0


def test_failures_of_servers_are_told_by_server(start_admin, echo):
    lost = free_port()
    gateway, admin = start_admin(pools={"echo": [echo.port, lost]})
    failed = 0
    with connect(gateway.http_port, False) as client:
        for _ in range(10):
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na")
            failed += client.read_response()[0].status == 502
    # A request that found the other one in time has not failed.
    told = {one["server"]: one["failures_total"] for one in admin.get("/servers")["servers"]}
    assert told == {f"127.0.0.1:{echo.port}": 0, f"127.0.0.1:{lost}": failed}
    assert admin.get("/pools/echo")["servers"] == admin.get("/servers")["servers"]
    assert [one["failures_total"] for one in admin.get("/snapshot")["pools"][0]["servers"]] == [0, failed]


@pytest.mark.parametrize("path", READS)
def test_whoever_comes_from_elsewhere_is_refused(start_admin, path):
    _, admin = start_admin(Variant(1))
    for host in ("evil.test", "localhost.evil.test", "10.1.2.3"):
        answer = admin.ask(path, host=host)
        assert answer.status == 421 and "hosts" in answer.error(), host
    for more in ("Origin: http://evil.test\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n",
                 "Origin: http://localhost:1\r\n"):
        answer = admin.ask(path, more=more)
        assert answer.status == 403 and "origin" in answer.error(), more
    assert admin.ask(path, method="HEAD").status == 200
    assert admin.ask(path, more="Origin: http://localhost\r\n").status == 200


@pytest.mark.parametrize("method, path", CHANGES)
def test_a_change_needs_the_token(start_admin, method, path):
    gateway, admin = start_admin(Variant(1))
    mark = gateway.log_mark()
    for token in (None, TOKEN[:-1], TOKEN + "0", TOKEN.upper(), ""):
        answer = admin.ask(path, method, {}, token=token)
        assert answer.status == 401 and "token_file" in answer.error(), token
        assert answer.head.get("WWW-Authenticate").startswith("Bearer")
    assert admin.ask(path, method, {}, token=TOKEN, host="evil.test").status == 421
    assert admin.ask(path, method, {}, token=TOKEN, more="Origin: http://evil.test\r\n").status == 403
    assert "admin: " not in gateway.log_since(mark)
    for wrong in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {method}:
        answer = admin.ask(path, wrong, token=TOKEN)
        assert answer.status in (404, 405), (wrong, answer)
    for body in (b"{", b"[]", b"7", b'{"nonsense": 1}', b"\xff\xfe"):
        answer = admin.ask(path, method, body, token=TOKEN)
        assert answer.status == 400 and answer.error(), (body, answer)
    answer = admin.ask(path + "?x=1", method, {}, token=TOKEN)
    assert answer.status == 400


def test_nothing_is_changed_where_there_is_no_token(start_gateway, tmp_path, echo):
    config = admin_config(tmp_path, {"echo": echo.port}, [{"pool": "echo"}])
    del config.admin["token_file"]
    admin = admin_of(start_gateway(config, Variant(1)))
    for method, path in CHANGES:
        answer = admin.ask(path, method, {}, token="anything")
        assert answer.status == 403 and "token_file" in answer.error()
    assert admin.ask("/servers").status == 200


BAD = [
    (b"GET /\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"\0\0\0\0\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    (b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /connections?a=1&a=2 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /connections?limit=0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /connections?format=xml HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /servers?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /connections/none HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /connections/99999999999999999999999 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /pools/nobody HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /ready?pool=nobody HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /a/b/c/d/e/f/g/h/i/j HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"POST /reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN.encode() +
     b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" + b" " * 300000, 413),
]


@pytest.mark.parametrize("head, status", BAD, ids=range(len(BAD)))
def test_bad_requests_are_told_why(start_admin, head, status):
    _, admin = start_admin(Variant(1))
    with admin.connect() as stream:
        stream.send(head)
        answer = read_answer(stream)
        assert answer.status == status and answer.error()
    assert admin.ask("/healthz").status == 200


def test_requests_may_follow_each_other_and_come_in_pieces(start_admin):
    _, admin = start_admin(Variant(1))
    with admin.connect() as stream:
        stream.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        for _ in range(3):
            assert read_answer(stream).body == b"ok\n"
        for byte in b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n":
            stream.send(bytes([byte]))
        assert read_answer(stream).body == b"ready\n"
        stream.send(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = read_answer(stream)
        assert (answer.body, answer.head.get("Connection")) == (b"ok\n", "close")
        assert stream.read_to_end() == b""


def test_readiness_is_asked_for_pools(start_gateway, tmp_path, echo):
    config = admin_config(tmp_path, {"echo": echo.port, "other": free_port()},
                          [{"name": "chat", "path": "/chat", "pool": "echo"},
                           {"name": "rest", "path": "/", "pool": "other"}])
    gateway = start_gateway(config, TWO_SHARDS)
    admin = admin_of(gateway)
    assert admin.ask("/ready?pools").status == 200
    assert admin.post("/pools/other/drain", {"over": "0s"}).json()["done"]
    assert admin.ask("/ready").status == 200
    assert admin.ask("/ready?pool=echo").status == 200
    answer = admin.ask("/ready?pool=other")
    assert (answer.status, answer.body) == (503, b"pool other has no server that takes anything\n")
    assert admin.ask("/ready?pools").status == 503
    assert admin.post("/pools/other/undrain").json()["done"]
    assert admin.ask("/ready?pools").status == 200


def test_it_is_not_ready_while_it_drains(start_admin):
    gateway, admin = start_admin(drain={"delay": "0s", "over": "20s", "hard_stop": "40s"})
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        gateway.process.terminate()
        wait_until(lambda: admin.ask("/ready").status == 503, "503 while it stops")
        assert admin.ask("/ready").body == b"stopping\n"
        assert admin.ask("/healthz").status == 200
        assert admin.get("/snapshot")["state"] == "stopping"
        close_websocket(websocket)
    gateway.wait()


def close_websocket(websocket):
    websocket.send(frame(CLOSE, close_payload(1000)))
    while read_frame(websocket).opcode != CLOSE:
        pass


def test_a_reload_says_how_it_went(start_admin):
    gateway, admin = start_admin()
    assert admin.post("/reload").json() == {"done": True, "lines": ["reload: no change"]}
    gateway.config.routes.append({"name": "more", "path": "/more", "pool": "echo"})
    gateway.file.write_text(gateway.config.text())
    answer = admin.post("/reload").json()
    assert answer["done"] and "route more added" in answer["lines"][-1]
    gateway.file.write_text("colour = 1\n" + gateway.config.text())
    answer = admin.post("/reload")
    assert answer.status == 422
    assert not answer.json()["done"] and "colour" in answer.json()["lines"][0]
    assert admin.get("/snapshot")["generation"] == 2
    serving = [one for one in admin.get("/generations")["generations"] if one["serving"]]
    assert [one["generation"] for one in serving] == [2]


def test_a_generation_is_told_of_as_long_as_somebody_goes_by_it(start_admin):
    gateway, admin = start_admin(timeouts={"request_header": "60s"})
    with connect(gateway.http_port, False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x")
        wait_until(lambda: admin.connections()["connections"], "its row")
        gateway.config.routes.append({"name": "more", "path": "/more", "pool": "echo"})
        gateway.file.write_text(gateway.config.text())
        assert admin.post("/reload").json()["done"]
        told = [(one["generation"], one["serving"]) for one in admin.get("/generations")["generations"]]
        assert told == [(1, False), (2, True)]
    wait_until(lambda: len(admin.get("/generations")["generations"]) == 1, "the earlier one to be gone")


def test_metrics_are_scraped_in_either_format(start_admin):
    _, admin = start_admin()
    plain = admin.ask("/metrics")
    assert plain.head.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    checked = subprocess.run(["promtool", "check", "metrics"], input=plain.body, capture_output=True,
                             check=False, timeout=DEADLINE)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    newer = admin.ask("/metrics", more="Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n")
    assert newer.head.get("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert newer.body.endswith(b"# EOF\n")


def test_servers_are_set(start_admin, echo):
    _, admin = start_admin()
    other = f"127.0.0.1:{free_port()}"
    answer = admin.post("/pools/echo/servers", {"servers": [f"127.0.0.1:{echo.port}=2", other]}, "PUT")
    assert answer.status == 200 and answer.json()["done"], answer
    servers = admin.get("/pools/echo")["servers"]
    assert [(one["server"], one["weight"], one["from"]) for one in servers] == [
        (f"127.0.0.1:{echo.port}", 2, "control"), (other, 1, "control")]
    for bad, status in (({"servers": ["nonsense"]}, 400), ({"servers": "x"}, 400), ({}, 400),
                        ({"servers": [1]}, 400), ({"servers": [other, other]}, 400)):
        answer = admin.post("/pools/echo/servers", bad, "PUT")
        assert answer.status in (status, 422), (bad, answer)
    assert admin.post("/pools/none/servers", {"servers": [other]}, "PUT").status == 404
    assert admin.post("/pools/echo/servers", {"servers": []}, "PUT").json()["done"]
    assert [one["from"] for one in admin.get("/pools/echo")["servers"]] == ["file"]


def test_a_server_is_drained(start_admin, echo):
    gateway, admin = start_admin()
    server = f"127.0.0.1:{echo.port}"
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        answer = admin.post("/pools/echo/drain", {"server": server, "over": "0s", "code": 4002,
                                                  "reason": "go"})
        assert answer.status == 200 and "1 websocket is closed at once" in answer.json()["lines"][0]
        told = read_frame(websocket)
        assert (told.opcode, told.payload) == (CLOSE, close_payload(4002, "go"))
        websocket.send(frame(CLOSE, told.payload))
    assert admin.get("/servers")["servers"][0]["state"] == "draining"
    assert admin.post("/pools/echo/undrain", {"server": server}).json()["done"]
    assert admin.get("/servers")["servers"][0]["state"] == "up"
    for bad in ({"code": 999}, {"over": "soon"}, {"reason": "x" * 200}, {"server": 7}):
        assert admin.post("/pools/echo/drain", bad).status == 400, bad


def test_the_log_changes_its_level(start_admin):
    gateway, admin = start_admin(level="info")
    assert admin.post("/log/level", {"level": "warning"}, "PUT").json()["done"]
    mark = gateway.log_mark()
    with connect(gateway.http_port, False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.read_response()
    assert admin.post("/log/level", {"level": "debug"}, "PUT").json()["done"]
    gateway.wait_for(lambda: "admin: PUT /log/level" in gateway.log_since(mark) or
                     admin.post("/log/reopen").json()["done"], "a line")
    assert "request id=" not in gateway.log_since(mark)
    answer = admin.post("/log/level", {"level": "debugg"}, "PUT")
    assert answer.status == 400 and "did you mean 'debug'" in answer.error()


def test_a_check_says_what_is_wrong(tmp_path, echo):
    config = admin_config(tmp_path, {"echo": echo.port}, [{"pool": "echo"}],
                          admin={"address": "0.0.0.0:9090", "token_file": str(tmp_path / "none")})
    file = tmp_path / "bad.conf"
    file.write_text(config.text())
    done = run("-t", "-c", file)
    assert done.returncode != 0
    assert re.search(r"bad\.conf:\d+:\d+: error: token file '.*none' does not exist", done.stderr)


def test_answers_that_nobody_takes_end_their_connection_alone(start_admin):
    gateway, admin = start_admin(Variant(1))
    with admin.connect_slowly() as slow:
        slow.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        gateway.wait_for(lambda: slow.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01",
                         "it to be given up")
        data, how = slow.read_ending()
        # No head stands behind a part of a body.
        assert how == "reset" and data.count(b"HTTP/1.1 200 OK") <= 1 + len(data) // 70000
    assert admin.ask("/healthz").body == b"ok\n"


def test_whoever_asks_nothing_keeps_nobody_out(start_admin):
    _, admin = start_admin(Variant(1))
    with contextlib.ExitStack() as stack:
        for _ in range(70):
            stack.enter_context(admin.connect())
        assert admin.ask("/healthz").body == b"ok\n"
