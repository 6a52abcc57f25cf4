"""SIGHUP: another configuration is taken over while clients stay connected."""

import os
import re
import signal
import socket
import ssl
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.certificates import make_certificate
from support.checking import run as run_gateway
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import ALL, FEW, Config, Variant
from support.ports import free_port
from support.relay import open_echo, open_relay
from support.reloading import Reloading
from support.streams import Stream, Upstream, connect
from support.waiting import DEADLINE, wait_until

every_shape = pytest.mark.parametrize("variant", ALL, ids=str)
few_shapes = pytest.mark.parametrize("variant", FEW, ids=str)


def saying(text, path="/"):
    return {"name": "says", "path": path, "answer": {"body": text}}


@pytest.fixture
def start(start_gateway, log_of):
    """The gateway, and how to reload it."""
    def begin(config, variant=Variant(2)):
        gateway = start_gateway(config, variant)
        return gateway, Reloading(gateway, log_of(gateway))
    return begin


def ask(stream, target="/", host="x.test"):
    stream.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, body = stream.read_response()
    return head.status, body.decode()


def ask_anew(port, secure=False, target="/"):
    with connect(port, secure) as client:
        return ask(client, target)


def echoes(client, word=b"x"):
    client.send(frame(TEXT, word))
    return read_frame(client).payload == word


