"""The control socket: `gateway reload`, `stop` and `status` speak to the one that runs."""

import re
import socket
import stat

import pytest

from support.checking import run
from support.frames import TEXT, frame, read_frame
from support.gateway import Config, Variant
from support.relay import open_echo
from support.streams import connect
from support.waiting import DEADLINE, wait_until


def saying(text):
    return {"name": "says", "path": "/says", "answer": {"body": text}}


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    def begin(*routes):
        config = Config({"echo": echo.port},
                        [*(routes or [saying("one")]), {"name": "echo", "pool": "echo"}],
                        control={"socket": str(tmp_path / "control.sock")})
        return start_gateway(config, Variant(2))
    return begin


def order(gateway, command):
    return run(command, "-c", gateway.file)


def ask(port):
    with connect(port, False) as client:
        client.send(b"GET /says HTTP/1.1\r\nHost: x\r\n\r\n")
        return client.read_response()[1].decode()


def raw(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(DEADLINE)
    client.connect(str(path))
    return client


def test_a_reload_says_how_it_went(start):
    gateway = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        done = order(gateway, "reload")
        assert (done.returncode, done.stdout, done.stderr) == (0, "reload: no change\n", "")
        gateway.config.routes[0] = saying("two")
        gateway.file.write_text(gateway.config.text())
        done = order(gateway, "reload")
        assert (done.returncode, done.stderr) == (0, "")
        *warnings, told = done.stdout.splitlines()
        assert all("warning: a self-signed certificate" in warning for warning in warnings)
        assert told == ("reload: generation 2: route says changed; 1 websockets and 0 requests kept, "
                        "0 closed")
        assert ask(gateway.http_port) == "two"
        gateway.file.write_text("colour = 1\n" + gateway.config.text().replace("/says", "says"))
        done = order(gateway, "reload")
        assert (done.returncode, done.stdout) == (1, "")
        checked = run("-t", "-c", gateway.file).stderr
        assert checked.count("\n") == 2
        assert done.stderr == checked + ("reload: failed: 2 errors in the configuration; generation 2 "
                                         "goes on\n")
        websocket.send(frame(TEXT, b"x"))
        assert read_frame(websocket).payload == b"x"


def test_a_file_that_cannot_be_parsed_is_told_with_its_place(start):
    gateway = start()
    gateway.file.write_text("[log\n")
    done = order(gateway, "reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"{gateway.file}:1:\d+: error: syntax: .+\n", done.stderr), done.stderr


def test_the_status_tells_what_serves(start, echo):
    gateway = start()
    order(gateway, "reload")
    done = order(gateway, "status")
    assert (done.returncode, done.stderr) == (0, "")
    told = {key: value.strip()
            for key, value in (line.split(": ", 1) for line in done.stdout.splitlines())}
    assert told["pid"] == str(gateway.pid)
    assert (told["state"], told["generation"]) == ("serving", "1")
    assert told["reloads"] == "0 applied, 1 without a change, 0 failed"
    assert told["configuration"] == str(gateway.file)
    assert (told["websockets"], told["requests"], told["connections"]) == ("0", "0", "0")
    assert told["pool echo"] == "servers=1 draining=0"
    assert told[f"server echo/127.0.0.1:{echo.port}"] == "serving websockets=0 requests=0"
    assert len({len(line) - len(line.split(": ", 1)[1].lstrip())
                for line in done.stdout.splitlines()}) == 1, "the values stand below each other"


def test_the_status_counts_what_is_under_way(start, echo):
    gateway = start()
    with connect(gateway.http_port, False) as websocket, connect(gateway.http_port, False) as idle:
        open_echo(websocket)
        idle.send(b"GET /says HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.read_response()
        told = order(gateway, "status").stdout
        assert re.search(r"^websockets: +1$", told, re.M), told
        assert re.search(r"^requests: +0$", told, re.M), told
        assert re.search(r"^connections: +2$", told, re.M), told
        assert re.search(rf"^server echo/127.0.0.1:{echo.port}: +serving websockets=1 requests=0$",
                         told, re.M), told


def test_a_stop_is_one_in_order(start):
    gateway = start()
    path = gateway.config.control["socket"]
    done = order(gateway, "stop")
    assert (done.returncode, done.stdout) == (0, "stopping in order\n")
    assert gateway.wait() == 0
    done = run("status", "--control", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"gateway: error: cannot speak to unix:{path}: No such file or directory; no "
                           "gateway runs with this control socket\n")


def test_the_socket_is_its_users_alone(start, tmp_path):
    gateway = start()
    path = tmp_path / "control.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = tmp_path / "other.conf"
    text = gateway.config.text()
    for port in (gateway.http_port, gateway.https_port):
        text = text.replace(f":{port}", ":0")
    other.write_text(text.replace('address = "127.0.0.1:0"', 'address = "127.0.0.1:1"', 1))
    done = run("-c", other)
    assert done.returncode == 1
    assert order(gateway, "status").returncode == 0


def test_without_a_control_socket_the_cure_is_told(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text(Config({}, [saying("one")]).text())
    done = run("reload", "-c", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"{file}: error: it names no control socket: add [control] with socket = "
                           "\"PATH\", or name it with --control PATH\n")


def test_whoever_says_nothing_or_nonsense_keeps_nobody_out(start):
    gateway = start()
    path = gateway.config.control["socket"]
    before = gateway.descriptors()
    silent = [raw(path) for _ in range(40)]
    for words in (b"", b"dance\n", b"reload" * 1000, b"\n", bytes(range(256)) + b"\n"):
        client = raw(path)
        client.sendall(words)
        silent.append(client)
    done = order(gateway, "status")  # behind them all
    assert done.returncode == 0, done.stderr
    for client in silent:
        client.close()
    wait_until(lambda: gateway.descriptors() <= before, "the descriptors to come back")


def test_an_answer_is_told_to_whoever_says_nonsense(start):
    gateway = start()
    with raw(gateway.config.control["socket"]) as client:
        client.sendall(b"dance\n")
        assert client.recv(4096) == b"failed\nthere is no such command\n"
        assert client.recv(4096) == b""


def test_a_stop_does_not_wait_for_who_is_asking(start):
    gateway = start()
    silent = [raw(gateway.config.control["socket"]) for _ in range(20)]
    assert gateway.stop() == 0
    for client in silent:
        client.close()
