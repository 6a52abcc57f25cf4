"""The admin listener: who may ask, what it tells, and what it does, each with bad input, too."""

import contextlib
import json
import re
import socket
import ssl
import subprocess

import pytest

from support.admin import TOKEN, TWO_SHARDS, admin_config, admin_of, read_answer
from support.certificates import Authority, make_certificate
from support.checking import run
from support.frames import (CLOSE, PING, PONG, TEXT, close_payload, frame, read_frame,
                            upgrade_request)
from support.gateway import Variant
from support.ports import free_port
from support.relay import open_echo
from support.streams import Stream, connect
from support.waiting import DEADLINE, wait_until

READS = ["/healthz", "/ready", "/version", "/snapshot", "/history", "/pools", "/pools/echo", "/servers",
         "/routes", "/listeners", "/limits", "/certificates", "/shards", "/generations", "/metrics",
         "/connections", "/"]
CHANGES = [("POST", "/connections/1/kick"), ("POST", "/connections/kick"), ("POST", "/pools/echo/drain"),
           ("POST", "/pools/echo/undrain"), ("PUT", "/pools/echo/servers"), ("POST", "/reload"),
           ("PUT", "/log/level"), ("POST", "/log/reopen")]
FREE = ["/healthz", "/ready", "/"]


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    def begin(variant=TWO_SHARDS, pools=None, **more):
        config = admin_config(tmp_path, pools or {"echo": echo.port},
                              [{"name": "chat", "pool": "echo"}], **more)
        gateway = start_gateway(config, variant)
        return gateway, admin_of(gateway)
    return begin


def test_it_tells_what_there_is(start, echo):
    gateway, admin = start()
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


def test_failures_of_servers_are_told_by_server(start, echo):
    lost = free_port()
    gateway, admin = start(pools={"echo": [echo.port, lost]})
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
def test_whoever_comes_from_elsewhere_is_refused(start, path):
    _, admin = start(Variant(1))
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
def test_a_change_needs_the_token(start, method, path):
    gateway, admin = start(Variant(1))
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
def test_bad_requests_are_told_why(start, head, status):
    _, admin = start(Variant(1))
    with admin.connect() as stream:
        stream.send(head)
        answer = read_answer(stream)
        assert answer.status == status and answer.error()
    assert admin.ask("/healthz").status == 200


def test_requests_may_follow_each_other_and_come_in_pieces(start):
    _, admin = start(Variant(1))
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


def test_it_is_not_ready_while_it_drains(start):
    gateway, admin = start(drain={"delay": "0s", "over": "20s", "hard_stop": "40s"})
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


def test_a_reload_says_how_it_went(start):
    gateway, admin = start()
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


