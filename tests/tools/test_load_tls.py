"""gateway-load and TLS, against servers that Python's ssl makes: whom it trusts, how it shows who it is, what
it resumes."""

import ssl
import subprocess

import pytest
from faulty_server import FaultyServer
from raw_server import RawServer
from test_load import FAILED, LIMITED, PASSED, UNREACHABLE, over_all, run

NAME = "a.test"
FAIR = (PASSED, LIMITED)
LOAD = ["--connections", 4, "--duration", "0.5", "--warm-up", 0]


class Certificate:
    """Signs itself: it is its own authority."""

    def __init__(self, folder, stem):
        self.path, self.key = folder / f"{stem}.pem", folder / f"{stem}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", f"/CN={stem}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout",
             self.key, "-out", self.path], check=True, capture_output=True)


@pytest.fixture(scope="module", name="certificates")
def make_certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {stem: Certificate(folder, stem) for stem in ("server", "client", "other")}


def server_context(certificates, client=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["server"].path, certificates["server"].key)
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client.path)
    return context


def answer_all(_server, peer):
    while peer.read_head() is not None:
        peer.answer(b"x" * 100)


class Door:
    """The same to both kinds of server."""

    def __init__(self, scheme, context):
        self.server = (RawServer(answer_all, tls=context) if scheme == "https" else
                       FaultyServer(echo_all, tls=context))
        self.scheme = scheme

    def __enter__(self):
        self.server.__enter__()
        return self.server.url("https") if self.scheme == "https" else self.server.url

    def __exit__(self, *_):
        self.server.__exit__()


async def echo_all(_server, connection):
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_it_verifies_whom_it_talks_to(certificates, scheme):
    with Door(scheme, server_context(certificates)) as url:
        result = run(url, *LOAD, "--verify", certificates["server"].path, "--sni", NAME, statuses=FAIR)
        assert over_all(result, "opened") == over_all(result, "full") == 4
        assert over_all(result, "received") > 0 and result["errors"] == {}
        for trusted, name in ("other", NAME), ("server", "b.test"):
            result = run(url, *LOAD, "--verify", certificates[trusted].path, "--sni", name,
                         statuses=(UNREACHABLE,))
            assert over_all(result, "opened") == 0
            assert result["errors"] and all(kind.startswith("tls: ") for kind in result["errors"])


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_it_shows_its_certificate(certificates, scheme):
    client, other = certificates["client"], certificates["other"]
    with Door(scheme, server_context(certificates, client)) as url:
        result = run(url, *LOAD, "--cert", client.path, "--key", client.key, statuses=FAIR)
        assert over_all(result, "opened") == 4 and result["errors"] == {}
        for arguments in ["--cert", other.path, "--key", other.key], []:
            result = run(url, *LOAD, *arguments, statuses=(FAILED, UNREACHABLE))
            assert over_all(result, "received") == 0 and result["errors"] != {}


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_it_resumes_as_many_sessions_as_it_was_told(certificates, scheme):
    with Door(scheme, server_context(certificates)) as url:
        churn = [url, "--connections", 2, "--duration", 1, "--warm-up", 0, "--life", "20ms"]
        none = run(*churn, statuses=FAIR)
        all_ = run(*churn, "--resume", "100%", statuses=FAIR)
    assert over_all(none, "full") > 2 and over_all(none, "resumed") == 0
    # The first one of each place has nothing to resume.
    assert over_all(all_, "resumed") > over_all(all_, "full") > 0
    assert over_all(all_, "received") > 0


def test_groups_are_what_the_handshake_offers(certificates):
    context = server_context(certificates)
    context.set_ecdh_curve("prime256v1")  # and no other one
    with Door("wss", context) as url:
        result = run(url, "--groups", "X25519,P-256", *LOAD, statuses=FAIR)
        assert over_all(result, "opened") == 4 and result["errors"] == {}
        result = run(url, "--groups", "X25519", *LOAD, statuses=(UNREACHABLE,))
        assert over_all(result, "opened") == 0 and result["errors"]
