"""PROXY headers from real and hostile senders, and to real and strict receivers."""

import re
import socket

import pytest

from support import proxy_headers
from support.certificates import make_certificate
from support.gateway import Config, Variant
from support.ports import free_port
from support.program import Program
from support.proxy_headers import addresses, tlv, v2, with_checksum
from support.reloading import Reloading
from support.serving import Serving
from support.streams import Upstream, connect, TlsStream

LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"
GET = b"GET /x HTTP/1.1\r\nHost: x.test\r\n\r\n"
LOCAL = "127.0.0.1"
FROM_HERE = {"from": ["127.0.0.0/8"]}


@pytest.fixture
def site(start_gateway, log_of, tmp_path):
    """A gateway that expects headers at a plain and a TLS port, of others at a third one."""
    class Site:
        def __init__(self, headers=None, pool=None, **options):
            self.upstream = Upstream(free_port())
            self.server = Serving(self.upstream)
            self.plain, self.secure, self.strange = free_port(), free_port(), free_port()
            headers = {**FROM_HERE, **(headers or {})}
            listeners = [
                {"address": f"127.0.0.1:{self.plain}", "proxy_protocol": headers},
                {"address": f"127.0.0.1:{self.secure}", "certificates": "self-signed",
                 "proxy_protocol": headers},
                {"address": f"127.0.0.1:{self.strange}",
                 "proxy_protocol": {"from": ["192.0.2.0/24", "unix"]}}]
            self.config = Config({"app": {"servers": self.upstream.port, **(pool or {})}},
                                 [{"name": "all", "pool": "app"}], listeners=listeners, **options)
            self.gateway = start_gateway(self.config, Variant(2))
            self.log = log_of(self.gateway)

        def client_of(self, stream):
            """Whom the server hears of, for one request on the stream."""
            stream.send(GET)
            return self.client_of_next(stream)

        def client_of_next(self, stream):
            request = self.server.read_request()
            self.server.answer(request)
            assert stream.read_response()[0].status == 200
            told = dict(line.split(": ", 1) for line in request.own)
            return told["X-Forwarded-For"]

    made = []

    def make(**options):
        made.append(Site(**options))
        return made[-1]
    yield make
    for one in made:
        one.upstream.close()


