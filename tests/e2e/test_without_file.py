"""The gateway without a configuration file: --from and --to, and what they refuse."""

import re
import socket
import ssl
import subprocess

import pytest

from support.certificates import Authority, make_certificate
from support.frames import TEXT, frame, read_frame, upgrade_request
from support.gateway import FAULT, GATEWAY
from support.ports import free_port
from support.program import Program
from support.serving import Serving
from support.streams import connect
from support.upstreams import TlsUpstream, UnixUpstream
from support.waiting import DEADLINE

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def start(tmp_path):
    """start(*arguments): a gateway that is ready, stopped in order after the test."""
    started = []

    def run(*arguments):
        program = Program([GATEWAY, *arguments], tmp_path, f"gateway-{len(started)}")
        started.append(program)
        program.wait_for(lambda: re.search(r"\bready\b", program.log()), "the line 'ready'")
        return program

    yield run
    try:
        for program in started:
            program.check_running()
            assert program.stop() == 0
            assert not FAULT.search(program.log()), program.log()
    finally:
        for program in started:
            program.kill()


@pytest.fixture
def port():
    return free_port()


def refused(*arguments, folder=None):
    """The exit code, and what was said; nothing must come on stdout."""
    done = subprocess.run([GATEWAY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False, cwd=folder)
    assert done.stdout == ""
    return done.returncode, done.stderr


def size_of(done):
    return len(done.stdout)


# Ways in and out.

@pytest.mark.parametrize("to", ["127.0.0.1:{}", "localhost:{}", "http://127.0.0.1:{}",
                                "http://127.0.0.1:{}/"])
def test_http_to_a_server(start, echo, curl, port, to):
    start("--from", f"http://127.0.0.1:{port}", "--to", to.format(echo.port))
    assert size_of(curl(f"http://127.0.0.1:{port}/bytes?n=1000")) == 1000


def test_every_address_where_no_host_is_named(start, echo, curl, port):
    start("--from", f"http://:{port}", "--to", f"127.0.0.1:{echo.port}")
    assert size_of(curl(f"http://127.0.0.1:{port}/bytes?n=10")) == 10
    assert size_of(curl(f"http://127.0.0.2:{port}/bytes?n=10")) == 10


def test_a_websocket_needs_nothing_more(start, echo, port):
    start("--from", f"http://127.0.0.1:{port}", "--to", f"127.0.0.1:{echo.port}")
    with connect(port) as client:
        client.send(upgrade_request("/echo"))
        assert client.read_head().status == 101
        client.send(frame(TEXT, b"hello"))
        assert read_frame(client).payload == b"hello"


def test_https_with_a_certificate_made_at_the_start(start, echo, port):
    program = start("--from", f"https://127.0.0.1:{port}", "--to", f"127.0.0.1:{echo.port}")
    assert "self-signed" in program.log()
    with connect(port, True) as client:
        client.send(b"GET /bytes?n=5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert len(client.read_response()[1]) == 5


@pytest.mark.parametrize("apart", [True, False], ids=["two-files", "one-file"])
def test_https_with_a_certificate_from_files(start, echo, port, tmp_path, apart):
    chain, key = make_certificate(tmp_path, ["site.test"])
    arguments = ["--cert", chain, "--key", key]
    if not apart:
        both = tmp_path / "both.pem"
        both.write_text(chain.read_text() + key.read_text())
        arguments = ["--cert", both]
    program = start("--from", f"https://127.0.0.1:{port}", "--to", f"127.0.0.1:{echo.port}",
                    *arguments)
    assert "self-signed" not in program.log()
    context = ssl.create_default_context(cafile=chain)
    with connect(port, True, context=context, server_name="site.test") as client:
        client.send(b"GET /bytes?n=5 HTTP/1.1\r\nHost: site.test\r\n\r\n")
        assert len(client.read_response()[1]) == 5


@pytest.mark.parametrize("scheme", ["unix:", "http+unix:"])
def test_from_a_unix_socket(start, echo, curl, tmp_path, scheme):
    path = tmp_path / "in.sock"
    start("--from", f"{scheme}{path}", "--to", f"127.0.0.1:{echo.port}")
    assert size_of(curl("--unix-socket", path, "http://x.test/bytes?n=10")) == 10


def test_to_a_unix_socket(start, port, tmp_path):
    upstream = UnixUpstream(tmp_path / "app.sock")
    start("--from", f"http://127.0.0.1:{port}", "--to", f"unix:{upstream.path}")
    with connect(port) as client:
        client.send(b"GET /there HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server = Serving(upstream)
        request = server.read_request()
        assert request.target == "/there"
        server.answer(request, FINE)
        assert client.read_response()[1] == b"ok"
    upstream.close()


def test_many_ways_in_and_servers_in_turn(start, start_echo, curl, tmp_path):
    backends = [start_echo(), start_echo()]
    plain, secure, path = free_port(), free_port(), tmp_path / "in.sock"
    program = start("--from", f"http://127.0.0.1:{plain}", "--from", f"https://127.0.0.1:{secure}",
                    "--from", f"unix:{path}", "--to", f"127.0.0.1:{backends[0].port}",
                    "--to", f"127.0.0.1:{backends[1].port}", "--shards", "1")
    for arguments in ([f"http://127.0.0.1:{plain}/bytes?n=3"],
                      [f"https://127.0.0.1:{secure}/bytes?n=3"],
                      ["--unix-socket", path, "http://x.test/bytes?n=3"]):
        for _ in range(2):
            assert size_of(curl(*arguments)) == 3
    program.wait_for(lambda: program.log().count("status=200") == 6, "six lines of requests")
    for backend in backends:
        assert program.log().count(f"upstream=127.0.0.1:{backend.port} ") == 3


def test_a_server_of_https_must_be_from_a_ca_of_the_system(start, port, tmp_path):
    authority = Authority(tmp_path)
    upstream = TlsUpstream(*authority.issue(["DNS:localhost"]))
    program = start("--from", f"http://127.0.0.1:{port}", "--to",
                    f"https://localhost:{upstream.port}")
    with connect(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        with pytest.raises(ssl.SSLError):
            upstream.accept().read_head()
        assert client.read_response()[0].status == 502
    assert upstream.asked_for == ["localhost"]
    program.wait_for(lambda: "end=upstream-unreachable" in program.log(), "the cause")
    upstream.close()


def test_the_check_prints_what_would_be_served(port):
    done = subprocess.run([GATEWAY, "-t", "--from", f"http://127.0.0.1:{port}", "--to",
                           "127.0.0.1:9001", "--to", "127.0.0.1:9002"], capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'address = "127.0.0.1:{port}"' in done.stdout
    assert 'servers = ["127.0.0.1:9001", "127.0.0.1:9002"]' in done.stdout


# What is refused: what was asked for, the exit code, and words of what is said.

FROM, TO = ["--from", "http://127.0.0.1:18080"], ["--to", "127.0.0.1:9001"]
USAGE = {
    "from-alone": (FROM, ["--from needs --to"]),
    "to-alone": (TO, ["--to needs --from"]),
    "with-a-file": ([*FROM, *TO, "-c", "gateway.conf"], ["not both"]),
    "certificate-without-from": (["--cert", "site.pem"], ["--cert", "--from"]),
    "key-without-from": (["--key", "site.key"], ["--key", "--from"]),
    "from-without-a-value": ([*TO, "--from"], ["--from"]),
}
BAD = {
    "from-without-a-scheme": (["--from", "127.0.0.1:18080", *TO], ["--from", "http://"]),
    "from-with-another-scheme": (["--from", "ws://127.0.0.1:18080", *TO], ["--from", "http://"]),
    "from-with-a-path": (["--from", "http://127.0.0.1:18080/app", *TO], ["--from", "/app"]),
    "from-with-a-bad-port": (["--from", "http://127.0.0.1:99999", *TO], ["--from", "99999"]),
    "from-with-a-name": (["--from", "http://nobody.invalid:18080", *TO], ["--from", "nobody"]),
    "from-twice": ([*FROM, *FROM, *TO], ["--from", "127.0.0.1:18080"]),
    "to-without-a-port": ([*FROM, "--to", "127.0.0.1"], ["--to", "port"]),
    "to-with-a-path": ([*FROM, "--to", "http://127.0.0.1:9001/app"], ["--to", "/app"]),
    "to-with-another-scheme": ([*FROM, "--to", "ftp://127.0.0.1:9001"], ["--to", "ftp://"]),
    "to-nobody": ([*FROM, "--to", "nobody.invalid:9001"], ["--to", "nobody.invalid"]),
    "to-twice": ([*FROM, *TO, *TO], ["--to", "twice"]),
    "to-both-kinds": ([*FROM, *TO, "--to", "https://127.0.0.1:9002"], ["--to", "https://"]),
    "certificate-without-https": ([*FROM, *TO, "--cert", "site.pem"], ["--cert", "https"]),
    "key-alone": (["--from", "https://127.0.0.1:18443", *TO, "--key", "site.key"],
                  ["--key", "--cert"]),
    "no-such-certificate": (["--from", "https://127.0.0.1:18443", *TO, "--cert", "none.pem"],
                            ["--cert", "none.pem"]),
}


@pytest.mark.parametrize("check", [[], ["-t"]], ids=["start", "check"])
@pytest.mark.parametrize("name", USAGE)
def test_options_that_do_not_go_together(name, check, tmp_path):
    arguments, words = USAGE[name]
    code, said = refused(*check, *arguments, folder=tmp_path)
    assert code == 2
    assert all(word in said for word in words), said


@pytest.mark.parametrize("check", [[], ["-t"]], ids=["start", "check"])
@pytest.mark.parametrize("name", BAD)
def test_values_that_mean_nothing(name, check, tmp_path):
    arguments, words = BAD[name]
    code, said = refused(*check, *arguments, folder=tmp_path)
    assert code == 1
    assert all(word in said for word in words), said


def test_all_that_is_wrong_is_told_at_once():
    code, said = refused("--from", "ws://127.0.0.1:18080", "--to", "127.0.0.1", "--key", "site.key")
    assert code == 1
    assert [line.split(":")[0] for line in said.splitlines()] == ["--from", "--key", "--to"]


@pytest.mark.parametrize("kind", ["other", "garbage"])
def test_a_key_that_does_not_fit_is_refused(port, tmp_path, kind):
    chain, _ = make_certificate(tmp_path, ["one.test"])
    _, key = make_certificate(tmp_path, ["two.test"])
    if kind == "garbage":
        key.write_text("no key at all")
    code, said = refused("--from", f"https://127.0.0.1:{port}", *TO, "--cert", chain, "--key", key)
    assert code == 1
    assert key.name in said or chain.name in said


def test_an_address_in_use_is_named(port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        code, said = refused("--from", f"http://127.0.0.1:{port}", *TO)
    assert code == 1
    assert f"127.0.0.1:{port}" in said and "in use" in said


def test_a_watched_certificate_is_renewed(start, echo, port, tmp_path):
    folder = tmp_path / "live"
    folder.mkdir()
    chain, key = make_certificate(folder, ["a.test"])
    gateway = start("--watch", "--from", f"https://127.0.0.1:{port}", "--to", f"127.0.0.1:{echo.port}",
                    "--cert", "live/" + chain.name, "--key", "live/" + key.name)
    gateway.wait_for(lambda: "watch: 2 files in 1 folder" in gateway.log(), "what it watches")
    (tmp_path / "renewed").mkdir()
    chain, _ = make_certificate(tmp_path / "renewed", ["a.test"])
    folder.rename(tmp_path / "old")
    (tmp_path / "renewed").rename(folder)
    renewed = (folder / chain.name).read_text().strip()
    gateway.wait_for(lambda: ssl.get_server_certificate(("127.0.0.1", port)).strip() == renewed,
                     "the new certificate")