def refuses(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


# What changes nothing, and what changes everything.

def test_nothing_happens_where_nothing_has_changed_in_meaning(start):
    gateway, reload = start(Config({}, [saying("one")]))
    sockets = os.listdir(f"/proc/{gateway.pid}/fd")
    assert reload() == "no change"
    assert reload("# A comment.\n" + gateway.config.text()) == "no change"
    gateway.config.routes = [saying("two", "/two"), saying("one")]
    gateway.config.routes[0]["name"] = "other"
    assert reload().startswith("generation 2: route other added; ")
    gateway.config.routes.reverse()
    assert reload() == "no change"
    assert os.listdir(f"/proc/{gateway.pid}/fd") == sockets


@every_shape
def test_kept_connections_go_on_with_what_is_new(start, echo, variant):
    config = Config({"echo": echo.port}, [saying("one"), {"name": "echo", "path": "/echo",
                                                          "pool": "echo"}])
    gateway, reload = start(config, variant)
    with connect(gateway.http_port, False) as plain, connect(gateway.https_port, True) as secure, \
            connect(gateway.http_port, False) as ws, connect(gateway.https_port, True) as wss:
        for websocket in (ws, wss):
            open_echo(websocket)
        for number in range(2, 7):
            assert [ask(one) for one in (plain, secure)] == [(200, config.routes[0]["answer"]["body"])] * 2
            config.routes[0] = saying(f"number {number}")
            assert reload() == (f"generation {number}: route says changed; 2 websockets and 0 requests "
                                "kept, 0 closed")
            for client in (plain, secure):
                assert ask(client) == (200, f"number {number}")
            for websocket in (ws, wss):
                assert echoes(websocket)
        assert ask_anew(gateway.http_port) == (200, "number 6")


@every_shape
def test_a_request_and_a_websocket_outlive_their_route_and_server(start, upstream, raw_port, variant):
    config = Config({"raw": raw_port}, [{"name": "raw", "host": "raw.test", "pool": "raw"}, saying("rest")])
    gateway, reload = start(config, variant)
    with connect(gateway.http_port, False) as websocket, connect(gateway.http_port, False) as client:
        relay = open_relay(websocket, upstream)
        client.send(b"GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        config.pools, config.routes = {}, [saying("rest")]
        told = reload()
        assert told == ("generation 2: route raw removed, pool raw removed; 1 websockets and 1 requests "
                        "kept, 0 closed")
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
        head, body = client.read_response()
        assert (head.status, body) == (200, b"old")
        assert ask(client, host="raw.test") == (200, "rest")
        websocket.send(frame(TEXT, b"still there"))
        assert read_frame(relay.upstream).payload == b"still there"
        relay.upstream.send(frame(TEXT, b"I am", masked=False))
        assert read_frame(websocket).payload == b"I am"


def test_a_server_that_is_gone_gets_nothing_new(start, start_echo):
    old, new = start_echo(), start_echo()
    config = Config({"app": [old.port, new.port]}, [{"name": "app", "pool": "app"}])
    gateway, reload = start(config)
    with connect(gateway.http_port, False) as kept:
        open_echo(kept)
        config.pools = {"app": new.port}
        assert "pool app 1 draining; 1 websockets" in reload()
        old_sockets = old.descriptors()
        for _ in range(8):
            with connect(gateway.http_port, False) as client:
                open_echo(client)
                assert echoes(client)
        assert old.descriptors() <= old_sockets
        assert echoes(kept)


# What is wrong.

WRONG = [
    "shards = 0\n",
    "colour = 1\n",
    "[[listen]\n",
    "via = \"a b\"\n",
    "[[listen]]\naddress = \"127.0.0.1\"\n",
    "[[listen]]\naddress = \"localhost:80\"\n",
    "[[listen]]\nadress = \"127.0.0.1:1\"\n",
    "[[listen]]\naddress = \"127.0.0.1:1\"\ncertificates = [\"none.pem\"]\n",
    "[[listen]]\naddress = \"127.0.0.1:1\"\nredirect = \"ftp\"\n",
    "[[route]]\npath = \"x\"\npool = \"app\"\n",
    "[[route]]\npath = \"/x\"\npool = \"none\"\n",
    "[[route]]\npath = \"/x\"\n",
    "[[route]]\npath = \"/x\"\nanswer = { status = 99 }\n",
    "[[route]]\npath = \"/x\"\nmethods = [\"CONNECT\"]\npool = \"app\"\n",
    "[[route]]\npath = \"/x\"\nhost = \"*\"\npool = \"app\"\n",
    "[pool.bad]\nservers = []\n",
    "[pool.bad]\nservers = \"127.0.0.1:99999\"\n",
    "[pool.bad]\nservers = \"no.such.name.test:1\"\n",
    "[pool.bad]\nservers = \"127.0.0.1:1\"\nbalance = \"fair\"\n",
    "[timeouts]\nrequest_header = \"0s\"\n",
    "[log]\nlevel = \"loud\"\n",
    "[log]\nfile = \"/none/of/these.log\"\n",
]


def test_a_configuration_that_is_wrong_changes_nothing_and_is_told_as_the_check_tells_it(
        start, echo, tmp_path):
    gateway, reload = start(Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}]))
    bare = gateway.config.text()
    bare = bare[:bare.index("[defaults]")]
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        for text in WRONG:
            reload.log.mark = gateway.log_mark()
            reload.reloads = 0
            ending = reload((text + bare) if not text.startswith("[") else (bare + text))
            checked = run_gateway("-t", "-c", gateway.file)
            assert checked.returncode == 1
            errors = checked.stderr.splitlines()
            for error in errors:
                assert len(reload.log.lines(" error ", error)) == 1, (error, reload.log.text())
            count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
            assert ending == f"failed: {count} in the configuration; generation 1 goes on"
        assert echoes(websocket)
        gateway.file.unlink()
        reload.log.mark = gateway.log_mark()
        reload.signal()
        reload.reloads = 0
        assert reload.ending() == "failed: 1 error in the configuration; generation 1 goes on"
        assert reload.log.lines(" error ", "there is no such file")
        assert reload() == "no change"
        assert echoes(websocket)


def test_an_address_that_cannot_be_had_changes_nothing(start, raw_port):
    taken = free_port()
    other = Upstream(taken)
    config = Config({}, [saying("one")])
    gateway, reload = start(config)
    more = free_port()
    config.routes = [saying("two")]
    config.listeners = [{"address": f"127.0.0.1:{more}"},
                        {"address": f"127.0.0.1:{taken}"}]
    told = reload()
    assert told.startswith("failed: cannot listen on 127.0.0.1:") and "Address already in use" in told
    assert told.endswith("generation 1 goes on")
    assert ask_anew(gateway.http_port) == (200, "one")
    assert refuses(more)
    other.close()
    assert reload().startswith("generation 2: ")
    assert ask_anew(more) == (200, "two")