def headers():
    block = addresses()
    v6 = addresses("2001:db8::7", 1, "2001:db8::1", 2)
    return {
        "v1": (LINE, "192.0.2.7"),
        "v1 of IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n", "2001:db8::7"),
        "v1 of IPv4 in IPv6": (b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 1 2\r\n", "192.0.2.7"),
        "v1 UNKNOWN": (b"PROXY UNKNOWN\r\n", LOCAL),
        "v1 UNKNOWN with more": (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", LOCAL),
        "v2": (v2(block), "192.0.2.7"),
        "v2 of IPv6": (v2(v6, family=0x21), "2001:db8::7"),
        "v2 of Unix": (v2(b"\0" * 216, family=0x31), None),
        "v2 LOCAL": (v2(command=0x20, family=0), LOCAL),
        "v2 LOCAL with junk": (v2(b"junk that means nothing", command=0x20), LOCAL),
        "v2 LOCAL with addresses": (v2(block, command=0x20), LOCAL),
        "v2 of nothing": (v2(family=0), LOCAL),
        "v2 of datagrams": (v2(block, family=0x12), LOCAL),
        "TLVs": (v2(block + tlv(2, b"a.test") + tlv(0xee, b"z" * 3000) + tlv(4, b"")), "192.0.2.7"),
        "checksum": (with_checksum(block + tlv(5, b"id")), "192.0.2.7"),
    }


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_the_client_is_who_the_header_says(site, secure):
    here = site()
    for name, (header, client) in headers().items():
        for piece in (len(header), 1):
            stream = connect(here.secure if secure else here.plain)
            for at in range(0, len(header), piece):
                stream.send(header[at:at + piece])
            if secure:
                stream = TlsStream(stream.socket)
            stream.send(GET)
            request = here.server.read_request()
            here.server.answer(request)
            assert stream.read_response()[0].status == 200, name
            told = dict(line.split(": ", 1) for line in request.own)
            assert told.get("X-Forwarded-For") == client, name
            assert here.client_of(stream) == client if client else True
            stream.close()
    assert here.log.wait("request id=", "client=192.0.2.7:56324", "status=200")


def test_what_comes_with_the_header_is_not_lost(site):
    here = site()
    with connect(here.plain) as stream:
        stream.send(LINE + GET + GET)
        assert here.client_of_next(stream) == "192.0.2.7"
        assert here.client_of_next(stream) == "192.0.2.7"
    # The client's hello in the same segment.
    with connect(here.secure) as plain:
        class Prefixed(TlsStream):
            header = with_checksum(addresses())

            def flush(self):
                if self.header and self.to_peer.pending:
                    self.socket.sendall(self.header + self.to_peer.read())
                    self.header = b""
                super().flush()
        assert here.client_of(Prefixed(plain.socket)) == "192.0.2.7"


BAD = {
    "none": GET,
    "a hello": b"\x16\x03\x01\x00\x05hello",
    "no end": b"PROXY UNKNOWN " + b"x" * 100,
    "an octal number": b"PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n",
    "a large port": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
    "a line feed alone": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
    "a wrong checksum": with_checksum(addresses())[:-1] + b"?",
    "a length of 65535": v2(addresses(), length=65535),
    "too short": v2(addresses()[1:]),
    "a TLV beyond the end": v2(addresses() + b"\5\0\3ab"),
    "version 3": v2(addresses(), command=0x31),
    "a command": v2(addresses(), command=0x22),
    "a family": v2(addresses(), family=0x41),
}


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_bad_header_ends_the_connection(site, secure):
    here = site()
    for name, header in BAD.items():
        with connect(here.secure if secure else here.plain) as stream:
            stream.send(header + GET)
            assert stream.read_ending()[0] == b"", name
        assert here.log.wait("connection id=", "end=bad-proxy-header"), name
    assert here.server.is_quiet()
    here.gateway.wait_for_descriptors()


def test_a_header_has_its_time(site):
    here = site(headers={"timeout": "200ms"})
    for begun in (b"", LINE[:-1], v2(addresses())[:-1]):
        with connect(here.plain) as stream:
            stream.send(begun)
            assert stream.read_ending()[0] == b""
    assert here.log.wait_many(3, "connection id=", "end=proxy-header-timeout", "by=gateway")
    with connect(here.plain) as stream:
        stream.send(LINE[:9])
        stream.finish()
        assert stream.read_ending()[0] == b""
    assert here.log.wait("connection id=", "end=client-left")


def test_others_come_without_one(site):
    here = site()
    with connect(here.strange) as stream:
        assert here.client_of(stream) == LOCAL
    with connect(here.strange) as stream:
        stream.send(LINE + GET)
        assert stream.read_response()[0].status == 400
        assert here.server.is_quiet()


def test_the_client_of_the_header_is_the_one_that_is_trusted(site):
    """Not the sender: what its client says of others is believed of trusted clients only."""
    here = site(top={"trusted_proxies": ["198.51.100.0/24", "127.0.0.1"]})
    said = GET[:-2] + b"X-Forwarded-For: 203.0.113.9\r\n\r\n"
    for source, told in [("192.0.2.7", "192.0.2.7"),
                         ("198.51.100.9", "203.0.113.9, 198.51.100.9")]:
        with connect(here.plain) as stream:
            stream.send(v2(addresses(source)) + said)
            assert here.client_of_next(stream) == told


def test_a_reload_changes_who_sends_them(site):
    here = site()
    here.config.listeners[0]["proxy_protocol"] = {"from": ["192.0.2.1"]}
    told = Reloading(here.gateway, here.log)()
    assert f"listener 127.0.0.1:{here.plain} changed" in told
    with connect(here.plain) as stream:
        assert here.client_of(stream) == LOCAL


HAPROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
"""


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2",
                                 "send-proxy-v2 proxy-v2-options unique-id,crc32c"],
                         ids=["v1", "v2", "v2-crc"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_behind_haproxy(site, tmp_path, how, secure):
    here = site()
    port = free_port()
    file = tmp_path / "haproxy.conf"
    file.write_text(HAPROXY + f"""
listen front
  bind 127.0.0.1:{port}
  unique-id-format %{{+X}}o%ci:%cp
  server gateway 127.0.0.1:{here.secure if secure else here.plain} {how}
""")
    proxy = Program(["haproxy", "-db", "-f", file], tmp_path, "haproxy")
    try:
        proxy.wait_for(lambda: answers(port), "it to listen")
        with connect(port, secure) as stream:
            assert here.client_of(stream) == LOCAL
            # Its client's port, not its own.
            assert here.log.wait("request id=", f"client=127.0.0.1:{stream.local_port}")
    finally:
        proxy.kill()


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def test_behind_nginx(site, tmp_path):
    here = site()
    port = free_port()
    file = tmp_path / "nginx.conf"
    file.write_text(f"""
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
pid {tmp_path}/nginx.pid;
error_log stderr;
events {{}}
stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{here.plain}; proxy_protocol on; }} }}
""")
    proxy = Program(["nginx", "-c", file, "-p", tmp_path], tmp_path, "nginx")
    try:
        proxy.wait_for(lambda: answers(port), "it to listen")
        with connect(port) as stream:
            assert here.client_of(stream) == LOCAL
            assert here.log.wait("request id=", f"client=127.0.0.1:{stream.local_port}")
    finally:
        proxy.stop()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_server_is_told_in_version_two(site, secure):
    here = site(pool={"proxy_protocol": "v2"})
    port = here.gateway.https_port if secure else here.gateway.http_port
    with connect(port, secure) as stream:
        for _ in range(2):  # each request over a connection of its own
            stream.send(GET)
            upstream = here.upstream.accept()
            kind, block, tlvs = proxy_headers.read_v2(upstream)
            assert kind == (0x21, 0x11)
            assert block == addresses(LOCAL, stream.local_port, LOCAL, port)
            if secure:
                assert tlvs.pop(proxy_headers.AUTHORITY) == b"localhost"
            told = tlvs.pop(proxy_headers.UNIQUE_ID).decode()
            assert list(tlvs) == [proxy_headers.CRC32C]
            here.server.open.append(upstream)
            here.server.answer(here.server.read_request())
            assert stream.read_response()[0].status == 200
            assert here.log.wait(f"request id={told} ")
            assert upstream.read_to_end() == b""


def test_a_server_is_told_what_the_client_s_header_said(site):
    here = site(pool={"proxy_protocol": "v1"})
    for header, line in [(LINE, LINE), (b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n",
                                        b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n"),
                         (v2(b"\0" * 216, family=0x31), b"PROXY UNKNOWN\r\n")]:
        with connect(here.plain) as stream:
            stream.send(header + GET)
            upstream = here.upstream.accept()
            assert upstream.read_until(b"\n") == line
            here.server.open.append(upstream)
            here.server.answer(here.server.read_request())
            assert stream.read_response()[0].status == 200


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_before_haproxy(start_gateway, tmp_path, version, secure):
    """Over TLS, too: the header goes before the handshake."""
    port = free_port()
    chain = tmp_path / "both.pem"
    certificate, key = make_certificate(tmp_path, ["localhost"])
    chain.write_text(certificate.read_text() + key.read_text())
    file = tmp_path / "haproxy.conf"
    file.write_text(HAPROXY.replace("tcp", "http") + f"""
