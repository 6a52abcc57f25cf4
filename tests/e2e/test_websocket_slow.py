"""Ends of WebSockets that take nothing of what they are sent: closed where the route says so, with the
other one told at once; and who takes slowly, or where the route says nothing, stays."""

import socket
import threading
import time

import pytest

from support.counting import counts_of
from support.frames import BINARY, CLOSE, TEXT, frame, read_frame
from support.gateway import FEW, Config
from support.relay import open_echo, open_relay
from support.streams import connect
from support.waiting import DEADLINE

BOTH = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)
LITTLE_ROOM = 4096
# What the kernels of both sides take, and what they do not.
SIZES = pytest.mark.parametrize("size", [64 << 10, 32 << 20], ids=["in the kernel", "held back"])
GRACE = 0.5  # seconds


@pytest.fixture
def site(start_gateway, raw_port, echo, tmp_path):
    def start(variant=FEW[0], **websocket):
        config = Config({"raw": raw_port, "echo": echo.port},
                        [{"name": "raw", "path": "/", "host": "raw.test", "pool": "raw",
                          "websocket": websocket},
                         {"name": "patient", "path": "/", "host": "patient.test", "pool": "raw"},
                         {"name": "echo", "path": "/", "pool": "echo", "websocket": websocket}],
                        control={"socket": str(tmp_path / "control.sock")})
        return start_gateway(config, variant)
    return start


def client_of(gateway, secure):
    return connect(gateway.https_port if secure else gateway.http_port, secure,
                   receive_buffer=LITTLE_ROOM)


class Sender(threading.Thread):
    """Sends as long as it is let."""

    def __init__(self, stream, data):
        super().__init__(daemon=True)
        self.stream = stream
        self.data = data
        self.start()

    def run(self):
        try:
            self.stream.socket.sendall(self.data)
        except OSError:
            pass  # it has been closed meanwhile


def close_frame_to(stream):
    while True:
        got = read_frame(stream)
        if got.opcode == CLOSE:
            return got


@BOTH
@SIZES
@VARIANTS
def test_a_client_that_takes_nothing_is_closed_and_its_server_told(site, upstream, log_of, variant, size,
                                                                   secure):
    gateway = site(variant, slow_consumer={"grace": "500ms"})
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        began = time.monotonic()
        sender = Sender(relay.upstream, frame(BINARY, bytes(size), masked=False))
        told = close_frame_to(relay.upstream)
        assert time.monotonic() - began >= GRACE
        assert (told.close_code, told.close_reason, told.masked) == (
            1013, "the client does not take what it is sent", True)
        relay.upstream.socket.shutdown(socket.SHUT_RDWR)
        sender.join()
    log.wait("websocket", "route=raw", "end=client-slow", "by=client", "code=1013")
    counts = counts_of(gateway)
    assert counts.ended == {"client-slow": 1}
    assert counts.closed == {("client", "1013"): 1}


@BOTH
@SIZES
def test_a_server_that_takes_nothing_is_closed_and_its_client_told(site, upstream, log_of, size, secure):
    upstream.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_ROOM)
    gateway = site(slow_consumer={"grace": "500ms", "close": 4008})
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        data = frame(BINARY, bytes(size))
        sender = Sender(client, client.seal(data) if secure else data)
        told = close_frame_to(client)
        # It is not the client's fault, whatever the server is told.
        assert (told.close_code, told.close_reason) == (1013, "the server does not take what it is sent")
        client.socket.shutdown(socket.SHUT_RDWR)
        sender.join()
        relay.upstream.close()
    log.wait("websocket", "route=raw", "end=upstream-slow", "by=upstream", "code=")
    assert counts_of(gateway).ended == {"upstream-slow": 1}


@BOTH
def test_a_client_that_comes_back_in_time_is_told(site, upstream, secure):
    gateway = site(slow_consumer={"grace": "500ms", "close": 4008})
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        payload = bytes(64 << 10)
        relay.upstream.send(frame(BINARY, payload, masked=False))
        assert close_frame_to(relay.upstream).close_code == 4008
        assert read_frame(client).payload == payload
        told = read_frame(client)
        assert (told.close_code, told.close_reason) == (4008, "the client does not take what it is sent")


@BOTH
@VARIANTS
def test_a_client_that_takes_slowly_stays(site, upstream, log_of, variant, secure):
    gateway = site(variant, slow_consumer={"grace": "3s"})
    log = log_of(gateway)
    with client_of(gateway, secure) as client:
        relay = open_relay(client, upstream)
        payload = bytes(8 << 20)
        sender = Sender(relay.upstream, frame(BINARY, payload, masked=False))
        until = time.monotonic() + 7  # more than twice the grace
        while time.monotonic() < until:
            assert client.fill()
            time.sleep(0.1)  # that is how slow it is
        assert len(client.received) < len(payload) // 2, "something has waited all the time"
        assert read_frame(client).payload == payload
        sender.join()
        client.send(frame(TEXT, b"thank you"))
        assert read_frame(relay.upstream).payload == b"thank you"
    assert not log.lines("client-slow")


@BOTH
def test_nobody_is_closed_where_the_route_says_nothing(site, upstream, secure):
    gateway = site(slow_consumer={"grace": "200ms"})
    with client_of(gateway, secure) as patient:
        kept = open_relay(patient, upstream, host="patient.test")
        payload = bytes(64 << 10)
        kept.upstream.send(frame(BINARY, payload, masked=False))
        # In the time of others, which are closed one after the other.
        for _ in range(4):
            with client_of(gateway, secure) as client:
                relay = open_relay(client, upstream)
                relay.upstream.send(frame(BINARY, payload, masked=False))
                assert close_frame_to(relay.upstream).close_code == 1013
        assert read_frame(patient).payload == payload
        patient.send(frame(TEXT, b"here I am"))
        assert read_frame(kept.upstream).payload == b"here I am"


@VARIANTS
def test_many_slow_clients_disturb_nobody_else(site, variant):
    gateway = site(variant, slow_consumer={"grace": "1s"})
    slow = [client_of(gateway, number % 2 == 0) for number in range(20)]
    senders = []
    for number, client in enumerate(slow):
        open_echo(client)
        data = frame(BINARY, bytes(16 << 20))
        senders.append(Sender(client, client.seal(data) if number % 2 == 0 else data))
    with connect(gateway.https_port, True) as lively:
        open_echo(lively)
        echoes = 0
        deadline = time.monotonic() + DEADLINE
        while (ended := counts_of(gateway).ended).total() < len(slow):
            for _ in range(10):
                lively.send(frame(TEXT, b"%d" % echoes))
                assert read_frame(lively).payload == b"%d" % echoes
                echoes += 1
            assert time.monotonic() < deadline, ended
        assert ended == {"client-slow": len(slow)}
    for client, sender in zip(slow, senders):
        client.socket.shutdown(socket.SHUT_RDWR)
        sender.join()
        client.socket.close()
