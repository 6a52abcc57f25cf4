"""TLS as openssl and Python's ssl see it: versions, ALPN, certificates, resumption, refusals."""

import ssl
import subprocess

import pytest

from conftest import every_variant
from support.certificates import make_certificate
from support.gateway import Config
from support.streams import client_context, connect
from support.waiting import DEADLINE

REQUEST = b"GET /bytes?n=5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def s_client(port, *arguments, data=REQUEST):
    """What openssl s_client said, and how it ended. It stays until the server closes."""
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof",
                           *arguments], input=data, capture_output=True, timeout=DEADLINE,
                          check=False)


def fetch(stream):
    stream.send(REQUEST)
    head, body = stream.read_response()
    assert (head.status, len(body)) == (200, 5)
    return stream.read_to_end()


@every_variant
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_openssl_is_served(gateway, version):
    done = s_client(gateway.https_port, f"-tls{version.replace('.', '_')}")
    text = done.stdout.decode(errors="replace")
    assert f"TLSv{version}" in text
    assert "HTTP/1.1 200 " in text
    assert "GCM" in text or "CHACHA20" in text, "nothing but AEAD"
    assert done.returncode == 0, done.stderr


def test_tls_1_1_is_refused(gateway, log):
    done = s_client(gateway.https_port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert b"alert protocol version" in done.stderr
    assert b"HTTP/1.1" not in done.stdout
    log.wait("tls-failed")


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256",
                                    "NULL-SHA256"])
def test_ciphers_without_aead_or_forward_secrecy_are_refused(gateway, log, cipher):
    done = s_client(gateway.https_port, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert b"handshake failure" in done.stderr, done.stderr
    log.wait("tls-failed")


@pytest.mark.parametrize("group,name", [("X25519", b"X25519"), ("P-256", b"ECDH, prime256v1")])
def test_key_exchange_groups(gateway, group, name):
    done = s_client(gateway.https_port, "-tls1_3", "-groups", group)
    assert b"HTTP/1.1 200 " in done.stdout
    assert b" Temp Key: " + name in done.stdout  # "Server" or, since OpenSSL 3.5, "Peer"


@pytest.mark.parametrize("offer,chosen", [(["http/1.1"], "http/1.1"),
                                          (["h2", "http/1.1"], "http/1.1"), (None, None)])
def test_alpn_is_http_1_1(gateway, offer, chosen):
    with connect(gateway.https_port, True, context=client_context(alpn=offer)) as client:
        assert client.tls.selected_alpn_protocol() == chosen
        fetch(client)


def test_a_client_that_wants_http_2_only_is_told(gateway, log):
    done = s_client(gateway.https_port, "-alpn", "h2")
    assert b"alert no application protocol" in done.stderr
    log.wait("tls-failed")


def test_the_end_of_a_response_is_no_truncation(gateway):
    with connect(gateway.https_port, True) as client:
        assert fetch(client) == b""  # raises where there was no close_notify


@every_variant
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                         ids=["1.2", "1.3"])
def test_a_session_is_resumed_on_every_shard(gateway, version):
    context = client_context(minimum=version, maximum=version)
    with connect(gateway.https_port, True, context=context) as client:
        fetch(client)
        assert not client.tls.session_reused
        session = client.tls.session
    assert session.has_ticket
    for _ in range(12):  # the kernel picks the shard anew each time
        with connect(gateway.https_port, True, context=context, session=session) as client:
            fetch(client)
            assert client.tls.session_reused


def certificate_text(port, *arguments):
    done = s_client(port, *arguments)
    return subprocess.run(["openssl", "x509", "-noout", "-text", "-nameopt", "RFC2253"], input=done.stdout,
                          capture_output=True, check=True).stdout.decode()


