"""Authentication while something else happens: the client leaves, half closes, pipelines or uploads;
the configuration changes, or the gateway stops. A password that is being compared, and a server that
is being asked, are the two waits."""

import signal
import threading
from pathlib import Path

import pytest

from support.frames import TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import FEW, HAS_CUT, Config, Variant
from support.passwords import BCRYPT, PASSWORD, SLOW, SLOWEST, credentials
from support.streams import connect

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)
AT_ONCE_SECONDS = 20  # far more than one comparison takes


@pytest.fixture
def config(raw_port, tmp_path, guard):
    """Routes /asked, /quick and /slow, by whom or how long it takes to find out."""
    (tmp_path / "quick").write_text(f"alice:{BCRYPT}\n")
    (tmp_path / "slow").write_text(f"alice:{SLOW}\n")
    (tmp_path / "slowest").write_text(f"alice:{SLOWEST}\n")
    url = f"http://127.0.0.1:{guard.upstream.port}/check"
    auths = {"asked": {"request": url, "copy": ["X-User"], "timeout": "1h"}}
    for name in ("quick", "slow", "slowest"):
        auths[name] = {"basic": {"users": name, "user_header": "X-User"}}
    routes = [{"name": name, "path": f"/{name}", "pool": "raw", "auth": auth}
              for name, auth in auths.items()]
    return Config({"raw": raw_port}, [*routes, {"name": "open", "path": "/open", "answer": {}}])


def get(target, fields="", method="GET"):
    return f"{method} {target} HTTP/1.1\r\nHost: raw.test\r\n{fields}\r\n".encode()


def compares(gateway):
    """A password has been taken to those threads, which are made then."""
    names = [name.read_text() for name in Path(f"/proc/{gateway.pid}/task").glob("*/comm")]
    return "passwords\n" in names


def with_password(target, password=PASSWORD, fields="", method="GET"):
    return get(target, credentials("alice", password) + fields, method)


@VARIANTS
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_pipelined_requests_are_judged_one_by_one(start_gateway, config, guard, server, variant, secure):
    gateway = start_gateway(config, variant)
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        client.send(get("/asked/1", "X-User: root\r\nContent-Length: 3\r\n", "POST") + b"abc"
                    + get("/asked/2") + with_password("/quick/3") + with_password("/quick/4", "wrong")
                    + get("/asked/5"))
        asked = guard.read_request()
        assert "X-Forwarded-Uri: /asked/1" in asked.seen.lines
        guard.answer(asked, b"HTTP/1.1 200 OK\r\nX-User: alice\r\nContent-Length: 0\r\n\r\n")
        received = server.read_request()
        assert (received.target, received.seen.body) == ("/asked/1", "abc")
        assert "X-User: alice" in received.seen.lines
        server.answer(received)
        assert client.read_response()[1] == b"/asked/1"
        asked = guard.read_request()
        assert "X-Forwarded-Uri: /asked/2" in asked.seen.lines
        guard.answer(asked, REFUSAL)
        assert client.read_response()[0].status == 401
        received = server.read_request()
        assert received.target == "/quick/3"
        server.answer(received)
        assert client.read_response()[1] == b"/quick/3"
        assert client.read_response()[0].status == 401
        guard.answer(guard.read_request(), FINE)
        received = server.read_request()
        # Who the client was before is forgotten.
        assert not any(line.startswith("X-User") for line in received.seen.lines)
        server.answer(received)
        assert client.read_response()[1] == b"/asked/5"


