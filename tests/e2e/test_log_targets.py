"""Where the log goes: access lines apart, syslog and the journal, as daemons get them that are there, slow,
or gone."""

import json
import os
import re
import signal
import socket
import struct
import threading

import pytest

from support.checking import check_text
from support.gateway import FEW, Config, Variant
from support.reloading import ask
from support.streams import connect
from support.waiting import TooLate, wait_until

CLIENTS = 3
ROTATIONS = 6


class Daemon:
    """What listens at a Unix datagram socket; it reads when it is asked for what came."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.datagrams = []

    def read(self):
        while True:
            try:
                self.datagrams.append(self.socket.recv(1 << 18))
            except BlockingIOError:
                return self.datagrams

    def wait(self, *words):
        def found():
            return next((one for one in self.read() if all(word in one for word in words)), None)
        return wait_until(found, lambda: f"{words} in {self.datagrams[-20:]}")

    def close(self):
        self.socket.close()
        os.unlink(self.path)


@pytest.fixture
def daemon(tmp_path):
    listening = Daemon(tmp_path / "socket")
    yield listening
    listening.close()


@pytest.fixture
def start(start_gateway, echo):
    def start(log=None, log_file="stderr", level="info", variant=FEW[1], **options):
        config = Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}], log=log,
                        log_file=log_file, level=level, **options)
        return start_gateway(config, variant)
    return start


def request(client, name="x"):
    client.send(f"GET /bytes?n=1&name={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert client.read_response()[0].status == 200


def fields_of(datagram):
    """Of the journal's native protocol."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8:8 + size], rest[9 + size:]
        fields[key.decode()] = value.decode()
        datagram = rest
    return fields


# Access lines apart.

def names_in(*files):
    return [name for file in files if file.exists()
            for name in re.findall(r' request id=.*[?&]name=([^\s"]+)" .*status=200', file.read_text())]


def test_access_lines_go_apart_from_all_others(start, log_of, tmp_path):
    access = tmp_path / "access.log"
    gateway = start({"access_file": str(access)}, level="warning")
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        request(client, "one")
    connect(gateway.http_port).close()
    wait_until(lambda: names_in(access) == ["one"], "its line, whatever the level")
    gateway.finish()
    assert all(" request id=" in line for line in access.read_text().splitlines())
    assert not log.lines(" request id=") and not log.lines(" info ")


def test_both_files_are_opened_again_under_load_and_no_line_is_lost(start, tmp_path):
    access, log = tmp_path / "access.log", tmp_path / "gateway.log"
    gateway = start({"access_file": str(access), "format": "text"}, log_file=str(log))
    over = threading.Event()
    asked = [[] for _ in range(CLIENTS)]

    def ask_on(number):
        with connect(gateway.http_port) as client:
            while not over.is_set():
                request(client, f"{number}-{len(asked[number])}")
                asked[number].append(f"{number}-{len(asked[number])}")

    threads = [threading.Thread(target=ask_on, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    files = []
    for number in range(ROTATIONS):
        seen = sum(map(len, asked))
        wait_until(lambda: sum(map(len, asked)) > seen + 50, "some requests")
        for file in (access, log):
            file.rename(file.with_suffix(f".{number}"))
        files.append(access.with_suffix(f".{number}"))
        gateway.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: access.exists() and log.exists(), "both files")
    over.set()
    for thread in threads:
        thread.join()
    gateway.finish()
    assert sorted(names_in(*files, access)) == sorted(
        f"{number}-{count}" for number in range(CLIENTS) for count in range(len(asked[number])))
    assert f"SIGUSR1: opening the log files {log} and {access} again" in log.with_suffix(".0").read_text()
    for one in tmp_path.glob("gateway.[0-9]*"):
        assert " request id=" not in one.read_text()


def test_a_reload_takes_access_lines_elsewhere_and_back(start_reloading, echo, tmp_path):
    config = Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}], level="info")
    gateway, reloading = start_reloading(config)
    access = tmp_path / "access.log"
    with connect(gateway.http_port) as client:
        request(client, "one")
        config.log = {"access_file": str(access)}
        reloading.write()
        reloading.signal()
        assert "log.access_file changed" in reloading.ending()
        request(client, "two")
        wait_until(lambda: names_in(access) == ["two"], "its line")
        config.log = {}
        reloading.write()
        reloading.signal()
        assert "log.access_file changed" in reloading.ending()
        request(client, "three")
        reloading.log.wait("name=three")
    assert names_in(access) == ["two"]
    assert reloading.log.lines("name=one") and not reloading.log.lines("name=two")


def test_a_reload_that_names_no_place_changes_nothing(start_reloading, echo, tmp_path):
    config = Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}], level="info")
    gateway, reloading = start_reloading(config)
    config.log = {"access_file": str(tmp_path / "none" / "access.log")}
    reloading.write()
    reloading.signal()
    assert reloading.ending().startswith("failed: 1 error")
    with connect(gateway.http_port) as client:
        request(client, "one")
    reloading.log.wait("name=one")


