"""What a server learns of a client that breaks off: a reset passes as a reset and at once, though the
server reads nothing, and nothing that was cut ends like something whole."""

import select
import socket
from pathlib import Path

import pytest

from conftest import RAW_HOST
from support.certificates import Authority
from support.frames import TEXT, frame, read_frame
from support.gateway import Config, Variant
from support.relay import open_relay
from support.streams import connect
from support.upstreams import TlsUpstream
from support.waiting import DEADLINE, wait_until

RECEIVE_BUFFER = 32 * 1024
STUCK_SECONDS = 0.3  # a socket that takes nothing for so long takes nothing more
PATIENCE_SECONDS = 2.5
PIECE = bytes(64 * 1024)
UPLOADS = {"counted": (b"Content-Length: 1000000000\r\n", PIECE),
           "chunked": (b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + PIECE + b"\r\n")}
uploads = pytest.mark.parametrize("kind", UPLOADS)


@pytest.fixture
def small_upstream(upstream):
    """It takes little unread."""
    upstream.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return upstream


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls_upstream(authority, start_gateway):
    """A server that speaks TLS, and a gateway in front of it."""
    server = TlsUpstream(*authority.issue(["IP:127.0.0.1"]))
    pool = {"servers": server.port, "tls": {"ca": str(authority.path)}}
    server.gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}]), Variant(1))
    yield server
    server.close()


def begin_upload(client, fields):
    client.send(b"POST / HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (RAW_HOST.encode(), fields))


def fill(client, piece):
    """Sends the piece again and again, until nobody takes any more of it."""
    client.socket.settimeout(STUCK_SECONDS)
    try:
        while True:
            client.send(piece)
    except TimeoutError:
        pass


def queues(port, other_port):
    """Bytes in the kernel at the end `port` of a connection: those that the peer's kernel has not taken,
    unsent ones among them, and those that nobody has read."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return next([int(size, 16) for size in row[4].split(":")] for row in rows
                if [int(end.split(":")[1], 16) for end in row[1:3]] == [port, other_port])


def before(server):
    """Bytes in the gateway's kernel that this server has not taken."""
    return queues(server.socket.getpeername()[1], server.local_port)[0]


def wait_until_read(client):
    """The gateway has read all that this client has sent."""
    ports = client.local_port, client.socket.getpeername()[1]
    wait_until(lambda: queues(*ports)[0] == 0, "the client's kernel to be rid of its bytes")
    wait_until(lambda: queues(*reversed(ports))[1] == 0, "the gateway to read them")


def wait_for_reset(server):
    poll = select.poll()
    poll.register(server.socket, 0)
    ready = poll.poll(DEADLINE * 1000)
    assert ready and ready[0][1] & select.POLLERR, f"the server was not told: {ready}"


@uploads
def test_little_lies_unsent_before_a_server_that_does_not_read(client, small_upstream, kind):
    fields, piece = UPLOADS[kind]
    begin_upload(client, fields)
    server = small_upstream.accept()
    fill(client, piece)
    wait_until(lambda: before(server) > 64 * 1024, "the upload to reach the server's kernel")
    assert before(server) < 640 * 1024


@uploads
def test_a_reset_in_an_upload_reaches_a_server_that_does_not_read(client, small_upstream, log, kind):
    fields, piece = UPLOADS[kind]
    begin_upload(client, fields)
    server = small_upstream.accept()
    fill(client, piece)
    client.reset()
    wait_for_reset(server)
    assert server.read_ending()[1] == "reset"
    log.wait("request", "end=client-reset", "by=client")


def test_a_reset_reaches_a_server_that_has_not_answered(client, upstream, log):
    client.send(f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\n\r\n".encode())
    server = upstream.accept()
    server.read_head()
    client.reset()
    assert server.read_ending() == (b"", "reset")
    log.wait("request", "end=client-reset", "by=client")


def test_a_reset_in_a_websocket_comes_behind_what_was_sent_before(client, upstream, log):
    relay = open_relay(client, upstream, RAW_HOST)
    client.send(frame(TEXT, b"last words"))
    client.reset()
    assert read_frame(relay.upstream).payload == b"last words"
    assert relay.upstream.read_ending() == (b"", "reset")
    log.wait("websocket", "end=client-reset", "by=client")


def test_a_reset_in_a_websocket_reaches_a_server_that_does_not_read(client, small_upstream, log):
    relay = open_relay(client, small_upstream, RAW_HOST)
    fill(client, frame(TEXT, PIECE))
    client.reset()
    wait_for_reset(relay.upstream)
    assert relay.upstream.read_ending()[1] == "reset"
    log.wait("websocket", "end=client-reset", "by=client")


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_websocket_cut_in_mid_frame_does_not_end_well_for_its_server(tls_upstream, secure):
    gateway = tls_upstream.gateway
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        relay = open_relay(client, tls_upstream)
        half = frame(TEXT, b"not whole", length=100)
        client.send(half)
        assert len(relay.upstream.read_exactly(len(half))) == len(half)
        client.cut()
        assert relay.upstream.read_ending() == (b"", "truncated")


def test_an_upload_that_was_answered_too_soon_does_not_end_well_for_its_server(tls_upstream):
    with connect(tls_upstream.gateway.http_port) as client:
        begin_upload(client, UPLOADS["counted"][0])
        client.send(b"begun")
        server = tls_upstream.accept()
        server.read_head()
        assert server.read_exactly(5) == b"begun"
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert client.read_response()[1] == b"ok"
        assert server.read_ending() == (b"", "truncated")


def test_an_upload_that_was_answered_before_its_server_took_it_is_delivered(client, small_upstream):
    # More than may lie unsent in the kernel, and no more than the gateway has room for in any case.
    body = bytes(280_000)
    begin_upload(client, b"Content-Length: %d\r\n" % len(body))
    server = small_upstream.accept()
    server.read_head()
    client.send(body)
    wait_until_read(client)
    assert before(server) > 0
    server.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok")
    assert client.read_response()[1] == b"ok"
    # Longer than a server is waited for that has taken everything.
    assert not select.select([client.socket], [], [], PATIENCE_SECONDS)[0]
    assert server.read_exactly(len(body)) == body
