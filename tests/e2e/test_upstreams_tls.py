"""TLS to the servers: whom the gateway believes, what it asks for, and how it keeps connections."""

import ssl

import pytest

from support.certificates import Authority
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import Config, Variant
from support.relay import open_relay
from support.serving import Serving
from support.streams import connect
from support.upstreams import TlsUpstream

NAME = "app.test"
VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                                   ids=["1.2", "1.3"])


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def start_server():
    """start_server((chain, key)): an upstream that speaks TLS."""
    started = []

    def start(files, **options):
        started.append(TlsUpstream(*files, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def start_before(start_gateway):
    """start_before(server, tls): a gateway with one shard, and one pool with this table."""
    def start(server, tls, host="127.0.0.1", **pool):
        table = {"servers": f"{host}:{server.port}", "tls": tls, **pool}
        return start_gateway(Config({"app": table}, [{"pool": "app"}]), Variant(1))
    return start


def ask(client, target="/"):
    client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())


def exchange(client, server, target="/"):
    """One request and its answer; the server's stream."""
    ask(client, target)
    request = server.read_request()
    assert request.target == target
    server.answer(request)
    head, body = client.read_response()
    assert (head.status, body) == (200, target.encode())
    return request.stream


# The pool's table, and the names in the certificate.
TRUSTED = {
    "by-a-name-of-its-own": ({"name": NAME}, "127.0.0.1", [f"DNS:{NAME}"]),
    "by-a-wildcard": ({"name": "one.app.test"}, "127.0.0.1", ["DNS:*.app.test"]),
    "by-the-servers-host": ({}, "localhost", ["DNS:localhost"]),
    "by-the-servers-address": ({}, "127.0.0.1", ["IP:127.0.0.1"]),
}


@VERSIONS
@pytest.mark.parametrize("name", TRUSTED)
def test_a_server_with_the_name_and_from_the_ca_is_trusted(start_before, start_server, authority,
                                                           name, version):
    table, host, names = TRUSTED[name]
    server = start_server(authority.issue(names), version=version)
    gateway = start_before(server, {"ca": str(authority.path), **table}, host)
    with connect(gateway.http_port) as client:
        exchange(client, Serving(server))


def expect_refusal(gateway, server, log):
    """A 502, of which the server heard no request; the cause in the log."""
    with connect(gateway.http_port) as client:
        ask(client, "/secret")
        with pytest.raises(ssl.SSLError):
            server.accept().read_head()
        head, body = client.read_response()
        assert head.status == 502
        assert b"/secret" not in body
    line = log.wait("status=502", "/secret")
    assert "end=upstream-unreachable" in line and "by=upstream" in line
    return line[line.index("cause="):].lower()


def test_another_name_is_refused(start_before, start_server, authority, log_of):
    server = start_server(authority.issue(["DNS:other.test"]))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    cause = expect_refusal(gateway, server, log_of(gateway))
    assert "tls" in cause and ("name" in cause or "mismatch" in cause)


def test_another_address_is_refused(start_before, start_server, authority, log_of):
    server = start_server(authority.issue(["IP:127.0.0.2", f"DNS:{NAME}"]))
    gateway = start_before(server, {"ca": str(authority.path)})
    cause = expect_refusal(gateway, server, log_of(gateway))
    assert "tls" in cause and ("name" in cause or "address" in cause or "mismatch" in cause)


def test_an_unknown_ca_is_refused(start_before, start_server, authority, tmp_path, log_of):
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    stranger = Authority(tmp_path, "stranger")
    gateway = start_before(server, {"ca": str(stranger.path), "name": NAME})
    cause = expect_refusal(gateway, server, log_of(gateway))
    assert "tls" in cause and "unknown authority (unknown_ca alert sent)" in cause


def test_the_systems_cas_are_what_is_trusted_without_a_file(start_before, start_server, authority,
                                                            log_of):
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    gateway = start_before(server, {"name": NAME})
    assert "tls" in expect_refusal(gateway, server, log_of(gateway))


def test_an_expired_certificate_is_refused(start_before, start_server, authority, log_of):
    server = start_server(authority.issue([f"DNS:{NAME}"], days=-1))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    cause = expect_refusal(gateway, server, log_of(gateway))
    assert "date" in cause or "expired" in cause


def test_without_verification_any_certificate_will_do(start_before, start_server, authority):
    server = start_server(authority.issue(["DNS:other.test"], days=-1))
    gateway = start_before(server, {"verify": False, "name": NAME})
    with connect(gateway.http_port) as client:
        exchange(client, Serving(server))
    assert server.asked_for == [NAME]


def test_a_server_that_speaks_plain_text_is_502(start_before, upstream, authority, log_of):
    gateway = start_before(upstream, {"ca": str(authority.path)})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client)
        server = upstream.accept()
        assert server.read_exactly(3)[:2] == b"\x16\x03", "a handshake, and no request"
        server.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        assert client.read_response()[0].status == 502
    assert "TLS" in log.wait("status=502", "end=upstream-unreachable")


@pytest.mark.parametrize("table,host,expected", [
    ({"name": NAME}, "127.0.0.1", NAME), ({}, "localhost", "localhost"), ({}, "127.0.0.1", None)],
    ids=["name", "host", "address"])
def test_the_name_that_the_server_is_asked_for(start_before, start_server, authority, table, host,
                                               expected):
    """An address is none (RFC 6066 section 3)."""
    names = [f"DNS:{NAME}", "DNS:localhost", "IP:127.0.0.1"]
    server = start_server(authority.issue(names))
    gateway = start_before(server, {"ca": str(authority.path), **table}, host)
    with connect(gateway.http_port) as client:
        exchange(client, Serving(server))
    assert server.asked_for == [expected]


