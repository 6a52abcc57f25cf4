"""How long a peer may take, and what it and the other side are told when the time is over."""

import threading

import pytest

from support.frames import TEXT, frame, read_frame
from support.gateway import Config, Variant
from support.relay import open_relay
from support.serving import Serving
from support.streams import connect

GET = b"GET /x HTTP/1.1\r\nHost: x.test\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHORT = "200ms"
STEP_SECONDS = 0.05  # well below SHORT
LONGER = "2s"
SLOW_STEP_SECONDS = 0.3  # well below LONGER, and ten of them are above it
secure_or_not = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


@pytest.fixture
def start_with(start_gateway, raw_port, log_of):
    """start_with(timeouts): a gateway with one shard before the raw server, and its log."""
    def start(**timeouts):
        gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}], timeouts), Variant(1))
        return gateway, log_of(gateway)
    return start


def enter(gateway, secure):
    return connect(gateway.https_port if secure else gateway.http_port, secure)


def exchange(client, server):
    client.send(GET)
    request = server.read_request()
    server.answer(request, FINE)
    head, body = client.read_response()
    assert (head.status, body) == (200, b"ok")
    return request.stream


def expect_last(client, status):
    head, body = client.read_response()
    assert (head.status, head.get("Connection")) == (status, "close")
    assert str(status).encode() in body
    assert client.read_ending() == (b"", "end")


# Clients.

@secure_or_not
def test_a_second_head_that_takes_too_long_is_408(start_with, server, secure):
    gateway, log = start_with(request_header=SHORT)
    with enter(gateway, secure) as client:
        exchange(client, server)
        client.send(GET[:-2])
        expect_last(client, 408)
    log.wait("end=request-timeout", "status=408")
    assert server.is_quiet()


def test_a_head_that_moves_may_not_take_longer_either(start_with, upstream):
    """The limit is for the whole of it: a slow one must not hold a connection for ever."""
    gateway, log = start_with(request_header=SHORT)
    with connect(gateway.http_port) as client:
        client.send(GET[:-2])
        while not client.wait_readable(STEP_SECONDS):
            client.send(b"X-More: 1\r\n")
        assert client.read_head().status == 408
    log.wait("end=request-timeout", "status=408")
    assert upstream.saw_nothing()


BODIES = {"length": ("Content-Length: 100\r\n", b"half"),
          "chunked": ("Transfer-Encoding: chunked\r\n", b"4\r\nhalf\r\n"),
          "in-mid-chunk": ("Transfer-Encoding: chunked\r\n", b"64\r\nhalf")}


def post(more, body):
    return f"POST / HTTP/1.1\r\nHost: x.test\r\n{more}\r\n".encode() + body


@secure_or_not
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_stops_arriving_is_408(start_with, upstream, name, secure):
    gateway, log = start_with(request_body_idle=SHORT)
    with enter(gateway, secure) as client:
        client.send(post(*BODIES[name]))
        stream = upstream.accept()
        expect_last(client, 408)
        stream.read_ending()
        assert b"half" in stream.received and not stream.received.endswith(b"0\r\n\r\n")
    line = log.wait("end=request-timeout", "status=408")
    assert "body" in line[line.index("cause="):]


def test_a_body_that_moves_may_take_its_time(start_with, server):
    gateway, _ = start_with(request_body_idle=LONGER, request_header=LONGER)
    steps = 10
    with connect(gateway.http_port) as client:
        client.send(post(f"Content-Length: {steps}\r\n", b""))
        for _ in range(steps):
            assert not client.wait_readable(SLOW_STEP_SECONDS)
            client.send(b"x")
        request = server.read_request()
        assert request.seen.body == "x" * steps
        server.answer(request, FINE)
        assert client.read_response()[0].status == 200


@secure_or_not
def test_a_client_that_asks_nothing_more_is_left_in_silence(start_with, server, secure):
    gateway, log = start_with(keep_alive_idle=SHORT, request_header="10m")
    with enter(gateway, secure) as client:
        exchange(client, server)
        assert client.read_ending() == (b"", "end")
    log.wait("connection", "end=idle", "requests=1")
    assert not log.lines("status=408")


def test_the_wait_for_an_answer_is_no_idleness_of_the_client(start_with, server):
    gateway, _ = start_with(keep_alive_idle=SHORT, request_header=SHORT, request_body_idle=SHORT)
    with connect(gateway.http_port) as client:
        client.send(GET)
        request = server.read_request()
        assert not client.wait_readable(0.6)
        server.answer(request, FINE)
        assert client.read_response()[0].status == 200


# Servers.

@secure_or_not
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-",
                                  b"HTTP/1.1 103 Early Hints\r\n\r\n"],
                         ids=["nothing", "half-a-head", "an-interim-one"])
def test_a_server_that_does_not_answer_is_504(start_with, upstream, sent, secure):
    gateway, log = start_with(upstream_response=SHORT)
    with enter(gateway, secure) as client:
        client.send(GET)
        stream = upstream.accept()
        stream.read_head()
        stream.send(sent)
        head = client.read_head()
        if head.status == 103:
            head = client.read_head()
        assert (head.status, head.get("Connection")) == (504, None)
        client.read_body(head)
        stream.read_ending()
    assert "by=upstream" in log.wait("end=response-timeout", "status=504")


