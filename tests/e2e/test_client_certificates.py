"""Listeners that ask their clients for a certificate, as openssl, curl and Python's ssl see them."""

import itertools
import ssl
import subprocess

import pytest

from support.certificates import Authority
from support.checking import run
from support.gateway import Config
from support.ports import free_port
from support.reloading import Reloading
from support.streams import client_context, connect
from support.waiting import DEADLINE

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
every_version = pytest.mark.parametrize("version", VERSIONS)
REQUEST = b"GET /bytes?n=5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
NO_CERTIFICATE = {"1.2": "handshake failure", "1.3": "certificate required"}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authorities")
    return Authority(folder, "ours"), Authority(folder, "theirs")


@pytest.fixture
def doors(start_gateway, echo, authorities, tmp_path):
    """A gateway, and its ports by what they ask of clients."""
    ours, theirs = authorities
    either = tmp_path / "either.pem"
    either.write_text(ours.path.read_text() + theirs.path.read_text())
    keys = {"required": {"client_ca": str(ours.path)},
            "optional": {"client_ca": str(ours.path), "client_certificates": "optional"},
            "either": {"client_ca": str(either), "client_certificates": "required"}}
    ports = {name: free_port() for name in keys}
    listeners = [{"address": f"127.0.0.1:{ports[name]}", "certificates": "self-signed", **keys[name]}
                 for name in keys]
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}], listeners=listeners))
    gateway.doors = {**ports, "open": gateway.https_port}
    return gateway


def context_for(version, certificate=None):
    context = client_context(VERSIONS[version], VERSIONS[version])
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def fetch(port, context, session=None):
    with connect(port, True, context=context, session=session) as client:
        client.send(REQUEST)
        head, body = client.read_response()
        assert (head.status, len(body)) == (200, 5)
        assert client.read_to_end() == b""
        return client.tls


def refusal(port, context):
    with pytest.raises(ssl.SSLError) as told:
        fetch(port, context)
    return str(told.value)


@pytest.fixture
def ask(curl):
    def run_curl(port, version, *arguments):
        return curl(f"--tlsv{version}", "--tls-max", version, *arguments,
                    f"https://127.0.0.1:{port}/bytes?n=5", code=None)
    return run_curl


@every_version
@pytest.mark.parametrize("door", ["required", "optional", "either"])
def test_who_shows_a_good_one_is_served(doors, authorities, ask, version, door):
    chain, key = authorities[0].issue(["DNS:client.test"])
    fetch(doors.doors[door], context_for(version, (chain, key)))
    done = ask(doors.doors[door], version, "--cert", chain, "--key", key)
    assert (done.returncode, len(done.stdout)) == (0, 5), done.stderr
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{doors.doors[door]}", "-ign_eof",
         f"-tls{version.replace('.', '_')}", "-cert", chain, "-key", key],
        input=REQUEST, capture_output=True, timeout=DEADLINE, check=False)
    assert b"HTTP/1.1 200 " in done.stdout, done.stderr


@every_version
def test_who_shows_none_is_served_only_where_it_is_optional(doors, log_of, ask, version):
    log = log_of(doors)
    fetch(doors.doors["optional"], context_for(version))
    for door in ("required", "either"):
        assert NO_CERTIFICATE[version] in refusal(doors.doors[door], context_for(version))
        log.wait("tls-failed", "the client showed no certificate")
        done = ask(doors.doors[door], version)
        assert done.returncode != 0 and done.stdout == b""


@every_version
@pytest.mark.parametrize("door", ["required", "optional"])
def test_who_shows_a_bad_one_is_not_served(doors, authorities, log_of, version, door):
    ours, theirs = authorities
    log = log_of(doors)
    for certificate, alert, cause in [
            (theirs.issue(["DNS:client.test"]), "unknown ca", "certificate of an unknown authority"),
            (ours.issue(["DNS:client.test"], days=-2), "certificate expired",
             "certificate has expired")]:
        assert alert in refusal(doors.doors[door], context_for(version, certificate))
        log.wait("tls-failed", cause)
    doors.wait_for_descriptors()


@every_version
def test_a_ticket_is_good_only_where_the_same_is_asked_for(doors, authorities, version):
    """Elsewhere it is a full handshake, and no error."""
    context = context_for(version, authorities[0].issue(["DNS:client.test"]))
    for first, second in itertools.product(doors.doors, repeat=2):
        made = fetch(doors.doors[first], context)
        assert not made.session_reused and made.session.has_ticket
        again = fetch(doors.doors[second], context, made.session)
        assert again.session_reused == (first == second), f"{first}, then {second}"


@every_version
@pytest.mark.parametrize("door", ["open", "optional"])
def test_no_ticket_takes_the_place_of_a_certificate(doors, version, door):
    context = context_for(version)
    session = fetch(doors.doors[door], context).session
    with pytest.raises(ssl.SSLError, match=NO_CERTIFICATE[version]):
        fetch(doors.doors["required"], context, session)