@VARIANTS
@pytest.mark.parametrize("target", ["/asked", "/slow"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_upload_waits_and_arrives_whole(start_gateway, config, guard, server, variant, target, chunked):
    gateway = start_gateway(config, variant)
    body = bytes(range(256)) * 8192
    framing = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {len(body)}\r\n"
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    with connect(gateway.http_port) as client:
        head = with_password(target, fields=framing, method="POST")
        upload = threading.Thread(target=client.send, args=(head + sent,))
        upload.start()
        if target == "/asked":
            guard.answer(guard.read_request(), FINE)
        stream = server.next_stream()
        assert f"POST {target} HTTP/1.1\r\n".encode() in stream.read_until(b"\r\n\r\n")
        got = b""
        while len(got) < len(body):
            if chunked:
                size = int(stream.read_until(b"\r\n"), 16)
                got += stream.read_exactly(size + 2)[:-2]
            else:
                got += stream.read_exactly(len(body))
        upload.join()
        assert got == body
        if chunked:
            assert stream.read_exactly(5) == b"0\r\n\r\n"
        stream.send(FINE)
        assert client.read_response()[0].status == 200


@VARIANTS
@pytest.mark.parametrize("password,status", [(PASSWORD, 200), ("wrong", 401)])
def test_nothing_is_continued_before_a_password_is_right(start_gateway, config, server, upstream, variant,
                                                         password, status):
    gateway = start_gateway(config, variant)
    with connect(gateway.http_port) as client:
        client.send(with_password("/slow", password,
                                  "Expect: 100-continue\r\nContent-Length: 4\r\n", "POST"))
        if status == 401:
            head, _ = client.read_response()
            assert (head.status, head.get("Connection")) == (401, "close")
            assert upstream.saw_nothing()
            return
        stream = server.next_stream()
        assert b"Expect: 100-continue\r\n" in stream.read_until(b"\r\n\r\n")
        assert not client.wait_readable(0)
        stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert client.read_head().status == 100
        client.send(b"body")
        assert stream.read_exactly(4) == b"body"
        stream.send(FINE)
        assert client.read_response()[0].status == 200


@VARIANTS
def test_a_client_may_close_its_half_meanwhile(start_gateway, config, guard, server, variant):
    """Its stream begins then with what each answer begins with; the rest has to follow."""
    gateway = start_gateway(config, variant)
    for target, password, status in (("/slow", PASSWORD, 200), ("/slow", "wrong", 401),
                                     ("/asked", "", 200), ("/asked", "", 401)):
        with connect(gateway.http_port) as client:
            client.send(with_password(target, password))
            if target == "/asked":
                asked = guard.read_request()
                client.finish()
                assert client.read_until(b"HTTP/1.1 ") == b"HTTP/1.1 "
                guard.answer(asked, FINE if status == 200 else REFUSAL)
            else:
                client.finish()
            if status == 200:
                server.answer(server.read_request(), FINE)
            everything = client.received + client.read_to_end()
            assert everything.count(b"HTTP/1.1 ") == 1
            assert everything.startswith(b"HTTP/1.1 %d " % status), everything


@VARIANTS
@pytest.mark.parametrize("form", ["whole", "upload", "pipelined", "websocket"])
@pytest.mark.parametrize("target", ["/asked", "/slowest"])
def test_whoever_leaves_is_noticed_at_once(start_gateway, config, guard, upstream, log_of, variant, form,
                                           target):
    gateway = start_gateway(config, variant)
    log = log_of(gateway)
    client = connect(gateway.http_port)
    if form == "websocket":
        client.send(upgrade_request(target, "raw.test", more=credentials("alice", PASSWORD))
                    + frame(TEXT, b"early"))
    else:
        fields = "Content-Length: 10\r\n" if form == "upload" else ""
        client.send(with_password(target, PASSWORD, fields, "POST")
                    + (get("/open") if form == "pipelined" else b""))
    if target == "/asked":
        asked = guard.read_request()
    else:
        gateway.wait_for(lambda: compares(gateway), "the password to be compared")
    client.reset()
    if target == "/asked":
        assert asked.stream.read_ending()[0] == b""
    # Of a password that was compared meanwhile nobody is left who would be let in.
    log.wait(" request ", "end=client-", "by=client", f"route={target[1:]}")
    gateway.wait_for_descriptors()
    assert upstream.saw_nothing()
    with connect(gateway.http_port) as other:
        other.send(get("/open"))
        assert other.read_response()[0].status == 200


@VARIANTS
def test_a_stop_in_order_lets_both_come_to_their_end(start_gateway, config, guard, server, log_of, variant):
    gateway = start_gateway(config, variant)
    log = log_of(gateway)
    clients = [connect(gateway.http_port) for _ in range(3)]
    with connect(gateway.http_port) as asking, connect(gateway.http_port) as refused:
        asking.send(get("/asked"))
        asked = guard.read_request()
        refused.send(get("/asked"))
        second = guard.read_request()
        for number, client in enumerate(clients):
            client.send(with_password("/slow", f"wrong {number}"))
        with connect(gateway.http_port) as other:
            other.send(get("/open"))
            assert other.read_response()[0].status == 200
        gateway.process.send_signal(signal.SIGTERM)
        log.wait("SIGTERM", "in order")
        guard.answer(asked, FINE)
        server.answer(server.read_request(), FINE)
        assert asking.read_response()[0].status == 200
        guard.answer(second, REFUSAL)
        assert refused.read_response()[0].status == 401
        for client in clients:
            assert client.read_response()[0].status == 401
    assert gateway.wait() == 0
    gateway.check_faults()


@VARIANTS
def test_a_stop_at_once_waits_for_nobody(start_gateway, config, guard, upstream, variant):
    """Neither for the server that is asked, nor for those whose turn at a password has not come."""
    gateway = start_gateway(config, variant)
    clients = [connect(gateway.http_port) for _ in range(40)]
    with connect(gateway.http_port) as asking:
        for number, client in enumerate(clients):
            client.send(with_password("/slowest", f"wrong {number}"))
        asking.send(get("/asked"))
        asked = guard.read_request()
        assert gateway.stop(signal.SIGINT, AT_ONCE_SECONDS) == HAS_CUT, "requests were cut"
        assert asked.stream.read_ending()[0] == b""
    assert upstream.saw_nothing()
    gateway.check_faults()


def test_a_reload_meanwhile_holds_for_the_next_ones(start_reloading, config, guard, server, tmp_path):
    gateway, reload = start_reloading(config, Variant(1, "multishot"))
    with connect(gateway.http_port) as asking, connect(gateway.http_port) as waiting:
        asking.send(get("/asked", "X-User: root\r\n"))
        asked = guard.read_request()
        waiting.send(with_password("/slow"))
        (tmp_path / "slow").write_text(f"bob:{BCRYPT}\n")
        config.routes[0]["auth"] = {**config.routes[0]["auth"], "copy": ["X-Other"]}
        text = reload()
        assert "route asked changed" in text and "route slow changed" in text
        # As they were when these began.
        server.answer(server.read_request(), FINE)
        assert waiting.read_response()[0].status == 200
        guard.answer(asked, b"HTTP/1.1 200 OK\r\nX-User: alice\r\nX-Other: b\r\n"
                            b"Content-Length: 0\r\n\r\n")
        received = server.read_request()
        assert [line for line in received.seen.lines if line.startswith("X-")] == ["X-User: alice"]
        server.answer(received, FINE)
        assert asking.read_response()[0].status == 200
        # As they are now, on the same connections.
        waiting.send(with_password("/slow"))
        assert waiting.read_response()[0].status == 401
        asking.send(get("/asked", "X-User: mine\r\nX-Other: root\r\n"))
        guard.answer(guard.read_request(), b"HTTP/1.1 200 OK\r\nX-User: alice\r\nX-Other: b\r\n"
                                           b"Content-Length: 0\r\n\r\n")
        received = server.read_request()
        # Other routes to this server vouch for X-User.
        assert [line for line in received.seen.lines if line.startswith("X-")] == ["X-Other: b"]
        server.answer(received, FINE)
        assert asking.read_response()[0].status == 200


@VARIANTS
def test_what_a_websocket_says_early_waits_for_its_password(start_gateway, config, upstream, variant):
    gateway = start_gateway(config, variant)
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/slow", "raw.test", more=credentials("alice", PASSWORD))
                    + frame(TEXT, b"early") + frame(TEXT, b"too"))
        stream = upstream.accept()
        head = stream.read_head()
        stream.send(upgrade_response(head.get("Sec-WebSocket-Key")))
        assert client.read_head().status == 101
        assert [read_frame(stream).payload for _ in range(2)] == [b"early", b"too"]
