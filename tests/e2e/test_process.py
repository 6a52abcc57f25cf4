"""The process: its command line, what it refuses to start with, its log, how it stops."""

import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import ALL, GATEWAY, HAS_CUT, Config
from support.relay import open_echo, open_relay
from support.streams import Upstream, connect
from support.waiting import DEADLINE, wait_until


def run_gateway(*arguments, folder=None):
    return subprocess.run([GATEWAY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False, cwd=folder)


def simple_config(port=1):
    return Config({"app": port}, [{"pool": "app"}])


@pytest.fixture
def config_file(tmp_path):
    def write(text):
        file = tmp_path / "gateway.conf"
        file.write_text(text)
        return file
    return write


def test_version_names_the_libraries():
    done = run_gateway("--version")
    assert done.returncode == 0
    assert re.search(r"gateway \d+\.\d+", done.stdout)
    assert re.search(r"wolfSSL \d+\.\d+\.\d+", done.stdout)
    assert re.search(r"liburing \d+\.\d+", done.stdout)
    assert re.search(r"records sealed by: (libipsec-mb \d+\.\d+\.\d+|wolfCrypt)\n", done.stdout)


def test_help_names_the_options():
    done = run_gateway("--help")
    assert done.returncode == 0
    for option in ("--config", "--test", "--version"):
        assert option in done.stdout


@pytest.mark.parametrize("arguments", [["-t"], ["--version"], ["--help"]],
                         ids=["check", "version", "help"])
def test_what_cannot_be_printed_is_an_error(config_file, arguments):
    file = config_file(simple_config().text())
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([GATEWAY, *arguments, "-c", file], stdout=full, timeout=DEADLINE,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("gateway: error: cannot write to stdout: No space left on device\n")


def test_a_good_configuration_is_printed_as_it_holds(config_file):
    config = simple_config()
    done = run_gateway("-t", "-c", config_file(config.text()))
    assert done.returncode == 0, done.stderr
    assert f'address = "127.0.0.1:{config.https_port}"' in done.stdout
    assert "tls_handshake = " in done.stdout, "defaults, too"
    again = run_gateway("-t", "-c", config_file(done.stdout))
    assert again.stdout == done.stdout


BAD = """[[listen]]
address = "127.0.0.1:99999"
certificate = "self-signed"
[pool.app]
servers = ["127.0.0.1:1"]
[[route]]
pool = "ap"
[timeouts]
connect = "5 parsecs"
"""


@pytest.mark.parametrize("arguments", [["-t"], []], ids=["check", "start"])
def test_all_errors_of_a_configuration_are_told_at_once_with_their_place(config_file, arguments):
    file = config_file(BAD)
    done = run_gateway(*arguments, "-c", file)
    assert done.returncode != 0
    for place, word in {"2:11": "99999", "3:1": "certificates", "7:8": "'app'",
                        "9:11": "parsecs"}.items():
        line = [one for one in done.stderr.splitlines() if f"gateway.conf:{place}: " in one]
        assert line and word in line[0], (place, done.stderr)


def test_an_error_of_syntax_names_its_place(config_file):
    done = run_gateway("-t", "-c", config_file("[[listen]]\naddress = \n"))
    assert done.returncode != 0
    assert re.search(r"gateway\.conf:2:\d+: ", done.stderr)


def test_a_missing_file_is_named(tmp_path):
    done = run_gateway("-c", tmp_path / "nothing.conf")
    assert done.returncode != 0
    assert "nothing.conf" in done.stderr


def test_a_missing_certificate_is_named_with_its_place(config_file):
    config = Config({"app": 1}, [{"pool": "app"}], certificates=[("no.pem", "no.key")])
    done = run_gateway("-c", config_file(config.text()))
    assert done.returncode != 0
    assert re.search(r"gateway\.conf:5:\d+: .*no\.pem", done.stderr)


def test_an_unknown_option_is_an_error():
    done = run_gateway("--nonsense")
    assert done.returncode != 0
    assert "nonsense" in done.stderr


def test_an_address_in_use_is_named(config_file):
    config = simple_config()
    with socket.socket() as other:
        other.bind(("127.0.0.1", config.https_port))
        other.listen()
        done = run_gateway("-c", config_file(config.text()))
    assert done.returncode != 0
    assert f"127.0.0.1:{config.https_port}" in done.stderr
    assert "in use" in done.stderr


def test_a_second_gateway_on_the_same_address_is_refused(start_gateway, config_file, echo):
    config = simple_config(echo.port)
    start_gateway(config)
    done = run_gateway("-c", config_file(config.text()))
    assert done.returncode != 0
    assert "in use" in done.stderr


def test_the_log_begins_with_what_was_started(start_gateway, echo):
    gateway = start_gateway(simple_config(echo.port), ALL[-1])
    log = gateway.log()
    for word in (f"127.0.0.1:{gateway.http_port}", f"127.0.0.1:{gateway.https_port}", "wolfSSL",
                 "liburing", "self-signed"):
        assert word in log, word
    assert f"shards={ALL[-1].shards} " in log


def test_the_log_may_go_to_a_file(tmp_path, config_file, echo):
    config = simple_config(echo.port)
    text = config.text() + f'file = "{tmp_path}/the.log"\n'
    process = subprocess.Popen([GATEWAY, "-c", config_file(text)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: (tmp_path / "the.log").exists()
                   and re.search(r"\bready\b", (tmp_path / "the.log").read_text()), "the log")
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


@pytest.mark.parametrize("variant", ALL, ids=str)
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_sigterm_closes_open_websockets_and_ends_well(start_gateway, raw_port, log_of, variant,
                                                      secure):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), variant)
    log = log_of(gateway)
    upstream = Upstream(raw_port)
    port = gateway.https_port if secure else gateway.http_port
    with connect(port, secure) as idle, connect(port, secure) as client:
        relay = open_relay(client, upstream)
        gateway.process.send_signal(signal.SIGTERM)
        closing = read_frame(client)
        assert (closing.opcode, closing.close_code) == (CLOSE, 1001)
        closing = read_frame(relay.upstream)
        assert (closing.opcode, closing.close_code, closing.masked) == (CLOSE, 1001, True)
        client.send(frame(CLOSE, close_payload(1001)))
        relay.upstream.send(frame(CLOSE, close_payload(1001), masked=False))
        assert client.read_ending() == (b"", "end")
        assert idle.read_ending()[1] == "end"
    upstream.close()
    assert gateway.wait() == 0
    assert "by=gateway" in log.wait("websocket", "end=stopping")


def test_sigterm_lets_a_response_end(start_gateway, raw_port):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    upstream = Upstream(raw_port)
    with connect(gateway.https_port, True) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        assert client.read_head().status == 200
        assert client.read_exactly(5) == b"first"
        mark = gateway.log_mark()
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for(lambda: gateway.log_since(mark), "a line about the signal")
        server.send(b"again")
        assert client.read_exactly(5) == b"again"
        assert client.read_to_end() == b""
    upstream.close()
    assert gateway.wait() == 0


def test_sigterm_ends_a_gateway_whose_peers_do_not_answer(start_gateway, echo):
    config = simple_config(echo.port)
    config.drain = {"over": "0s", "hard_stop": "1s"}
    gateway = start_gateway(config)
    with connect(gateway.https_port, True, receive_buffer=4096) as silent:
        open_echo(silent, "/push?rate=0&size=10000")
        # Whether it was cut depends on how much the kernel has taken.
        assert gateway.stop() in (0, HAS_CUT)


def has_come_to_rest(server_port):
    """A condition: the server that pushes has bytes in its kernel, as many as at the last looks."""
    looks = 20
    seen = []

    def look():
        rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
        queued = sum(int(row[4].split(":")[0], 16) for row in rows
                     if int(row[1].split(":")[1], 16) == server_port)
        seen.append(queued)
        return queued > 0 and seen[-looks:] == [queued] * looks
    return look


def test_sigint_ends_at_once(start_gateway, echo):
    gateway = start_gateway(simple_config(echo.port), ALL[-1])
    with connect(gateway.https_port, True, receive_buffer=4096) as silent, \
            connect(gateway.http_port) as client:
        open_echo(silent, "/push?rate=0&size=10000")
        open_echo(client)
        client.send(frame(TEXT, b"x"))
        read_frame(client)
        wait_until(has_come_to_rest(echo.port), "the kernel takes no more for who reads nothing")
        assert gateway.stop(signal.SIGINT, seconds=8) == HAS_CUT, "WebSockets were cut"


def test_a_client_that_reads_nothing_can_be_many(start_gateway, echo):
    """Connections that never say anything are forgotten when they leave."""
    gateway = start_gateway(simple_config(echo.port), ALL[-1])
    silent = [connect(port) for port in (gateway.http_port, gateway.https_port) for _ in range(50)]
    with connect(gateway.https_port, True) as client:
        open_echo(client)
    for one in silent:
        one.close()
    gateway.wait_for_descriptors()
