"""SIGHUP at any time: while one is under way, while it stops, in a row under load."""

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from support.certificates import make_certificate
from support.checking import run as run_gateway
from support.gateway import ALL, Config
from support.ports import free_port
from support.relay import open_echo
from support.reloading import ask, ask_anew, echoes, hold_fifo, is_open, saying
from support.streams import connect
from support.waiting import wait_until

every_shape = pytest.mark.parametrize("variant", ALL, ids=str)


# Orders and races.

def test_reloads_that_come_together_become_one(start_reloading, tmp_path):
    """A certificate comes slowly, from a FIFO: what is asked meanwhile is done after that, once."""
    chain, key = make_certificate(tmp_path, ["a.test"])
    slow = tmp_path / "slow.pem"
    config = Config({}, [saying("one")])
    gateway, reload = start_reloading(config)
    config.routes, config.certificates = [saying("two")], [(slow, key)]
    reload.write()
    with hold_fifo(slow) as fifo:
        reload.signal()
        wait_until(lambda: is_open(gateway.pid, slow), "the FIFO to be read")
        config.routes, config.certificates = [saying("three")], [(chain, key)]
        reload.write()
        for _ in range(5):
            # Each is taken before the next one: the kernel would make one of them, too.
            reload.signal()
            wait_until(lambda: not pending(gateway.pid, signal.SIGHUP), "the signal to be taken")
        fifo.write(chain.read_bytes())
    assert reload.ending().startswith("generation 2: ")
    assert reload.ending().startswith("generation 3: ")
    assert ask_anew(gateway.http_port) == (200, "three")
    assert reload() == "no change"


def pending(pid, number):
    """A signal that nobody has taken yet."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = int(re.search(r"^ShdPnd:\s*(\w+)", status, re.MULTILINE).group(1), 16)
    return bool(mask >> (number - 1) & 1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_load_that_does_not_come_to_its_end_keeps_no_stop(start_reloading, how):
    config = Config({}, [saying("one")])
    gateway, reload = start_reloading(config)
    os.unlink(gateway.file)
    with hold_fifo(gateway.file):
        reload.signal()
        wait_until(lambda: is_open(gateway.pid, gateway.file), "the FIFO to be read")
        assert ask_anew(gateway.http_port) == (200, "one")
        assert gateway.stop(how) == 0
        assert reload.log.lines("stopped")


def test_a_reload_while_it_stops_is_refused(start_reloading, upstream, raw_port):
    config = Config({"raw": raw_port}, [{"pool": "raw"}])
    gateway, reload = start_reloading(config)
    with connect(gateway.http_port, False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        gateway.process.send_signal(signal.SIGTERM)
        reload.log.wait("SIGTERM: stopping")
        config.routes = [saying("two")]
        assert reload() == "refused: the gateway is stopping"
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
        assert client.read_response()[1] == b"old"
    assert gateway.wait() == 0


@every_shape
def test_reloads_in_a_row_under_load_lose_nothing(start_reloading, echo, variant):
    """Routes, listeners and pools change, while clients come, ask and talk."""
    config = Config({"echo": echo.port}, [saying("0"), {"name": "echo", "path": "/echo",
                                                        "pool": "echo"}])
    gateway, reload = start_reloading(config, variant)
    faults, over = [], threading.Event()

    def keep(work):
        try:
            while not over.is_set():
                work()
        except Exception as fault:  # pylint: disable=broad-except
            faults.append(f"{work.__name__}: {fault!r}")

    with connect(gateway.http_port, False) as kept, connect(gateway.https_port, True) as websocket:
        open_echo(websocket)

        def ask_kept():
            assert ask(kept)[0] == 200

        def ask_new():
            assert ask_anew(gateway.https_port, True)[0] == 200

        def talk():
            assert echoes(websocket)

        threads = [threading.Thread(target=keep, args=(work,)) for work in (ask_kept, ask_new, talk)]
        for thread in threads:
            thread.start()
        for number in range(1, 21):
            config.routes[0] = saying(str(number))
            config.listeners = [{"address": f"127.0.0.1:{free_port()}"}] if number % 2 else []
            config.pools["more"] = [echo.port] if number % 3 else [echo.port, free_port()]
            told = reload()
            assert told.startswith(f"generation {number + 1}: ") and told.endswith("0 closed"), told
        over.set()
        for thread in threads:
            thread.join()
    assert not faults, faults
    assert not reload.log.lines("end=stopping")


def test_the_log_follows(start_reloading, tmp_path):
    config = Config({}, [saying("one")], control={"socket": str(tmp_path / "control.sock")})
    gateway, reload = start_reloading(config)
    moved = tmp_path / "moved.log"
    config.log_file = str(moved)
    reload.write()
    reload.signal()
    wait_until(lambda: moved.exists() and "reload: generation 2: log.file changed" in moved.read_text(),
               "the log to go on in its new file")
    assert ask_anew(gateway.http_port) == (200, "one")
    wait_until(lambda: "request id=" in moved.read_text(), "requests to be told there")
    # Of the next one the log says nothing.
    config.level = "error"
    reload.write()
    assert run_gateway("reload", "-c", gateway.file).returncode == 0
    assert re.search(r"^generation: +3$", run_gateway("status", "-c", gateway.file).stdout, re.M)
    config.level = "debug"
    reload.write()
    reload.signal()
    wait_until(lambda: "reload: generation 4: log.level changed" in moved.read_text(),
               "the level to be as it was")
    assert "generation 3" not in moved.read_text()
