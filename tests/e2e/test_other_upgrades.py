"""Upgrades to other protocols than WebSockets, as a route lets them pass: tunnels of bytes."""

import os
import signal

import pytest

from support.certificates import make_certificate
from support.gateway import Config, Variant
from support.ports import free_port
from support.reloading import Reloading
from support.streams import Upstream, connect
from support.upstreams import TlsUpstream

SWITCH = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nX-Kind: raw\r\n\r\n"


def ask(protocol="tcp", target="/attach", more=""):
    return (f"POST {target} HTTP/1.1\r\nHost: x.test\r\nConnection: Upgrade\r\n"
            f"Upgrade: {protocol}\r\n{more}\r\n").encode()


@pytest.fixture
def site(start_gateway, log_of):
    made = []

    class Site:
        def __init__(self, timeouts=None, variant=Variant(2), upstream=None, pool=None, **options):
            self.upstream = upstream or Upstream(free_port())
            made.append(self.upstream)
            pools = {"app": {"servers": self.upstream.port, **(pool or {})}}
            self.config = Config(
                pools, [{"name": "attach", "path": "/attach", "pool": "app",
                         "upgrades": ["tcp", "SPDY/3.1"], "timeouts": timeouts or {}},
                        {"name": "plain", "pool": "app"}], **options)
            self.gateway = start_gateway(self.config, variant)
            self.log = log_of(self.gateway)

        def client(self, secure=False):
            return connect(self.gateway.https_port if secure else self.gateway.http_port, secure)

        def open(self, client, behind=b""):
            client.send(ask())
            peer = self.upstream.accept()
            head = peer.read_head()
            assert head.get("Upgrade") == "tcp" and head.get("Connection") == "Upgrade"
            peer.send(SWITCH + behind)
            answer = client.read_head()
            assert (answer.status, answer.get("Upgrade"), answer.get("Connection"),
                    answer.get("X-Kind")) == (101, "tcp", "Upgrade", "raw")
            return peer

    yield Site
    for one in made:
        one.close()


def talk(client, peer):
    """Bytes that would be bad frames, and bad HTTP."""
    for size in (1, 5000, 300_000):
        data = os.urandom(size)
        client.send(data)
        assert peer.read_exactly(size) == data
        peer.send(data[::-1])
        assert client.read_exactly(size) == data[::-1]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_bytes_pass_both_ways_and_half_closes_too(site, secure):
    here = site()
    with here.client(secure) as client:
        peer = here.open(client, behind=b"first")
        assert client.read_exactly(5) == b"first"
        talk(client, peer)
        client.finish()
        assert peer.read_to_end() == b""
        peer.send(b"still there")
        assert client.read_exactly(11) == b"still there"
        peer.finish()
        assert client.read_ending() == (b"", "end")
    line = here.log.wait("tunnel id=", 'protocol="tcp"', "route=attach", "end=done")
    assert "client_bytes=305001" in line and "upstream_bytes=305017" in line
    with here.client(secure) as client:
        peer = here.open(client)
        peer.finish()
        assert client.read_to_end() == b""
        client.send(b"still here")
        assert peer.read_exactly(10) == b"still here"
        client.finish()
        assert peer.read_ending() == (b"", "end")
    here.gateway.wait_for_descriptors()


def test_over_tls_to_the_server(site, tmp_path):
    chain, key = make_certificate(tmp_path, ["localhost"])
    here = site(upstream=TlsUpstream(chain, key), pool={"tls": {"verify": False}})
    with here.client() as client:
        peer = here.open(client)
        talk(client, peer)
        client.reset()
        assert peer.read_ending()[1] in ("truncated", "reset")


def test_others_are_not_asked_for(site):
    """Nor where the route says nothing, nor in another version; the request passes without it."""
    here = site()
    for request in (ask(target="/x"), ask("foo"), ask("h2c"), ask("SPDY/3"), ask("tcp/1")):
        with here.client() as client:
            client.send(request)
            peer = here.upstream.accept()
            head = peer.read_head()
            assert head.get("Upgrade") is None and head.get("Connection") is None
            peer.send(SWITCH)
            assert client.read_response()[0].status == 502  # nobody asked for it
            peer.close()


@pytest.mark.parametrize("answer", [
    b"Upgrade: SPDY/3.1\r\nConnection: Upgrade\r\n", b"Connection: Upgrade\r\n", b"Upgrade: tcp\r\n",
    b"Upgrade: tcp, SPDY/3.1\r\nConnection: Upgrade\r\n",
    b"Upgrade: tcp\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n"])
