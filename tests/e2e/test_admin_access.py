"""The admin listener, of those who are there when something changes: whose token is wrong, or was right until a
reload; who leaves before the end; who asks while the gateway stops."""

import json
import socket

import pytest

from support.admin import TOKEN, TWO_SHARDS, admin_config, admin_of
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame, upgrade_request
from support.gateway import Variant
from support.metrics import Scrape
from support.ports import free_port
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until

OTHER_TOKEN = "another-token-another-token"
WRONG = "0123456789-nobody-knows-this-one"


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    def begin(variant=TWO_SHARDS, **more):
        config = admin_config(tmp_path, {"echo": echo.port}, [{"name": "chat", "pool": "echo"}], **more)
        gateway = start_gateway(config, variant)
        return gateway, admin_of(gateway)
    return begin


def tokens_refused(admin, **head):
    text = admin.ask("/metrics", **head).body.decode()
    return Scrape(text).sum("gateway_admin_tokens_refused_total")


def test_wrong_tokens_are_counted_and_told_but_not_all_of_them(start):
    gateway, admin = start(Variant(1))
    mark = gateway.log_mark()
    for _ in range(3):
        assert admin.ask("/reload", "POST", {}).status == 401
    assert admin.get("/servers", token=WRONG)["servers"], "what anybody may read needs none"
    assert tokens_refused(admin) == 0
    for _ in range(25):
        assert admin.post("/pools/echo/drain", token=WRONG).status == 401
    assert admin.post("/log/reopen", token=TOKEN).status == 200
    assert tokens_refused(admin) == 25
    told = [line for line in gateway.log_since(mark).splitlines() if " admin refused " in line]
    assert 1 <= len(told) <= 10
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
def test_a_feed_ends_with_the_token_that_let_it_in(start, path, protocol):
    gateway, admin = start(admin={"address": f"0.0.0.0:{free_port()}"})
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


def test_a_feed_that_needs_no_token_goes_on(start):
    gateway, admin = start()
    with admin.connect() as page:
        open_feed(page)
        json.loads(read_frame(page).payload)
        change_token(gateway, admin, OTHER_TOKEN)
        wait_until(lambda: json.loads(read_frame(page).payload)["generation"] == 2, "the next snapshots")


def test_a_capture_ends_with_the_token_that_let_it_in(start):
    gateway, admin = start()
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
def test_a_capture_ends_when_its_client_leaves(start, leave):
    gateway, admin = start()
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


def test_who_is_kicked_while_the_gateway_stops_is_told_so(start):
    gateway, admin = start(drain={"delay": "0s", "over": "20s", "hard_stop": "40s"})
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        gateway.process.terminate()
        wait_until(lambda: admin.ask("/ready").status == 503, "503 while it stops")
        answer = admin.post("/connections/987654321/kick")
        assert answer.status == 503 and "stops" in answer.error()
        websocket.send(frame(CLOSE, close_payload(1000)))
        assert read_frame(websocket).opcode == CLOSE
    gateway.wait()


def test_the_log_says_who_has_opened_it_again(start, tmp_path):
    file = tmp_path / "access.log"
    gateway, admin = start(log={"access_file": str(file)})
    assert admin.post("/log/reopen").status == 200
    gateway.wait_for(lambda: f" main admin: opening the log file {file} again" in gateway.log(), "the line")
    assert "SIGUSR1" not in gateway.log()
