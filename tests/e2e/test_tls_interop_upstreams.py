"""Servers of several makes over TLS 1.3, with each cipher, in a pool: openssl, GnuTLS, Node. Keys
that they update in mid-stream, tickets or none, small and padded records, bodies of some MiB, and
how it ends. (Python's ssl: test_upstreams_tls.py, whose servers a test plays by hand.)
"""

import json
import os
import re
from pathlib import Path

import pytest

from support.application import NODE_PATH
from support.pattern import pattern
from support.program import Program
from support.relay import dial, run
from support.streams import connect
from support.tls_programs import (CIPHERS, CLOSE_NOTIFY, EACH_CIPHER, KEY_UPDATE, TICKET,
                                  GnutlsServer, OpensslServer, digits, post, priority)

NODE_SERVER = Path(__file__).parent / "apps" / "tls_server.js"
LARGE = 5 * 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
RECORDS = {"as-they-come": [], "512-byte-records": ["-max_send_frag", "512"],
           "padded": ["-record_padding", "1000"],
           "small-and-padded": ["-max_send_frag", "600", "-record_padding", "256"]}
TICKETS = {"two": [], "sixteen": ["-num_tickets", "16"], "one": ["-num_tickets", "1"],
           "in-the-servers-cache": ["-no_ticket"], "after-a-hello-retry": ["-groups", "P-256"]}


@pytest.fixture
def s_server(server_files, tmp_path):
    started = []

    def start(*options):
        started.append(OpensslServer(server_files, tmp_path, *options))
        return started[-1]
    yield start
    for server in started:
        server.close()


def ask(client, target="/"):
    client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())


def exchange(client, server, number):
    """A request with a body and an answer with one."""
    up, down = digits(2000, number), digits(3000, -number)
    client.send(post(up, f"/{number}"))
    assert server.read_request() == (f"/{number}", up)
    server.answer(down)
    head, body = client.read_response()
    assert (head.status, body) == (200, down)


# openssl


@EACH_CIPHER
def test_openssl_updates_its_keys_between_and_within_bodies(start_before_tls, s_server, cipher):
    server = s_server("-ciphersuites", cipher)
    gateway = start_before_tls(server.port)
    with connect(gateway.https_port, True) as client:
        exchange(client, server, 100)
        for number, letter in enumerate("kKkkKK"):
            server.update_keys(letter)
            exchange(client, server, number)
            body = digits(20_000, number)
            client.send(post(len(body)) + body[:9000])
            assert server.read_until(b"\r\n\r\n").startswith(b"POST ")
            begin = server.read_exactly(9000)
            server.update_keys("K")
            client.send(body[9000:])
            assert begin + server.read_exactly(11_000) == body
            server.send(HEAD % len(body) + body[:7000])
            assert client.read_head().status == 200
            begin = client.read_exactly(7000)
            server.update_keys(letter)
            server.send(body[7000:])
            assert begin + client.read_exactly(13_000) == body
        exchange(client, server, 101)
        assert server.count(KEY_UPDATE, ">>>") == 18
        assert server.count(KEY_UPDATE, "<<<") == 12, "an answer to each that asks for one"
    assert server.received.count(f"CIPHER is {cipher}\n".encode()) == 1, "one connection was kept"


@pytest.mark.parametrize("tickets", TICKETS)
@EACH_CIPHER
def test_openssl_resumes_by_its_tickets(start_before_tls, s_server, cipher, tickets):
    server = s_server("-ciphersuites", cipher, *TICKETS[tickets])
    gateway = start_before_tls(server.port, keep_alive_idle="off")
    with connect(gateway.http_port) as client:
        for number in range(4):
            exchange(client, server, number)
            assert server.received.count(b"Reused session-id\n") == number
    assert server.count(TICKET, ">>>") >= 4


def test_openssl_without_tickets_is_not_resumed(start_before_tls, s_server):
    server = s_server("-num_tickets", "0")
    gateway = start_before_tls(server.port, keep_alive_idle="off")
    with connect(gateway.http_port) as client:
        for number in range(3):
            exchange(client, server, number)
    assert server.count(TICKET, ">>>") == 0
    assert server.received.count(b"CIPHER is ") == 3
    assert b"Reused session-id\n" not in server.received


def test_too_many_updates_without_data_end_the_connection(start_before_tls, s_server, log_of):
    server = s_server()
    gateway = start_before_tls(server.port)
    log = log_of(gateway)
    told = ("request", "end=upstream-tls-failed", "too many KeyUpdate messages")
    with connect(gateway.http_port) as client:
        ask(client)
        server.read_request()
        for number in range(1, 100):
            try:
                server.send(b"k\n")
            except BrokenPipeError:
                break  # openssl has left: it knows of the end before the log does
            server.wait_for(lambda: server.count(KEY_UPDATE, ">>>") == number or log.lines(*told),
                            "the update, or the end")
            if log.lines(*told):
                break
        assert client.read_head().status == 502
    assert "by=upstream" in log.wait(*told)
    assert number > 5, "a few are fine"


