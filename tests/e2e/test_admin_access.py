"""The admin listener: who gets in, by which way, and who is there when something changes: whose token is wrong, or
was right until a reload; who leaves before the end; who asks while the gateway stops."""

import json
import socket
import ssl

import pytest

from support.admin import FREE, READS, TOKEN
from support.certificates import Authority, make_certificate
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame, upgrade_request
from support.gateway import Variant
from support.metrics import Scrape
from support.ports import free_port
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until

OTHER_TOKEN = "another-token-another-token"
WRONG = "0123456789-nobody-knows-this-one"


def test_a_unix_socket_is_its_owners(start_admin, tmp_path):
    path = tmp_path / "admin.sock"
    _, admin = start_admin(admin={"address": f"unix:{path}", "mode": "0600"})
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


def test_over_tls_a_certificate_is_as_good_as_the_token(start_admin, tmp_path):
    authority = Authority(tmp_path)
    known = authority.issue(["DNS:ops"], subject="ops")
    chain, key = make_certificate(tmp_path, ["localhost"])
    stranger = make_certificate(tmp_path, ["stranger"])
    _, admin = start_admin(admin={"address": f"0.0.0.0:{free_port()}",
                            "certificates": [{"chain": str(chain), "key": str(key)}],
                            "client_ca": str(authority.path)})
    assert tls_get(admin, "/servers", context_with(known))[0] == 200
    assert tls_get(admin, "/servers", context_with()) is None
    assert tls_get(admin, "/servers", context_with(stranger)) is None
    # In plain text nobody is understood.
    with admin.connect() as plain:
        plain.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in plain.read_ending()[0]


def test_on_another_address_reading_needs_the_token_too(start_admin):
    _, admin = start_admin(admin={"address": f"0.0.0.0:{free_port()}", "certificates": "self-signed"})
    for path in READS:
        wanted = 200 if path in FREE else 401
        assert tls_get(admin, path, context_with())[0] == wanted, path
        assert tls_get(admin, path, context_with(), TOKEN)[0] == 200, path


def test_a_reload_takes_another_token_and_other_names(start_admin):
    gateway, admin = start_admin()
    assert admin.ask("/servers", host="ops.test").status == 421
    gateway.config.admin["hosts"] = ["ops.test"]
    gateway.file.write_text(gateway.config.text())
    gateway.file.with_name("admin.token").write_text("another-token-another-token\n")
    assert "[admin] changed" in admin.post("/reload").json()["lines"][-1]
    assert admin.ask("/servers", host="ops.test").status == 200
    assert admin.post("/reload").status == 401
    assert admin.post("/reload", token="another-token-another-token").status == 200


def tokens_refused(admin, **head):
    text = admin.ask("/metrics", **head).body.decode()
    return Scrape(text).sum("gateway_admin_tokens_refused_total")


def test_wrong_tokens_are_counted_and_told_but_not_all_of_them(start_admin):
    gateway, admin = start_admin(Variant(1))
    mark = gateway.log_mark()
    for _ in range(3):
        assert admin.ask("/reload", "POST", {}).status == 401
    assert admin.get("/servers", token=WRONG)["servers"], "what anybody may read needs none"
    assert tokens_refused(admin) == 0
    for _ in range(25):
        assert admin.post("/pools/echo/drain", token=WRONG).status == 401
    assert admin.post("/log/reopen", token=TOKEN).status == 200
    assert tokens_refused(admin) == 25

    def refusals():
        return [line for line in gateway.log_since(mark).splitlines() if " admin refused " in line]

    gateway.wait_for(refusals, "the log to tell of them")
    told = refusals()
    assert len(told) <= 10
    for line in told:
        assert line.endswith(' method="POST" path="/pools/echo/drain": a wrong token'), line
        assert " warning main admin refused client=127.0.0.1 port=" in line, line
    assert WRONG not in gateway.log_since(mark)


def open_feed(stream, path="/live", protocol="gateway.live", token=TOKEN):
    stream.send(upgrade_request(path, "localhost",
                                more=f"Sec-WebSocket-Protocol: {protocol}, bearer.{token}\r\n"))
    assert stream.read_head().status == 101


def read_close(stream):
    while (told := read_frame(stream)).opcode != CLOSE:
        assert told.opcode == TEXT
        json.loads(told.payload) if told.payload.startswith(b"{") else None  # each is whole
    return told


