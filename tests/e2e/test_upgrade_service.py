"""An upgrade as those who run the gateway see it: the terminal, the control socket, the service manager,
and the user that it has become."""

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
from support.reloading import ask, ask_anew, refuses
from support.service_manager import Manager
from support.streams import connect
from support.upgrading import FAILS, REQUEST, children, config_for, place, unix_socket, write
from support.waiting import DEADLINE


def order(line, command):
    return run(command, "-c", line.gateway.file)


def says(line, key, value):
    return re.search(rf"^{key}: +{value}$", order(line, "status").stdout, re.MULTILINE)


def test_the_terminal_is_told(start_upgrading, echo, tmp_path):
    control = tmp_path / "control"
    pid_file = tmp_path / "pid"
    line = start_upgrading(config_for(echo, control={"socket": str(control)},
                                      top={"pid_file": str(pid_file)}))
    inode = control.stat().st_ino
    place(line.binary, FAILS)
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
        assert pid_file.read_text() == f"{line.pid}\n"
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
    low = next(port for port in range(1023 - os.getpid() % 200, 600, -1) if refuses(port))
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
