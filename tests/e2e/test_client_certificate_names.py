"""Server names that ask their clients for more, or for less, than their listener does."""

import itertools
import ssl

import pytest

from support.certificates import Authority
from support.gateway import Config
from support.ports import free_port
from support.reloading import Reloading
from support.streams import client_context, connect

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
every_version = pytest.mark.parametrize("version", VERSIONS)
NO_CERTIFICATE = {"1.2": "handshake failure", "1.3": "certificate required"}

# What names ask for, and hosts of each; the listener itself asks for nothing.
HOSTS = {"open": ["open.test", "deep.test", "192.0.2.7"],
         "required": ["required.test", "a.b.deep.test"], "optional": ["optional.test"],
         "other": ["other.test"]}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authorities")
    return Authority(folder, "ours"), Authority(folder, "theirs")


def listener(port, ours, theirs):
    return {"address": f"127.0.0.1:{port}", "certificates": "self-signed",
            "names": [{"names": ["required.test", "*.deep.test"], "client_ca": str(ours.path)},
                      {"names": ["optional.test"], "client_ca": str(ours.path),
                       "client_certificates": "optional"},
                      {"names": ["other.test"], "client_ca": str(theirs.path)}]}


@pytest.fixture
def port(start_gateway, echo, authorities):
    port = free_port()
    start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                         listeners=[listener(port, *authorities)]))
    return port


@pytest.fixture
def call(port, authorities):
    """A connection for this server name, with the certificate that it asks for."""
    def make(name, version="1.3", session=None, shows=True, contexts={}):
        authority = authorities[name == "other.test"]
        key = (version, authority.path, shows)
        if key not in contexts:
            contexts[key] = client_context(VERSIONS[version], VERSIONS[version])
            if shows:
                contexts[key].load_cert_chain(*authority.issue(["DNS:client.test"]))
        return connect(port, True, context=contexts[key], server_name=name or None,
                       session=session)
    return make