@pytest.mark.parametrize("records", RECORDS)
@EACH_CIPHER
def test_openssl_sends_a_large_body(start_before_tls, s_server, tmp_path, cipher, records):
    body = os.urandom(LARGE if records == "as-they-come" else 1 << 20)
    (tmp_path / "large").write_bytes(HEAD % len(body) + body)
    server = s_server("-HTTP", "-http_server_binmode", "-ciphersuites", cipher, *RECORDS[records])
    gateway = start_before_tls(server.port)
    with connect(gateway.https_port, True) as client:
        for _ in range(2):  # each over a connection of its own, the second one resumed
            ask(client, "/large")
            head = client.read_head()
            assert head.status == 200
            assert client.read_body(head) == body


def test_openssl_is_told_of_the_end(start_before_tls, s_server):
    server = s_server()
    gateway = start_before_tls(server.port, keep_alive_idle="off")
    with connect(gateway.http_port) as client:
        for number in range(3):
            exchange(client, server, number)
            server.wait_count(CLOSE_NOTIFY, "<<<", number + 1)
    assert "unexpected eof" not in server.log()


def test_a_body_that_openssl_ends_with_a_close_notify(start_before_tls, s_server, tmp_path, log_of):
    (tmp_path / "page").write_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + pattern(100_000))
    server = s_server("-HTTP", "-http_server_binmode")
    gateway = start_before_tls(server.port)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client, "/page")
        assert client.read_response()[1] == pattern(100_000)
    assert server.count(CLOSE_NOTIFY, ">>>") == 1
    log.wait("request", "status=200", "end=done")


def test_a_body_in_which_openssl_is_killed(start_before_tls, s_server, log_of):
    server = s_server()
    gateway = start_before_tls(server.port)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client)
        server.read_request()
        server.send(b"HTTP/1.1 200 OK\r\n\r\n12345")
        client.read_head()
        assert client.read_chunk() == b"12345"
        server.kill()
        rest, _ = client.read_ending()
        assert not rest.endswith(b"0\r\n\r\n")
    log.wait("request", "status=200", "end=upstream-truncated")


# GnuTLS, whose server can be bound to no single address


@EACH_CIPHER
def test_gnutls_serves_its_page_and_resumes(start_before_tls, server_files, tmp_path, cipher):
    with GnutlsServer(server_files, tmp_path, "--priority", priority(cipher)) as server:
        gateway = start_before_tls(server.port)
        for number in range(3):
            with connect(gateway.https_port, True) as client:
                ask(client)
                head, page = client.read_response()
                assert head.status == 200
                assert CIPHERS[cipher].encode() in page
                assert server.output().count("*** This is a resumed session") == number


@EACH_CIPHER
@pytest.mark.parametrize("limit", [[], ["--recordsize", "512"]], ids=["", "512-byte-records"])
def test_gnutls_sends_a_large_body(start_before_tls, server_files, tmp_path, cipher, limit):
    body = pattern(LARGE)
    (tmp_path / "page").write_bytes(body)
    with GnutlsServer(server_files, tmp_path, "--priority", priority(cipher), *limit, "--httpdata",
                      tmp_path / "page") as server:
        gateway = start_before_tls(server.port)
        with connect(gateway.http_port) as client:
            ask(client)
            head, page = client.read_response()
            assert head.status == 200
            assert page == body


# Node


@pytest.fixture(scope="module")
def node(server_files, tmp_path_factory):
    """Its port for each cipher."""
    server = Program(["node", NODE_SERVER, *server_files], tmp_path_factory.mktemp("node"), "node",
                     {"NODE_PATH": NODE_PATH})
    try:
        server.wait_for(lambda: re.search(r"\{.+\}\n", server.output()), "its ports")
        yield json.loads(server.output())
    finally:
        server.kill()


@EACH_CIPHER
def test_node_echoes_a_large_body(start_before_tls, node, curl, tmp_path, cipher):
    gateway = start_before_tls(node[cipher])
    body = os.urandom(LARGE)
    (tmp_path / "body").write_bytes(body)
    for secure in (True, False):
        url = (f"https://127.0.0.1:{gateway.https_port}/" if secure
               else f"http://127.0.0.1:{gateway.http_port}/")
        done = curl("--include", "--header", "Expect:", "--data-binary", f"@{tmp_path / 'body'}",
                    url)
        head, _, echoed = done.stdout.partition(b"\r\n\r\n")
        assert f"\r\nX-Cipher: {cipher}\r\n".encode() in head
        assert echoed == body


@EACH_CIPHER
def test_node_resumes(start_before_tls, node, cipher):
    gateway = start_before_tls(node[cipher], keep_alive_idle="off")
    resumed = []
    with connect(gateway.http_port) as client:
        for _ in range(4):
            client.send(post(b"body"))
            head, body = client.read_response()
            assert body == b"body"
            resumed.append(head.get("X-Resumed"))
    assert resumed == ["false", "true", "true", "true"]


@EACH_CIPHER
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_node_chats(start_before_tls, node, cipher, secure):
    gateway = start_before_tls(node[cipher])

    async def chat():
        async with dial(gateway, secure=secure, compression=None) as socket:
            for size in (0, 1, 16_379, 16_384, 16_385, 65_536, 3_000_000):
                data = os.urandom(size)
                await socket.send(data)
                assert await socket.recv() == data
    run(chat())
