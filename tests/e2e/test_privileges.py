"""Started as root it becomes the user of its configuration, and keeps little."""

import os
import pwd
import re
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from support.certificates import make_certificate
from support.checking import both, run
from support.gateway import Config, Variant
from support.ports import free_port
from support.streams import connect
from support.waiting import wait_until

NOBODY = pwd.getpwnam("nobody")
CAP_NET_BIND_SERVICE = 1 << 10

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")


@pytest.fixture
def folder():
    """One that others may enter, as pytest's own are not; it belongs to `nobody`."""
    path = Path(tempfile.mkdtemp(prefix="gateway-"))
    path.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    yield path
    shutil.rmtree(path)


def status_of_threads(gateway):
    """{name of the thread's number: {key: words}}; the main thread comes first."""
    found = {}
    for task in sorted(Path(f"/proc/{gateway.pid}/task").iterdir(), key=lambda one: int(one.name)):
        lines = (task / "status").read_text().splitlines()
        found[int(task.name)] = {line.split(":")[0]: line.split(":")[1].split() for line in lines}
    return found


def as_nobody(echo, **options):
    return Config({"app": echo.port}, [{"pool": "app"}], top={"user": "nobody"}, **options)


def capabilities(status, key):
    return int(status[key][0], 16)


@as_root
def test_every_thread_is_the_user_and_only_the_main_one_may_open_ports(start_gateway, echo):
    gateway = start_gateway(as_nobody(echo), Variant(2))
    threads = status_of_threads(gateway)
    assert len(threads) >= 4, "main, log and two shards"
    for number, status in threads.items():
        assert set(status["Uid"]) == {str(NOBODY.pw_uid)}
        assert set(status["Gid"]) == {str(NOBODY.pw_gid)}
        assert set(map(int, status["Groups"])) == set(os.getgrouplist("nobody", NOBODY.pw_gid))
        kept = CAP_NET_BIND_SERVICE if number == gateway.pid else 0
        for key in ("CapEff", "CapPrm"):
            assert capabilities(status, key) == kept, (number, key)
        assert capabilities(status, "CapInh") == capabilities(status, "CapAmb") == 0
        assert status["NoNewPrivs"] == ["1"]
        assert status["Seccomp"] == ["2"]
    with connect(gateway.https_port, True) as client:
        client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: x.test\r\n\r\n")
        assert client.read_response()[0].status == 200


@as_root
def test_a_group_of_its_own(start_gateway, echo):
    config = as_nobody(echo)
    config.top["group"] = "daemon"
    gateway = start_gateway(config)
    for status in status_of_threads(gateway).values():
        assert set(status["Gid"]) == {"1"}


def test_who_has_no_user_to_become_stays_and_executes_nothing_all_the_same(start_gateway, echo):
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}]))
    for status in status_of_threads(gateway).values():
        assert set(status["Uid"]) == {str(os.geteuid())}
        assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])


def test_the_filter_can_be_left_out(start_gateway, echo):
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}], top={"seccomp": "off"}))
    for status in status_of_threads(gateway).values():
        assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["0"])


@as_root
def test_the_log_is_the_users_from_the_start(start_gateway, echo, folder):
    log = folder / "gateway.log"
    gateway = start_gateway(as_nobody(echo, log_file=str(log)))
    assert log.stat().st_uid == NOBODY.pw_uid
    log.rename(folder / "gateway.log.1")
    gateway.process.send_signal(signal.SIGUSR1)
    wait_until(log.exists, "the log to be made anew, by the user")
    assert log.stat().st_uid == NOBODY.pw_uid


@as_root
@pytest.mark.parametrize("owner, expected", [
    (None, (NOBODY.pw_uid, NOBODY.pw_gid)), ("daemon", (1, NOBODY.pw_gid)), ("root:daemon", (0, 1)),
])
def test_a_unix_sockets_file_is_whose_the_configuration_says(start_gateway, echo, folder, owner,
                                                             expected):
    path = folder / "s"
    listener = {"address": f"unix:{path}", "mode": "0660"} | ({"owner": owner} if owner else {})
    gateway = start_gateway(as_nobody(echo, listeners=[listener]))
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (*expected, 0o660)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    gateway.finish()
    assert not path.exists(), "the folder is the user's"


def reload(gateway, log, text):
    Path(gateway.command[gateway.command.index("-c") + 1]).write_text(text)
    gateway.process.send_signal(signal.SIGHUP)
    return log.wait("main reload: ")


