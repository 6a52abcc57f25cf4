"""A stop and those who come: whoever was let in is served, whoever comes later is refused at once, and
a successor has the addresses while the last answers are still under way."""

import signal
import socket

import pytest

from support.frames import (CLOSE, close_payload, frame, read_frame, upgrade_request,
                            upgrade_response)
from support.gateway import FEW, Config, Variant
from support.serving import Serving
from support.streams import Stream, connect
from support.waiting import DEADLINE, wait_until

CLIENTS = 40
OWN = {"path": "/own", "answer": {"body": "x"}}
STOPS = pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGQUIT], ids=lambda how: how.name)


def ask(client, target="/own"):
    client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()
    except ConnectionRefusedError:
        return True
    except (ConnectionResetError, TimeoutError):
        pass
    return False


@pytest.fixture
def site(raw_port):
    return Config({"raw": raw_port}, [OWN, {"path": "/", "pool": "raw"}])


@STOPS
@pytest.mark.parametrize("variant", [*FEW, Variant(4, "multishot")], ids=str)
def test_whoever_waits_to_be_accepted_is_served(start_gateway, site, variant, how):
    """They come while the gateway stands still, as does the signal."""
    gateway = start_gateway(site, variant)
    with gateway.paused():
        clients = [connect(gateway.http_port) for _ in range(CLIENTS)]
        for client in clients:
            ask(client)
        gateway.process.send_signal(how)
    for client in clients:
        head, body = client.read_response()
        assert (head.status, body) == (200, b"x")
        assert client.read_ending() == (b"", "end")
    assert gateway.wait() == 0


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_whoever_waits_at_a_unix_socket_is_served(start_gateway, site, tmp_path, variant):
    path = tmp_path / "gateway.sock"
    site.listeners = [{"address": f"unix:{path}"}]
    gateway = start_gateway(site, variant)
    with gateway.paused():
        clients = []
        for _ in range(CLIENTS):
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(path))
            clients.append(Stream(peer))
            ask(clients[-1])
        gateway.process.send_signal(signal.SIGTERM)
    for client in clients:
        assert client.read_response()[0].status == 200
    assert gateway.wait() == 0
    assert not path.exists()


@STOPS
@pytest.mark.parametrize("variant", FEW, ids=str)
def test_new_clients_are_refused_and_a_successor_serves_while_an_answer_ends(
        start_gateway, site, upstream, variant, how):
    gateway = start_gateway(site, variant)
    with connect(gateway.http_port) as client:
        ask(client, "/slow")
        server = Serving(upstream)
        request = server.read_request()
        gateway.process.send_signal(how)
        wait_until(lambda: is_refused(gateway.http_port) and is_refused(gateway.https_port),
                   "new clients to be refused")
        successor = start_gateway(site, variant)
        with connect(successor.http_port) as other:
            ask(other)
            assert other.read_response()[1] == b"x"
        server.answer(request)
        head, body = client.read_response()
        assert (head.status, body, head.get("Connection")) == (200, b"/slow", "close")
    assert gateway.wait() == 0


def test_a_successors_unix_socket_is_never_removed(start_gateway, site, upstream, tmp_path):
    path = tmp_path / "gateway.sock"
    site.listeners = [{"address": f"unix:{path}"}]
    gateway = start_gateway(site)
    with connect(gateway.http_port) as client:
        ask(client, "/slow")
        server = Serving(upstream)
        request = server.read_request()
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not path.exists(), "the file to go")
        successor = start_gateway(site)
        server.answer(request)
        assert client.read_response()[0].status == 200
        assert gateway.wait() == 0
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(path))
        with Stream(peer) as other:
            ask(other)
            assert other.read_response()[1] == b"x"
        successor.check_running()


def test_clients_that_say_nothing_do_not_hold_up_a_stop(start_gateway, site):
    gateway = start_gateway(site)
    silent = [connect(gateway.http_port), connect(gateway.https_port)]
    gateway.process.send_signal(signal.SIGTERM)
    for client in silent:
        assert client.read_ending() == (b"", "end")
    assert gateway.wait() == 0


def test_sigint_ends_those_who_wait_too(start_gateway, site):
    gateway = start_gateway(site)
    with gateway.paused():
        clients = [connect(gateway.http_port) for _ in range(CLIENTS)]
        gateway.process.send_signal(signal.SIGINT)
    assert gateway.wait() == 0
    for client in clients:
        assert client.read_ending()[0] == b""


def test_a_first_request_that_is_half_there_is_served(start_gateway, site, log_of):
    gateway = start_gateway(site)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        client.send(b"GET /own HTTP/1.1\r\n")
        with gateway.paused():
            gateway.process.send_signal(signal.SIGTERM)
        log.wait("SIGTERM", "in order")
        client.send(b"Host: x.test\r\n\r\n")
        head, body = client.read_response()
        assert (head.status, body, head.get("Connection")) == (200, b"x", "close")
    assert gateway.wait() == 0


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_websocket_that_opens_while_the_gateway_stops_is_told(start_gateway, site, upstream,
                                                                log_of, variant):
    gateway = start_gateway(site, variant)
    log = log_of(gateway)
    with connect(gateway.https_port, True) as client:
        client.send(upgrade_request("/ws", "x.test"))
        server = upstream.accept()
        key = server.read_head().get("Sec-WebSocket-Key")
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(gateway.http_port), "new clients to be refused")
        server.send(upgrade_response(key))
        assert client.read_head().status == 101
        for peer, masked in ((client, True), (server, False)):
            closing = read_frame(peer)
            assert (closing.opcode, closing.close_code) == (CLOSE, 1001)
            peer.send(frame(CLOSE, close_payload(1001), masked=masked))
        assert client.read_ending() == (b"", "end")
    log.wait("websocket", "end=stopping", "code=1001")
    assert gateway.wait() == 0


def test_a_second_signal_at_any_time_ends_it(start_gateway, site):
    """Also while handshakes are still let end, and just when their time is over."""
    for step in range(12):
        gateway = start_gateway(site, Variant(2, "multishot"))
        with connect(gateway.http_port):
            gateway.process.send_signal(signal.SIGTERM)
            silence, _ = socket.socketpair()
            silence.settimeout(0.094 + step / 1000)
            with pytest.raises(TimeoutError):
                silence.recv(1)
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.wait() == 0
