"""gateway -t: it refuses what a start refuses, in the same words, and touches nothing."""

import base64
import bisect
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from support.certificates import Authority, make_certificate
from support.gateway import GATEWAY, is_sanitized
from support.ports import free_port
from support.streams import connect
from support.waiting import DEADLINE, wait_until

KINDS = "ECDSA with P-256, P-384 or P-521, RSA of 2048 to 4096 bits, and Ed25519 will do"
FROM_FOLDER = "its path is taken from the folder of the configuration file"


def run(*arguments, limits=(), env=None):
    return subprocess.run([*limits, GATEWAY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False, stdin=subprocess.DEVNULL, env=env)


def as_ordinary_user():
    """What makes of root somebody without another process, who may read and write all the same."""
    if os.geteuid() != 0:
        return []
    user = 20000 + os.getpid() % 40000
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
            "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


@pytest.fixture
def refused(tmp_path):
    """What the check and the start say of it, which is the same: without the folder's name."""
    def judge(text):
        file = tmp_path / "gateway.conf"
        file.write_text(text)
        done = {check: run(*check, "-c", file) for check in (("-t",), ())}
        for one in done.values():
            assert (one.returncode, one.stdout) == (1, ""), one
        assert done["-t",].stderr == done[()].stderr
        return done[()].stderr.replace(f"{tmp_path}/", "")
    return judge


# Files. Each maker writes them into a folder, and gives the value of `certificates`.

def both(chain, key):
    return f'[{{ chain = "{Path(chain).name}", key = "{Path(key).name}" }}]'


def spoil(file):
    """Its DER begins with nonsense."""
    lines = file.read_text().splitlines()
    lines[1] = "A" * len(lines[1])
    file.write_text("\n".join(lines) + "\n")


def to_der(file):
    text = re.sub("-----.*?-----", "", file.read_text())
    file.write_bytes(base64.b64decode(text))


def another_certificates_key(folder):
    chain, _ = make_certificate(folder, ["one.test"])
    _, key = make_certificate(folder, ["two.test"])
    return both(chain, key)


def key_of_another_kind(folder):
    chain, _ = make_certificate(folder, ["one.test"])
    _, key = make_certificate(folder, ["one.test"], "rsa")
    return both(chain, key)


def changed(which, change):
    def make(folder):
        pair = make_certificate(folder, ["one.test"])
        change(pair[which])
        return both(*pair)
    return make


def cut_off(file):
    text = file.read_text()
    file.write_text(text[:len(text) // 2])


def encrypt(file):
    text = subprocess.run(["openssl", "pkey", "-in", file, "-aes128", "-passout", "pass:x"],
                          check=True, capture_output=True).stdout
    file.write_bytes(text)


def to_pkcs12(folder):
    chain, key = make_certificate(folder, ["one.test"])
    subprocess.run(["openssl", "pkcs12", "-export", "-in", chain, "-inkey", key, "-passout",
                    "pass:", "-out", folder / "one.p12"], check=True, capture_output=True)
    return '["one.p12"]'


def issuer_first(folder):
    authority = Authority(folder)
    chain, key = authority.issue(["DNS:one.test"])
    (folder / "chain.pem").write_text(authority.path.read_text() + chain.read_text())
    key.rename(folder / "chain.key")
    return both("chain.pem", "chain.key")


def own_certificate(folder, *options):
    """Of another kind than most: what `openssl req` makes with these options."""
    chain, key = folder / "one.test-ecdsa.pem", folder / "one.test-ecdsa.key"
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=one.test",
                    "-keyout", key, "-out", chain, *options], check=True, capture_output=True)
    return both(chain, key)


def compress(file):
    subprocess.run(["openssl", "ec", "-in", file, "-conv_form", "compressed", "-out", file],
                   check=True, capture_output=True)


def another_key_first(folder):
    chain, key = make_certificate(folder, ["one.test"])
    _, other = make_certificate(folder, ["two.test"])
    key.write_text(other.read_text() + key.read_text())
    return both(chain, key)


def too_large(file):
    file.write_text(file.read_text() + "\n" * (1 << 20))


def special(make):
    def replace(file):
        file.unlink()
        make(file)
    return replace


def open_socket(file):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(file))