@pytest.mark.parametrize("key, text", [("shards", "shards = 7\n"), ("log.buffer", None)])
def test_what_needs_a_restart_is_named_and_the_rest_is_applied(start, key, text):
    config = Config({}, [saying("one")])
    gateway, reload = start(config)
    config.routes = [saying("two")]
    if text is None:
        config.log_buffer = "512KiB"
    reload.write((text or "") + config.text())
    reload.signal()
    assert reload.ending() == f"{key} stays as it is until a restart"
    assert reload.ending().startswith("generation 2: route says changed; ")
    assert ask_anew(gateway.http_port) == (200, "two")


# Listeners.

@every_shape
def test_listeners_come_and_go(start, variant, tmp_path):
    config = Config({}, [saying("one")])
    gateway, reload = start(config, variant)
    path = tmp_path / "in.sock"
    first, second = free_port(), free_port()

    def ask_unix():
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE)
        connection.connect(str(path))
        with Stream(connection) as client:
            return ask(client)

    config.listeners = [{"address": f"127.0.0.1:{first}"}, {"address": f"unix:{path}"}]
    assert f"listener 127.0.0.1:{first} added, listener unix:{path} added" in reload()
    for _ in range(8):
        assert ask_anew(first) == ask_unix() == (200, "one")
    with connect(first, False) as kept:
        assert ask(kept) == (200, "one")
        config.listeners = [{"address": f"127.0.0.1:{second}", "certificates": "self-signed"}]
        told = reload()
        assert f"listener 127.0.0.1:{first} removed, listener unix:{path} removed" in told
        assert ask(kept) == (200, "one")
        assert refuses(first)
        assert not path.exists()
        assert ask_anew(second, True) == (200, "one")
    config.listeners = [{"address": f"unix:{path}"}]
    reload()
    assert refuses(second)
    for _ in range(8):
        assert ask_unix() == (200, "one")


@few_shapes
def test_an_address_goes_on_with_another_entry(start, variant):
    port = free_port()
    config = Config({}, [saying("one")], listeners=[{"address": f"127.0.0.1:{port}"}])
    gateway, reload = start(config, variant)
    with connect(port, False) as kept:
        assert ask(kept) == (200, "one")
        config.listeners = [{"address": f"127.0.0.1:{port}", "redirect": f"https:{config.https_port}"}]
        assert f"listener 127.0.0.1:{port} changed" in reload()
        assert ask(kept)[0] == 308
        assert ask_anew(port)[0] == 308
        config.listeners = [{"address": f"127.0.0.1:{port}", "certificates": "self-signed"}]
        reload()
        assert ask(kept)[0] == 308
        assert ask_anew(port, True) == (200, "one")
    config.listeners = [{"address": f"0.0.0.0:{port}"}]
    assert f"listener 127.0.0.1:{port} removed, listener 0.0.0.0:{port} added" in reload()
    assert ask_anew(port) == (200, "one")


def test_who_is_trusted_holds_for_kept_connections(start, server, raw_port):
    config = Config({"raw": raw_port}, [{"pool": "raw"}])
    gateway, reload = start(config)
    with connect(gateway.http_port, False) as client:
        for trusted in ([], ["127.0.0.1"], []):
            config.top = {"trusted_proxies": trusted} if trusted else {}
            reload()
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
            request = server.read_request()
            server.answer(request)
            client.read_response()
            lines = [line for line in request.own if line.startswith("X-Forwarded-For: ")]
            assert ("1.2.3.4" in lines[0]) == bool(trusted), lines


# Certificates.