@as_root
def test_a_reload_opens_a_privileged_port_and_leaves_the_user(start_gateway, echo, folder, log_of):
    config = as_nobody(echo, listeners=[{"address": f"unix:{folder}/s", "owner": "root:daemon"}])
    gateway = start_gateway(config)
    file = Path(gateway.command[gateway.command.index("-c") + 1])
    for one in (*file.parents[:-2], file):
        one.chmod(0o755)
    port = next(one for one in range(1023 - os.getpid() % 200, 600, -1) if is_free(one))
    config.listeners.append({"address": f"127.0.0.1:{port}"})
    config.top["user"] = "daemon"
    line = reload(gateway, log_of(gateway), config.text())
    assert "user stays as it is until a restart" in line, "it comes first"
    log_of(gateway)
    gateway.wait_for(lambda: f"listener 127.0.0.1:{port} added" in gateway.log(), "the new listener")
    with connect(port) as client:
        client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: x.test\r\n\r\n")
        assert client.read_response()[0].status == 200
    assert (folder / "s").stat().st_uid == 0


def is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


# What the check says, and the start.

def refusal(folder, text):
    file = folder / "gateway.conf"
    file.write_text(text)
    said = [run(*check, "-c", file) for check in (["-t"], [])]
    for done in said:
        assert (done.returncode, done.stdout) == (1, ""), done
    assert said[0].stderr == said[1].stderr
    return said[0].stderr.replace(f"{folder}/", "")


TOP = 'user = "nobody"\n[[listen]]\naddress = "127.0.0.1:18443"\n'
ROUTE = '[[route]]\n[route.answer]\nbody = "x"\n'


@as_root
def test_a_key_that_the_user_cannot_read_is_named(folder):
    chain, key = make_certificate(folder, ["one.test"])
    os.chmod(chain, 0o644)
    os.chmod(key, 0o600)
    os.chown(key, 0, 0)
    said = refusal(folder, f"{TOP}certificates = {both(chain, key)}\n{ROUTE}")
    assert re.fullmatch(r"gateway\.conf:4:\d+: error: certificate file '" + Path(key).name +
                        r"' cannot be read: Permission denied; let the user 'nobody' read it\n",
                        said)


@as_root
def test_a_ca_that_the_user_cannot_read_is_named(folder):
    chain, _ = make_certificate(folder, ["one.test"])
    os.chmod(chain, 0o600)
    os.chown(chain, 0, 0)
    said = refusal(folder, f'{TOP}[pool.app]\nservers = "127.0.0.1:1"\n[pool.app.tls]\n'
                           f'ca = "{Path(chain).name}"\n[[route]]\npool = "app"\n')
    assert f"error: CA file '{Path(chain).name}' cannot be read: Permission denied; let the user " \
           "'nobody' read it\n" in said


@as_root
def test_a_log_that_the_user_cannot_write_is_named(folder):
    (folder / "closed").mkdir(mode=0o755)
    said = refusal(folder, f'{TOP}{ROUTE}[log]\nfile = "closed/log"\n')
    assert said == ("gateway.conf:8:8: error: log file 'closed/log' cannot be written: Permission "
                    "denied; let the gateway's user write there\n")


@as_root
def test_one_address_of_a_port_follows_another(start_gateway, echo, log_of):
    """The sockets of the start were opened by root, and those of the reload are by the user."""
    port = free_port()
    config = as_nobody(echo, listeners=[{"address": f"0.0.0.0:{port}"}])
    gateway = start_gateway(config)
    for one in (*gateway.file.parents[:-2], gateway.file):
        one.chmod(0o755)
    for number, address in ((2, f"127.0.0.1:{port}"), (3, f"0.0.0.0:{port}")):
        config.listeners = [{"address": address}]
        assert f"generation {number}: " in reload(gateway, log_of(gateway), config.text())
        with connect(port) as client:
            client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: x.test\r\n\r\n")
            assert client.read_response()[0].status == 200


@as_root
def test_a_configuration_that_the_user_cannot_read_again_is_a_warning(folder):
    file = folder / "gateway.conf"
    file.write_text(f"{TOP}{ROUTE}")
    os.chmod(file, 0o600)
    done = run("-t", "-c", file)
    assert done.returncode == 0, done
    assert done.stderr == (f"{file}: warning: the user 'nobody' cannot read this file, so it could "
                           "not be reloaded: Permission denied\n")
    os.chmod(file, 0o644)
    assert run("-t", "-c", file).stderr == ""


@as_root
def test_only_root_can_become_another(folder):
    file = folder / "gateway.conf"
    file.write_text(f"{TOP}{ROUTE}")
    daemon = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups"]
    nobody = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
    for check in (["-t"], []):
        done = run(*check, "-c", file, limits=daemon)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"{file}:1:8: error: only root can become the user 'nobody': start the gateway as root, "
            "or as that user, or leave 'user' out\n")
    done = run("-t", "-c", file, limits=nobody)
    assert (done.returncode, done.stderr) == (0, ""), "it is that user already"
    assert 'user = "nobody"\ngroup = "nogroup"\nseccomp = "on"\n' in done.stdout
