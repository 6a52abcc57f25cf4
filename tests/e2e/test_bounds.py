"""What one client cannot take from the others: receive buffers, and time."""

import signal

import pytest

from support.gateway import HAS_CUT, Config, Variant
from support.serving import Serving
from support.streams import connect
from support.upstreams import full_server
from support.waiting import wait_until

MANY = 300  # more than a shard has receive buffers of either size
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ANSWER_BYTES = 60_000
ANSWERS = 400
HEADER_LIMIT = "300ms"
HELD_UP_SECONDS = 5  # a shard that stands still is told from a slow one

one_shard = pytest.mark.parametrize(
    "variant", [Variant(1, "multishot"), Variant(1, "oneshot")], ids=str)


def get(target="/", host="x.test"):
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.fixture
def open_clients():
    opened = []

    def open_many(gateway, count=MANY):
        opened.extend(connect(gateway.http_port) for _ in range(count))
        return opened[-count:]

    yield open_many
    for client in opened:
        client.close()


def expect_service(gateway, upstream):
    """Somebody new is served, whatever the others do."""
    server = Serving(upstream)
    with connect(gateway.http_port) as client:
        client.send(get("/new"))
        request = server.read_request()
        assert request.target == "/new"
        server.answer(request, FINE)
        assert client.read_response()[1] == b"ok"


@one_shard
def test_requests_behind_others_hold_no_receive_buffers(start_gateway, upstream, raw_port,
                                                        open_clients, variant):
    upstream.listener.listen(MANY)
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), variant)
    clients = open_clients(gateway)
    for client in clients:
        client.send(get("/slow") + get("/behind"))
    for _ in clients:
        assert upstream.accept(HELD_UP_SECONDS).read_head().first_line == "GET /slow HTTP/1.1"
    expect_service(gateway, upstream)


@one_shard
def test_uploads_hold_no_receive_buffers_while_a_server_is_dialled(
        start_gateway, upstream, raw_port, open_clients, variant):
    with full_server() as full:
        gateway = start_gateway(Config(
            {"raw": raw_port, "full": full},
            [{"name": "raw", "pool": "raw"}, {"name": "full", "host": "full.test", "pool": "full"}],
            timeouts={"connect": "10m"}), variant)
        clients = open_clients(gateway)
        before = gateway.descriptors()
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: full.test\r\nContent-Length: 5000\r\n\r\n" +
                        bytes(5000))
        gateway.wait_for(lambda: gateway.descriptors() >= before + MANY, "all to be dialled")
        expect_service(gateway, upstream)
        assert gateway.stop(signal.SIGINT) == HAS_CUT, "uploads were cut"


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_client_that_takes_no_answers_for_a_while_gets_all_of_them(start_gateway, secure):
    """The limits for requests say nothing of that time: another client's run out meanwhile."""
    gateway = start_gateway(Config(
        {"none": 1}, [{"path": "/", "answer": {"body": "x" * ANSWER_BYTES}}],
        timeouts={"request_header": HEADER_LIMIT, "keep_alive_idle": HEADER_LIMIT}), Variant(1))
    port = gateway.https_port if secure else gateway.http_port
    with connect(port, secure, receive_buffer=4096) as client:
        client.send(get() * ANSWERS)
        def times_out():
            with connect(gateway.http_port) as other:
                try:
                    other.send(b"GET / HT")
                    return other.read_response()[0].status == 408
                except (EOFError, ConnectionResetError, BrokenPipeError):
                    return False  # what was sent came too late itself
        for _ in range(2):
            wait_until(times_out, "a request to be given up")
        for _ in range(ANSWERS):
            head, body = client.read_response()
            assert (head.status, len(body)) == (200, ANSWER_BYTES)
            client.received = b""