def change_token(gateway, admin, token):
    gateway.file.with_name("admin.token").write_text(token + "\n")
    assert "[admin] changed" in admin.post("/reload").json()["lines"][-1]


@pytest.mark.parametrize("path, protocol", [("/live", "gateway.live"), ("/log", "gateway.log")])
def test_a_feed_ends_with_the_token_that_let_it_in(start_admin, path, protocol):
    gateway, admin = start_admin(admin={"address": f"0.0.0.0:{free_port()}"})
    with admin.connect() as page, admin.connect() as silent:
        open_feed(page, path, protocol)
        open_feed(silent, path, protocol)
        change_token(gateway, admin, OTHER_TOKEN)
        told = read_close(page)
        assert (told.close_code, told.payload[2:]) == (1008, b"the token has changed")
        page.send(frame(CLOSE, close_payload(1008)))
        assert page.read_to_end() == b""
        with admin.connect() as again:
            open_feed(again, path, protocol, OTHER_TOKEN)
        # Who does not answer is let go, too, in its time.
        assert read_close(silent).close_code == 1008
    assert tokens_refused(admin, token=OTHER_TOKEN) == 0


def test_a_feed_that_needs_no_token_goes_on(start_admin):
    gateway, admin = start_admin()
    with admin.connect() as page:
        open_feed(page)
        json.loads(read_frame(page).payload)
        change_token(gateway, admin, OTHER_TOKEN)
        wait_until(lambda: json.loads(read_frame(page).payload)["generation"] == 2, "the next snapshots")


def test_a_capture_ends_with_the_token_that_let_it_in(start_admin):
    gateway, admin = start_admin()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        row, = admin.connections("kind=websocket")["connections"]
        body = json.dumps({"for": "10m"}).encode()
        with admin.connect() as client:
            client.send(admin.head("POST", f"/connections/{row['id']}/capture", token=TOKEN, body=body) + body)
            assert client.read_head().status == 200
            change_token(gateway, admin, OTHER_TOKEN)
            assert client.read_ending()[1] == "reset", "what is not whole has no proper end"
        websocket.send(frame(TEXT, b"y"))
        assert read_frame(websocket).payload == b"y"


@pytest.mark.parametrize("leave", [
    lambda stream: stream.close(), lambda stream: stream.reset(),
    lambda stream: stream.socket.shutdown(socket.SHUT_WR)], ids=["closes", "resets", "closes its side"])
def test_a_capture_ends_when_its_client_leaves(start_admin, leave):
    gateway, admin = start_admin()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        row, = admin.connections("kind=websocket")["connections"]
        before = gateway.descriptors()
        body = json.dumps({"for": "10m"}).encode()
        with admin.connect() as client:
            client.send(admin.head("POST", f"/connections/{row['id']}/capture", token=TOKEN, body=body) + body)
            assert client.read_head().status == 200
            websocket.send(frame(TEXT, b"x"))
            assert read_frame(websocket).payload == b"x"
            client.read_until(b"upstream")
            leave(client)
            gateway.wait_for(lambda: gateway.descriptors() <= before, "the end of the capture")
        websocket.send(frame(TEXT, b"y"))
        assert read_frame(websocket).payload == b"y"


def test_who_is_kicked_while_the_gateway_stops_is_told_so(start_admin):
    gateway, admin = start_admin(drain={"delay": "0s", "over": "20s", "hard_stop": "40s"})
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        gateway.process.terminate()
        wait_until(lambda: admin.ask("/ready").status == 503, "503 while it stops")
        answer = admin.post("/connections/987654321/kick")
        assert answer.status == 503 and "stops" in answer.error()
        websocket.send(frame(CLOSE, close_payload(1000)))
        assert read_frame(websocket).opcode == CLOSE
    gateway.wait()


def test_the_log_says_who_has_opened_it_again(start_admin, tmp_path):
    file = tmp_path / "access.log"
    gateway, admin = start_admin(log={"access_file": str(file)})
    assert admin.post("/log/reopen").status == 200
    gateway.wait_for(lambda: f" main admin: opening the log file {file} again" in gateway.log(), "the line")
    assert "SIGUSR1" not in gateway.log()