def ask(client, host):
    client.send(f"GET /bytes?n=5 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, body = client.read_response()
    return head, body


@every_version
def test_each_name_has_terms_of_its_own(call, version):
    for name in ("open.test", None):
        with call(name, version, shows=False) as client:
            assert ask(client, name or "192.0.2.7")[0].status == 200
    with call("optional.test", version, shows=False) as client:
        assert ask(client, "optional.test")[0].status == 200
    for name in ("required.test", "a.b.deep.test", "other.test"):
        with call(name, version) as client:
            assert ask(client, name)[0].status == 200
        with pytest.raises(ssl.SSLError, match=NO_CERTIFICATE[version]):
            with call(name, version, shows=False) as client:
                ask(client, name)


def test_no_name_is_a_way_round_another_one(call):
    covered = {("required", "optional"), *((kind, "open") for kind in HOSTS),
               *((kind, kind) for kind in HOSTS)}
    for by, wanted in itertools.product(HOSTS, repeat=2):
        for name, host in itertools.product(HOSTS[by], HOSTS[wanted]):
            if name == "192.0.2.7":  # is no server name
                continue
            with call(name) as client:
                head, _ = ask(client, host)
                if (by, wanted) in covered:
                    assert head.status == 200, f"{name}, then {host}"
                else:
                    assert head.status == 421, f"{name}, then {host}"
                    assert head.get("Connection") == "close"
                    assert client.read_to_end() == b""


@pytest.mark.parametrize("request_line, host", [
    ("GET /bytes?n=5 HTTP/1.1", "required.test:8443"),
    ("GET /bytes?n=5 HTTP/1.1", "Required.TEST."),
    ("GET https://required.test/bytes?n=5 HTTP/1.1", "open.test"),
    ("GET https://required.test/bytes?n=5 HTTP/1.1", "required.test"),
    ("GET /bytes?n=5 HTTP/1.0", "required.test"),
    ("OPTIONS * HTTP/1.1", "required.test"),
])
def test_a_host_is_the_same_however_it_is_written(call, request_line, host):
    with call("open.test") as client:
        client.send(f"{request_line}\r\nHost: {host}\r\n\r\n".encode())
        assert client.read_response()[0].status == 421


def test_a_websocket_goes_round_neither(call):
    with call("open.test") as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: required.test\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert client.read_response()[0].status == 421


@every_version
def test_a_ticket_is_good_only_for_its_name(call, version):
    """Elsewhere it is a full handshake, and no error."""
    names = ["open.test", "required.test", "optional.test", "other.test"]
    contexts = {}
    for first, second in itertools.product(names, repeat=2):
        if "other.test" in (first, second) and first != second:
            continue  # another certificate is another context, which has no ticket of the first
        with call(first, version, contexts=contexts) as client:
            assert ask(client, first)[0].status == 200
            session = client.tls.session
        with call(second, version, session, contexts=contexts) as client:
            assert ask(client, second)[0].status == 200
            assert client.tls.session_reused == (first == second), f"{first}, then {second}"

@every_version
def test_a_resumed_session_is_as_good_as_its_name(call, version):
    contexts = {}
    for name, host, status in [("open.test", "required.test", 421),
                               ("required.test", "optional.test", 200),
                               ("optional.test", "required.test", 421)]:
        with call(name, version, contexts=contexts) as client:
            assert ask(client, name)[0].status == 200
            session = client.tls.session
        with call(name, version, session, contexts=contexts) as client:
            assert ask(client, host)[0].status == status
            assert client.tls.session_reused


@every_version
def test_no_ticket_takes_the_place_of_what_a_name_asks_for(call, version):
    contexts = {}
    for first in ("open.test", "optional.test"):
        with call(first, version, shows=False, contexts=contexts) as client:
            assert ask(client, first)[0].status == 200
            session = client.tls.session
        with pytest.raises(ssl.SSLError, match=NO_CERTIFICATE[version]):
            with call("required.test", version, session, False, contexts) as client:
                ask(client, "required.test")


def test_a_reload_changes_the_terms_of_a_name(start_gateway, echo, authorities, log_of):
    port, (ours, theirs) = free_port(), authorities
    config = Config({"app": echo.port}, [{"pool": "app"}],
                    listeners=[{"address": f"127.0.0.1:{port}", "certificates": "self-signed"}])
    gateway = start_gateway(config)
    reload = Reloading(gateway, log_of(gateway))
    with connect(port, True, server_name="open.test") as kept:
        assert ask(kept, "required.test")[0].status == 200
        config.listeners = [listener(port, ours, theirs)]
        assert f"listener 127.0.0.1:{port} changed" in reload()
        assert ask(kept, "open.test")[0].status == 200
        assert ask(kept, "required.test")[0].status == 421
    with pytest.raises(ssl.SSLError, match=NO_CERTIFICATE["1.3"]):
        with connect(port, True, server_name="required.test") as client:
            ask(client, "required.test")
    assert reload() == "no change"
    with connect(port, True, server_name="open.test") as kept, \
            connect(port, True, server_name="open.test") as other:
        for one in (kept, other):
            assert ask(one, "open.test")[0].status == 200
        # Its own name asks for as much by now; it has shown no more.
        newer = listener(port, ours, theirs)
        newer["names"][0]["names"].append("open.test")
        config.listeners = [newer]
        assert f"listener 127.0.0.1:{port} changed" in reload()
        assert ask(kept, "open.test")[0].status == 200
        assert ask(kept, "required.test")[0].status == 421
        config.listeners = [listener(port, ours, theirs)]
        reload()
        assert ask(other, "required.test")[0].status == 421
    config.listeners = [{"address": f"127.0.0.1:{port}", "certificates": "self-signed"}]
    reload()
    with connect(port, True, server_name="required.test") as client:
        assert ask(client, "required.test")[0].status == 200