# Syslog and the journal.

def test_the_journal_gets_fields(start, daemon):
    gateway = start({"journald_socket": str(daemon.path)}, log_file="journald")
    with connect(gateway.http_port) as client:
        request(client, "one")
        ask(client, "/x?key=s3cret", "a.test")
    fields = fields_of(daemon.wait(b"name=one"))
    assert fields["MESSAGE"].startswith("request id=")
    assert {"PRIORITY": "6", "SYSLOG_IDENTIFIER": "gateway", "GATEWAY_EVENT": "request",
            "GATEWAY_ROUTE": "echo", "GATEWAY_STATUS": "200", "GATEWAY_N": "1",
            "GATEWAY_REQUEST": "GET localhost /bytes?n=1&name=one"}.items() <= fields.items()
    assert fields_of(daemon.wait(b"/x?key="))["GATEWAY_REQUEST"] == "GET a.test /x?key=***"
    gateway.finish()
    messages = [fields_of(one)["MESSAGE"] for one in daemon.read()]
    assert "ready" in messages and messages[-1] == "stopped"


@pytest.mark.parametrize("form", ["text", "json"])
def test_syslog_gets_lines(start, daemon, form):
    gateway = start({"syslog_socket": str(daemon.path), "syslog_facility": "local2", "format": form},
                    log_file="syslog")
    with connect(gateway.http_port) as client:
        request(client, "one")
    line = daemon.wait(b"name=one").decode()
    head = re.match(r"<150>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d gateway\[(\d+)\]: ", line)  # 18 * 8 + 6
    assert head and int(head[1]) == gateway.pid, line
    rest = line[head.end():]
    if form == "json":
        assert json.loads(rest)["status"] == 200
    else:
        assert re.match(r"shard=\d request id=\d+ n=1 ", rest)


def test_access_lines_may_go_to_the_journal_alone(start, log_of, daemon):
    gateway = start({"journald_socket": str(daemon.path), "access_file": "journald"})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        request(client, "one")
    daemon.wait(b"name=one")
    gateway.process.send_signal(signal.SIGUSR1)
    log.wait("SIGUSR1: the log goes to stderr, so there is no file to open again")
    assert all(b"GATEWAY_EVENT=request\n" in one for one in daemon.read())


def test_a_daemon_that_reads_nothing_stalls_nobody(start, daemon, log_of):
    """Its queue is full at once, and stays so."""
    gateway = start({"syslog_socket": str(daemon.path), "access_file": "syslog"}, variant=Variant(1))
    log = log_of(gateway)
    count = 3000
    with connect(gateway.http_port) as client:
        for number in range(count):
            request(client, number)
    first = len([one for one in daemon.read() if b" request id=" in one])
    assert first < count

    asked = count

    def says_all():
        """Once the last line is there, all before it are, or how many of them are not."""
        nonlocal asked
        with connect(gateway.http_port) as client:
            request(client, f"after-{asked}")
        asked += 1
        try:
            wait_until(lambda: f"name=after-{asked - 1}\"".encode() in b"".join(daemon.read()), "it", 2)
        except TooLate:
            return False  # it was lost, too
        text = b"\n".join(daemon.read()).decode()
        lost = sum(map(int, re.findall(r" log (\d+) log lines may be missing before this one: ", text)))
        # While the log's thread waited, a shard's ring may have been full, too.
        dropped = sum(map(int, re.findall(r" (\d+) log lines were dropped: ", log.text())))
        assert lost > 0 and text.count(" request id=") + lost + dropped == asked
        return True

    wait_until(says_all, "the lines behind those that were lost")
    gateway.finish()


def test_a_daemon_that_begins_anew_gets_the_next_lines(start, tmp_path):
    path = tmp_path / "journal"
    first = Daemon(path)
    gateway = start({"journald_socket": str(path), "access_file": "journald"})
    with connect(gateway.http_port) as client:
        request(client, "one")
        first.wait(b"name=one")
        first.close()
        request(client, "lost")
        second = Daemon(path)

        def came():
            request(client, "again")
            return any(b"name=again" in one for one in second.read())

        wait_until(came, "lines at the new one")
    gateway.finish()
    second.close()


@pytest.mark.parametrize("key", ["file", "access_file"])
@pytest.mark.parametrize("name", ["syslog", "journald"])
def test_a_start_names_a_daemon_that_is_not_there(echo, tmp_path, key, name):
    config = Config({"echo": echo.port}, [{"pool": "echo"}],
                    log={f"{name}_socket": str(tmp_path / "none")})
    text = config.text() + f'{key} = "{name}"\n'
    done = check_text(tmp_path, text)
    assert done.returncode == 1
    line = len(text.splitlines())
    assert (f":{line}:{len(key) + 4}: error: nobody takes log lines at '{tmp_path / 'none'}': "
            "No such file or directory; start the daemon") in done.stderr