def test_the_self_signed_certificate_is_for_localhost(gateway):
    text = certificate_text(gateway.https_port)
    assert "DNS:localhost" in text
    assert "IP Address:127.0.0.1" in text
    assert "ASN1 OID: prime256v1" in text
    warning = gateway.log()
    assert "self-signed" in warning


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_a_certificate_from_files_is_served_and_verifies(start_gateway, echo, tmp_path, kind):
    chain, key = make_certificate(tmp_path, ["one.test"], kind)
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                                   certificates=[(chain, key)]))
    context = ssl.create_default_context(cafile=chain)
    with connect(gateway.https_port, True, context=context, server_name="one.test") as client:
        fetch(client)
    assert "self-signed" not in gateway.log()


def test_the_certificate_follows_the_name_that_is_asked_for(start_gateway, echo, tmp_path):
    first = make_certificate(tmp_path, ["one.test", "www.one.test"])
    second = make_certificate(tmp_path, ["two.test", "*.two.test"])
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                                   certificates=[first, second]))
    for name, wanted in {"one.test": "one.test", "www.one.test": "one.test", "two.test": "two.test",
                         "a.two.test": "two.test", "nobody.test": "one.test"}.items():
        text = certificate_text(gateway.https_port, "-servername", name)
        assert f"Subject: CN={wanted}\n" in text, name
    assert "Subject: CN=one.test\n" in certificate_text(gateway.https_port, "-noservername")


def test_there_is_no_renegotiation(gateway):
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.https_port}", "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        process.stdin.write(b"R\n")
        process.stdin.flush()
        text = process.stdout.read()  # it ends because the gateway ends the connection
    finally:
        process.kill()
        process.communicate()
    _, renegotiation = text.split(b"RENEGOTIATING")
    assert b"error:" in renegotiation and b"depth=0" not in renegotiation


def test_early_data_is_not_offered(gateway):
    done = s_client(gateway.https_port, "-tls1_3")
    assert b"Max Early Data: 0" in done.stdout
    assert b"Early data was not sent" in done.stdout


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "a-part"])
def test_a_handshake_that_takes_too_long_is_given_up(start_gateway, echo, log_of, sent):
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                                   timeouts={"tls_handshake": "300ms"}))
    log = log_of(gateway)
    with connect(gateway.https_port) as client:
        client.send(sent)
        client.read_ending()
    log.wait("tls-timeout")
    gateway.wait_for_descriptors()


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01\x00\x02" * 20,
                                     bytes(5000), b"\x16\x03\x01\xff\xff" + bytes(70_000),
                                     b"SSH-2.0-OpenSSH_9.2\r\n"],
                         ids=["bad-hello", "ssl-2", "zeros", "overlong-record", "ssh"])
def test_garbage_on_the_tls_port_ends_the_connection(gateway, log, garbage):
    with connect(gateway.https_port) as client:
        try:
            client.send(garbage)
        except OSError:
            pass  # it was refused before all of it was sent
        data, _ = client.read_ending()
        assert not data.startswith(b"HTTP/1.1 2")
    log.wait("127.0.0.1", "end=")


def test_a_record_in_single_bytes_is_understood(gateway):
    with connect(gateway.https_port, True) as client:
        sealed = client.seal(REQUEST)
        for position in range(len(sealed)):
            client.socket.sendall(sealed[position:position + 1])
        head, body = client.read_response()
        assert (head.status, len(body)) == (200, 5)


def test_a_record_that_was_tampered_with_ends_the_connection(gateway, upstream, log):
    with connect(gateway.https_port, True) as client:
        sealed = bytearray(client.seal(b"GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n"))
        sealed[-1] ^= 1
        client.socket.sendall(sealed)
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            client.read_to_end()
            raise ssl.SSLError("ended in order")
    assert upstream.saw_nothing()


def test_plain_http_on_a_tls_port_is_told_so_whatever_else_it_sends(gateway):
    """What nobody reads would make a reset of the answer."""
    for _ in range(20):
        with connect(gateway.https_port) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000))
            head = client.read_head()
            assert head.status == 400
            assert b"https://" in client.read_body(head)
            assert client.read_ending() == (b"", "end")
