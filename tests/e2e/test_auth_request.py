"""auth = { request = URL } by route: a server is asked with the request's head whether it may
pass. Both servers are played by the test."""

import pytest

from support import tokens
from support.asking import FINE, REFUSALS, client_of, get, own
from support.checking import run as run_gateway
from support.frames import TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import FEW, Config

VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)


@pytest.fixture
def site(start_guarded):
    return start_guarded


@VARIANTS
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_what_is_asked_and_what_passes(site, guard, server, variant, secure):
    gateway = site(variant, copy=["X-User", "X-Groups"])
    fields = ("Authorization: Basic eDp5\r\nCookie: a=b\r\nX-User: root\r\nX_User: root\r\n"
              "X-Groups: all\r\nX-Mine: 1\r\nConnection: X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\n"
              "X-Forwarded-Uri: /fake\r\nX-Forwarded-Method: FAKE\r\nX-Forwarded-For: 9.9.9.9\r\n"
              "If-None-Match: \"x\"\r\nRange: bytes=0-0\r\nExpect: 100-continue\r\n"
              "Content-Type: text/plain\r\nContent-Length: 4\r\n")
    with client_of(gateway, secure) as client:
        client.send(get(fields, "/a/../b//c?d=1&e", "POST"))
        asked = guard.read_request()
        assert asked.seen.first_line == "GET /check?by=gateway HTTP/1.1"
        assert asked.seen.lines == (
            f"Host: 127.0.0.1:{guard.upstream.port}", "Authorization: Basic eDp5", "Cookie: a=b",
            "X-Mine: 1", "X-Forwarded-Method: POST", "X-Forwarded-Uri: /b//c?d=1&e")
        told = own(asked)
        assert told["X-Forwarded-For"] == "127.0.0.1"
        assert told["X-Forwarded-Host"] == "raw.test"
        assert told["X-Forwarded-Proto"] == ("https" if secure else "http")
        # Of TLS there are tickets to read; a 100 of the gateway's own would be one too many below.
        assert server.is_quiet() and (secure or not client.wait_readable(0))
        guard.answer(asked, b"HTTP/1.1 200 OK\r\nX-User: alice\r\nX-Groups: a\r\nX-Groups: b\r\n"
                            b"X-Other: no\r\nContent-Length: 5\r\n\r\nhello")
        stream = server.next_stream()
        head = stream.read_until(b"\r\n\r\n").decode()
        for line in ("POST /b//c?d=1&e HTTP/1.1", "X-User: alice", "X-Groups: a", "X-Groups: b",
                     "Expect: 100-continue", "Content-Length: 4", "Authorization: Basic eDp5"):
            assert f"{line}\r\n" in head, head
        for word in ("root", "all", "X-Other", "X-Forwarded-Uri", "X-Forwarded-Method"):
            assert word not in head
        stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert client.read_head().status == 100
        client.send(b"body")
        assert stream.read_exactly(4) == b"body"
        stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert client.read_response()[1] == b"ok"


def test_the_client_s_own_copy_goes_even_where_the_answer_has_none(site, guard, server):
    gateway = site(copy=["X-User"])
    with client_of(gateway) as client:
        client.send(get("X-User: root\r\nTransfer-Encoding: chunked\r\n", method="POST")
                    + b"0\r\nX-User: root\r\nx_user: root\r\n\r\n")
        guard.answer(guard.read_request(), FINE)
        received = server.read_request()
        assert received.seen.trailers == ()
        assert not any("root" in line for line in received.seen.lines)
        server.answer(received)
        assert client.read_response()[0].status == 200


def test_a_credential_may_be_replaced(site, guard, server):
    gateway = site(copy=["Authorization"])
    with client_of(gateway) as client:
        client.send(get("Authorization: Basic eDp5\r\n"))
        asked = guard.read_request()
        assert "Authorization: Basic eDp5" in asked.seen.lines
        guard.answer(asked, b"HTTP/1.1 204 No Content\r\nAuthorization: Bearer inner\r\n\r\n")
        received = server.read_request()
        assert [line for line in received.seen.lines if line.startswith("Auth")] == [
            "Authorization: Bearer inner"]
        server.answer(received)
        client.read_response()


