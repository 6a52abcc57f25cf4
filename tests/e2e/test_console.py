"""`gateway connections`, `kick` and `top`: the live table in a terminal, through the control socket."""

import json
import os
import pty
import select
import subprocess

import pytest

from support.checking import run
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import GATEWAY, Config, Variant
from support.relay import open_echo
from support.streams import connect
from support.waiting import DEADLINE, wait_until


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    def begin():
        config = Config({"echo": echo.port}, [{"name": "chat", "host": "chat.test", "pool": "echo"},
                                              {"name": "rest", "pool": "echo"}],
                        control={"socket": str(tmp_path / "control.sock")})
        return start_gateway(config, Variant(2))
    return begin


def order(gateway, *words):
    """What it says; it has to be done."""
    done = run(*words, "-c", gateway.file)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_connections_are_shown(start, echo):
    gateway = start()
    with connect(gateway.http_port, False) as chat, connect(gateway.https_port, True) as rest:
        open_echo(chat, host="chat.test")
        open_echo(rest)
        chat.send(frame(TEXT, b"x" * 2000))
        assert len(read_frame(chat).payload) == 2000
        header, *rows = order(gateway, "connections").splitlines()
        assert header.split() == ["ID", "KIND", "CLIENT", "ROUTE", "SERVER", "AGE", "IDLE", "MSG/S", "MSGS", "BYTES",
                                  "BUFFERED", "REQUEST"]
        assert len(rows) == 2 and all(row.isascii() and row.isprintable() for row in rows)
        row, = order(gateway, "connections", "--route", "chat").splitlines()[1:]
        fields = row.split()
        assert fields[1] == "websocket" and fields[2] == f"127.0.0.1:{chat.local_port}"
        assert f"127.0.0.1:{echo.port}" in fields and "4.0k" in fields
        lines = [json.loads(line) for line in order(gateway, "connections", "--json").splitlines()]
        assert {line["route"] for line in lines} == {"chat", "rest"}
        assert order(gateway, "connections", "--idle", "1h").splitlines()[1:] == []
        one = order(gateway, "connections", fields[0])
        assert "from_client.frames:" in one and "tls_cipher:" in one
        assert len(order(gateway, "connections", "--limit", "1").splitlines()) == 2
        assert len(order(gateway, "connections", "--limit", "0", "--json").splitlines()) == 2


def test_kicks_say_how_many(start):
    gateway = start()
    with connect(gateway.http_port, False) as one, connect(gateway.http_port, False) as other:
        for websocket in (one, other):
            open_echo(websocket, host="chat.test")
        row = next(line for line in order(gateway, "connections").splitlines()
                   if f":{one.local_port} " in line)
        assert order(gateway, "kick", row.split()[0], "--code", "4001", "--reason", "go on elsewhere") == (
            "1 connection is kicked\n")
        assert read_frame(one).payload == close_payload(4001, "go on elsewhere")
        one.send(frame(CLOSE, close_payload(4001)))
        wait_until(lambda: len(order(gateway, "connections").splitlines()) == 2, "one to be left")
        assert order(gateway, "kick", "--route", "chat", "--rate", "100") == "1 connection is kicked\n"
        assert read_frame(other).close_code == 1008


@pytest.mark.parametrize("words, says", [
    (["connections", "--idle", "soon"], "idle: 'soon'"), (["connections", "--sort", "x"], "sort: 'x'"),
    (["connections", "77"], "no connection 77"), (["connections", "x y"], "no connection's id"),
    (["kick"], "this has no filter"), (["kick", "77"], "no such connection"),
    (["kick", "--all", "--code", "1005"], "code: 1005"), (["kick", "--all", "--code", "x"], "code: this is a whole"),
    (["kick", "--all", "--rate", "-1"], "rate: "), (["kick", "--route", ""], "route: '' is empty")])
def test_what_is_wrong_is_told(start, words, says):
    done = run(*words, "-c", start().file)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("gateway: error: ") and says in done.stderr


def test_nobody_is_asked_where_nobody_runs(tmp_path):
    for command in ("connections", "kick", "top"):
        done = run(command, "--control", tmp_path / "none.sock")
        assert done.returncode == 1 and "no gateway runs" in done.stderr


def test_top_shows_what_happens_until_it_is_told_to_end(start):
    gateway = start()
    assert "websockets 0" in order(gateway, "top", "--once")
    terminal, its_end = pty.openpty()
    process = subprocess.Popen([GATEWAY, "top", "-c", gateway.file], stdin=its_end, stdout=its_end,
                               stderr=its_end)
    os.close(its_end)
    shown = b""

    def see(what):
        nonlocal shown
        while select.select([terminal], [], [], 0)[0]:
            shown += os.read(terminal, 65536)
        assert process.poll() is None, shown
        return what in shown

    try:
        with connect(gateway.http_port, False) as websocket:
            open_echo(websocket, host="chat.test")
            wait_until(lambda: see(b"websockets 1"), "the WebSocket")
            wait_until(lambda: see(b"chat.test"), "its row")
            assert b"\x1b[?1049h" in shown
            os.write(terminal, b"q")
            assert process.wait(DEADLINE) == 0
            while select.select([terminal], [], [], 0)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:  # its end has gone
                    break
            assert shown.rstrip().endswith(b"\x1b[?1049l")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(terminal)