frontend behind
  bind 127.0.0.1:{port} accept-proxy {f"ssl crt {chain}" if secure else ""}
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst_port]"
""")
    proxy = Program(["haproxy", "-db", "-f", file], tmp_path, "haproxy")
    try:
        proxy.wait_for(lambda: answers(port), "it to listen")
        pool = {"servers": port, "proxy_protocol": version}
        if secure:
            pool["tls"] = {"verify": False}
        gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}]))
        for _ in range(3):
            with connect(gateway.http_port) as stream:
                for _ in range(2):
                    stream.send(GET)
                    body = stream.read_response()[1].decode()
                    assert body == f"{LOCAL}:{stream.local_port} {gateway.http_port}"
    finally:
        proxy.kill()


def test_a_reload_leaves_no_kept_connection_without_a_header(site):
    here = site()
    with connect(here.gateway.http_port) as stream:
        assert here.client_of(stream) == LOCAL
        here.config.pools["app"]["proxy_protocol"] = "v1"
        assert "pool app changed" in Reloading(here.gateway, here.log)()
        kept = here.server.open[-1]
        assert kept.read_to_end() == b""
        here.server.open.clear()
        stream.send(GET)
        upstream = here.upstream.accept()
        assert re.fullmatch(rb"PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n",
                            upstream.read_until(b"\n"))
        here.server.open.append(upstream)
        here.server.answer(here.server.read_request())
        assert stream.read_response()[0].status == 200


def test_connections_come_from_the_sources_in_turn(start_gateway, log_of):
    upstream = Upstream(free_port())
    try:
        pool = {"servers": upstream.port, "source": ["127.0.0.7", "127.0.0.8"],
                "keep_alive_idle": "off"}
        gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}]))
        seen = []
        for _ in range(4):
            with connect(gateway.http_port) as stream:
                stream.send(GET)
                peer = upstream.accept()
                seen.append(peer.socket.getpeername()[0])
                peer.read_head()
                peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
                assert stream.read_head().status == 204
        assert seen == ["127.0.0.7", "127.0.0.8"] * 2
    finally:
        upstream.close()


def test_a_source_that_is_not_the_machine_s_is_passed_over_and_told(start_gateway, log_of):
    upstream = Upstream(free_port())
    try:
        strange = "203.0.113.77"
        config = Config({"app": {"servers": upstream.port, "source": [strange, "127.0.0.8"],
                                 "keep_alive_idle": "off"},
                         "none": {"servers": upstream.port, "source": [strange]}},
                        [{"pool": "app"}, {"path": "/none", "pool": "none"}])
        gateway = start_gateway(config)
        assert f"pool app cannot be reached from its source {strange}" in gateway.log()
        for _ in range(3):
            with connect(gateway.http_port) as stream:
                stream.send(GET)
                peer = upstream.accept()
                assert peer.socket.getpeername()[0] == "127.0.0.8"
                peer.read_head()
                peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
                assert stream.read_head().status == 204
        log = log_of(gateway)
        with connect(gateway.http_port) as stream:
            stream.send(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
            assert stream.read_response()[0].status == 503
        line = log.wait("failed upstream=", "end=shortage", "EADDRNOTAVAIL")
        assert "add addresses to 'source' of the pool" in line
    finally:
        upstream.close()