@VARIANTS
@pytest.mark.parametrize("name", REFUSALS)
def test_any_other_answer_is_the_client_s(site, guard, server, log_of, variant, name):
    gateway = site(variant)
    log = log_of(gateway)
    answer, body = REFUSALS[name]
    for method, sent in (("GET", b""), ("POST", b"all of it"), ("HEAD", b"")):
        with client_of(gateway) as client:
            length = f"Content-Length: {len(sent)}\r\n" if sent else ""
            client.send(get(length, method=method) + sent)
            asked = guard.read_request()
            asked.stream.send(answer)
            if name == "until close":
                asked.stream.close()
                guard.open.remove(asked.stream)
            head = client.read_head()
            status = int(answer.split(b" ")[1])
            assert head.status == status
            if status == 302:
                assert head.get("Location") == "https://login.test/?to=x"
                assert head.all("Set-Cookie") == ["a=1", "b=2"]
            if status == 401:
                assert head.get("WWW-Authenticate") == 'Basic realm="x"'
                assert head.get("Content-Type") == "text/html"
            if method != "HEAD" and status != 304:
                assert client.read_body(head) == body
            if name != "until close":
                # The next request on the same connection is a new one.
                client.send(get())
                guard.answer(guard.read_request(), FINE)
                server.answer(server.read_request(), FINE)
                assert client.read_head().status == 200
        log.wait(f"status={status}", f"upstream=127.0.0.1:{guard.upstream.port}")
    assert server.is_quiet()


def test_nothing_follows_a_refused_upgrade(site, guard, server):
    """What is behind it is of the other protocol."""
    gateway = site(route={"upgrades": ["tcp"]})
    with client_of(gateway) as client:
        client.send(get("Upgrade: tcp\r\nConnection: Upgrade\r\n", method="POST") + get(target="/admin"))
        guard.answer(guard.read_request(), REFUSALS["401"][0])
        head, body = client.read_response()
        assert (head.status, body, head.get("Connection")) == (401, b"<b>no</b>", "close")
        assert client.read_ending()[0] == b""
    assert server.is_quiet() and guard.is_quiet()


def test_a_refused_upload_is_not_read(site, guard, server):
    gateway = site()
    with client_of(gateway) as client:
        client.send(get("Content-Length: 1000000\r\n", method="POST") + b"x" * 1000)
        guard.answer(guard.read_request(), REFUSALS["401"][0])
        head, body = client.read_response()
        assert (head.status, body, head.get("Connection")) == (401, b"<b>no</b>", "close")
    assert server.is_quiet()


def test_the_whole_server_and_old_clients_are_asked_about_too(site, guard, server):
    gateway = site()
    for sent, uri in ((get(target="*", method="OPTIONS"), "*"),
                      (b"GET http://raw.test/a?b HTTP/1.1\r\nHost: other.test\r\n\r\n", "/a?b"),
                      (b"GET /old HTTP/1.0\r\n\r\n", "/old")):
        with client_of(gateway) as client:
            client.send(sent)
            asked = guard.read_request()
            assert asked.seen.first_line == "GET /check?by=gateway HTTP/1.1"
            assert f"X-Forwarded-Uri: {uri}" in asked.seen.lines
            if uri != "/old":
                assert own(asked)["X-Forwarded-Host"] == "raw.test"
            guard.answer(asked, FINE)
            received = server.read_request()
            assert received.target == uri
            server.answer(received, FINE)
            assert client.read_head().status == 200


@VARIANTS
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_websocket_is_asked_about_before_a_server_is_dialled(site, guard, server, variant, secure):
    gateway = site(variant, copy=["X-User"])
    with client_of(gateway, secure) as client:
        client.send(upgrade_request("/ws", "raw.test", more="Origin: https://a.test\r\n")
                    + frame(TEXT, b"early"))
        asked = guard.read_request()
        names = [line.split(":")[0] for line in asked.seen.lines]
        assert "Upgrade" not in names and "Connection" not in names and "Origin" in names
        assert "X-Forwarded-Uri: /ws" in asked.seen.lines
        assert server.is_quiet()
        guard.answer(asked, b"HTTP/1.1 200 OK\r\nX-User: alice\r\nContent-Length: 0\r\n\r\n")
        stream = server.next_stream()
        head = stream.read_head()
        assert head.get("X-User") == "alice"
        stream.send(upgrade_response(head.get("Sec-WebSocket-Key")))
        assert client.read_head().status == 101
        assert read_frame(stream).payload == b"early"
        stream.send(frame(TEXT, b"late", masked=False))
        assert read_frame(client).payload == b"late"
    with client_of(gateway, secure) as client:
        client.send(upgrade_request("/ws", "raw.test"))
        guard.answer(guard.read_request(), REFUSALS["401"][0])
        head, body = client.read_response()
        assert (head.status, body) == (401, b"<b>no</b>")


