"""The log and whoever reads it, or does not: it keeps nobody waiting, and nothing alive."""

import fcntl
import os
import signal
import socket
import ssl
import subprocess
from contextlib import contextmanager

import pytest

from support.gateway import GATEWAY, Config, Variant
from support.program import die_with_parent
from support.streams import client_context, connect
from support.waiting import DEADLINE, wait_until

SMALL_PIPE = 4096
REQUEST = b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def simple_config(echo):
    return Config({"app": echo.port}, [{"pool": "app"}])


class Process:
    """A gateway whose stderr is what the test says; ended with the `with`."""

    def __init__(self, folder, config, stderr, more="", preexec=None):
        self.config = config
        file = folder / "gateway.conf"
        file.write_text(config.text() + more)

        def prepare():
            die_with_parent()
            if preexec:
                preexec()

        self.process = subprocess.Popen([GATEWAY, "-c", file, "--shards", "1"], stderr=stderr,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        preexec_fn=prepare)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(DEADLINE)

    def serves(self):
        assert self.process.poll() is None, "it ended by itself"
        try:
            connect(self.config.http_port).close()
            return True
        except ConnectionRefusedError:
            return False

    def request(self, count=1):
        wait_until(self.serves, "the gateway")
        with connect(self.config.http_port) as client:
            for _ in range(count):
                client.send(REQUEST)
                assert client.read_response()[0].status == 200

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(DEADLINE)


@contextmanager
def small_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, SMALL_PIPE)
    ends = [reader, writer]
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def read_all(descriptor):
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        return stream.read().decode()


# More lines than a pipe takes.
MANY = 100


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_stderr_that_nobody_reads_keeps_nothing_alive(tmp_path, echo, how):
    with small_pipe() as (_, writer), Process(tmp_path, simple_config(echo), writer) as gateway:
        gateway.request(MANY)
        assert gateway.stop(how) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_fifo_that_nobody_reads_keeps_nothing_alive(tmp_path, echo, how):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Process(tmp_path, simple_config(echo), None, f'file = "{fifo}"\n') as gateway:
        gateway.request(2 * MANY)
        assert gateway.stop(how) == 0


def test_a_fifo_may_be_read_later(tmp_path, echo):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Process(tmp_path, simple_config(echo), None, f'file = "{fifo}"\n') as gateway:
        for _ in range(2):
            gateway.request()
            with open(fifo, "rb") as reader:
                wait_until(lambda: b"status=200" in reader.readline(), "the request's line")
        assert gateway.stop() == 0


def test_the_log_gets_a_last_second(tmp_path, echo):
    with small_pipe() as ends:
        with Process(tmp_path, simple_config(echo), ends[1]) as gateway:
            gateway.request(MANY)
            os.close(ends.pop())
            gateway.process.send_signal(signal.SIGTERM)
            lines = read_all(ends[0]).splitlines()
            assert gateway.process.wait(DEADLINE) == 0
    assert lines[-1].endswith("info main stopped")
    assert sum("status=200" in line for line in lines) == MANY


def test_a_reader_that_leaves_takes_nobody_along(tmp_path, echo):
    with small_pipe() as ends:
        with Process(tmp_path, simple_config(echo), ends[1]) as gateway:
            gateway.request()
            os.close(ends.pop(0))
            gateway.request(MANY)
            assert gateway.stop() == 0


def test_a_stderr_that_others_made_non_blocking_loses_nothing(tmp_path, echo):
    with small_pipe() as ends:
        os.set_blocking(ends[1], False)
        with Process(tmp_path, simple_config(echo), ends[1]) as gateway:
            gateway.request(MANY)
            os.close(ends.pop())
            gateway.process.send_signal(signal.SIGTERM)
            text = read_all(ends[0])
            assert gateway.process.wait(DEADLINE) == 0
    assert "may be missing" not in text
    assert text.count("status=200") == MANY


# Connections that ask for nothing.

def at_info(echo, timeouts=None):
    return Config({"app": echo.port}, [{"pool": "app"}], level="info", timeouts=timeouts)


def fail_by_protocol(gateway):
    context = client_context(alpn=["h2"])
    with pytest.raises(ssl.SSLError):
        connect(gateway.https_port, True, context=context, server_name="shop.example")


def fail_by_version(gateway):
    with connect(gateway.https_port) as client:
        client.send(b"\x16\x03\x01 garbage")
        client.read_to_end()


def fail_by_plain_http(gateway):
    with connect(gateway.https_port) as client:
        client.send(REQUEST)
        assert client.read_head().status == 400


