"""[log] tls_keys: the gateway's secrets are those that its clients and servers know."""

import os
import pwd
import re
import shutil
import signal
import ssl
import stat
import tempfile
from pathlib import Path

import pytest

from support.certificates import Authority
from support.checking import run
from support.gateway import Config, Variant
from support.reloading import Reloading, ask, saying
from support.serving import Serving
from support.streams import client_context, connect
from support.upstreams import TlsUpstream
from support.waiting import wait_until

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
every_version = pytest.mark.parametrize("version", VERSIONS)
LABELS = {"1.2": {"CLIENT_RANDOM"},
          "1.3": {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                  "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"}}
WARNING = "the secrets of all TLS connections are written to"
LINE = re.compile(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,128}")


def secrets_in(path):
    """All lines but comments, which each are whole."""
    if not path.exists():
        return []
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines), lines
    return lines


def agree(ours, theirs, version, handshakes):
    """What the gateway's log thread writes comes soon."""
    wanted = handshakes * len(LABELS[version])
    wait_until(lambda: len(secrets_in(ours)) >= wanted, lambda: f"{wanted} of {secrets_in(ours)}")
    assert sorted(secrets_in(ours)) == sorted(secrets_in(theirs))
    assert len(secrets_in(ours)) == wanted
    assert {line.split()[0] for line in secrets_in(ours)} == LABELS[version]


def logging_context(version, file):
    context = client_context(VERSIONS[version], VERSIONS[version])
    context.keylog_filename = str(file)
    return context


def fetch(port, context, session=None):
    with connect(port, True, context=context, session=session) as client:
        assert ask(client) == (200, "x")
        return client.tls.session, client.tls.session_reused


def logging_to(file, **others):
    return Config({}, [saying("x")], log={"tls_keys": str(file)}, **others)


@every_version
@pytest.mark.parametrize("shards", [1, 2])
def test_the_secrets_are_those_of_clients(start_gateway, tmp_path, version, shards):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    gateway = start_gateway(logging_to(ours), Variant(shards))
    context = logging_context(version, theirs)
    for _ in range(6):
        fetch(gateway.https_port, context)
    agree(ours, theirs, version, 6)
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600
    assert ours.stat().st_uid == os.geteuid()


@every_version
def test_sessions_that_are_resumed_have_theirs(start_gateway, tmp_path, version):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    gateway = start_gateway(logging_to(ours))
    context = logging_context(version, theirs)
    session, _ = fetch(gateway.https_port, context)
    _, is_resumed = fetch(gateway.https_port, context, session)
    assert is_resumed
    agree(ours, theirs, version, 2)


@every_version
def test_the_secrets_are_those_of_servers(start_gateway, tmp_path, version):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    authority = Authority(tmp_path)
    server = TlsUpstream(*authority.issue(["DNS:localhost"]), version=VERSIONS[version])
    server.context.keylog_filename = str(theirs)
    pool = {"servers": f"localhost:{server.port}", "keep_alive_idle": "off",
            "tls": {"ca": str(authority.path)}}
    gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}], log={"tls_keys": str(ours)}),
                            Variant(1))
    serving = Serving(server)
    with connect(gateway.http_port) as client:
        for _ in range(3):  # the later ones are resumed
            client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
            request = serving.read_request()
            serving.answer(request)
            assert client.read_response()[0].status == 200
    agree(ours, theirs, version, 3)
    server.close()


def test_it_is_off_unless_it_is_asked_for(start_gateway, tmp_path):
    gateway = start_gateway(Config({}, [saying("x")]))
    fetch(gateway.https_port, client_context())
    assert 'tls_keys = "off"' in run("-t", "-c", gateway.file).stdout
    assert WARNING not in gateway.log_file.read_text()


def test_a_reload_turns_it_on_and_off(start_gateway, tmp_path, log_of):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    gateway = start_gateway(Config({}, [saying("x")]), Variant(2))
    log = log_of(gateway)
    reload = Reloading(gateway, log)
    fetch(gateway.https_port, client_context())
    gateway.config.log = {"tls_keys": str(ours)}
    assert "log.tls_keys changed" in reload()
    log.wait("warning", WARNING)
    context = logging_context("1.3", theirs)
    fetch(gateway.https_port, context)
    agree(ours, theirs, "1.3", 1)
    assert reload() == "no change"
    log.wait_many(2, "warning", WARNING)
    gateway.config.log = {}
    assert "log.tls_keys changed" in reload()
    fetch(gateway.https_port, context)
    # What would be written is written before the end.
    gateway.finish()
    assert len(secrets_in(ours)) == len(LABELS["1.3"]) < len(secrets_in(theirs))


def test_a_signal_opens_it_again(start_gateway, tmp_path, log_of):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    gateway = start_gateway(logging_to(ours))
    assert WARNING in gateway.log_file.read_text()
    context = logging_context("1.3", theirs)
    fetch(gateway.https_port, context)
    agree(ours, theirs, "1.3", 1)
    moved = ours.rename(tmp_path / "moved")
    gateway.process.send_signal(signal.SIGUSR1)
    wait_until(ours.exists, "a new file")
    fetch(gateway.https_port, context)
    wait_until(lambda: len(secrets_in(ours)) == len(LABELS["1.3"]), "secrets in the new file")
    assert sorted(secrets_in(moved) + secrets_in(ours)) == sorted(secrets_in(theirs))
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600


def test_a_file_that_others_may_read_is_refused(refused, tmp_path):
    config = logging_to(tmp_path / "keys")
    (tmp_path / "keys").touch(0o644)
    (tmp_path / "keys").chmod(0o640)
    told = refused(config.text())
    assert re.search(r"gateway.conf:\d+:\d+: error: key log file 'keys' is open to others: remove it, "
                     r"or 'chmod 600' it", told), told
    (tmp_path / "keys").unlink()
    os.mkfifo(tmp_path / "keys", 0o600)
    assert "key log file 'keys' is no regular file" in refused(config.text())
    (tmp_path / "keys").unlink()
    config.log = {"tls_keys": str(tmp_path / "nowhere" / "keys")}
    assert "there is no folder 'nowhere'" in refused(config.text())


def test_the_check_warns_and_writes_nothing(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text(logging_to(tmp_path / "keys").text())
    done = run("-t", "-c", file)
    assert done.returncode == 0 and WARNING in done.stdout + done.stderr, done
    assert f'tls_keys = "{tmp_path / "keys"}"' in done.stdout
    assert not (tmp_path / "keys").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_it_is_the_users_whom_the_gateway_becomes(start_gateway):
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="gateway-"))
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    try:
        ours = folder / "keys"
        gateway = start_gateway(logging_to(ours, top={"user": "nobody"}))
        assert (ours.stat().st_uid, stat.S_IMODE(ours.stat().st_mode)) == (nobody.pw_uid, 0o600)
        ours.unlink()
        gateway.process.send_signal(signal.SIGUSR1)
        wait_until(ours.exists, "a new file")
        fetch(gateway.https_port, client_context())
        wait_until(lambda: secrets_in(ours), "secrets")
        assert ours.stat().st_uid == nobody.pw_uid
        gateway.finish()
    finally:
        shutil.rmtree(folder)


def test_nothing_of_it_is_in_the_log(start_gateway, tmp_path):
    ours = tmp_path / "ours"
    gateway = start_gateway(logging_to(ours))
    fetch(gateway.https_port, client_context())
    wait_until(lambda: secrets_in(ours), "secrets")
    gateway.finish()
    text = gateway.log_file.read_text()
    assert not any(line.split()[2] in text for line in secrets_in(ours))
    assert "TRAFFIC_SECRET" not in text