def test_a_generation_is_told_of_as_long_as_somebody_goes_by_it(start):
    gateway, admin = start(timeouts={"request_header": "60s"})
    with connect(gateway.http_port, False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x")
        wait_until(lambda: admin.connections()["connections"], "its row")
        gateway.config.routes.append({"name": "more", "path": "/more", "pool": "echo"})
        gateway.file.write_text(gateway.config.text())
        assert admin.post("/reload").json()["done"]
        told = [(one["generation"], one["serving"]) for one in admin.get("/generations")["generations"]]
        assert told == [(1, False), (2, True)]
    wait_until(lambda: len(admin.get("/generations")["generations"]) == 1, "the earlier one to be gone")


def test_metrics_are_scraped_in_either_format(start):
    _, admin = start()
    plain = admin.ask("/metrics")
    assert plain.head.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    checked = subprocess.run(["promtool", "check", "metrics"], input=plain.body, capture_output=True,
                             check=False, timeout=DEADLINE)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    newer = admin.ask("/metrics", more="Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n")
    assert newer.head.get("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert newer.body.endswith(b"# EOF\n")


def test_servers_are_set(start, echo):
    _, admin = start()
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


def test_a_server_is_drained(start, echo):
    gateway, admin = start()
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


def test_the_log_changes_its_level(start):
    gateway, admin = start(level="info")
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


def upgrade_of_page(path="/live", protocols="gateway.live", more=""):
    return upgrade_request(path, "localhost",
                           more=f"Sec-WebSocket-Protocol: {protocols}\r\n{more}")


def test_a_page_is_told_a_snapshot_each_second(start):
    gateway, admin = start()
    with admin.connect() as page, connect(gateway.http_port, False) as websocket:
        page.send(upgrade_of_page())
        head = page.read_head()
        assert (head.status, head.get("Sec-WebSocket-Protocol")) == (101, "gateway.live")
        first = json.loads(read_frame(page).payload)
        open_echo(websocket)
        for number in range(5):
            websocket.send(frame(TEXT, b"x"))
            assert read_frame(websocket).payload == b"x"
        while (now := json.loads(read_frame(page).payload))["totals"]["websockets"] != 1:
            assert now["time"] > first["time"]
        while not (now := json.loads(read_frame(page).payload))["top"]:
            pass
        assert now["top"][0]["route"] == "chat"
        page.send(frame(PING, b"alive"))
        while (told := read_frame(page)).opcode != PONG:
            assert told.opcode == TEXT
        assert told.payload == b"alive"
        page.send(frame(CLOSE, close_payload(1001)))
        while (told := read_frame(page)).opcode != CLOSE:
            pass
        assert told.close_code == 1001
        assert page.read_to_end() == b""


def test_a_page_sees_the_log_as_it_is_written(start):
    gateway, admin = start()
    with admin.connect() as page:
        page.send(upgrade_of_page("/log", "gateway.log"))
        head = page.read_head()
        assert (head.status, head.get("Sec-WebSocket-Protocol")) == (101, "gateway.log")
        with connect(gateway.http_port, False) as client:
            client.send(b"GET /seen?access_token=secret HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.read_response()
        while " request id=" not in (line := read_frame(page).payload.decode()):
            pass
        assert "/seen?access_token=" in line and "secret" not in line and "\n" not in line
        assert line in gateway.log()
        page.send(frame(CLOSE, close_payload(1000)))
        while read_frame(page).opcode != CLOSE:
            pass


@pytest.mark.parametrize("request_bytes, status", [
    (upgrade_of_page(protocols="other"), 404),
    (upgrade_of_page("/none"), 404),
    (upgrade_of_page(more="Origin: http://evil.test\r\n"), 403),
    (upgrade_request("/live", "evil.test"), 421)],
    ids=["subprotocol", "path", "origin", "host"])
def test_not_every_websocket_is_a_page(start, request_bytes, status):
    _, admin = start(Variant(1))
    with admin.connect() as page:
        page.send(request_bytes)
        assert page.read_head().status == status


@pytest.mark.parametrize("said, code", [(frame(TEXT, b"x", masked=False), 1002),
                                        (frame(3, b"x"), 1002), (frame(PING, b"x" * 126), 1002)],
                         ids=["unmasked", "opcode", "long control"])
def test_a_page_that_breaks_the_protocol_is_closed(start, said, code):
    _, admin = start(Variant(1))
    with admin.connect() as page:
        page.send(upgrade_of_page())
        assert page.read_head().status == 101
        page.send(said)
        while (told := read_frame(page)).opcode != CLOSE:
            pass
        assert told.close_code == code


def test_a_unix_socket_is_its_owners(start, tmp_path):
    path = tmp_path / "admin.sock"
    _, admin = start(admin={"address": f"unix:{path}", "mode": "0600"})
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert admin.ask("/healthz").body == b"ok\n"
    assert admin.ask("/healthz", host="evil.test").status == 421
    assert admin.post("/reload").json()["done"]


def tls_get(admin, path, context, token=None):
    """Status and body, over TLS; or None where the handshake fails."""
    with admin.connect() as plain:
        try:
            with context.wrap_socket(plain.socket, server_hostname="localhost") as secure:
                secure.sendall(admin.head("GET", path, token=token))
                data = b""
                while part := secure.recv(65536):
                    data += part
        except (ssl.SSLError, ConnectionResetError):
            return None
        return int(data.split(b" ")[1]), data.partition(b"\r\n\r\n")[2]


def context_with(certificate=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def test_over_tls_a_certificate_is_as_good_as_the_token(start, tmp_path):
    authority = Authority(tmp_path)
    known = authority.issue(["DNS:ops"], subject="ops")
    chain, key = make_certificate(tmp_path, ["localhost"])
    stranger = make_certificate(tmp_path, ["stranger"])
    _, admin = start(admin={"address": f"0.0.0.0:{free_port()}",
                            "certificates": [{"chain": str(chain), "key": str(key)}],
                            "client_ca": str(authority.path)})
    assert tls_get(admin, "/servers", context_with(known))[0] == 200
    assert tls_get(admin, "/servers", context_with()) is None
    assert tls_get(admin, "/servers", context_with(stranger)) is None
    # In plain text nobody is understood.
    with admin.connect() as plain:
        plain.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in plain.read_ending()[0]


def test_on_another_address_reading_needs_the_token_too(start):
    _, admin = start(admin={"address": f"0.0.0.0:{free_port()}", "certificates": "self-signed"})
    for path in READS:
        wanted = 200 if path in FREE else 401
        assert tls_get(admin, path, context_with())[0] == wanted, path
        assert tls_get(admin, path, context_with(), TOKEN)[0] == 200, path


def test_a_reload_takes_another_token_and_other_names(start):
    gateway, admin = start()
    assert admin.ask("/servers", host="ops.test").status == 421
    gateway.config.admin["hosts"] = ["ops.test"]
    gateway.file.write_text(gateway.config.text())
    gateway.file.with_name("admin.token").write_text("another-token-another-token\n")
    assert "[admin] changed" in admin.post("/reload").json()["lines"][-1]
    assert admin.ask("/servers", host="ops.test").status == 200
    assert admin.post("/reload").status == 401
    assert admin.post("/reload", token="another-token-another-token").status == 200


def texts_to_the_end(page):
    try:
        while (told := read_frame(page)).opcode == TEXT:
            yield told.payload
    except EOFError:
        pass


def test_an_upgrade_takes_it_along(start_upgrading, tmp_path, echo):
    config = admin_config(tmp_path, {"echo": echo.port}, [{"pool": "echo"}])
    line = start_upgrading(config)
    admin = admin_of(line.gateway)
    assert admin.get("/snapshot")["pid"] == line.pid
    with admin.connect() as page:
        page.send(upgrade_of_page())
        assert page.read_head().status == 101
        line()
        wait_until(lambda: admin.get("/snapshot")["pid"] == line.pid, "the successor's answer")
        # Who looks at the predecessor does so as long as it is there, and no longer.
        pids = {json.loads(text)["pid"] for text in texts_to_the_end(page)}
        assert pids == {line.pids[0]}


def test_a_check_says_what_is_wrong(tmp_path, echo):
    config = admin_config(tmp_path, {"echo": echo.port}, [{"pool": "echo"}],
                          admin={"address": "0.0.0.0:9090", "token_file": str(tmp_path / "none")})
    file = tmp_path / "bad.conf"
    file.write_text(config.text())
    done = run("-t", "-c", file)
    assert done.returncode != 0
    assert re.search(r"bad\.conf:\d+:\d+: error: token file '.*none' does not exist", done.stderr)


def slow_client(admin):
    """Whose system takes little that it does not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(DEADLINE)
    connection.connect(("127.0.0.1", admin.address))
    return Stream(connection)


def test_answers_that_nobody_takes_end_their_connection_alone(start):
    gateway, admin = start(Variant(1))
    with slow_client(admin) as slow:
        slow.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        gateway.wait_for(lambda: slow.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01",
                         "it to be given up")
        data, how = slow.read_ending()
        # No head stands behind a part of a body.
        assert how == "reset" and data.count(b"HTTP/1.1 200 OK") <= 1 + len(data) // 70000
    assert admin.ask("/healthz").body == b"ok\n"


@pytest.mark.parametrize("path, protocol", [("/live", "gateway.live"), ("/log", "gateway.log")])
def test_pings_of_who_takes_no_answers_are_not_piled_up(start, path, protocol):
    gateway, admin = start(Variant(1))
    with slow_client(admin) as page:
        page.send(upgrade_of_page(path, protocol))
        assert page.read_head().status == 101
        pings = frame(PING, b"x" * 125) * 400
        for _ in range(200):  # ten megabytes
            page.send(pings)
            assert admin.ask("/healthz").status == 200


def test_whoever_asks_nothing_keeps_nobody_out(start):
    _, admin = start(Variant(1))
    with contextlib.ExitStack() as stack:
        for _ in range(70):
            stack.enter_context(admin.connect())
        assert admin.ask("/healthz").body == b"ok\n"
