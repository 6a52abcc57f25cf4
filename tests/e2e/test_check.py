"""gateway -t: it refuses what a start refuses, in the same words, and touches nothing."""

import bisect
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
import threading

import pytest

from support.certificates import Authority, make_certificate
from support.checking import both, run, with_certificates
from support.gateway import GATEWAY, is_sanitized
from support.ports import free_port
from support.streams import connect
from support.waiting import DEADLINE, wait_until


def as_ordinary_user():
    """What makes of root somebody without another process, who may read and write all the same."""
    if os.geteuid() != 0:
        return []
    user = 20000 + os.getpid() % 40000
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
            "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


# Addresses.

V4 = "; '0.0.0.0:{p}' stands for all IPv4 addresses: leave one of the two out"
ALL = "; '[::]:{p}' stands for all addresses: leave one of the two out"


@pytest.mark.parametrize("first, second, hint", [
    ("127.0.0.1:{p}", "127.0.0.1:{p}", ""),
    ("127.0.0.1:{p}", "0.0.0.0:{p}", V4),
    ("0.0.0.0:{p}", "127.0.0.1:{p}", V4),
    ("[::]:{p}", "0.0.0.0:{p}", ALL),
    ("0.0.0.0:{p}", "[::]:{p}", ALL),
    ("[::]:{p}", "127.0.0.1:{p}", ALL),
    ("[::1]:{p}", "[::]:{p}", ALL),
    ("unix:{f}/real/s", "unix:{f}/link/s", ""),
])
def test_listeners_that_collide_are_told_with_their_places(refused, tmp_path, first, second, hint):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    port = free_port()
    first, second, hint = (one.format(p=port, f=tmp_path) for one in (first, second, hint))
    said = refused(f'[[listen]]\naddress = "{first}"\n[[listen]]\naddress = "{second}"\n'
                   '[[route]]\n[route.answer]\nbody = "x"\n')
    named = [one.replace(f"{tmp_path}/", "") for one in (first, second)]
    assert said == (f"gateway.conf:4:11: error: '{named[1]}' is taken: '{named[0]}' in line 2 "
                    f"listens there already{hint}\n")
    assert not list((tmp_path / "real").iterdir())


def test_addresses_side_by_side_are_no_collision(tmp_path):
    file = tmp_path / "gateway.conf"
    port = free_port()
    file.write_text("".join(f'[[listen]]\naddress = "{one}:{port}"\n'
                            for one in ("127.0.0.1", "127.0.0.2", "[::1]")) +
                    '[[route]]\n[route.answer]\nbody = "x"\n')
    assert run("-t", "-c", file).returncode == 0


# What is fine.

def snapshot(folder):
    """Every file in it: what it is, whose, and when it was changed."""
    return {str(one): (info.st_mode, info.st_uid, info.st_ino, info.st_size, info.st_mtime_ns)
            for one in [folder, *sorted(folder.rglob("*"))] for info in [one.lstat()]}


def test_a_good_file_passes_while_another_gateway_serves_and_nothing_is_touched(tmp_path):
    """Over TCP and a Unix socket, with a log in a file."""
    chain, key = make_certificate(tmp_path, ["one.test"])
    port = free_port()
    file = tmp_path / "gateway.conf"
    file.write_text(with_certificates(both(chain, key), port) +
                    f'[[listen]]\naddress = "unix:{tmp_path}/in.sock"\n[log]\nfile = "the.log"\n')
    before = snapshot(tmp_path)
    alone = run("-t", "-c", file)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert snapshot(tmp_path) == before, "no log, no socket"

    log = tmp_path / "the.log"
    server = subprocess.Popen([GATEWAY, "-c", file], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: log.exists() and " ready\n" in log.read_text(), "the start")
        before = snapshot(tmp_path)
        beside = run("-t", "-c", file)
        assert (beside.returncode, beside.stdout, beside.stderr) == (0, alone.stdout, "")
        assert snapshot(tmp_path) == before
        with connect(port, True) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: one.test\r\n\r\n")
            assert client.read_response()[1] == b"x"
    finally:
        server.terminate()
        server.wait(DEADLINE)
    assert server.returncode == 0


def test_what_is_odd_but_can_be_served_is_a_warning(tmp_path, start_gateway, echo):
    authority = Authority(tmp_path)
    chain, key = authority.issue(["DNS:old.test"], days=-1)
    port = free_port()
    file = tmp_path / "gateway.conf"
    file.write_text(with_certificates(both(chain, key), port))
    checked = run("-t", "-c", file)
    assert checked.returncode == 0
    said = re.fullmatch(re.escape(f"{file}:3:27: warning: certificate file '{chain}' holds a "
                                  "certificate that expired on ") + r"\d{4}-\d\d-\d\d: renew it\n",
                        checked.stderr)
    assert said, checked.stderr
    log = tmp_path / "the.log"
    file.write_text(file.read_text() + '[log]\nfile = "the.log"\n')
    server = subprocess.Popen([GATEWAY, "-c", file], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: log.exists() and " ready\n" in log.read_text(), "the start")
        assert f" warning main {checked.stderr}" in log.read_text()
        with connect(port, True) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: old.test\r\n\r\n")
            assert client.read_response()[1] == b"x"
    finally:
        server.terminate()
        server.wait(DEADLINE)