def test_the_server_has_to_switch_to_what_was_asked_for(site, answer):
    here = site(variant=Variant(1))
    with here.client() as client:
        client.send(ask())
        peer = here.upstream.accept()
        peer.read_head()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\n" + answer + b"\r\nsecret")
        head, body = client.read_response()
        assert head.status == 502 and b"secret" not in body
        assert here.log.wait("request id=", "status=502", "the 101 is not for the protocol")


def test_early_bytes_wait_for_the_101(site):
    here = site()
    with here.client() as client:
        client.send(ask() + b"early")
        peer = here.upstream.accept()
        peer.read_head()
        assert not peer.wait_readable(0.3)
        peer.send(SWITCH)
        assert peer.read_exactly(5) == b"early"
        assert client.read_head().status == 101
        talk(client, peer)
    # More of them than fit: the rest stays with the client until then.
    with here.client() as client:
        client.socket.setblocking(False)
        early = ask() + b"x" * 20_000_000
        sent = client.socket.send(early)
        peer = here.upstream.accept()
        peer.read_head()
        assert not peer.wait_readable(0.3)
        assert sent < len(early)


def test_a_refused_one_leaves_no_connection(site):
    here = site()
    with here.client() as client:
        client.send(ask() + b"GET /admin HTTP/1.1\r\nHost: x.test\r\n\r\n")
        peer = here.upstream.accept()
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
        head, body = client.read_response()
        assert (head.status, body, head.get("Connection")) == (200, b"no", "close")
        assert client.read_ending()[0] == b""
        assert peer.read_ending()[0] == b"", "the tail went to the server"


def test_a_body_has_no_place_in_it(site):
    here = site()
    for more in ("Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"):
        with here.client() as client:
            client.send(ask(more=more) + b"abc")
            assert client.read_response()[0].status == 400
            assert client.read_ending()[0] == b""
    assert here.upstream.saw_nothing()


def test_http_1_0_knows_no_upgrades(site):
    here = site()
    with here.client() as client:
        client.send(ask().replace(b"HTTP/1.1", b"HTTP/1.0"))
        peer = here.upstream.accept()
        assert peer.read_head().get("Upgrade") is None


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_cut_is_passed_on_as_one(site, secure):
    here = site()
    for cut_by in ("client", "server"):
        with here.client(secure) as client:
            peer = here.open(client)
            talk(client, peer)
            one, other = (client, peer) if cut_by == "client" else (peer, client)
            one.reset()
            assert other.read_ending()[1] == ("truncated" if secure and other is client else "reset")
    assert here.log.wait("tunnel id=", "end=client-reset", "by=client")
    assert here.log.wait("tunnel id=", "end=upstream-reset", "by=upstream")
    here.gateway.wait_for_descriptors()


def test_an_idle_one_ends(site):
    here = site(timeouts={"websocket_idle": "300ms"})
    with here.client() as client:
        peer = here.open(client)
        assert client.read_ending() == (b"", "reset")
        assert peer.read_ending() == (b"", "reset")
        assert here.log.wait("tunnel id=", "end=idle", "by=gateway")


def test_who_takes_nothing_holds_the_other_back(site):
    here = site()
    with here.client() as client:
        peer = here.open(client)
        before = here.gateway.status("VmRSS")
        client.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 200_000_000:
                sent += client.socket.send(b"x" * 1_000_000)
        assert here.gateway.status("VmRSS") - before < 64_000
        client.socket.settimeout(None)
        client.finish()
        assert len(peer.read_to_end()) == sent


def test_a_stop_and_a_drain_end_it(site):
    here = site(drain={"over": "0s", "hard_stop": "20s"})
    with here.client() as client:
        peer = here.open(client)
        talk(client, peer)
        os.kill(here.gateway.pid, signal.SIGTERM)
        assert client.read_ending() == (b"", "reset")
        assert peer.read_ending() == (b"", "reset")
        here.gateway.wait()
        assert here.log.wait("tunnel id=", "end=stopping")


def test_a_reload_keeps_it(site):
    here = site()
    with here.client() as client:
        peer = here.open(client)
        here.config.routes[0]["upgrades"] = ["SPDY/3.1"]
        assert "route attach changed" in Reloading(here.gateway, here.log)()
        talk(client, peer)
        with here.client() as late:
            late.send(ask())
            assert here.upstream.accept().read_head().get("Upgrade") is None
