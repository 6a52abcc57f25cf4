"""Events that meet in one turn of the gateway's loop: it stands still while they happen. And the
signals that stop it, which meet connections in every phase at once."""

import select
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import pytest

from conftest import RAW_HOST
from support.frames import TEXT, frame
from support.gateway import ALL, FEW, HAS_CUT, Config, Variant
from support.relay import open_relay
from support.serving import Serving
from support.streams import connect
from support.upstreams import full_server

HELD_SECONDS = 0.2      # what is not taken in this time is held back
IDLE_SECONDS = 0.02     # how long connections to the server are kept
TRIES = 60
AT_ONCE = timedelta(seconds=1.5)  # shorter than any farewell
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DIAL_HOST = "dial.test"  # served by a server that never accepts
SHAKE_HOST = "shake.test"  # served by one that never answers a TLS handshake


def get(target="/", version="1.1", host=RAW_HOST):
    return f"GET {target} HTTP/{version}\r\nHost: {host}\r\n\r\n".encode()


def post(more, body=b"", host=RAW_HOST):
    return f"POST /up HTTP/1.1\r\nHost: {host}\r\n{more}\r\n\r\n".encode() + body


def exchange(client, server):
    client.send(get())
    request = server.read_request()
    server.answer(request, FINE)
    assert client.read_response()[1] == b"ok"
    return request.stream


def send_until_held_back(client):
    """How many bytes were taken: by the gateway, and by the buffers before and behind it."""
    sent = 0
    while select.select([], [client.socket], [], HELD_SECONDS)[1]:
        sent += client.socket.send(bytes(65536))
    return sent


# One turn.

@pytest.mark.parametrize("variant", ALL, ids=str)
@pytest.mark.parametrize("leaving", ["close", "reset"])
def test_a_client_that_leaves_an_upload_that_was_once_held_back(start_gateway, upstream, raw_port,
                                                                log_of, variant, leaving):
    """Both what is received and the watch for a client that leaves have something to tell."""
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), variant)
    log = log_of(gateway)
    client = connect(gateway.http_port)
    client.send(post("Content-Length: 1000000000"))
    stream = upstream.accept()
    stream.read_head()
    stream.read_exactly(send_until_held_back(client))
    with gateway.paused():
        getattr(client, leaving)()
    assert stream.read_ending()[0] == b""
    log.wait("request", "by=client", "end=client-")
    with connect(gateway.http_port) as next_client:
        exchange(next_client, Serving(upstream))


