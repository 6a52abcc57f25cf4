"""What a service manager is told, over the socket that it names, as systemd does."""

import ctypes
import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.frames import CLOSE, read_frame
from support.gateway import Config, Variant, is_sanitized
from support.relay import open_relay
from support.service_manager import Manager
from support.streams import Upstream, connect
from support.waiting import DEADLINE, wait_until

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WAIT_ALL = 0x4206, 0x4207, 17, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = f"{tmp_path}/notify"
    one = Manager(name if request.param == "path" else f"\0{name}")
    one.name = name if request.param == "path" else f"@{name}"
    yield one
    one.close()


@pytest.fixture
def start_managed(start_gateway, manager):
    def start(config, *variant, **environment):
        return start_gateway(config, *variant,
                             environment={"NOTIFY_SOCKET": manager.name, **environment})
    return start


def test_it_is_told_of_the_start_and_of_the_stop(start_managed, manager, echo):
    gateway = start_managed(Config({"app": echo.port}, [{"pool": "app"}]))
    told = manager.next()
    assert (told["READY"], told["MAINPID"]) == ("1", str(gateway.pid))
    assert told["STATUS"]
    gateway.process.send_signal(signal.SIGTERM)
    told = manager.next()
    assert told["STOPPING"] == "1" and "SIGTERM" in told["STATUS"]
    assert gateway.wait() == 0


def test_it_is_told_of_a_reload(start_managed, manager, echo):
    gateway = start_managed(Config({"app": echo.port}, [{"pool": "app"}]))
    assert manager.next()["READY"] == "1"
    gateway.process.send_signal(signal.SIGHUP)
    told = manager.next()
    assert told["RELOADING"] == "1" and int(told["MONOTONIC_USEC"]) > 0
    assert manager.next()["READY"] == "1"


def test_a_start_that_fails_is_never_ready(start_managed, manager, echo):
    config = Config({"app": echo.port}, [{"pool": "app"}])
    with socket.socket() as other:
        other.bind(("127.0.0.1", config.http_port))
        other.listen()
        with pytest.raises(AssertionError, match="in use"):
            start_managed(config)
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.socket.recv(4096)


WATCHED = {"WATCHDOG_USEC": "400000"}
SILENCE_SECONDS = 1.5


@contextmanager
def standing_still(thread):
    """One thread alone, as if it hung: its debugger has stopped it."""
    assert LIBC.ptrace(PTRACE_SEIZE, thread, None, None) == 0, os.strerror(ctypes.get_errno())
    assert LIBC.ptrace(PTRACE_INTERRUPT, thread, None, None) == 0
    os.waitpid(thread, WAIT_ALL)
    try:
        yield
    finally:
        assert LIBC.ptrace(PTRACE_DETACH, thread, None, None) == 0


def shard_threads(gateway):
    """The main thread is first, the log's second."""
    return sorted(int(one.name) for one in Path(f"/proc/{gateway.pid}/task").iterdir())[2:]


@pytest.mark.skipif(is_sanitized(), reason="sanitizers have threads of their own")
@pytest.mark.parametrize("which", [0, 1, -1], ids=["first-shard", "second-shard", "main-thread"])
def test_the_watchdog_starves_while_a_thread_hangs(start_managed, manager, echo, which):
    gateway = start_managed(Config({"app": echo.port}, [{"pool": "app"}]), Variant(2), **WATCHED)
    manager.next()
    assert all(manager.sign_of_life(DEADLINE) for _ in range(5))
    shards = shard_threads(gateway)
    assert len(shards) == 2
    with standing_still(gateway.pid if which < 0 else shards[which]):
        wait_until(lambda: not manager.sign_of_life(SILENCE_SECONDS), "it to fall silent")
    assert all(manager.sign_of_life(DEADLINE) for _ in range(5)), "it lives again"


def test_signs_of_life_go_on_while_it_drains(start_managed, manager, raw_port):
    gateway = start_managed(Config({"raw": raw_port}, [{"pool": "raw"}]), Variant(2), **WATCHED)
    manager.next()
    upstream = Upstream(raw_port)
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream)
        gateway.process.send_signal(signal.SIGTERM)
        assert manager.next()["STOPPING"] == "1"
        # One shard has ended, the other one waits for the peers' close frames.
        assert read_frame(client).opcode == CLOSE and read_frame(relay.upstream).opcode == CLOSE
        assert all(manager.sign_of_life(DEADLINE) for _ in range(5))
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.wait() == 0
    upstream.close()


def test_a_watchdog_for_another_process_is_not_fed(start_managed, manager, echo):
    gateway = start_managed(Config({"app": echo.port}, [{"pool": "app"}]), **WATCHED,
                            WATCHDOG_PID="1")
    manager.next()
    assert not manager.sign_of_life(SILENCE_SECONDS)
    gateway.finish()