CHAIN = "3:27: error: certificate file 'one.test-ecdsa.pem' "
KEY = "3:55: error: certificate file 'one.test-ecdsa.key' "
BAD_FILES = {
    "another-certificates-key": (another_certificates_key,
        "3:55: error: certificate file 'two.test-ecdsa.key' holds a key that does not belong to "
        "the certificate in 'one.test-ecdsa.pem', which is for one.test: name the key that it was "
        "made with"),
    "key-of-another-kind": (key_of_another_kind,
        "3:55: error: certificate file 'one.test-rsa.key' holds a key that does not belong to the "
        "certificate in 'one.test-ecdsa.pem', which is for one.test: name the key that it was made "
        "with"),
    "issuer-first": (issuer_first,
        "3:46: error: certificate file 'chain.key' holds a key that does not belong to the "
        "certificate in 'chain.pem', which is for ca: it belongs to number 2 there, and the "
        "server's own has to stand first"),
    "damaged-certificate": (changed(0, spoil),
        CHAIN + "holds a certificate that is damaged (ASN parsing error, invalid input): copy it "
        "anew"),
    "damaged-key": (changed(1, spoil),
        KEY + f"holds a private key that is damaged, or of a kind that is not supported: {KINDS}"),
    "rsa-pss": (lambda folder: own_certificate(folder, "-newkey", "rsa-pss", "-pkeyopt",
                                               "rsa_keygen_bits:2048"),
        CHAIN + "holds a certificate that is of a kind that is not supported (a key for RSA-PSS "
        f"alone): {KINDS}"),
    "critical-extension": (lambda folder: own_certificate(folder, "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-addext", "1.2.3.4=critical,ASN1:NULL"),
        CHAIN + "holds a certificate that has a critical extension that is not supported: have one "
        "issued without it"),
    "compressed-key": (changed(1, compress),
        KEY + "holds a private key with its public point compressed: 'openssl ec -in FILE "
        "-conv_form uncompressed' converts it"),
    "another-key-first": (another_key_first,
        KEY + "holds a key that does not belong to the certificate in 'one.test-ecdsa.pem', which "
        "is for one.test: a later one in it does, and has to stand first"),
    "certificate-cut-off": (changed(0, cut_off),
        CHAIN + "is cut off: a certificate in it has no END line; copy it anew"),
    "key-cut-off": (changed(1, cut_off),
        KEY + "is cut off: a private key in it has no END line; copy it anew"),
    "encrypted-key": (changed(1, encrypt),
        KEY + "holds a key that is encrypted; store it decrypted, readable by the gateway alone: "
        "'openssl pkey -in FILE' decrypts it"),
    "certificate-in-binary": (changed(0, to_der),
        CHAIN + "is in binary form (DER), not PEM: 'openssl x509 -inform der -in FILE' converts it"),
    "key-in-binary": (changed(1, to_der),
        KEY + "is in binary form (DER), not PEM: 'openssl pkey -inform der -in FILE' converts it"),
    "pkcs12": (to_pkcs12,
        "3:17: error: certificate file 'one.p12' is PKCS #12, not PEM: 'openssl pkcs12 -nodes -in "
        "FILE' converts it"),
    "empty-certificate": (changed(0, lambda file: file.write_text("")),
        CHAIN + "is empty: write it anew, in PEM form"),
    "empty-key": (changed(1, lambda file: file.write_text("")),
        KEY + "is empty: write it anew, in PEM form"),
    "something-else": (changed(0, lambda file: file.write_text("hello\n")),
        CHAIN + "holds no certificate in PEM form; name the file that has the certificate"),
    "two-certificates": (lambda folder: both(*[make_certificate(folder, ["one.test"])[0]] * 2),
        "3:55: error: certificate file 'one.test-ecdsa.pem' holds no private key, only "
        "CERTIFICATE; put the key into it, or name another file with { chain = \"...\", key = "
        "\"...\" }"),
    "folder": (changed(0, special(Path.mkdir)), CHAIN + "is a folder; name a PEM file"),
    "fifo": (changed(0, special(os.mkfifo)),
        CHAIN + "is a FIFO that nobody writes to; name a PEM file"),
    "socket": (changed(1, special(open_socket)),
        KEY + "is a socket, or a device that is not there; name a PEM file"),
    "too-large": (changed(0, too_large), CHAIN + "is larger than 1MiB; name a PEM file"),
    "absent": (changed(1, Path.unlink),
        KEY + f"does not exist; {FROM_FOLDER} (certificates = \"self-signed\" makes one for "
        "development)"),
}