@contextmanager
def kept_busy(gateway):
    """Somebody asks all the time, so that it is hardly ever met waiting: one that waits wakes for
    the signal that lets it go on, before it sees anything else."""
    with connect(gateway.http_port) as client:
        def ask():
            with suppress(OSError):
                while True:
                    client.send(get("/own") * 2000)

        def read():
            with suppress(OSError):
                while client.receive():
                    pass

        threads = [threading.Thread(target=ask), threading.Thread(target=read)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            client.socket.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def test_a_kept_connection_is_taken_in_the_turn_in_which_its_time_is_over(
        start_gateway, upstream, raw_port):
    """Many times, because the request and the clock meet in one turn of about six."""
    pool = {"servers": raw_port, "keep_alive_idle": f"{int(IDLE_SECONDS * 1000)}ms"}
    gateway = start_gateway(Config(
        {"raw": pool},
        [{"name": "own", "path": "/own", "answer": {"body": "x"}},
         {"name": "raw", "path": "/", "pool": "raw"}], level="warning"), Variant(1))
    server = Serving(upstream)
    with connect(gateway.http_port) as client, kept_busy(gateway):
        for _ in range(TRIES):
            exchange(client, server)
            with gateway.paused():
                client.send(post("Content-Length: 5", b"he"))
                time.sleep(1.5 * IDLE_SECONDS)
            server.next_stream()
            client.send(b"llo")
            request = server.read_request()
            assert request.seen.body == "hello"
            server.answer(request, FINE)
            assert client.read_response()[0].status == 200


# Stopping. Each phase leaves the client in it.

@pytest.mark.parametrize("first", ["request", "farewell"])
def test_a_servers_farewell_that_meets_a_request_is_no_answer_to_it(start_gateway, upstream,
                                                                    raw_port, first):
    """RFC 9110 section 15.5.9: 408 may come unasked, before the server closes."""
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    with connect(gateway.http_port) as client:
        client.send(get())
        server = upstream.accept()
        server.read_head()
        server.send(FINE)
        assert client.read_response()[1] == b"ok"
        steps = {"request": lambda: client.send(get("/again")),
                 "farewell": lambda: server.send(
                     b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n"
                     b"Connection: close\r\n\r\n")}
        with gateway.paused():
            steps.pop(first)()
            steps.popitem()[1]()
            server.finish()
        again = upstream.accept()
        assert again.read_head().first_line == "GET /again HTTP/1.1"
        again.send(FINE)
        assert client.read_response()[0].status == 200


def test_a_client_that_resets_its_upload_while_a_server_is_dialled_ends_it(start_gateway, log_of):
    with full_server() as port:
        gateway = start_gateway(Config({"full": port}, [{"pool": "full"}],
                                       timeouts={"connect": "10m"}))
        log = log_of(gateway)
        client = connect(gateway.http_port)
        client.send(post("Content-Length: 5", b"he"))
        with connect(gateway.http_port) as later:  # what came before it has been read
            later.send(b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n")
            assert later.read_head().status == 405
        client.reset()
        log.wait("POST", "end=client-reset")
        gateway.wait_for_descriptors()


def half_a_head(client, _):
    client.send(b"GET / HT")


def dialling(client, _):
    client.send(get(host=DIAL_HOST))


def dialling_for_an_upload(client, _):
    client.send(post("Content-Length: 5", b"he", DIAL_HOST))


def shaking_hands_with_the_server(client, _):
    client.send(get(host=SHAKE_HOST))


def awaiting_a_response(client, upstream):
    client.send(get())
    upstream.accept().read_head()


def in_a_response(client, upstream, version="1.1"):
    client.send(get(version=version))
    stream = upstream.accept()
    stream.read_head()
    stream.send(b"HTTP/1.1 200 OK\r\n\r\nok")
    client.read_until(b"ok")


def in_a_response_of_http_1_0(client, upstream):
    in_a_response(client, upstream, "1.0")


def in_an_upload(client, upstream):
    client.send(post("Content-Length: 5", b"he"))
    upstream.accept().read_until(b"he")


def in_a_body_each_way(client, upstream):
    client.send(post("Transfer-Encoding: chunked", b"2\r\nhe\r\n"))
    stream = upstream.accept()
    stream.read_until(b"he")
    stream.send(b"HTTP/1.1 200 OK\r\n\r\nok")
    client.read_until(b"ok")


def in_a_frame(client, upstream):
    relay = open_relay(client, upstream)
    relay.upstream.send(frame(TEXT, b"hello", masked=False)[:-3])
    assert client.read_exactly(4) == b"\x81\x05he"


def with_a_request_behind(client, upstream):
    client.send(get("/1") + get("/2"))
    upstream.accept().read_head()


def half_closed(client, upstream):
    client.send(get())
    client.finish()
    upstream.accept().read_head()


def kept(client, upstream):
    client.send(get())
    stream = upstream.accept()
    stream.read_head()
    stream.send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    assert client.read_head().status == 204


PHASES = [half_a_head, dialling, dialling_for_an_upload, shaking_hands_with_the_server,
          awaiting_a_response, in_a_response, in_a_response_of_http_1_0, in_an_upload,
          in_a_body_each_way, in_a_frame, with_a_request_behind, half_closed, kept]


@pytest.fixture(params=FEW, ids=str)
def in_every_phase(request, start_gateway, upstream, raw_port):
    """A gateway, and its clients, plain ones and those over TLS."""
    silent = socket.create_server(("127.0.0.1", 0))
    clients = []
    with silent, full_server() as full:
        gateway = start_gateway(Config(
            {"raw": raw_port, "full": full,
             "silent": {"servers": silent.getsockname()[1], "tls": {"verify": False}}},
            [{"name": "raw", "host": RAW_HOST, "pool": "raw"},
             {"name": "full", "host": DIAL_HOST, "pool": "full"},
             {"name": "silent", "host": SHAKE_HOST, "pool": "silent"}],
            timeouts={"connect": "1s"}), request.param)
        for phase in PHASES:
            for secure in (False, True):
                port = gateway.https_port if secure else gateway.http_port
                clients.append(connect(port, secure))
                phase(clients[-1], upstream)
        clients.append(connect(gateway.http_port))
        exchange(clients[-1], Serving(upstream))  # so that one to the server is kept as well
        clients.append(connect(gateway.https_port))
        clients[-1].send(b"\x16\x03")  # a handshake that does not go on
        yield gateway, clients
        for client in clients:
            client.socket.close()


def time_to_stop(gateway):
    """From SIGINT on, by the gateway's own clock; a sanitizer's work at the end is not in it."""
    lines = gateway.log().splitlines()
    began = next(line for line in lines if " main SIGINT" in line)
    ended = next(line for line in lines if line.endswith(" main stopped"))
    told, stopped = (datetime.fromisoformat(line.split()[0].rstrip("Z")) for line in (began, ended))
    return stopped - told


def test_sigint_ends_every_phase_at_once(in_every_phase):
    gateway, _ = in_every_phase
    assert gateway.stop(signal.SIGINT) == HAS_CUT, "requests were cut"
    assert time_to_stop(gateway) < AT_ONCE
    gateway.check_faults()


def stop_in_order(gateway):
    mark = gateway.log_mark()
    gateway.process.send_signal(signal.SIGTERM)
    gateway.wait_for(lambda: "stopping" in gateway.log_since(mark), "a line about the signal")


def test_sigint_behind_sigterm_ends_every_phase_at_once(in_every_phase):
    gateway, _ = in_every_phase
    stop_in_order(gateway)
    assert gateway.stop(signal.SIGINT) == HAS_CUT, "requests were cut"
    assert time_to_stop(gateway) < AT_ONCE
    gateway.check_faults()


def test_both_signals_may_come_in_one_turn(in_every_phase):
    gateway, _ = in_every_phase
    with gateway.paused():
        gateway.process.send_signal(signal.SIGTERM)
        gateway.process.send_signal(signal.SIGINT)
    assert gateway.wait() == HAS_CUT, "requests were cut"
    assert time_to_stop(gateway) < AT_ONCE
    gateway.check_faults()


def test_sigterm_ends_when_the_clients_of_every_phase_leave(in_every_phase):
    gateway, clients = in_every_phase
    stop_in_order(gateway)
    for client in clients:
        client.reset()
    assert gateway.wait() == 0
    gateway.check_faults()


def test_clients_of_every_phase_leave_in_the_turn_of_sigterm(in_every_phase):
    gateway, clients = in_every_phase
    with gateway.paused():
        for client in clients:
            client.reset()
        gateway.process.send_signal(signal.SIGTERM)
    assert gateway.wait() == 0
    gateway.check_faults()
