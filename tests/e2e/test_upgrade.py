"""SIGUSR2: the binary is replaced while it serves, and nobody notices."""

import os
import pwd
import re
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from support.checking import run
from support.gateway import HAS_CUT, Config, Variant
from support.ports import free_port
from support.reloading import ask, ask_anew, refuses, saying
from support.streams import Stream, connect
from support.upgrading import (Worker, ask_kept, ask_once, children, echo_kept, exists, place)
from support.service_manager import Manager
from support.waiting import DEADLINE, wait_until

REQUEST = b"GET /bytes?n=10 HTTP/1.1\r\nHost: localhost\r\n\r\n"
def config_for(echo, **options):
    return Config({"echo": {"servers": echo.port, "keep_alive_idle": "50ms"}},
                  [saying("one", "/says"), {"name": "echo", "path": "/", "pool": "echo"}], **options)


def unix_socket(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return Stream(client)


def write(line, text=None):
    fresh = line.gateway.file.with_suffix(".new")
    fresh.write_text(line.gateway.config.text() if text is None else text)
    fresh.rename(line.gateway.file)


def test_the_successor_serves_and_the_predecessor_ends(start_upgrading, echo, tmp_path):
    config = config_for(echo, listeners=[{"address": f"unix:{tmp_path}/s"}])
    line = start_upgrading(config)
    assert ask_anew(config.http_port, target="/says") == (200, "one")
    config.routes[0] = saying("two", "/says")
    write(line)
    successor = line()
    assert successor != line.gateway.pid
    assert line.gateway.wait() == 0
    assert ask_anew(config.http_port, target="/says") == (200, "two")
    assert ask_anew(config.https_port, True, target="/says") == (200, "two")
    with unix_socket(tmp_path / "s") as client:
        assert ask(client, "/says") == (200, "two")
    line.finish()
    assert not (tmp_path / "s").exists()


def test_it_is_the_binary_that_lies_there_now(start_upgrading, echo):
    line = start_upgrading(config_for(echo))
    assert os.readlink(f"/proc/{line.pid}/exe") == str(line.binary)
    place(line.binary)
    assert os.readlink(f"/proc/{line.pid}/exe") == f"{line.binary} (deleted)"
    line()
    assert os.readlink(f"/proc/{line.pid}/exe") == str(line.binary)
    command = Path(f"/proc/{line.pid}/cmdline").read_bytes()
    assert command == b"".join(os.fsencode(one) + b"\0" for one in line.gateway.command)


@pytest.mark.parametrize("shards", [1, 2])
def test_five_in_a_row_under_load(start_upgrading, echo, shards):
    config = config_for(echo, drain={"over": "500ms", "hard_stop": "20s"})
    line = start_upgrading(config, Variant(shards))
    says = b"GET /says HTTP/1.1\r\nHost: x\r\n\r\n"
    plain, secure = config.http_port, config.https_port
    workers = [Worker(work) for work in (
        ask_once(plain, False, REQUEST), ask_once(secure, True, says), ask_kept(plain, False, says),
        ask_kept(secure, True, REQUEST), echo_kept(secure), echo_kept(secure))]
    try:
        for _ in range(5):
            counts = [worker.count for worker in workers]
            line()
            # All have met the one that serves now.
            wait_until(lambda counts=counts: all(worker.count > count + 5 for worker, count
                                                 in zip(workers, counts)),
                       lambda: f"all to go on: {[worker.faults for worker in workers]}")
    finally:
        for worker in workers:
            worker.stop()
    assert [worker.faults for worker in workers] == [[]] * len(workers)
    line.finish()


def test_descriptors_and_processes_do_not_add_up(start_upgrading, echo, tmp_path):
    config = config_for(echo, listeners=[{"address": f"unix:{tmp_path}/s"}],
                        control={"socket": f"{tmp_path}/control"})
    line = start_upgrading(config)
    before = line.descriptors()
    for _ in range(3):
        predecessor = line.pid
        line()
        assert line.wait_for_end(predecessor) == 0
        wait_until(lambda: line.descriptors() <= before + 1, "no descriptor to be left over")
        assert len(children(line.pid)) == 1, "the one that may start the next"
    line.finish()


class Held:
    """A request that is under way for as long as the test likes."""

    def __init__(self, port, upstream, secure=False):
        self.client = connect(port, secure)
        self.client.send(b"GET /held HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        self.server = upstream.accept()
        self.server.read_head()

    def ends_well(self):
        self.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        head, body = self.client.read_response()
        self.client.close()
        return (head.status, body) == (200, b"ok")


@pytest.fixture
def start_holding(start_upgrading, raw_port, upstream):
    """With the upstream behind it, and how a request is held."""
    def start(**options):
        config = Config({"raw": raw_port}, [{"pool": "raw"}],
                        drain={"over": "0s", "hard_stop": "1h"}, **options)
        line = start_upgrading(config)
        return line, lambda: Held(config.https_port, upstream, True)
    return start


def test_who_is_there_stays_where_he_is(start_holding):
    """Three generations of processes, each with a request of its own."""
    line, hold = start_holding()
    held = [hold()]
    for _ in range(2):
        line()
        held.append(hold())
    assert all(exists(pid) for pid in line.pids)
    # A service manager tells all of them to stop: that is nothing new to those that drain.
    line.signal(signal.SIGTERM, line.pids[0])
    line.log.wait("main SIGTERM: draining already, since pid", "a second one ends it at once")
    assert all(exists(pid) for pid in line.pids)
    assert all(one.ends_well() for one in held)
    assert [line.wait_for_end(pid) for pid in line.pids[:2]] == [0, 0]
    line.finish()


def test_a_second_stop_ends_one_that_drains(start_holding):
    line, hold = start_holding()
    held = hold()
    line()
    line.signal(signal.SIGTERM, line.gateway.pid)
    line.log.wait("main SIGTERM: draining already")
    line.signal(signal.SIGTERM, line.gateway.pid)
    assert line.gateway.wait() == HAS_CUT
    held.client.close()
    line.finish()


def test_whoever_drains_outlives_a_stop_of_all(start_holding):
    """A service manager tells all of them, and who is left once more when the main one has ended."""
    line, hold = start_holding()
    held = hold()
    line()
    for pid in line.pids:
        line.signal(signal.SIGTERM, pid)
    assert line.wait_for_end(line.pid) == 0
    line.signal(signal.SIGTERM, line.gateway.pid)
    line.log.wait_many(2, "main SIGTERM: draining already")
    assert held.ends_well()
    assert line.gateway.wait() == 0


def test_whoever_drains_makes_room_where_its_successor_has_died(start_holding):
    line, hold = start_holding()
    held = hold()
    line()
    line.signal(signal.SIGKILL)
    assert line.wait_for_end(line.pid) == -signal.SIGKILL
    line.signal(signal.SIGTERM, line.gateway.pid)
    assert line.gateway.wait() == HAS_CUT
    held.client.close()


def test_one_that_drains_takes_no_orders(start_holding):
    line, hold = start_holding()
    held = hold()
    line()
    for how, word in ((signal.SIGHUP, "reload"), (signal.SIGUSR2, "upgrade")):
        line.signal(how, line.gateway.pid)
        line.log.wait(f"main {word}: refused: pid {line.pid} serves now")
    assert held.ends_well()
    assert line.gateway.wait() == 0
    line.finish()


@pytest.mark.parametrize("before, after", [(1, 3), (3, 1), (2, 3), (4, 2)])
def test_another_number_of_shards(start_upgrading, echo, before, after):
    """Each socket of an address has a queue of its own: all of them are accepted from."""
    config = config_for(echo, top={"shards": before})
    line = start_upgrading(config, Variant(None))
    config.top["shards"] = after
    write(line)
    line()
    assert line.gateway.wait() == 0
    for _ in range(40):  # the kernel spreads them by their ports
        assert ask_anew(config.http_port, target="/says") == (200, "one")
    line.finish()
    assert f"shards={after} " in line.gateway.log()


def test_other_listeners(start_upgrading, echo, tmp_path):
    gone, come, wide = free_port(), free_port(), free_port()
    config = config_for(echo, listeners=[{"address": f"127.0.0.1:{gone}"}, {"address": f"unix:{tmp_path}/a"},
                                         {"address": f"127.0.0.1:{wide}"}])
    line = start_upgrading(config)
    config.listeners = [{"address": f"127.0.0.1:{come}"}, {"address": f"unix:{tmp_path}/b"},
                        {"address": f"0.0.0.0:{wide}"}]
    write(line)
    line()
    assert line.gateway.wait() == 0
    for port in (config.http_port, come, wide):
        assert ask_anew(port, target="/says") == (200, "one")
    with unix_socket(tmp_path / "b") as client:
        assert ask(client, "/says") == (200, "one")
    assert refuses(gone)
    assert not (tmp_path / "a").exists()
    assert "was inherited (LISTEN_FDS), and no [[listen]] has that address" in line.gateway.log()


FAILING = {
    "says-why": ("#!/bin/sh\necho no such thing >&2\nprintf 'nor that' >&2\nexit 1\n",
                 "it ended with status 1", ["no such thing", "nor that"]),
    "no-gateway": ("#!/bin/sh\nexit 0\n", "it ended with status 0", []),
    "crashes": ("#!/bin/sh\necho going >&2\nkill -SEGV $$\n", "it was ended by SIGSEGV", ["going"]),
    "no-program": ("no program\n", "it cannot be executed: Exec format error", []),
    "hangs": ("#!/bin/sh\necho hanging >&2\nexec sleep 1000\n",
              "it was not ready in 300ms ([upgrade] patience)", ["hanging"]),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_successor_that_fails_changes_nothing(start_upgrading, echo, tmp_path, kind):
    script, cause, words = FAILING[kind]
    pid_file = tmp_path / "gateway.pid"
    config = config_for(echo, listeners=[{"address": f"unix:{tmp_path}/s"}],
                        control={"socket": f"{tmp_path}/control"}, top={"pid_file": str(pid_file)})
    text = config.text() + ('[upgrade]\npatience = "300ms"\n' if kind == "hangs" else "")
    config.text = lambda: text
    line = start_upgrading(config)
    before = line.descriptors()
    with connect(config.http_port) as kept:
        assert ask(kept, "/says") == (200, "one")
        for _ in range(2):
            place(line.binary, script)
            said, last_words = line.fails()
            assert said == f"{cause}; this process goes on"
            assert last_words[-len(words):] == words or not words
            assert ask(kept, "/says") == (200, "one")
            assert ask_anew(config.https_port, True, "/says") == (200, "one")
            with unix_socket(tmp_path / "s") as client:
                assert ask(client, "/says") == (200, "one")
    assert pid_file.read_text() == f"{line.pid}\n"
    assert len(children(line.pid)) == 1, "what was started is gone"
    wait_until(lambda: line.descriptors() <= before + 1, "the descriptors to be given back")
    # The next one that is well serves.
    place(line.binary)
    if kind != "hangs":
        line()
        assert ask_anew(config.http_port, target="/says") == (200, "one")
        assert line.gateway.wait() == 0
        assert pid_file.read_text() == f"{line.pid}\n"
    line.finish()
    assert not pid_file.exists()


@pytest.mark.parametrize("make", [lambda path: path.unlink(), lambda path: path.chmod(0o644)],
                         ids=["absent", "not-executable"])
def test_a_binary_that_cannot_be_executed(start_upgrading, echo, make):
    line = start_upgrading(config_for(echo))
    make(line.binary)
    said, words = line.fails()
    assert re.fullmatch(r"it cannot be executed: (No such file or directory|Permission denied); this "
                        "process goes on", said)
    assert words == []
    assert ask_anew(line.gateway.http_port, target="/says") == (200, "one")


def test_a_configuration_that_is_wrong_now(start_upgrading, echo, tmp_path):
    config = config_for(echo, listeners=[{"address": f"unix:{tmp_path}/s"}])
    line = start_upgrading(config)
    write(line, "colour = 1\n" + config.text())
    said, words = line.fails()
    assert said == "it ended with status 1; this process goes on"
    assert any(":1:1: error: unknown key 'colour'" in one for one in words), words
    # What only fails once all sockets are taken, the Unix socket's file among them.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        config.listeners.append({"address": f"127.0.0.1:{other.getsockname()[1]}"})
        write(line)
        said, words = line.fails()
        assert any("in use" in one for one in words), words
    with unix_socket(tmp_path / "s") as client:
        assert ask(client, "/says") == (200, "one")
    line.finish()


HANGING = "#!/bin/sh\necho hanging >&2\nexec sleep 1000\n"


def test_a_watched_file_that_changes_meanwhile(start_upgrading, echo):
    """The reload comes where no successor reads the file."""
    config = config_for(echo)
    line = start_upgrading(config, started_by=["sh", "-c", 'exec "$@" --watch', "sh"])
    line.log.mark = 0
    line.log.wait("main watch: ")
    place(line.binary, HANGING)
    line.signal()
    line.log.wait("upgrade: successor: hanging")
    config.routes[0] = saying("two", "/says")
    write(line)
    line.log.wait("main watch: ", "has changed: reloading")
    os.kill(children(children(line.pid)[0])[0], signal.SIGKILL)
    line.log.wait("main upgrade: failed")
    line.log.wait("main reload: generation 2")
    assert ask_anew(config.http_port, target="/says") == (200, "two")


def test_a_stop_during_an_upgrade(start_upgrading, echo):
    line = start_upgrading(config_for(echo))
    place(line.binary, HANGING)
    line.signal()
    line.log.wait("upgrade: successor: hanging")
    sleeping = children(children(line.pid)[0])
    assert len(sleeping) == 1
    line.signal(signal.SIGTERM)
    assert line.gateway.wait() == 0
    wait_until(lambda: not exists(sleeping[0]), "the successor to be gone")
    assert line.log.wait("main upgrade: failed: this process stops").endswith("stops")


def test_a_killed_gateway_takes_an_unready_successor_along(start_upgrading, echo):
    line = start_upgrading(config_for(echo))
    place(line.binary, HANGING)
    line.signal()
    line.log.wait("upgrade: successor: hanging")
    spawner, = children(line.pid)
    sleeping, = children(spawner)
    line.gateway.kill()
    wait_until(lambda: not exists(sleeping) and not exists(spawner), "both to be gone")


def test_without_the_process_that_starts_successors(start_upgrading, echo):
    line = start_upgrading(config_for(echo))
    os.kill(children(line.pid)[0], signal.SIGKILL)
    wait_until(lambda: not children(line.pid), "it to be gone, and nobody to wait for it")
    for _ in range(2):
        said, _ = line.fails()
        assert said.startswith(("it cannot be started: Broken pipe", "the process that starts successors "
                                "has gone: only a restart brings it back"))
    assert ask_anew(line.gateway.http_port, target="/says") == (200, "one")


def test_one_thing_at_a_time(start_upgrading, echo):
    line = start_upgrading(config_for(echo))
    place(line.binary, HANGING)
    line.signal()
    line.log.wait("upgrade: successor: hanging")
    line.signal()
    line.log.wait("main upgrade: refused: one is under way")
    line.signal(signal.SIGHUP)
    line.log.wait("main reload: refused: an upgrade is under way")
    os.kill(children(children(line.pid)[0])[0], signal.SIGKILL)
    line.log.wait("main upgrade: failed: it was ended by SIGKILL")
    line.signal(signal.SIGHUP)
    line.log.wait("main reload: no change")


def test_an_upgrade_while_it_stops(start_holding):
    line, hold = start_holding()
    held = hold()
    line.signal(signal.SIGTERM)
    line.log.wait("main SIGTERM: stopping in order")
    line.signal()
    line.log.wait("main upgrade: refused: the gateway is stopping")
    assert held.ends_well()
    assert line.gateway.wait() == 0


def test_many_words_are_bounded(start_upgrading, echo):
    line = start_upgrading(config_for(echo))
    place(line.binary, "#!/bin/sh\nyes | head -1000 >&2\nhead -c 5000 /dev/zero | tr '\\0' z >&2\nexit 7\n")
    said, words = line.fails()
    assert said == "it ended with status 7; this process goes on"
    assert words == ["y"] * 100 + ["(more, which is left out)"]


def order(line, command):
    return run(command, "-c", line.gateway.file)


def says(line, key, value):
    return re.search(rf"^{key}: +{value}$", order(line, "status").stdout, re.MULTILINE)


def test_the_terminal_is_told(start_upgrading, echo, tmp_path):
    control = tmp_path / "control"
    line = start_upgrading(config_for(echo, control={"socket": str(control)}))
    inode = control.stat().st_ino
    place(line.binary, FAILING["says-why"][0])
    done = order(line, "upgrade")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("no such thing\nnor that\nupgrade: failed: it ended with status 1; pid "
                           f"{line.pid} goes on\n")
    assert says(line, "upgrades", "1 failed")
    place(line.binary)
    for _ in range(3):
        predecessor = line.pid
        done = order(line, "upgrade")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"upgraded: pid {line.note_successor()} serves\n"
        # The socket is the same one, and whoever comes next meets the one that serves.
        assert says(line, "pid", line.pid)
        assert line.wait_for_end(predecessor) == 0
        assert control.stat().st_ino == inode
    assert order(line, "reload").returncode == 0
    assert order(line, "stop").returncode == 0
    assert line.wait_for_end(line.pid) == 0
    assert not control.exists()


def test_the_control_socket_may_move_and_come_and_go(start_upgrading, echo, tmp_path):
    config = config_for(echo, control={"socket": f"{tmp_path}/a"})
    line = start_upgrading(config)
    for path in ("b", "off", "c"):
        before = config.control["socket"]
        config.control["socket"] = path if path == "off" else f"{tmp_path}/{path}"
        write(line)
        predecessor = line.pid
        line()
        assert line.wait_for_end(predecessor) == 0
        assert not os.path.exists(before)
        if path != "off":
            assert says(line, "pid", line.pid)
    line.finish()


def test_a_service_manager_follows(start_upgrading, echo, tmp_path):
    manager = Manager(f"{tmp_path}/notify")
    line = start_upgrading(config_for(echo), environment={"NOTIFY_SOCKET": f"{tmp_path}/notify",
                                                          "WATCHDOG_USEC": "4000000"})
    assert manager.next()["READY"] == "1"
    for _ in range(2):
        predecessor = line.pid
        line()
        assert manager.next() == {"MAINPID": str(line.pid)}, "said by the one that was the main one"
        told = manager.next()
        assert (told["READY"], told["MAINPID"]) == ("1", str(line.pid))
        assert line.wait_for_end(predecessor) == 0
    assert all(manager.sign_of_life(DEADLINE) for _ in range(2))
    line.signal(signal.SIGTERM)
    assert manager.next()["STOPPING"] == "1", "the first stop that it hears of"
    assert line.wait_for_end(line.pid) == 0
    manager.close()


def test_sockets_of_a_service_manager_stay_its_own(start_upgrading, echo, tmp_path):
    """Two processes long; then it has them still."""
    config = config_for(echo, listeners=[{"address": f"unix:{tmp_path}/s"}])
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as plain:
        unix.bind(f"{tmp_path}/s")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plain.bind(("127.0.0.1", config.http_port))
        for index, one in enumerate((unix, plain)):
            one.listen()
            os.dup2(one.fileno(), 100 + index, inheritable=True)
        line = start_upgrading(config, started_by=[
            "bash", "-c", 'exec 3<&100 4<&101 100<&- 101<&-; LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"', "bash"],
                               pass_fds=[100, 101])
        os.close(100)
        os.close(101)
        line()
        assert line.gateway.wait() == 0
        with unix_socket(tmp_path / "s") as client:
            assert ask(client, "/says") == (200, "one")
        assert ask_anew(config.http_port, target="/says") == (200, "one")
        line.finish()
        assert (tmp_path / "s").is_socket()
        with connect(config.http_port) as client:  # nobody accepts, but nobody refuses either
            client.send(REQUEST)
            assert plain.accept()[0].recv(3) == b"GET"


@pytest.fixture
def folder():
    """One that others may enter, as pytest's own are not; it belongs to `nobody`."""
    path = Path(tempfile.mkdtemp(prefix="gateway-"))
    path.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    os.chown(path, nobody.pw_uid, nobody.pw_gid)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_a_user_that_root_has_become(folder, start_upgrading, echo):
    """The successor begins as that user, and opens a port below 1024 all the same."""
    nobody = pwd.getpwnam("nobody")
    log_file = folder / "log"
    config = config_for(echo, top={"user": "nobody", "pid_file": f"{folder}/pid"},
                        listeners=[{"address": f"unix:{folder}/s"}], log_file=str(log_file))
    line = start_upgrading(config, folder=folder)
    low = next(port for port in range(1023, 600, -1) if refuses(port))
    config.listeners.append({"address": f"127.0.0.1:{low}"})
    write(line)
    line.log.gateway = LogOf(log_file)
    line.log.mark = 0
    line()
    assert line.gateway.wait() == 0
    status = Path(f"/proc/{line.pid}/status").read_text()
    assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
    assert "CapPrm:\t0000000000000400\n" in status and "CapAmb:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\nSeccomp:\t2\n" in status
    spawner, = children(line.pid)
    status = Path(f"/proc/{spawner}/status").read_text()
    assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
    assert "CapPrm:\t0000000000000400\n" in status
    assert ask_anew(low, target="/says") == (200, "one")
    assert (folder / "pid").read_text() == f"{line.pid}\n"
    line.finish()
    assert not (folder / "s").exists() and not (folder / "pid").exists()


class LogOf:
    """A log in a file, for a LogView."""

    def __init__(self, file):
        self.file = file

    def log_since(self, mark):
        return self.file.read_bytes()[mark:].decode()