def test_a_pool_may_be_asked_and_sees_the_request_s_host(start_gateway, guard, server, raw_port):
    config = Config({"raw": raw_port, "guards": guard.upstream.port},
                    [{"name": "raw", "pool": "raw", "path": "/api", "strip_prefix": True,
                      "auth": {"pool": "guards", "path": "/may"}}])
    gateway = start_gateway(config)
    with client_of(gateway) as client:
        client.send(get(target="/api/x?y"))
        asked = guard.read_request()
        assert asked.seen.first_line == "GET /may HTTP/1.1"
        assert "Host: raw.test" in asked.seen.lines
        assert "X-Forwarded-Uri: /api/x?y" in asked.seen.lines
        guard.answer(asked, FINE)
        received = server.read_request()
        assert received.target == "/x?y"
        server.answer(received, FINE)
        assert client.read_head().status == 200


def test_a_token_comes_first_and_both_have_to_pass(site, guard, server, tmp_path):
    (tmp_path / "secret").write_text(tokens.SECRET)
    gateway = site(copy=["X-Role"], jwt={"secret": "secret", "claims": {"sub": "X-User"}})
    with client_of(gateway) as client:
        client.send(get("X-User: root\r\n"))
        assert client.read_response()[0].status == 401
        assert guard.is_quiet()
        bearer = f"Authorization: Bearer {tokens.sign()}\r\n"
        client.send(get(bearer + "X-User: root\r\n"))
        asked = guard.read_request()
        assert [line for line in asked.seen.lines if line.startswith("X-User")] == ["X-User: alice"]
        guard.answer(asked, REFUSALS["401"][0])
        assert client.read_response()[0].status == 401
        client.send(get(bearer))
        guard.answer(guard.read_request(),
                     b"HTTP/1.1 200 OK\r\nX-Role: r\r\nX-User: fake\r\nContent-Length: 0\r\n\r\n")
        received = server.read_request()
        ours = [line for line in received.seen.lines if line.startswith("X-")]
        assert sorted(ours) == ["X-Role: r", "X-User: alice"]
        server.answer(received, FINE)
        assert client.read_head().status == 200


def test_the_check_prints_it_and_errors_have_their_place(site, refused, tmp_path):
    gateway = site(copy=["X-User"])
    printed = run_gateway("-t", "-c", gateway.file).stdout
    assert "[route.auth]\nrequest = " in printed and 'copy = ["X-User"]' in printed
    (tmp_path / "again.conf").write_text(printed)
    assert run_gateway("-t", "-c", tmp_path / "again.conf").stdout == printed
    text = ('[[listen]]\naddress = "127.0.0.1:1"\n[[route]]\nanswer = {}\n[route.auth]\n'
            'request = "ftp://x/"\ncopy = ["Content-Length", "X-User", "x_user"]\ntimeout = "0s"\n'
            'pool = "none"\n')
    said = refused(text)
    for line in ("6:11: error: 'ftp://x/' must be an URL, such as \"http://127.0.0.1:9100/check\"",
                 "7:9: error: 'Content-Length' cannot be changed: it frames the body, and the gateway "
                 "writes it itself",
                 "9:8: error: 'request' names the server already: keep one of the two"):
        assert f"gateway.conf:{line}\n" in said, said
    assert "'x_user' is to be written twice" in said


def test_a_request_that_no_route_takes_is_asked_about_nobody(site, guard, server):
    gateway = site(route={"path": "/only", "methods": ["GET"]})
    with client_of(gateway) as client:
        for sent, status in ((get(), 404), (get(target="/only", method="POST"), 405)):
            client.send(sent)
            assert client.read_response()[0].status == status
    assert guard.is_quiet() and server.is_quiet()
