"""The admin listener's WebSockets: pages that are told snapshots, or the log, and those that break the rules."""

import json

import pytest

from support.admin import admin_config, admin_of
from support.frames import (CLOSE, PING, PONG, TEXT, close_payload, frame, read_frame,
                            upgrade_request)
from support.gateway import Variant
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until


def upgrade_of_page(path="/live", protocols="gateway.live", more=""):
    return upgrade_request(path, "localhost",
                           more=f"Sec-WebSocket-Protocol: {protocols}\r\n{more}")


def test_a_page_is_told_a_snapshot_each_second(start_admin):
    gateway, admin = start_admin()
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


def test_a_page_sees_the_log_as_it_is_written(start_admin):
    gateway, admin = start_admin()
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
def test_not_every_websocket_is_a_page(start_admin, request_bytes, status):
    _, admin = start_admin(Variant(1))
    with admin.connect() as page:
        page.send(request_bytes)
        assert page.read_head().status == status


@pytest.mark.parametrize("said, code", [(frame(TEXT, b"x", masked=False), 1002),
                                        (frame(3, b"x"), 1002), (frame(PING, b"x" * 126), 1002)],
                         ids=["unmasked", "opcode", "long control"])
def test_a_page_that_breaks_the_protocol_is_closed(start_admin, said, code):
    _, admin = start_admin(Variant(1))
    with admin.connect() as page:
        page.send(upgrade_of_page())
        assert page.read_head().status == 101
        page.send(said)
        while (told := read_frame(page)).opcode != CLOSE:
            pass
        assert told.close_code == code


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


@pytest.mark.parametrize("path, protocol", [("/live", "gateway.live"), ("/log", "gateway.log")])
def test_pings_of_who_takes_no_answers_are_not_piled_up(start_admin, path, protocol):
    gateway, admin = start_admin(Variant(1))
    with admin.connect_slowly() as page:
        page.send(upgrade_of_page(path, protocol))
        assert page.read_head().status == 101
        pings = frame(PING, b"x" * 125) * 400
        for _ in range(200):  # ten megabytes
            page.send(pings)
            assert admin.ask("/healthz").status == 200
