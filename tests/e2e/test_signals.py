"""Signals: which end the gateway, how fast, and which it survives."""

import signal
import subprocess

import pytest

from support.frames import CLOSE, TEXT, frame, read_frame
from support.gateway import ALL, GATEWAY, HAS_CUT, Config
from support.relay import open_echo, open_relay
from support.streams import Upstream, connect
from support.waiting import DEADLINE, wait_until

AT_ONCE_SECONDS = 8  # shorter than what peers have for their farewell


@pytest.fixture
def start_echoing(start_gateway, echo):
    def start(variant=ALL[-1]):
        return start_gateway(Config({"app": echo.port}, [{"pool": "app"}]), variant)
    return start


def echoes(client):
    client.send(frame(TEXT, b"x"))
    return read_frame(client).payload == b"x"


def test_a_signal_does_not_kill_a_start(start_echoing, tmp_path):
    """It may come as early as it likes: while the configuration is read, a name is resolved."""
    gateway = start_echoing()
    text = gateway.config.text()
    gateway.finish()
    (tmp_path / "gateway.conf").write_text(text)
    for _ in range(5):
        process = subprocess.Popen([GATEWAY, "-c", tmp_path / "gateway.conf"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        try:
            wait_until(lambda: blocks(process.pid, signal.SIGHUP) or process.poll() is not None,
                       "it to block what it does not listen for")
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
        finally:
            said = process.communicate(timeout=DEADLINE)[1].decode()
        assert process.returncode in (0, -signal.SIGTERM), (process.returncode, said)


def blocks(pid, one):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("SigBlk:"):
                return int(line.split()[1], 16) >> (one - 1) & 1
    return False


def test_a_log_that_nobody_reads_any_more_kills_nobody(start_gateway, echo, tmp_path):
    config = Config({"app": echo.port}, [{"pool": "app"}])
    file = tmp_path / "piped.conf"
    file.write_text(config.text())
    process = subprocess.Popen([GATEWAY, "-c", file], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        line = b""
        while b" ready" not in line:
            line = process.stderr.readline()
            assert line, "it ended by itself"
        process.stderr.close()
        for _ in range(3):
            with connect(config.http_port) as client:
                open_echo(client)
                assert echoes(client)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)
    assert process.returncode == 0


@pytest.mark.parametrize("polite", [signal.SIGTERM, signal.SIGQUIT], ids=lambda one: one.name)
def test_a_polite_signal_lets_a_response_end(start_gateway, raw_port, log_of, polite):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    log = log_of(gateway)
    upstream = Upstream(raw_port)
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        gateway.process.send_signal(polite)
        log.wait(polite.name, "in order")
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        head, body = client.read_response()
        assert (head.status, head.get("Connection"), body) == (200, "close", b"ok")
    upstream.close()
    assert gateway.wait() == 0


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGQUIT], ids=lambda one: one.name)
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT],
                         ids=lambda one: one.name)
def test_a_second_signal_ends_what_the_first_lets_end(start_gateway, raw_port, log_of, first,
                                                      second):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), ALL[-1])
    log = log_of(gateway)
    upstream = Upstream(raw_port)
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream)
        gateway.process.send_signal(first)
        # Neither side answers: the first signal alone would wait for them.
        assert read_frame(client).opcode == CLOSE and read_frame(relay.upstream).opcode == CLOSE
        gateway.process.send_signal(second)
        log.wait(second.name, "at once")
        assert gateway.wait(AT_ONCE_SECONDS) == 0
    upstream.close()


def test_more_signals_than_two_change_nothing(start_echoing):
    gateway = start_echoing()
    with connect(gateway.https_port, True, receive_buffer=4096) as silent:
        open_echo(silent, "/push?rate=0&size=10000")
        with gateway.paused():
            for one in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT,
                        signal.SIGUSR1, signal.SIGUSR2):
                gateway.process.send_signal(one)
        assert gateway.wait(AT_ONCE_SECONDS) in (0, HAS_CUT)  # by how much the kernel has taken
    gateway.check_faults()
