"""OCSP responses that the gateway shows beside its certificates, as openssl's client sees them."""

import os
import ssl
import subprocess
import time

import pytest

from support.certificates import Authority
from support.checking import run
from support.gateway import Config, Variant
from support.ocsp import respond, respond_until
from support.ports import free_port
from support.reloading import Reloading, saying
from support.streams import client_context, connect
from support.waiting import DEADLINE, wait_until

every_version = pytest.mark.parametrize("version", ["1_2", "1_3"])
NONE_SENT = "OCSP response: no response sent"
WATCHING = ["sh", "-c", 'exec "$@" --watch', "sh"]


@pytest.fixture(autouse=True)
def library():
    """The second way's wolfSSL has no staples."""
    if "OCSP staples" in run("--version").stdout:
        pytest.skip("this build's wolfSSL cannot show OCSP responses")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue(["DNS:site.test"])


class Site:
    """One port with a certificate and the file of its staple."""

    def __init__(self, authority, pair, staple, **listener):
        self.authority, self.staple = authority, staple
        self.port = free_port()
        entry = {"chain": str(pair[0]), "key": str(pair[1]), "ocsp_staple": str(staple)}
        self.config = Config({}, [saying("x")], listeners=[
            {"address": f"127.0.0.1:{self.port}", "certificates": [entry], **listener}])

    def ask(self, version, *arguments):
        """What openssl prints of a handshake."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "site.test",
             "-CAfile", self.authority.path, f"-tls{version}", *arguments],
            input=b"", capture_output=True, timeout=DEADLINE, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def is_shown(self, version="1_3"):
        told = self.ask(version, "-status")
        if NONE_SENT in told:
            return False
        assert "OCSP Response Status: successful" in told, told
        assert "Cert Status: good" in told and "Verify return code: 0 (ok)" in told
        return True


@pytest.fixture
def site(authority, pair, tmp_path):
    return Site(authority, pair, tmp_path / "site.ocsp")


def has_told(gateway, *words):
    """Since its start."""
    def tells():
        return any(all(word in line for word in words)
                   for line in gateway.log_file.read_text().splitlines())
    wait_until(tells, lambda: f"{words} in {gateway.log_file.read_text()}")


@every_version
def test_a_client_that_asks_is_shown_it_and_no_other(start_gateway, site, authority, pair, version):
    respond(authority, pair[0], site.staple)
    start_gateway(site.config, Variant(2))
    for _ in range(4):  # both shards
        assert site.is_shown(version)
        untold = site.ask(version, "-msg")
        assert "OCSP" not in untold and "CertificateStatus" not in untold
        assert "Verify return code: 0 (ok)" in untold


def test_it_may_be_pem(start_gateway, site, authority, pair, tmp_path):
    der = respond(authority, pair[0], tmp_path / "der")
    body = subprocess.run(["openssl", "base64", "-in", der], capture_output=True, check=True).stdout
    site.staple.write_bytes(b"-----BEGIN OCSP RESPONSE-----\n" + body
                            + b"-----END OCSP RESPONSE-----\n")
    start_gateway(site.config)
    assert site.is_shown("1_2") and site.is_shown("1_3")


@every_version
def test_a_reload_brings_a_new_one(start_gateway, site, authority, pair, log_of, version):
    respond_until(authority, pair[0], site.staple, -60)
    gateway = start_gateway(site.config, Variant(2))
    has_told(gateway, "warning", "OCSP file", "expired at", "a stale one is worse than none")
    assert not site.is_shown(version)
    log = log_of(gateway)
    reload = Reloading(gateway, log)
    respond(authority, pair[0], site.staple)
    assert f"listener 127.0.0.1:{site.port} changed" in reload()
    assert site.is_shown(version)
    # One that cannot be used changes nothing.
    site.staple.write_bytes(b"<html>502 Bad Gateway</html>")
    assert reload().startswith("failed: 1 error in the configuration")
    log.wait("error: OCSP file", "holds no OCSP response")
    assert site.is_shown(version)


@every_version
def test_one_that_expires_is_shown_no_more(start_gateway, site, authority, pair, version):
    respond_until(authority, pair[0], site.staple, 4)
    ends = time.time() + 4
    gateway = start_gateway(site.config)
    shown = site.is_shown(version)
    assert shown or time.time() >= ends - 1
    has_told(gateway, "warning", f"OCSP file '{site.staple}'", "expired at")
    assert not site.is_shown(version)


def test_the_watch_takes_a_new_one_over(start_gateway, site, authority, pair, tmp_path):
    respond_until(authority, pair[0], site.staple, -60)
    gateway = start_gateway(site.config, Variant(2), started_by=WATCHING)
    fresh = respond(authority, pair[0], tmp_path / "fresh")
    fresh.rename(site.staple)
    has_told(gateway, "main watch:", "site.ocsp", "reloading")
    has_told(gateway, "main reload: generation 2")
    wait_until(site.is_shown, "the new one")


def test_one_that_says_revoked_is_shown_with_a_warning(start_gateway, site, authority, pair):
    respond_until(authority, pair[0], site.staple, 3600, "REVOKED")
    gateway = start_gateway(site.config)
    has_told(gateway, "warning", "OCSP file", "says that the certificate is revoked")
    assert "Cert Status: revoked" in site.ask("1_3", "-status")


def test_one_that_knows_nothing_is_not_shown(start_gateway, site, authority, pair):
    respond_until(authority, pair[0], site.staple, 3600, "UNKNOWN")
    gateway = start_gateway(site.config)
    has_told(gateway, "warning", "OCSP file", "does not know the certificate")
    assert not site.is_shown()


def wrong_files(authority, pair, folder):
    other = authority.issue(["DNS:other.test"])
    good = respond(authority, pair[0], folder / "good").read_bytes()
    return {
        "empty": (b"", "is empty: fetch it anew"),
        "cut": (good[:-1], "holds no OCSP response, or one that is damaged"),
        "longer": (good + b"\0", "holds no OCSP response, or one that is damaged"),
        "another": (respond(authority, other[0], folder / "another").read_bytes(),
                    "is for another certificate, with the serial number "),
        "refused": (b"\x30\x03\x0a\x01\x06", "the responder has refused to answer (unauthorized)"),
        "chain": (pair[0].read_bytes(), "holds no OCSP response but CERTIFICATE"),
        "large": (bytes(20_000), "is larger than 12KiB"),
    }


def test_what_is_wrong_with_a_file_is_told_with_its_place(refused, site, authority, pair, tmp_path):
    text = site.config.text()
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "ocsp_staple" in one)
    column = text.splitlines()[line - 1].index(f'"{site.staple}"') + 1
    place = f"gateway.conf:{line}:{column}: error: OCSP file 'site.ocsp' "
    assert f"{place}does not exist" in refused(text)
    for content, words in wrong_files(authority, pair, tmp_path).values():
        site.staple.write_bytes(content)
        told = refused(text)
        assert place in told and words in told, told
        assert told.count("error: ") == 1


def test_the_check_prints_it(site, authority, pair, tmp_path):
    respond(authority, pair[0], site.staple)
    file = tmp_path / "gateway.conf"
    file.write_text(site.config.text())
    done = run("-t", "-c", file)
    assert done.returncode == 0 and f'ocsp_staple = "{site.staple}"' in done.stdout, done
    site.staple.unlink()
    os.symlink("/nowhere", site.staple)
    assert run("-t", "-c", file).returncode == 1


@every_version
def test_its_issuer_signs_no_certificates_of_clients(start_gateway, authority, pair, tmp_path,
                                                     version):
    clients = Authority(tmp_path, "clients")
    site = Site(authority, pair, tmp_path / "site.ocsp", client_ca=str(clients.path))
    respond(authority, pair[0], site.staple)
    start_gateway(site.config)
    wanted = getattr(ssl.TLSVersion, f"TLSv{version}")
    for issuer, is_let_in in ((clients, True), (authority, False)):
        context = client_context(wanted, wanted)
        context.load_cert_chain(*issuer.issue(["DNS:client.test"]))
        if is_let_in:
            with connect(site.port, True, context=context) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
                assert client.read_response()[0].status == 200
            continue
        with pytest.raises(ssl.SSLError, match="unknown ca"):
            with connect(site.port, True, context=context) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
                client.read_response()
    chain, key = clients.issue(["DNS:client.test"])
    told = site.ask(version, "-status", "-cert", chain, "-key", key)
    assert "Cert Status: good" in told
