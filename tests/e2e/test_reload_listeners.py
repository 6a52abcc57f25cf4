"""SIGHUP: listeners come, go and change, and so do their certificates."""

import socket
import ssl

import pytest

from support.certificates import make_certificate
from support.gateway import ALL, FEW, Config
from support.ports import free_port
from support.reloading import ask, ask_anew, refuses, saying
from support.streams import Stream, connect
from support.waiting import DEADLINE

every_shape = pytest.mark.parametrize("variant", ALL, ids=str)
few_shapes = pytest.mark.parametrize("variant", FEW, ids=str)


# Listeners.

@every_shape
def test_listeners_come_and_go(start_reloading, variant, tmp_path):
    config = Config({}, [saying("one")])
    gateway, reload = start_reloading(config, variant)
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
def test_an_address_goes_on_with_another_entry(start_reloading, variant):
    port = free_port()
    config = Config({}, [saying("one")], listeners=[{"address": f"127.0.0.1:{port}"}])
    gateway, reload = start_reloading(config, variant)
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


def test_who_is_trusted_holds_for_kept_connections(start_reloading, server, raw_port):
    config = Config({"raw": raw_port}, [{"pool": "raw"}])
    gateway, reload = start_reloading(config)
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


def test_certificates_are_read_again(start_reloading, tmp_path):
    chain, key = make_certificate(tmp_path, ["a.test"])
    config = Config({}, [saying("one")], certificates=[(chain, key)])
    gateway, reload = start_reloading(config)
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


def test_a_certificate_made_in_memory_and_tickets_go_on(start_reloading):
    config = Config({}, [saying("one")])
    gateway, reload = start_reloading(config)
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
