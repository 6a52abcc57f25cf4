"""SIGUSR2: the binary is replaced while it serves, and nobody notices."""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from support.gateway import HAS_CUT, Variant
from support.ports import free_port
from support.reloading import ask, ask_anew, hold_fifo, is_open, refuses, saying
from support.upgrading import (REQUEST, Worker, ask_kept, ask_once, children, config_for, echo_kept,
                               exists, place, unix_socket, write)
from support.waiting import DEADLINE, wait_until


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


class Predecessor:
    """The test is the predecessor of a gateway (gateway/process/handover.hh)."""

    def __init__(self, start_upgrading, config):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(DEADLINE)
        heard = []

        def let_it_serve():
            heard.append(self.channel.recv(16))
            self.channel.send(b"g")

        talk = threading.Thread(target=let_it_serve)
        talk.start()
        places = f'exec 3<&{theirs.fileno()} 4>&2; GATEWAY_HANDOVER="$$ 3 4 0" exec "$@"'
        self.line = start_upgrading(config, started_by=["bash", "-c", places, "bash"],
                                    pass_fds=[theirs.fileno()])
        talk.join(DEADLINE)
        theirs.close()
        assert heard[0][:1] == b"r" and self.channel.recv(1) == b"s"

    def make_it_main(self):
        self.channel.send(b"m")


def test_one_that_still_takes_over_is_replaced_once_it_has(start_upgrading, echo):
    predecessor = Predecessor(start_upgrading, config_for(echo))
    line = predecessor.line
    line.signal()
    line.log.wait("main upgrade: waits until this process has taken over itself")
    line.signal()
    line.log.wait("main upgrade: refused: one waits already")
    line.signal(signal.SIGHUP)
    line.log.wait("main reload: refused: an upgrade waits")
    predecessor.make_it_main()
    line.note_successor()
    assert predecessor.channel.recv(1) == b"t"
    assert line.gateway.wait() == 0
    assert ask_anew(line.gateway.http_port, target="/says") == (200, "one")
    line.finish()
    predecessor.channel.close()


def test_one_whose_predecessor_goes_without_a_word_is_replaced_then(start_upgrading, echo):
    predecessor = Predecessor(start_upgrading, config_for(echo))
    line = predecessor.line
    line.signal()
    line.log.wait("main upgrade: waits until this process has taken over itself")
    predecessor.channel.close()
    line.note_successor()
    assert line.gateway.wait() == 0
    assert ask_anew(line.gateway.http_port, target="/says") == (200, "one")
    line.finish()


def test_an_upgrade_waits_for_a_reload_that_was_asked_for_before(start_upgrading, echo):
    """Which is not adopted any more: the successor reads the file anyway."""
    predecessor = Predecessor(start_upgrading, config_for(echo))
    line = predecessor.line
    file = Path(line.gateway.file)
    text = file.read_bytes()
    os.unlink(file)
    with hold_fifo(file) as fifo:
        line.signal(signal.SIGHUP)
        wait_until(lambda: is_open(line.pid, file), "the file to be read")
        line.signal()
        line.log.wait("main upgrade: waits until this process has taken over itself")
        predecessor.make_it_main()
        assert predecessor.channel.recv(1) == b"t"
        os.unlink(file)
        file.write_bytes(text)
        fifo.write(text)
    line.log.wait("main reload: ", "an upgrade waits")
    line.note_successor()
    assert line.gateway.wait() == 0
    assert ask_anew(line.gateway.http_port, target="/says") == (200, "one")
    line.finish()
    predecessor.channel.close()


def test_an_upgrade_that_waits_is_not_begun_by_one_that_stops(start_upgrading, echo):
    predecessor = Predecessor(start_upgrading, config_for(echo))
    line = predecessor.line
    line.signal()
    line.log.wait("main upgrade: waits until this process has taken over itself")
    line.signal(signal.SIGTERM)
    line.log.wait("main upgrade: refused: the gateway is stopping")
    predecessor.make_it_main()
    assert line.gateway.wait() == 0
    predecessor.channel.close()


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
    line.log.wait("main SIGTERM: draining already, though pid", "SIGINT ends it at once")
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