def test_a_server_that_does_not_answer_an_upload_is_504(start_with, upstream):
    """It is not asked once more: the first one may be at it yet."""
    gateway, log = start_with(upstream_response=SHORT)
    with connect(gateway.http_port) as client:
        client.send(post("Content-Length: 4\r\n", b"body"))
        stream = upstream.accept()
        assert client.read_response()[0].status == 504
        stream.read_ending()
        assert stream.received.endswith(b"body")
    assert "resends=0" in log.wait("end=response-timeout", "status=504")
    assert len(upstream.streams) == 1


RESPONSES = {"length": b"Content-Length: 100\r\n\r\nonly this",
             "chunked": b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
             "until-close": b"\r\nonly this"}


@secure_or_not
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_that_stops_is_seen_as_cut(start_with, upstream, name, version, secure):
    gateway, log = start_with(response_idle=SHORT)
    with enter(gateway, secure) as client:
        client.send(GET.replace(b"1.1", version.encode()))
        stream = upstream.accept()
        stream.read_head()
        stream.send(b"HTTP/1.1 200 OK\r\n" + RESPONSES[name])
        head = client.read_head()
        body, ending = client.read_ending()
        assert b"only this" in body
        if head.get("Content-Length") is None and head.get("Transfer-Encoding") is None:
            assert ending == ("truncated" if secure else "reset")
        else:
            assert not body.endswith(b"0\r\n\r\n")
            assert len(body) < int(head.get("Content-Length") or 100)
        stream.read_ending()
    line = log.wait("end=idle", "status=200")
    assert "by=gateway" in line


def test_curl_reports_a_response_that_stops(start_with, upstream, curl):
    gateway, _ = start_with(response_idle=SHORT)
    serving = threading.Thread(target=lambda: upstream.accept().send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n"))
    serving.start()
    done = curl(f"http://127.0.0.1:{gateway.http_port}/", code=None)
    serving.join()
    assert done.returncode in (18, 56), done.stderr
    assert done.stdout == b"only this"


def test_a_response_that_moves_may_take_its_time(start_with, upstream):
    gateway, _ = start_with(response_idle=LONGER, keep_alive_idle=SHORT)
    steps = 10
    with connect(gateway.http_port) as client:
        client.send(GET)
        stream = upstream.accept()
        stream.read_head()
        stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % steps)
        assert client.read_head().status == 200
        for _ in range(steps):
            assert not client.wait_readable(SLOW_STEP_SECONDS)
            stream.send(b"x")
            assert client.read_exactly(1) == b"x"


def upload_until_it_ends(client):
    """Sends for as long as somebody takes it."""
    try:
        while True:
            client.send(bytes(65536))
    except OSError:
        pass


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_server_that_does_not_take_an_upload_is_504(start_with, upstream, framing):
    """It is not the client that is slow."""
    gateway, log = start_with(request_body_idle="500ms", upstream_response="10m")
    more = {"length": "Content-Length: 1000000000\r\n",
            "chunked": "Transfer-Encoding: chunked\r\n"}[framing]
    start = {"length": b"", "chunked": b"3b9aca00\r\n"}[framing]
    with connect(gateway.http_port) as client:
        client.send(post(more, start))
        upload = threading.Thread(target=upload_until_it_ends, args=(client,))
        upload.start()
        stream = upstream.accept()
        stream.read_head()
        head, _ = client.read_response()
        assert (head.status, head.get("Connection")) == (504, "close")
        upload.join()
    line = log.wait("end=response-timeout", "status=504")
    assert "by=upstream" in line


# WebSockets.

@secure_or_not
def test_no_limit_of_requests_ends_a_websocket(start_with, upstream, secure):
    limits = ["keep_alive_idle", "request_header", "request_body_idle", "upstream_response",
              "response_idle"]
    gateway, _ = start_with(**{**dict.fromkeys(limits, "1s"), "keep_alive_idle": SHORT})
    server = Serving(upstream)
    with enter(gateway, secure) as client:
        relay = open_relay(client, upstream, "x.test")
        for _ in range(6):
            with connect(gateway.http_port) as other:
                exchange(other, server)
                assert other.read_ending() == (b"", "end"), "keep_alive_idle is over"
        client.send(frame(TEXT, b"there"))
        assert read_frame(relay.upstream).payload == b"there"
        relay.upstream.send(frame(TEXT, b"back", masked=False))
        assert read_frame(client).payload == b"back"


def test_the_limit_of_websockets_does_not_end_a_slow_response(start_with, server):
    gateway, _ = start_with(websocket_idle=SHORT)
    with connect(gateway.http_port) as client:
        client.send(GET)
        request = server.read_request()
        assert not client.wait_readable(0.6)
        server.answer(request, FINE)
        assert client.read_response()[0].status == 200


@secure_or_not
def test_a_server_that_does_not_answer_a_handshake_is_504(start_with, upstream, secure):
    gateway, log = start_with(upstream_response=SHORT)
    with enter(gateway, secure) as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: x.test\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        stream = upstream.accept()
        assert client.read_response()[0].status == 504
        stream.read_ending()
    log.wait("end=response-timeout", "status=504")