def with_certificates(value, port=18443):
    return (f'[[listen]]\naddress = "127.0.0.1:{port}"\ncertificates = {value}\n'
            '[[route]]\n[route.answer]\nbody = "x"\n')


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_certificate_is_told_with_its_place_and_a_cure(refused, tmp_path, kind):
    make, said = BAD_FILES[kind]
    assert refused(with_certificates(make(tmp_path))) == f"gateway.conf:{said}\n"


def test_a_file_of_another_user_is_told(tmp_path):
    chain, key = make_certificate(tmp_path, ["one.test"])
    key.chmod(0)
    if os.access(key, os.R_OK):
        pytest.skip("this user may read everything")
    file = tmp_path / "gateway.conf"
    file.write_text(with_certificates(both(chain, key)))
    for check in (["-t"], []):
        done = run(*check, "-c", file)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"{file}:3:55: error: certificate file '{key}' cannot be read: Permission denied; let "
            "the user that runs the gateway read it\n")


def test_all_bad_files_are_told_at_once(refused, tmp_path):
    chain, key = make_certificate(tmp_path, ["one.test"])
    spoil(chain)
    encrypt(key)
    (tmp_path / "ca.pem").write_text("")
    said = refused(with_certificates(both(chain, key)) +
                   '[pool.app]\nservers = ["127.0.0.1:1"]\n[pool.app.tls]\nca = "ca.pem"\n')
    assert [line.split(" ")[0] for line in said.splitlines()] == [
        "gateway.conf:3:27:", "gateway.conf:3:55:", "gateway.conf:10:6:"]


# Authorities.

def leaf_as_ca(folder):
    Authority(folder).issue(["DNS:one.test"])[0].rename(folder / "the.pem")


def old_ca(folder):
    authority = Authority(folder)
    authority.issue(["DNS:old.test"], days=-1)[0].rename(folder / "the.pem")


def ca_on_another_curve(folder):
    own_certificate(folder, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    (folder / "one.test-ecdsa.pem").rename(folder / "the.pem")


def changed_ca(change):
    def make(folder):
        Authority(folder, "the")
        change(folder / "the.pem")
    return make


BAD_AUTHORITIES = {
    "damaged": (changed_ca(spoil),
                "holds a certificate that is damaged (ASN parsing error, invalid input): copy it "
                "anew"),
    "cut-off": (changed_ca(cut_off),
                "is cut off: a certificate in it has no END line; copy it anew"),
    "in-binary": (changed_ca(to_der), "is in binary form (DER), not PEM: 'openssl x509 -inform der "
                  "-in FILE' converts it"),
    "on-another-curve": (ca_on_another_curve, "holds a certificate that is of a kind that is not "
                         f"supported (another curve, or a compressed point): {KINDS}"),
    "a-servers-own": (leaf_as_ca, "holds a certificate that is no CA's: name that of the CA that "
                      "signed it"),
    "empty": (changed_ca(lambda file: file.write_text("")), "is empty: write it anew, in PEM form"),
    "folder": (changed_ca(special(Path.mkdir)), "is a folder; name a PEM file"),
    "fifo": (changed_ca(special(os.mkfifo)),
             "is a FIFO that nobody writes to; name a PEM file"),
    "absent": (changed_ca(Path.unlink), f"does not exist; {FROM_FOLDER}"),
}


@pytest.mark.parametrize("kind", BAD_AUTHORITIES)
def test_a_bad_authority_is_told_with_its_place_and_a_cure(refused, tmp_path, kind):
    make, said = BAD_AUTHORITIES[kind]
    make(tmp_path)
    assert refused('[[listen]]\naddress = "127.0.0.1:18080"\n[pool.app]\n'
                   'servers = ["127.0.0.1:1"]\n[pool.app.tls]\nca = "the.pem"\n'
                   '[[route]]\npool = "app"\n') == f"gateway.conf:6:6: error: CA file 'the.pem' {said}\n"


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