@every_version
def test_a_ticket_from_before_a_reload_is_good_where_the_same_is_asked_for(
        start_gateway, echo, authorities, log_of, tmp_path, version):
    ours, theirs = authorities
    port, ca = free_port(), tmp_path / "clients.pem"
    ca.write_text(ours.path.read_text())

    def asking(**keys):
        return {"address": f"127.0.0.1:{port}", "certificates": "self-signed", **keys}

    def same_as_before():
        return fetch(port, context, session).session_reused

    config = Config({"app": echo.port}, [{"pool": "app"}], listeners=[asking(client_ca=str(ca))])
    gateway = start_gateway(config)
    reload = Reloading(gateway, log_of(gateway))
    context = context_for(version, ours.issue(["DNS:client.test"]))
    session = fetch(port, context).session
    config.routes.append({"path": "/other", "pool": "app"})
    assert "route-2 added" in reload()
    assert same_as_before()
    for other in (asking(client_ca=str(ca), client_certificates="optional"), asking()):
        config.listeners = [other]
        assert f"listener 127.0.0.1:{port} changed" in reload()
        assert not same_as_before()
        unasked, nobody = fetch(port, context).session, context_for(version)
        without = fetch(port, nobody).session
        config.listeners = [asking(client_ca=str(ca))]
        reload()
        assert same_as_before()
        assert not fetch(port, context, unasked).session_reused
        with pytest.raises(ssl.SSLError, match=NO_CERTIFICATE[version]):
            fetch(port, nobody, without)
    # The file alone.
    ca.write_text(ours.path.read_text() + theirs.path.read_text())
    assert f"listener 127.0.0.1:{port} changed" in reload()
    assert not same_as_before()
    ca.write_text(theirs.path.read_text())
    reload()
    assert "unknown ca" in refusal(port, context)


@every_version
def test_who_is_revoked_comes_in_no_more(start_gateway, echo, authorities, log_of, tmp_path,
                                         version):
    ours = authorities[0]
    port, crl = free_port(), tmp_path / "revoked.pem"
    good, bad = ours.issue(["DNS:good.test"]), ours.issue(["DNS:bad.test"])
    ours.list_revoked([], crl)
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}], listeners=[
        {"address": f"127.0.0.1:{port}", "certificates": "self-signed", "client_ca": str(ours.path),
         "client_crl": str(crl), "client_certificates": "optional"}]))
    log = log_of(gateway)
    reload = Reloading(gateway, log)
    context = context_for(version, bad)
    session = fetch(port, context).session
    assert fetch(port, context, session).session_reused
    ours.list_revoked([bad[0]], crl)
    assert f"listener 127.0.0.1:{port} changed" in reload()
    assert "bad certificate" in refusal(port, context)
    with pytest.raises(ssl.SSLError, match="bad certificate"):
        fetch(port, context, session)
    log.wait("tls-failed", "certificate has been revoked")
    fetch(port, context_for(version, good))
    fetch(port, context_for(version))
    # One that has expired does not keep the gateway from starting, but its clients from coming in.
    ours.list_revoked([], crl, hours=-1)
    reload()
    log.wait("warning", "has expired (list 1): until it is renewed nobody comes in")
    refusal(port, context_for(version, good))
    log.wait("tls-failed", "certificate of a CA whose list of revoked ones is missing")
    fetch(port, context_for(version))
    assert reload() == "no change"


def test_only_as_many_others_are_shown_as_may_be(start_gateway, echo, authorities, log_of,
                                                 tmp_path):
    ours = authorities[0]
    between = Authority(tmp_path, "between", by=ours)
    whole = tmp_path / "whole.pem"
    ports = [free_port(), free_port()]
    gateway = start_gateway(Config({"app": echo.port}, [{"pool": "app"}], listeners=[
        {"address": f"127.0.0.1:{port}", "certificates": "self-signed", "client_ca": str(ours.path),
         "client_depth": depth} for depth, port in enumerate(ports)]))
    log = log_of(gateway)
    chain, key = between.issue(["DNS:client.test"])
    whole.write_text(chain.read_text() + between.path.read_text())
    fetch(ports[1], context_for("1.3", (whole, key)))
    refusal(ports[0], context_for("1.3", (whole, key)))
    log.wait("tls-failed", "certificate chain too long")
    chain, key = ours.issue(["DNS:client.test"])
    whole.write_text(chain.read_text() + ours.path.read_text())
    for port in ports:
        fetch(port, context_for("1.3", (whole, key)))


def test_the_check_refuses_what_a_start_would(authorities, tmp_path):
    def check(keys):
        file = tmp_path / "gateway.conf"
        file.write_text('[[listen]]\naddress = "127.0.0.1:18443"\n' + keys +
                        '[[route]]\n[route.answer]\nbody = "x"\n')
        return run("-t", "-c", file)

    tls = 'certificates = "self-signed"\n'
    done = check(f'{tls}client_ca = "{authorities[0].path}"\n')
    assert done.returncode == 0, done.stderr
    assert f'client_ca = "{authorities[0].path}"\nclient_certificates = "required"\n' in done.stdout
    chain, key = authorities[0].issue(["DNS:client.test"])
    for keys, error in [
            (f'client_ca = "{authorities[0].path}"\n', "3:13: error: 'client_ca' is for listeners with"),
            (f'{tls}client_ca = "{authorities[0].path}"\nclient_crl = "{authorities[0].path}"\n',
             f"5:14: error: CRL file '{authorities[0].path}' holds no list of revoked"),
            (f'{tls}client_ca = "{authorities[0].path}"\nclient_crl = "none.pem"\n',
             "5:14: error: CRL file '"),
            (f'{tls}client_crl = "none.pem"\n', "4:14: error: 'client_crl' needs a file of the CAs"),
            (tls + 'client_certificates = "optional"\n', "4:23: error: 'client_certificates' needs a"),
            (f'{tls}client_ca = "{key}"\n', f"4:13: error: CA file '{key}' holds no certificate"),
            (f'{tls}client_ca = "{chain}"\n', f"4:13: error: CA file '{chain}' holds a certificate "
                                              "that is no CA's"),
            (f'{tls}client_ca = "none.pem"\n', "does not exist; its path is taken from")]:
        done = check(keys)
        assert done.returncode != 0
        assert error in done.stderr, done.stderr
