"""What a route overrides of the defaults holds for its requests, and for nobody else's: of two that
stand still side by side, on one listener and before one server, one ends and the other goes on.
"""

import pytest

from support.frames import TEXT, frame, read_frame, read_until_close
from support.gateway import Config, Variant
from support.relay import open_relay
from support.serving import Serving
from support.streams import connect
from support.upstreams import count_dials, full_server

STRICT, LENIENT = "strict.test", "lenient.test"
SHORT, LONG = "200ms", "10m"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(params=["route-strict", "defaults-strict"])
def start_with(request, start_gateway, log_of, raw_port):
    """start_with(table, key, strict, lenient): a gateway with two routes to the raw server, or to the
    one on `port`. One of them overrides the default, which the other one has."""
    def start(table, key, strict, lenient, port=raw_port):
        values = {STRICT: strict, LENIENT: lenient}
        own = STRICT if request.param == "route-strict" else LENIENT
        other = LENIENT if own == STRICT else STRICT
        routes = [{"pool": "raw", "host": STRICT}, {"pool": "raw", "host": LENIENT}]
        routes[own == LENIENT][table] = {key: values[own]}
        gateway = start_gateway(
            Config({"raw": port}, routes, defaults={table: {key: values[other]}}), Variant(1))
        return gateway, log_of(gateway)
    return start


@pytest.fixture
def two_clients():
    """two_clients(gateway): of the lenient route, and of the strict one."""
    clients = []

    def enter(gateway):
        clients.extend(connect(gateway.http_port) for _ in range(2))
        return clients

    yield enter
    for client in clients:
        client.close()


def ask(client, host, more="", body="", method="GET"):
    client.send(f"{method} / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n{body}".encode())


def begin(client, upstream, host, **parts):
    """A request whose head the server has got."""
    ask(client, host, **parts)
    stream = upstream.accept()
    stream.read_head()
    return stream


def expect_fine(client, stream):
    stream.send(FINE)
    head, body = client.read_response()
    assert (head.status, body) == (200, b"ok")


def test_upstream_response(start_with, two_clients, upstream):
    gateway, log = start_with("timeouts", "upstream_response", SHORT, LONG)
    lenient, strict = two_clients(gateway)
    stream = begin(lenient, upstream, LENIENT)
    begin(strict, upstream, STRICT)
    assert strict.read_response()[0].status == 504
    expect_fine(lenient, stream)
    log.wait("end=response-timeout", "status=504", STRICT)


def test_response_idle(start_with, two_clients, upstream):
    gateway, log = start_with("timeouts", "response_idle", SHORT, LONG)
    lenient, strict = two_clients(gateway)
    streams = begin(lenient, upstream, LENIENT), begin(strict, upstream, STRICT)
    for client, stream in zip((lenient, strict), streams):
        stream.send(FINE[:-1])
        assert client.read_head().status == 200
        assert client.read_exactly(1) == b"o"
    assert strict.read_ending()[0] == b""
    streams[0].send(FINE[-1:])
    assert lenient.read_exactly(1) == b"k"
    log.wait("end=idle", "status=200", STRICT)


def test_request_body_idle(start_with, two_clients, upstream):
    gateway, log = start_with("timeouts", "request_body_idle", SHORT, LONG)
    lenient, strict = two_clients(gateway)
    half = {"method": "POST", "more": "Content-Length: 4\r\n", "body": "ha"}
    stream = begin(lenient, upstream, LENIENT, **half)
    begin(strict, upstream, STRICT, **half)
    assert strict.read_response()[0].status == 408
    lenient.send(b"lf")
    assert stream.read_exactly(4) == b"half"
    expect_fine(lenient, stream)
    log.wait("end=request-timeout", "status=408", STRICT)


def test_connect(start_with, two_clients):
    with full_server() as port:
        gateway, log = start_with("timeouts", "connect", SHORT, LONG, port)
        lenient, strict = two_clients(gateway)
        before = count_dials(port)
        ask(lenient, LENIENT)
        gateway.wait_for(lambda: count_dials(port) == before + 1, "the server to be dialled")
        ask(strict, STRICT)
        assert strict.read_response()[0].status == 504
        gateway.wait_for(lambda: count_dials(port) == before + 1, "the strict dial's end")
        assert not lenient.wait_readable(0)
        log.wait("end=connect-timeout", "status=504", STRICT)


def test_websocket_idle(start_with, two_clients, upstream):
    gateway, log = start_with("timeouts", "websocket_idle", SHORT, LONG)
    lenient, strict = two_clients(gateway)
    relay = open_relay(lenient, upstream, LENIENT)
    idle = open_relay(strict, upstream, STRICT)
    assert read_until_close(idle.upstream)[-1].close_code == 1001
    idle.upstream.close()
    assert read_until_close(strict)[-1].close_code == 1001
    lenient.send(frame(TEXT, b"there"))
    assert read_frame(relay.upstream).payload == b"there"
    log.wait("websocket", "end=idle", STRICT)


def test_upstream_lost(start_with, two_clients, upstream):
    gateway, _ = start_with("websocket", "upstream_lost", 4001, 4002)
    lenient, strict = two_clients(gateway)
    for client, host, code in ((lenient, LENIENT, 4002), (strict, STRICT, 4001)):
        open_relay(client, upstream, host).upstream.close()
        assert read_until_close(client)[-1].close_code == code


@pytest.mark.parametrize("more,body", [("Content-Length: 11\r\n", "01234567890"),
                                       ("Transfer-Encoding: chunked\r\n",
                                        "b\r\n01234567890\r\n0\r\n\r\n")],
                         ids=["length", "chunked"])
def test_body(start_with, two_clients, upstream, more, body):
    gateway, log = start_with("limits", "body", "10B", "11B")
    lenient, strict = two_clients(gateway)
    server = Serving(upstream)
    ask(lenient, LENIENT, more, body, "POST")
    request = server.read_request()
    assert request.seen.body == "01234567890"
    expect_fine(lenient, request.stream)
    ask(strict, STRICT, more, body, "POST")
    assert strict.read_response()[0].status == 413
    log.wait("end=body-too-large", "status=413", STRICT)


def test_response_header_count(start_with, two_clients, upstream):
    gateway, log = start_with("limits", "response_header_count", 2, 3)
    lenient, strict = two_clients(gateway)
    three = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nX-B: 1\r\n\r\nok"
    for client, host, status in ((strict, STRICT, 502), (lenient, LENIENT, 200)):
        begin(client, upstream, host).send(three)
        assert client.read_response()[0].status == status
    log.wait("end=bad-response", "status=502", STRICT)
