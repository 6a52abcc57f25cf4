"""What has been served is counted for each listener, route and server, over all shards, and told at the stop."""

import re
import signal

import pytest

from support.frames import CLOSE, TEXT, close_payload, frame, read_frame, upgrade_request
from support.gateway import FEW, Config
from support.ports import free_port
from support.streams import connect
from support.waiting import DEADLINE

CLIENTS = 8


def served(gateway):
    """What the last lines say: (subject, name): {key: number}."""
    lines = re.findall(r'served (\w+)="([^"]+)" (.*)', gateway.log())
    return {(subject, name): {key: int(value) for key, value in
                              (field.split("=") for field in fields.split())}
            for subject, name, fields in lines}


def ask(gateway, target, count=1):
    with connect(gateway.http_port) as client:
        for _ in range(count):
            client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())
            client.read_response()


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_what_was_served_is_told_at_the_stop(echo, start_gateway, variant):
    down = free_port()
    gateway = start_gateway(Config({"app": echo.port, "down": down}, [
        {"name": "own", "path": "/own", "answer": {"status": 404, "body": "x"}},
        {"name": "lost", "path": "/lost", "pool": "down"},
        {"name": "unused", "path": "/unused", "pool": "down"},
        {"name": "app", "path": "/", "pool": "app"}]), variant)
    for _ in range(CLIENTS):
        ask(gateway, "/own")
        ask(gateway, "/bytes?n=100", count=2)
    ask(gateway, "/lost")
    with connect(gateway.http_port) as client:
        client.send(upgrade_request())
        assert client.read_head().status == 101
        client.send(frame(TEXT, b"hello", masked=True))
        assert read_frame(client).payload == b"hello"
        client.send(frame(CLOSE, close_payload(1000), masked=True))
        assert read_frame(client).opcode == CLOSE
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(DEADLINE) == 0
    told = served(gateway)
    nothing = dict.fromkeys(["requests", "1xx", "2xx", "3xx", "4xx", "5xx", "unanswered", "websockets",
                             "from_client_bytes", "to_client_bytes"], 0)
    # Of a WebSocket the messages count, as in its own line.
    app = nothing | {"requests": 2 * CLIENTS, "2xx": 2 * CLIENTS, "websockets": 1,
                     "from_client_bytes": 5, "to_client_bytes": 2 * CLIENTS * 100 + 5}
    lost = nothing | {"requests": 1, "5xx": 1}
    own = nothing | {"requests": CLIENTS, "4xx": CLIENTS}
    assert told == {
        ("route", "app"): app, ("server", f"app 127.0.0.1:{echo.port}"): app,
        ("route", "lost"): lost, ("server", f"down 127.0.0.1:{down}"): lost,
        ("route", "own"): own,
        ("listener", f"127.0.0.1:{gateway.http_port}"): {
            key: app[key] + lost[key] + own[key] for key in nothing},
    }
