"""What servers are told of a client's certificate, and that nobody else can tell it."""

import ssl
import subprocess

import pytest

from support.certificates import Authority
from support.checking import run
from support.gateway import Config
from support.ports import free_port
from support.reloading import Reloading
from support.streams import client_context, connect

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
NAMES = ["DNS:client.test", "URI:spiffe://a/b", "email:a@b.test", "IP:10.0.0.7"]
MIMICS = ("X-Client-Cert-Subject: CN=admin\r\nx-client-cert-san: DNS:admin.test\r\n"
          "X_Client_Cert_Subject: CN=admin\r\nX-Client-Cert-Fingerprint: 00\r\n"
          "X-Client-Cert-Anything: 1\r\nConnection: X-Client-Cert-Subject\r\n")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture
def ports(start_gateway, raw_port, authority):
    ca = {"client_ca": str(authority.path), "certificates": "self-signed"}
    doors = {"told": {**ca, "client_certificate_headers": True},
             "optional": {**ca, "client_certificates": "optional",
                          "client_certificate_headers": True},
             "untold": ca}
    ports = {door: free_port() for door in doors}
    listeners = [{"address": f"127.0.0.1:{ports[door]}", **doors[door]} for door in doors]
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}], listeners=listeners,
                                   top={"trusted_proxies": ["127.0.0.1"]}))
    return {**ports, "open": gateway.https_port, "plain": gateway.http_port}


def context_for(version="1.3", certificate=None):
    context = client_context(VERSIONS[version], VERSIONS[version])
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def ask(client, server, more="", answer=FINE):
    client.send(f"GET / HTTP/1.1\r\nHost: x.test\r\n{more}\r\n".encode())
    request = server.read_request()
    server.answer(request, answer)
    assert client.read_head().status in (101, 200)
    if answer is FINE:
        assert client.read_exactly(2) == b"ok"
    return told(request)


def told(request):
    return [line for line in request.seen.lines if "client" in line.lower()]


def facts_of(chain):
    """As openssl sees them."""
    done = subprocess.run(["openssl", "x509", "-in", chain, "-noout", "-serial", "-fingerprint",
                           "-sha256"], capture_output=True, text=True, check=True)
    serial, fingerprint = (line.split("=")[1] for line in done.stdout.splitlines())
    return ["X-Client-Cert-Subject: CN=server", "X-Client-Cert-Issuer: CN=ours",
            "X-Client-Cert-San: DNS:client.test, URI:spiffe://a/b, EMAIL:a@b.test, IP:10.0.0.7",
            f"X-Client-Cert-Serial: {serial}",
            f"X-Client-Cert-Fingerprint: {fingerprint.replace(':', '').lower()}"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("door", ["told", "optional"])
def test_servers_are_told_whose_it_is(ports, server, authority, version, door):
    certificate = authority.issue(NAMES)
    expected = facts_of(certificate[0])
    with connect(ports[door], True, context=context_for(version, certificate)) as client:
        assert ask(client, server) == expected
        assert ask(client, server, MIMICS) == expected


def test_a_server_is_told_at_an_upgrade(ports, server, authority):
    certificate = authority.issue(NAMES)
    with connect(ports["told"], True, context=context_for(certificate=certificate)) as client:
        asked = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX_CLIENT_CERT_SAN: DNS:admin\r\n")
        assert ask(client, server, asked, SWITCH) == facts_of(certificate[0])


@pytest.mark.parametrize("door", ["optional", "untold", "open", "plain"])
def test_nobody_else_tells_it(ports, server, authority, door):
    """A trusted proxy neither."""
    certificate = authority.issue(NAMES) if door == "untold" else None
    context = context_for(certificate=certificate)
    options = {} if door == "plain" else {"tls": True, "context": context}
    with connect(ports[door], **options) as client:
        assert ask(client, server, MIMICS) == []


def test_trailers_do_not_tell_it(ports, server, authority):
    certificate = authority.issue(NAMES)
    with connect(ports["told"], True, context=context_for(certificate=certificate)) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n"
                    b"Trailer: X-Client-Cert-Subject, X-Free\r\n\r\n2\r\nok\r\n0\r\n"
                    b"X-Client-Cert-Subject: CN=admin\r\nx_client_cert_san: DNS:admin\r\n"
                    b"X-Free: 1\r\n\r\n")
        request = server.read_request()
        assert request.seen.trailers == ("X-Free: 1",)
        assert told(request) == facts_of(certificate[0])
        assert "Trailer: X-Free" in request.seen.lines
        server.answer(request, FINE)
        assert client.read_response()[0].status == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_no_session_comes_back_without_it(ports, server, authority, version):
    certificate = authority.issue(NAMES)
    context, session = context_for(version, certificate), None
    for door in ("untold", "told", "told", "optional"):
        with connect(ports[door], True, context=context, session=session) as client:
            told_now = ask(client, server)
            assert not client.tls.session_reused
            assert told_now == ([] if door == "untold" else facts_of(certificate[0]))
            session = client.tls.session if door == "untold" else session


def test_a_reload_begins_and_ends_it(start_gateway, raw_port, server, authority, log_of):
    port = free_port()
    keys = {"address": f"127.0.0.1:{port}", "certificates": "self-signed",
            "client_ca": str(authority.path)}
    config = Config({"raw": raw_port}, [{"pool": "raw"}], listeners=[keys])
    gateway = start_gateway(config)
    reload = Reloading(gateway, log_of(gateway))
    certificate = authority.issue(NAMES)
    context = context_for(certificate=certificate)
    for tells in (True, False):
        config.listeners = [{**keys, "client_certificate_headers": tells}]
        assert f"listener 127.0.0.1:{port} changed" in reload()
        with connect(port, True, context=context) as client:
            assert ask(client, server) == (facts_of(certificate[0]) if tells else [])


def test_the_check_shows_it_and_says_what_it_needs(authority, tmp_path):
    def check(keys):
        file = tmp_path / "gateway.conf"
        file.write_text('[[listen]]\naddress = "127.0.0.1:18443"\ncertificates = "self-signed"\n' +
                        keys + '[[route]]\n[route.answer]\nbody = "x"\n')
        return run("-t", "-c", file)

    ca = f'client_ca = "{authority.path}"\n'
    for keys, shown in [(ca, "false"), (ca + "client_certificate_headers = true\n", "true")]:
        done = check(keys)
        assert done.returncode == 0, done.stderr
        assert f"client_depth = 3\nclient_certificate_headers = {shown}\n" in done.stdout
    done = check("client_certificate_headers = true\n")
    assert done.returncode != 0
    assert "4:30: error: 'client_certificate_headers' needs a file of the CAs" in done.stderr
