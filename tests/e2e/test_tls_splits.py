"""Records that come in pieces: at each split of two records, in single bytes with the handshake
before them, in pieces of sizes that no record has. In both roles; each piece is a read of its own.
"""

import hashlib
import os
import ssl
import subprocess
import threading

import pytest

from support.cutting import Cutter, send_piece
from support.gateway import FEW
from support.pattern import pattern
from support.streams import client_context, connect
from support.tls_programs import EACH_CIPHER, OpensslClient, OpensslServer, digits, echo, post
from support.untaken import Untaken
from support.upstreams import TlsUpstream
from support.waiting import wait_until

BOTH_VERSIONS = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
EACH_VARIANT = pytest.mark.parametrize("variant", FEW, ids=str)
PIECES = {"small": ([2, 3, 5, 7, 11, 13, 17, 19], 8_000), "about-a-header": ([5, 17, 23], 12_000),
          "of-1021": ([1021], 300_000), "of-4099": ([4099], 1_000_000),
          "of-16381-and-more": ([16381, 16411, 65521, 3], 4_000_000)}
EACH_SIZE = pytest.mark.parametrize("pieces", PIECES)


@pytest.fixture
def untaken():
    with Untaken() as watch:
        yield watch


def test_what_was_not_taken_is_seen(gateway, untaken):
    """Else no piece would be waited for."""
    with connect(gateway.https_port) as client:
        here, there = client.socket.getsockname(), client.socket.getpeername()
        with gateway.paused():
            client.send(b"12345")
            wait_until(lambda: untaken.at(there, here) == 5, "the bytes to lie there")
            assert untaken.from_port(here[1]) == 5
        wait_until(lambda: untaken.at(there, here) == 0, "them to be taken")


# Two pieces


@BOTH_VERSIONS
def test_a_clients_records_are_understood_at_each_split(gateway, untaken, version):
    context = client_context(minimum=version, maximum=version)
    with connect(gateway.https_port, True, context=context) as client:
        at = 1
        while True:  # the head and its body, each a record
            sealed = client.seal(post(3)) + client.seal(b"abc")
            if at == len(sealed):
                break
            send_piece(client.socket, sealed[:at], untaken)
            client.socket.sendall(sealed[at:])
            head, body = client.read_response()
            assert (head.status, body) == (200, b"abc"), f"split at {at}"
            at += 1
        assert at > 100


@EACH_VARIANT
@BOTH_VERSIONS
def test_a_servers_records_are_understood_at_each_split(start_before_tls, server_files, untaken,
                                                        variant, version):
    server = TlsUpstream(*server_files, version=version)
    try:
        gateway = start_before_tls(server.port, variant)
        with connect(gateway.http_port) as client:
            stream, at, size = None, 1, 2
            while at < size:
                client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
                stream = stream or server.accept()
                stream.read_head()
                sealed = (stream.seal(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n") +
                          stream.seal(b"abc"))
                size = len(sealed)
                send_piece(stream.socket, sealed[:at], untaken)
                stream.socket.sendall(sealed[at:])
                head, body = client.read_response()
                assert (head.status, body) == (200, b"abc"), f"split at {at}"
                at += 1
            assert at > 80
    finally:
        server.close()


# Single bytes


@EACH_CIPHER
def test_a_client_whose_every_byte_comes_alone(gateway, tmp_path, cipher):
    session = tmp_path / "session.pem"
    with Cutter(gateway.https_port, [1], to_target=True) as cutter:
        with OpensslClient(cutter.port, tmp_path, "-ciphersuites", cipher, "-sess_out",
                           session) as client:
            echo(client, digits(100))
            for letter in "kKK":
                client.update_keys(letter)
                echo(client, digits(700))
            assert cutter.pieces > 2500
            client.end_input()
            assert client.wait() == 0, client.log()
        resumed = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{cutter.port}", "-sess_in", session,
             "-ign_eof", "-nocommands"], capture_output=True, check=True, timeout=60,
            input=post(b"again", more="Connection: close\r\n"))
        assert b"Reused, TLSv1.3" in resumed.stdout and b"again" in resumed.stdout


@EACH_CIPHER
@EACH_VARIANT
def test_a_server_whose_every_byte_comes_alone(start_before_tls, server_files, tmp_path, variant,
                                               cipher):
    """Its tickets, too."""
    with OpensslServer(server_files, tmp_path, "-ciphersuites", cipher) as server:
        with Cutter(server.port, [1], to_target=False) as cutter:
            gateway = start_before_tls(cutter.port, variant)
            with connect(gateway.http_port) as client:
                for number, letter in enumerate("kKK"):
                    client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
                    server.read_request()
                    server.update_keys(letter)
                    server.answer(digits(500, number))
                    head, body = client.read_response()
                    assert (head.status, body) == (200, digits(500, number))
                assert cutter.pieces > 2500
            gateway.finish()


# Sizes that no record has


@EACH_SIZE
def test_a_client_whose_stream_comes_in_pieces(gateway, pieces):
    sizes, total = PIECES[pieces]
    body = os.urandom(total)
    with Cutter(gateway.https_port, sizes, to_target=True) as cutter:
        with connect(cutter.port, True) as client:
            sealed = client.seal(post(body, "/sink"))
            sender = threading.Thread(target=client.socket.sendall, args=(sealed,), daemon=True)
            sender.start()
            head, told = client.read_response()
            sender.join()
            assert head.status == 200
            assert f'"bytes":{total},'.encode() in told
            assert hashlib.sha256(body).hexdigest().encode() in told
        assert cutter.pieces > total // max(sizes) // 2


@EACH_SIZE
@EACH_VARIANT
def test_a_server_whose_stream_comes_in_pieces(start_before_tls, server_files, variant, pieces):
    sizes, total = PIECES[pieces]
    body = pattern(total)
    server = TlsUpstream(*server_files)
    try:
        with Cutter(server.port, sizes, to_target=False) as cutter:
            gateway = start_before_tls(cutter.port, variant)
            with connect(gateway.http_port) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
                stream = server.accept()
                stream.read_head()
                sealed = stream.seal(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total
                                     + body)
                sender = threading.Thread(target=stream.socket.sendall, args=(sealed,), daemon=True)
                sender.start()
                head, received = client.read_response()
                sender.join()
                assert head.status == 200
                assert received == body
            gateway.finish()
    finally:
        server.close()