def certificate_of(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as raw:
        with context.wrap_socket(raw, server_hostname="a.test") as client:
            return client.getpeercert(True)


def test_certificates_are_read_again(start, tmp_path):
    chain, key = make_certificate(tmp_path, ["a.test"])
    config = Config({}, [saying("one")], certificates=[(chain, key)])
    gateway, reload = start(config)
    before = certificate_of(gateway.https_port)
    with connect(gateway.https_port, True) as kept:
        assert ask(kept) == (200, "one")
        (tmp_path / "new").mkdir()
        for new, old in zip(make_certificate(tmp_path / "new", ["a.test"]), (chain, key)):
            new.rename(old)
        assert f"listener 127.0.0.1:{gateway.https_port} changed; " in reload()
        after = certificate_of(gateway.https_port)
        assert after != before
        assert ask(kept) == (200, "one")
    key.write_text("no key\n")
    reload.write()
    reload.signal()
    assert "failed" in reload.ending()
    assert certificate_of(gateway.https_port) == after


def test_a_certificate_made_in_memory_and_tickets_go_on(start):
    config = Config({}, [saying("one")])
    gateway, reload = start(config)
    before = certificate_of(gateway.https_port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def connected(session=None):
        raw = socket.create_connection(("127.0.0.1", gateway.https_port), DEADLINE)
        client = context.wrap_socket(raw, server_hostname="a.test", session=session)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
        return client

    with connected() as client:
        session = client.session
    config.routes = [saying("two")]
    reload()
    assert certificate_of(gateway.https_port) == before
    with connected(session) as client:
        assert client.session_reused


# Orders and races.

def test_reloads_that_come_together_become_one(start, tmp_path):
    """A certificate comes slowly, from a FIFO: what is asked meanwhile is done after that, once."""
    chain, key = make_certificate(tmp_path, ["a.test"])
    slow = tmp_path / "slow.pem"
    config = Config({}, [saying("one")])
    gateway, reload = start(config)
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


@contextmanager
def hold_fifo(path):
    """Whoever reads it waits until it is left."""
    os.mkfifo(path)
    with os.fdopen(os.open(path, os.O_RDWR), "wb") as fifo:
        yield fifo


def is_open(pid, path):
    folder = Path(f"/proc/{pid}/fd")
    return any(os.path.realpath(one) == str(path) for one in folder.iterdir())


def pending(pid, number):
    """A signal that nobody has taken yet."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = int(re.search(r"^ShdPnd:\s*(\w+)", status, re.MULTILINE).group(1), 16)
    return bool(mask >> (number - 1) & 1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_load_that_does_not_come_to_its_end_keeps_no_stop(start, how):
    config = Config({}, [saying("one")])
    gateway, reload = start(config)
    os.unlink(gateway.file)
    with hold_fifo(gateway.file):
        reload.signal()
        wait_until(lambda: is_open(gateway.pid, gateway.file), "the FIFO to be read")
        assert ask_anew(gateway.http_port) == (200, "one")
        assert gateway.stop(how) == 0
        assert reload.log.lines("stopped")


def test_a_reload_while_it_stops_is_refused(start, upstream, raw_port):
    config = Config({"raw": raw_port}, [{"pool": "raw"}])
    gateway, reload = start(config)
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
def test_reloads_in_a_row_under_load_lose_nothing(start, echo, variant):
    """Routes, listeners and pools change, while clients come, ask and talk."""
    config = Config({"echo": echo.port}, [saying("0"), {"name": "echo", "path": "/echo",
                                                        "pool": "echo"}])
    gateway, reload = start(config, variant)
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


def test_the_log_follows(start, tmp_path):
    config = Config({}, [saying("one")], control={"socket": str(tmp_path / "control.sock")})
    gateway, reload = start(config)
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
    assert "generation: 3\n" in run_gateway("status", "-c", gateway.file).stdout
    config.level = "debug"
    reload.write()
    reload.signal()
    wait_until(lambda: "reload: generation 4: log.level changed" in moved.read_text(),
               "the level to be as it was")
    assert "generation 3" not in moved.read_text()
