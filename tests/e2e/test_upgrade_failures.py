"""SIGUSR2 with a successor that fails or is late, or where something else is under way: the gateway
serves on."""

import os
import re
import signal
import socket

import pytest

from support.reloading import ask, ask_anew, saying
from support.streams import connect
from support.upgrading import FAILS, children, config_for, exists, place, unix_socket, write
from support.waiting import wait_until

FAILING = {
    "says-why": (FAILS, "it ended with status 1", ["no such thing", "nor that"]),
    "no-gateway": ("#!/bin/sh\nexit 0\n", "it ended with status 0", []),
    "crashes": ("#!/bin/sh\necho going >&2\nkill -SEGV $$\n", "it was ended by SIGSEGV", ["going"]),
    "no-program": ("no program\n", "it cannot be executed: Exec format error", []),
    "hangs": ("#!/bin/sh\necho hanging >&2\nexec sleep 1000\n",
              "it was not ready in 3s ([upgrade] patience)", ["hanging"]),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_successor_that_fails_changes_nothing(start_upgrading, echo, tmp_path, kind):
    script, cause, words = FAILING[kind]
    pid_file = tmp_path / "gateway.pid"
    config = config_for(echo, listeners=[{"address": f"unix:{tmp_path}/s"}],
                        control={"socket": f"{tmp_path}/control"}, top={"pid_file": str(pid_file)})
    text = config.text() + ('[upgrade]\npatience = "3s"\n' if kind == "hangs" else "")
    config.text = lambda: text
    line = start_upgrading(config)
    before = line.descriptors()
    with connect(config.http_port) as kept:
        assert ask(kept, "/says") == (200, "one")
        for _ in range(1 if kind == "hangs" else 2):
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