def fail_by_silence(gateway):
    with connect(gateway.https_port) as client:
        client.read_to_end()


def leave(gateway):
    connect(gateway.http_port).close()


NO_REQUEST = {
    "protocol": (fail_by_protocol, 'server_name="shop.example"', "end=tls-failed",
                 "no shared application protocol"),
    "garbage": (fail_by_version, 'server_name=""', "end=tls-failed"),
    "plain-http": (fail_by_plain_http, "end=plain-http"),
    "silence": (fail_by_silence, "end=tls-timeout", "by=gateway"),
    "left": (leave, "end=client-left", "by=client"),
}


@pytest.mark.parametrize("name", NO_REQUEST)
def test_who_asks_for_nothing_is_in_the_log_with_the_cause(start_gateway, log_of, echo, name):
    act, *words = NO_REQUEST[name]
    gateway = start_gateway(at_info(echo, {"tls_handshake": "200ms"} if name == "silence" else None))
    log = log_of(gateway)
    act(gateway)
    log.wait(" info ", "connection id=", "requests=0", *words)


def test_who_asks_for_nothing_does_not_flood_the_log(start_gateway, log_of, echo):
    gateway = start_gateway(at_info(echo), Variant(1))
    log = log_of(gateway)
    for _ in range(25):
        leave(gateway)
    with connect(gateway.http_port) as client:
        client.send(REQUEST)
        assert client.read_response()[0].status == 200
    gateway.finish()
    log.wait("left out lines=15", "no request: client-left")
    assert gateway.log().count("end=client-left") == 10, "and none between two requests"


def test_without_a_stderr_no_client_gets_the_log(tmp_path, echo):
    def without_any():
        os.closerange(0, 3)

    with Process(tmp_path, simple_config(echo), None, preexec=without_any) as gateway:
        gateway.request()
        for descriptor in range(3):
            link = os.readlink(f"/proc/{gateway.process.pid}/fd/{descriptor}")
            assert link == "/dev/null"
        assert gateway.stop() == 0


def test_a_start_that_fails_ends_though_nobody_reads_why(tmp_path, echo):
    config = simple_config(echo)
    with socket.socket() as other, small_pipe() as (_, writer):
        other.bind(("127.0.0.1", config.http_port))
        other.listen()
        os.write(writer, b"x" * SMALL_PIPE)
        with Process(tmp_path, config, writer) as gateway:
            assert gateway.process.wait(DEADLINE) == 1


def test_the_log_may_go_to_what_the_system_calls_stdout(tmp_path, echo):
    """As in a container, whose standard descriptors are pipes."""
    with small_pipe() as ends:
        def with_stdout():
            os.dup2(ends[1], 1)

        with Process(tmp_path, simple_config(echo), None, 'file = "/dev/stdout"\n',
                     preexec=with_stdout) as gateway:
            gateway.request()
            os.close(ends.pop())
            assert gateway.stop() == 0
        assert "status=200" in read_all(ends[0])


@pytest.mark.parametrize("check", [["-t"], []], ids=["check", "start"])
@pytest.mark.parametrize("kind, words", [
    ("folder", "'{}' is a folder, not a log file"),
    ("socket", "log file '{}' is a socket: name a file, or \"stderr\""),
    ("none/log", "there is no folder '{}' for the log file"),
])
def test_what_no_log_can_be_is_named_with_its_place(tmp_path, echo, check, kind, words):
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        file = tmp_path / "gateway.conf"
        text = simple_config(echo).text() + f'file = "{tmp_path / kind}"\n'
        file.write_text(text)
        done = subprocess.run([GATEWAY, *check, "-c", file], capture_output=True, text=True,
                              timeout=DEADLINE, check=False)
    named = tmp_path / "none" if kind == "none/log" else tmp_path / kind
    line = len(text.splitlines())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{file}:{line}:8: error: {words.format(named)}\n"


def test_the_check_leaves_a_fifo_alone_and_makes_no_file(tmp_path, echo):
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "new"):
        file = tmp_path / "gateway.conf"
        file.write_text(simple_config(echo).text() + f'file = "{tmp_path / name}"\n')
        done = subprocess.run([GATEWAY, "-t", "-c", file], capture_output=True, text=True,
                              timeout=DEADLINE, check=False)
        assert done.returncode == 0, done.stderr
        assert f'file = "{tmp_path / name}"' in done.stdout
    assert not (tmp_path / "new").exists()