@VERSIONS
def test_a_session_is_resumed_on_the_next_connection(start_before, start_server, authority,
                                                     version):
    server = start_server(authority.issue([f"DNS:{NAME}"]), version=version)
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME},
                           keep_alive_idle="off")
    serving = Serving(server)
    resumed = []
    with connect(gateway.http_port) as client:
        for number in range(4):
            stream = exchange(client, serving, f"/{number}")
            resumed.append(stream.tls.session_reused)
            assert stream.read_ending() == (b"", "end")
            serving.open.remove(stream)
    assert resumed == [False, True, True, True]
    assert server.context.session_stats()["hits"] == 3


def test_a_connection_is_kept_with_its_tls(start_before, start_server, authority):
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    serving = Serving(server)
    for secure in (False, True):
        with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
            for number in range(5):
                exchange(client, serving, f"/{number}")
    assert len(server.streams) == 1


@pytest.mark.parametrize("how", ["close", "cut"])
def test_a_kept_connection_that_the_server_closes_is_replaced(start_before, start_server,
                                                              authority, how):
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    serving = Serving(server)
    with connect(gateway.http_port) as client:
        used = exchange(client, serving)
        getattr(used, how)()
        serving.open.remove(used)
        assert exchange(client, serving, "/next") is not used


def test_large_bodies_pass_both_ways(start_before, start_server, authority):
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    body = bytes(range(256)) * 256
    with connect(gateway.https_port, True) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 65536\r\n\r\n" + body)
        request = Serving(server).read_request()
        assert request.seen.body.encode("latin-1") == body
        request.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + body)
        assert client.read_response()[1] == body


def test_a_body_that_is_cut_under_tls_is_not_taken_for_whole(start_before, start_server, authority,
                                                             log_of):
    """A body until the end needs a close_notify (RFC 9112 section 9.8)."""
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client)
        stream = server.accept()
        stream.read_head()
        stream.send(b"HTTP/1.1 200 OK\r\n\r\nonly this")
        stream.cut()
        assert client.read_head().status == 200
        rest, _ = client.read_ending()
        assert b"only this" in rest and not rest.endswith(b"0\r\n\r\n")
    log.wait("status=200", "by=upstream")


def test_a_websocket_over_tls(start_before, start_server, authority):
    server = start_server(authority.issue([f"DNS:{NAME}"]))
    gateway = start_before(server, {"ca": str(authority.path), "name": NAME})
    with connect(gateway.https_port, True) as client:
        relay = open_relay(client, server, "x.test")
        client.send(frame(TEXT, b"there"))
        assert read_frame(relay.upstream).payload == b"there"
        relay.upstream.send(frame(TEXT, b"back", masked=False))
        assert read_frame(client).payload == b"back"


# Whose fault it is. A record that cannot be opened, and an end without a close_notify.

CORRUPT_RECORD = b"\x17\x03\x03\x00\x40" + bytes(64)


@VERSIONS
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("fault", ["corrupt", "cut"])
def test_a_servers_broken_tls_in_a_websocket_is_the_servers_fault(
        start_before, start_server, authority, log_of, fault, secure, version):
    server = start_server(authority.issue(["IP:127.0.0.1"]), version=version)
    gateway = start_before(server, {"ca": str(authority.path)})
    log = log_of(gateway)
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        relay = open_relay(client, server)
        relay.upstream.send(frame(TEXT, b"last words", masked=False))
        assert read_frame(client).payload == b"last words"
        if fault == "corrupt":
            relay.upstream.socket.sendall(CORRUPT_RECORD)
        else:
            relay.upstream.cut()
        closing = read_frame(client)
        assert (closing.opcode, closing.close_code) == (CLOSE, 1011)
        assert client.read_ending() == (b"", "end")
    end = "upstream-tls-failed" if fault == "corrupt" else "upstream-truncated"
    line = log.wait("websocket", f"end={end}")
    assert "by=upstream" in line and "code=1011" in line


@VERSIONS
@pytest.mark.parametrize("when", ["before-the-answer", "in-the-body"])
def test_a_servers_corrupt_record_in_an_answer_is_the_servers_fault(
        start_before, start_server, authority, log_of, when, version):
    server = start_server(authority.issue(["IP:127.0.0.1"]), version=version)
    gateway = start_before(server, {"ca": str(authority.path)})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 2\r\n\r\nok")
        stream = server.accept()
        stream.read_head()
        stream.read_exactly(2)
        if when == "in-the-body":
            stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ")
            assert client.read_head().status == 200
            assert client.read_exactly(5) == b"half "
        stream.socket.sendall(CORRUPT_RECORD)
        with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac"):
            stream.read_ending()
        if when == "in-the-body":
            assert client.read_ending()[0] == b""
        else:
            assert client.read_head().status == 502
    assert "by=upstream" in log.wait("request", "end=upstream-tls-failed")


@VERSIONS
def test_a_clients_corrupt_record_in_a_websocket_is_the_clients_fault(
        start_before, start_server, authority, log_of, version):
    server = start_server(authority.issue(["IP:127.0.0.1"]), version=version)
    gateway = start_before(server, {"ca": str(authority.path)})
    log = log_of(gateway)
    with connect(gateway.https_port, True) as client:
        relay = open_relay(client, server)
        client.send(frame(TEXT, b"last words"))
        assert read_frame(relay.upstream).payload == b"last words"
        client.socket.sendall(CORRUPT_RECORD)
        rest, _ = relay.upstream.read_ending()
        assert close_payload(1000) not in rest
    assert "by=client" in log.wait("websocket", "end=tls-failed")
