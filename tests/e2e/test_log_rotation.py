"""SIGUSR1: the log's file is opened again while it is written."""

import itertools
import os
import re
import signal
import threading
from contextlib import contextmanager

import pytest

from support.gateway import Config, Variant
from support.streams import connect
from support.waiting import wait_until

ROTATIONS = 8
CLIENTS = 3


@pytest.fixture
def start_logging(start_gateway, echo):
    """start_logging(file): a gateway whose log goes there."""
    def start(file):
        config = Config({"app": echo.port}, [{"pool": "app"}], log_file=str(file))
        return start_gateway(config, Variant(2))
    return start


def request(client, name):
    client.send(f"GET /bytes?n=1&name={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert client.read_response()[0].status == 200


def names_in(file):
    return re.findall(r' request id=.*[?&]name=([^\s"]+)" .*status=200', file.read_text())


def rotate(gateway, log, number, before_signal=lambda: None):
    renamed = log.with_name(f"{log.name}.{number}")
    log.rename(renamed)
    before_signal()
    gateway.process.send_signal(signal.SIGUSR1)
    return renamed


def opened(gateway, file):
    """Whether the gateway holds this very file."""
    if not file.exists():
        return False
    status = file.stat()
    for one in os.listdir(f"/proc/{gateway.pid}/fd"):
        try:
            held = os.stat(f"/proc/{gateway.pid}/fd/{one}")
        except FileNotFoundError:
            continue
        if (held.st_dev, held.st_ino) == (status.st_dev, status.st_ino):
            return True
    return False


@contextmanager
def load(gateway):
    """Clients that ask as fast as they can; gives the names of what was answered, once it is over."""
    over = threading.Event()
    asked = [[] for _ in range(CLIENTS)]
    failures = []

    def ask(number):
        try:
            with connect(gateway.http_port) as client:
                for count in itertools.count():
                    if over.is_set():
                        return
                    request(client, f"{number}-{count}")
                    asked[number].append(f"{number}-{count}")
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_each_line_is_in_one_of_the_files_and_once(tmp_path, start_logging):
    log = tmp_path / "access.log"
    gateway = start_logging(log)
    files = []
    with load(gateway) as asked:
        for number in range(ROTATIONS):
            seen = sum(map(len, asked))
            wait_until(lambda: sum(map(len, asked)) > seen + 50, "some requests")
            files.append(rotate(gateway, log, number))
            wait_until(lambda: opened(gateway, log), "the new file")
    gateway.finish()
    found = list(itertools.chain(*map(names_in, [*files, log])))
    assert sorted(found) == sorted(itertools.chain(*asked))
    for file in files:
        assert names_in(file), "each has seen some of them"
        lines = file.read_text().splitlines(keepends=True)
        assert all(line.endswith("\n") and re.match(r"\d{4}-\d\d-\d\dT", line) for line in lines)


def test_the_renamed_file_is_let_go(tmp_path, start_logging):
    log = tmp_path / "access.log"
    gateway = start_logging(log)
    renamed = rotate(gateway, log, 1)
    wait_until(lambda: opened(gateway, log) and not opened(gateway, renamed), "the new file alone")
    assert "SIGUSR1: opening the log file" in renamed.read_text().splitlines()[-1]
    gateway.wait_for_descriptors()


def test_a_file_that_logrotate_has_created_is_taken_as_it_is(tmp_path, start_logging):
    log = tmp_path / "access.log"
    gateway = start_logging(log)

    def create():
        log.touch()
        log.chmod(0o640)

    rotate(gateway, log, 1, create)
    inode = log.stat().st_ino
    wait_until(lambda: opened(gateway, log), "the new file")
    with connect(gateway.http_port) as client:
        request(client, "one")
    wait_until(lambda: names_in(log) == ["one"], "its line")
    assert (log.stat().st_ino, log.stat().st_mode & 0o777) == (inode, 0o640)


def test_many_signals_at_once_are_as_good_as_one(tmp_path, start_logging):
    log = tmp_path / "access.log"
    gateway = start_logging(log)
    renamed = rotate(gateway, log, 1)
    for _ in range(20):
        gateway.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: opened(gateway, log) and not opened(gateway, renamed), "the new file")
    with connect(gateway.http_port) as client:
        request(client, "one")
    wait_until(lambda: names_in(log) == ["one"], "its line")


def test_a_file_that_cannot_be_opened_leaves_the_old_one(tmp_path, start_logging):
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "access.log"
    gateway = start_logging(log)
    moved = tmp_path / "moved"
    folder.rename(moved)
    gateway.process.send_signal(signal.SIGUSR1)
    old = moved / "access.log"
    refusal = f"error log there is no folder '{folder}' for the log file; the log goes on where it was"
    wait_until(lambda: refusal in old.read_text(), "the refusal")
    with connect(gateway.http_port) as client:
        request(client, "one")
    wait_until(lambda: names_in(old) == ["one"], "the old file's next line")
    moved.rename(folder)
    rotate(gateway, log, 1)
    wait_until(lambda: opened(gateway, log), "the new file")


def test_a_full_disk_costs_lines_that_are_counted_and_nothing_else(tmp_path, start_logging):
    """A log that is a link may lead to a full disk, and then to one that is not."""
    log = tmp_path / "access.log"
    log.symlink_to("/dev/full")
    gateway = start_logging(log)
    with connect(gateway.http_port) as client:
        for number in range(30):
            request(client, f"lost-{number}")
        log.unlink()
        gateway.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: opened(gateway, log), "the new file")
        request(client, "kept")
    wait_until(lambda: names_in(log), "a line")
    first = log.read_text().splitlines()[0]
    told = re.search(r" error log (\d+) log lines may be missing before this one: "
                     r"No space left on device$", first)
    assert told and int(told[1]) > 30, first
    assert names_in(log) == ["kept"]


def test_without_a_file_there_is_nothing_to_open(start_gateway, log_of, echo):
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}]))
    log = log_of(gateway)
    gateway.process.send_signal(signal.SIGUSR1)
    log.wait("info main SIGUSR1: the log goes to stderr, so there is no file to open again")