def test_the_check_makes_the_rings_that_a_start_would_make(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text(f'shards = 8\n[[listen]]\naddress = "127.0.0.1:{free_port()}"\n'
                    '[[route]]\n[route.answer]\nbody = "x"\n')
    few = ["prlimit", "--nofile=16:16"]
    for check in (["-t"], []):
        done = run(*check, "-c", file, limits=few)
        assert (done.returncode, done.stdout) == (1, "")
        assert "raise the limit with 'ulimit -n' or LimitNOFILE=" in done.stderr


def start_and_stop(file, limits):
    """Whether it started; if not, it said why, with a cure."""
    server = subprocess.Popen([*limits, GATEWAY, "-c", file], stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
    said = ""
    overdue = threading.Timer(DEADLINE, server.kill)
    overdue.start()
    for line in server.stderr:
        said += line
        if line.endswith(" ready\n"):
            server.terminate()
    started = " ready\n" in said
    assert server.wait() == (0 if started else 1), said
    overdue.cancel()
    assert started or "'ulimit -n' or LimitNOFILE=" in said, said
    return started


@pytest.mark.skipif(is_sanitized(), reason="the check of vptrs needs descriptors of its own")
def test_the_check_needs_as_many_descriptors_as_a_start(tmp_path):
    """Whatever it is that finds none any more, with one more each time."""
    file = tmp_path / "gateway.conf"
    file.write_text("shards = 3\n" + "".join(f'[[listen]]\naddress = "{address}"\n' for address in
                    (f"127.0.0.1:{free_port()}", f"127.0.0.2:{free_port()}", f"unix:{tmp_path}/s")) +
                    '[[route]]\n[route.answer]\nbody = "x"\n')

    def passes(count):
        done = run("-t", "-c", file, limits=["prlimit", f"--nofile={count}:{count}"])
        assert done.returncode == (0 if done.stdout else 1), done
        assert done.stdout or "'ulimit -n' or LimitNOFILE=" in done.stderr, done
        return done.returncode == 0

    counts = range(8, 40)
    enough = counts[bisect.bisect_left(counts, True, key=passes)]
    for count in range(8, enough + 1):
        assert passes(count) == (count == enough)
        started = start_and_stop(file, ["prlimit", f"--nofile={count}:{count}"])
        assert started == (count == enough), count


def test_the_check_ends_by_a_signal_while_nobody_reads_what_it_prints(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text(f'[[listen]]\naddress = "127.0.0.1:{free_port()}"\n' +
                    "".join(f'[[route]]\npath = "/{number}"\n[route.answer]\nbody = "x"\n'
                            for number in range(500)))
    reader, writer = os.pipe()
    try:
        room = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        check = subprocess.Popen([GATEWAY, "-t", "-c", file], stdin=subprocess.DEVNULL,
                                 stdout=writer)
        try:
            unread = bytearray(4)
            wait_until(lambda: not fcntl.ioctl(reader, termios.FIONREAD, unread)
                       and int.from_bytes(unread, sys.byteorder) == room, "a full pipe")
            check.terminate()
            assert check.wait(DEADLINE) == -signal.SIGTERM
        finally:
            check.kill()
            check.wait()
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("owner", ["root", ":root"])
def test_a_socket_for_others_is_refused_to_who_may_not_give_it_away(tmp_path, owner):
    tmp_path.chmod(0o777)
    file = tmp_path / "gateway.conf"
    file.write_text(f'[[listen]]\naddress = "unix:{tmp_path}/s"\nowner = "{owner}"\n'
                    '[[route]]\n[route.answer]\nbody = "x"\n')
    for check in (["-t"], []):
        done = run(*check, "-c", file, limits=as_ordinary_user())
        assert (done.returncode, done.stdout) == (1, ""), done
        assert done.stderr == (
            f"gateway: error: cannot give unix:{tmp_path}/s to the owner that the configuration "
            "names: only root may; leave 'owner' out, or name a group that the gateway's user is in\n")


@pytest.mark.parametrize("threads, purpose", [(1, "the log"), (6, "shard ")])
def test_the_check_makes_the_threads_that_a_start_would_make(tmp_path, threads, purpose):
    # Root has no such limit; a user without another process has all of it.
    limits = [*as_ordinary_user(), "prlimit", f"--nproc={threads}:{threads}"]
    if os.geteuid() != 0 and threads > 1:
        pytest.skip("how many threads this user has already is not known")
    file = tmp_path / "gateway.conf"
    file.write_text(f'shards = 8\n[[listen]]\naddress = "127.0.0.1:{free_port()}"\n'
                    '[[route]]\n[route.answer]\nbody = "x"\n')
    # The search for leaks takes a process of its own.
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    for check in (["-t"], []):
        done = run(*check, "-c", file, limits=limits, env=env)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert f"gateway: error: no thread can be made for {purpose}" in done.stderr
        assert "'ulimit -u', LimitNPROC= or TasksMax=" in done.stderr


def test_a_configuration_may_come_through_a_pipe(tmp_path):
    """Its paths are taken from the working folder, since it has none of its own."""
    chain, key = make_certificate(tmp_path, ["one.test"])
    text = with_certificates(both(chain, key))
    done = subprocess.run([GATEWAY, "-t", "-c", "/dev/stdin"], input=text, capture_output=True,
                          text=True, cwd=tmp_path, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'chain = "{chain}"' in done.stdout
