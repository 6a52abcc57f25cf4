"""Clients of many makes over TLS 1.3, with each cipher: openssl, GnuTLS, curl, Node, Python. Keys
that are updated in mid-stream, tickets, small and padded records, bodies of some MiB, and how it
ends. (Chromium: test_browser.py. The servers' side: test_tls_interop_upstreams.py.)
"""

import hashlib
import json
import os
import ssl
import subprocess
from pathlib import Path

import pytest

from support.application import NODE_PATH
from support.frames import (BINARY, CLOSE, CONTINUATION, TEXT, close_payload, frame,
                            read_frame)
from support.pattern import pattern
from support.relay import dial, open_echo, run
from support.streams import Stream, client_context, connect
from support.tls_programs import (CIPHERS, EACH_CIPHER, KEY_UPDATE, TICKET, GnutlsClient,
                                  OpensslClient, digits, echo, post, priority)
from support.waiting import DEADLINE

NODE_CLIENT = Path(__file__).parent / "clients" / "tls.js"
LARGE = 5 * 1024 * 1024
LAST = "Connection: close\r\n"
SMALL_RECORDS = {"512-byte-records": ["-max_send_frag", "512"],
                 "pieces-of-700": ["-max_send_frag", "1400", "-split_send_frag", "700"],
                 "padded": ["-record_padding", "1000"],
                 "agreed-upon": ["-maxfraglen", "512"],
                 "small-and-padded": ["-max_send_frag", "600", "-record_padding", "256"]}


class Text(Stream):
    """What a program printed, all of it, read like a stream."""

    def __init__(self, data):
        self.buffered = self.received = data

    def receive(self):
        return b""


def run_client(command, data):
    """To its end, which is the gateway's close."""
    return subprocess.run([str(part) for part in command], input=data, capture_output=True,
                          timeout=2 * DEADLINE, check=False)


def s_client(port, *options, data):
    return run_client(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-quiet",
                       "-nocommands", *options], data)


def get(size, more=""):
    return f"GET /bytes?n={size} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def expect_both(client, sent, size=LARGE):
    """The answers to what was sent to /sink, and to get(size)."""
    head, told = client.read_response()
    assert head.status == 200
    assert json.loads(told) == {"bytes": len(sent), "sha256": hashlib.sha256(sent).hexdigest()}
    head, body = client.read_response()
    assert head.status == 200
    assert body == pattern(size)


def read_chunks(stream, size):
    """So many bytes of a chunked body; its chunks end where they do."""
    body = b""
    while len(body) < size:
        chunk = stream.read_chunk()
        assert chunk, "the body has ended"
        body += chunk
    return body


# openssl


@EACH_CIPHER
def test_openssl_sends_and_gets_large_bodies(gateway, cipher):
    """One after the other: who reads nothing while it writes cannot have them echoed."""
    body = os.urandom(LARGE)
    done = s_client(gateway.https_port, "-ciphersuites", cipher,
                    data=post(body, "/sink") + get(LARGE, LAST))
    assert done.returncode == 0, done.stderr
    assert b"unexpected eof" not in done.stderr, "the end is no truncation"
    expect_both(Text(done.stdout), body)


@EACH_CIPHER
@pytest.mark.parametrize("records", SMALL_RECORDS)
def test_openssl_sends_small_and_padded_records(gateway, cipher, records):
    body = os.urandom(200_000)
    done = s_client(gateway.https_port, "-ciphersuites", cipher, *SMALL_RECORDS[records],
                    data=post(body, more=LAST))
    assert done.returncode == 0, done.stderr
    assert Text(done.stdout).read_response()[1] == body


@EACH_CIPHER
def test_openssl_updates_its_keys_between_and_within_bodies(gateway, tmp_path, cipher):
    with OpensslClient(gateway.https_port, tmp_path, "-ciphersuites", cipher) as client:
        echo(client, digits(20_000))
        for number, letter in enumerate("kKkkKK"):
            body = digits(30_000, seed=number)
            client.send(post(len(body)) + body[:10_000])
            assert client.read_head().status == 200
            begin = read_chunks(client, 10_000)
            client.update_keys(letter)
            client.send(body[10_000:10_001])
            begin += read_chunks(client, 1)
            client.update_keys("K" if letter == "k" else "k")
            client.send(body[10_001:])
            assert begin + read_chunks(client, len(body) - 10_001) == body
            assert client.read_chunk() == b""
            echo(client, digits(100, seed=number))
        assert client.count(KEY_UPDATE, ">>>") == 12
        client.wait_count(KEY_UPDATE, "<<<", 6)
        assert client.count(KEY_UPDATE, "<<<") == 6, "an answer to each that asks for one"


@EACH_CIPHER
def test_openssl_asks_for_new_keys_while_messages_come(gateway, tmp_path, cipher):
    """Until five were answered: at no time is nothing under way."""
    with OpensslClient(gateway.https_port, tmp_path, "-ciphersuites", cipher) as client:
        open_echo(client, "/push?rate=2000&size=5000")
        number = 0
        for asked in range(1, 6):
            client.update_keys("K")
            while client.count(KEY_UPDATE, "<<<") < asked:
                expect_pushed(client, number)
                number += 1
        for last in range(number, number + 50):
            expect_pushed(client, last)


def expect_pushed(client, number):
    message = read_frame(client)
    assert (message.opcode, len(message.payload)) == (BINARY, 5000)
    assert int.from_bytes(message.payload[:8], "big") == number


@EACH_CIPHER
def test_openssl_updates_its_keys_within_a_websocket_message(gateway, tmp_path, log, cipher):
    """In frames whose masks are 0: others could begin with a command's letter."""
    with OpensslClient(gateway.https_port, tmp_path, "-ciphersuites", cipher) as client:
        open_echo(client)
        for number, letter in enumerate("kKKk"):
            for first_byte in (TEXT, CONTINUATION, 0x80 | CONTINUATION):
                text = digits(3000, seed=number)
                client.send(bytes([first_byte, 0xFE]) + b"\x0b\xb8" + bytes(4) + text)
                assert read_frame(client).payload == text
                client.update_keys(letter)
        client.send(b"\x88\x82" + bytes(4) + close_payload(1000))
        assert read_frame(client).close_code == 1000
        assert client.read_to_end() == b""
        assert client.wait() == 0
        assert client.count(KEY_UPDATE, "<<<") == 6
    assert "code=1000" in log.wait("websocket", "/echo", "end=done")


@EACH_CIPHER
def test_openssl_resumes_its_session(gateway, tmp_path, cipher):
    session = tmp_path / "session.pem"
    options = ["-ciphersuites", cipher]
    with OpensslClient(gateway.https_port, tmp_path, *options, "-sess_out", session) as client:
        echo(client, digits(1000))
        assert client.count(TICKET, "<<<") >= 1
        client.end_input()
        client.wait()
    for _ in range(4):
        done = run_client(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.https_port}",
                           *options, "-ign_eof", "-nocommands", "-sess_in", session],
                          post(b"again", more=LAST))
        assert f"Reused, TLSv1.3, Cipher is {cipher}".encode() in done.stdout
        _, begin, rest = done.stdout.partition(b"HTTP/1.1 200 ")
        assert Text(begin + rest).read_response()[1] == b"again"


def test_too_many_updates_without_data_end_the_connection(gateway, tmp_path, log):
    with OpensslClient(gateway.https_port, tmp_path) as client:
        echo(client, digits(100))
        for number in range(1, 100):
            try:
                client.send(b"k\n")
            except BrokenPipeError:
                break
            client.wait_for_end_or(lambda: client.count(KEY_UPDATE, ">>>") == number)
            if client.process.poll() is not None:
                break
        assert client.wait() != 0
        assert "alert unexpected message" in client.log()
        assert number > 5, "a few are fine"
    assert "by=client" in log.wait("end=tls-failed", "too many KeyUpdate messages")


@EACH_CIPHER
def test_openssl_leaves_without_a_close_notify(gateway, tmp_path, log, cipher):
    with OpensslClient(gateway.https_port, tmp_path, "-ciphersuites", cipher) as client:
        open_echo(client)
        client.kill()
    assert "by=client" in log.wait("websocket", "/echo", "end=client-truncated")


# GnuTLS


@EACH_CIPHER
def test_gnutls_sends_and_gets_large_bodies(gateway, tmp_path, cipher):
    body = os.urandom(LARGE)
    with GnutlsClient(gateway.https_port, tmp_path, "--priority", priority(cipher)) as client:
        assert f"({CIPHERS[cipher]})" in client.facts
        client.send(post(body, "/sink") + get(1 << 20, LAST))
        expect_both(client, body, 1 << 20)
        assert client.read_to_end() == b"- Peer has closed the GnuTLS connection\n"
        assert client.wait() == 0, "the end is no truncation"


@EACH_CIPHER
def test_gnutls_updates_its_keys(gateway, tmp_path, cipher):
    with GnutlsClient(gateway.https_port, tmp_path, "--inline-commands", "--priority",
                      priority(cipher)) as client:
        for number in range(6):
            echo(client, digits(4000, seed=number) + b"\n")  # commands begin a line
            client.send([b"^rekey^\n", b"^rekey1^\n"][number % 2])
            client.wait_for(lambda: client.count("KEY_UPDATE was queued") == number + 1, "a rekey")
        echo(client, digits(30_000))
        assert client.count("received TLS 1.3 key update (0)") == 3, "an answer to each ^rekey^"


@EACH_CIPHER
def test_gnutls_resumes_its_session(gateway, tmp_path, cipher):
    with GnutlsClient(gateway.https_port, tmp_path, "--resume", "--waitresumption", "--priority",
                      priority(cipher)) as client:
        assert "This is a resumed session" in client.facts
        echo(client, digits(4000))


# curl, Node, Python


@EACH_CIPHER
def test_curl_sends_and_gets_back_a_large_body(gateway, curl, tmp_path, cipher):
    body = os.urandom(LARGE)
    (tmp_path / "body").write_bytes(body)
    url = f"https://127.0.0.1:{gateway.https_port}/echo"
    done = curl("--verbose", "--tlsv1.3", "--tls13-ciphers", cipher, "--data-binary",
                f"@{tmp_path / 'body'}", url, "--next", "--silent", "--insecure", "--noproxy", "*",
                "--tls13-ciphers", cipher, "--data-binary", "and more", url)
    assert f"SSL connection using TLSv1.3 / {cipher}".encode() in done.stderr
    assert done.stdout == body + b"and more"


@EACH_CIPHER
def test_node_uploads_chats_and_resumes(gateway, cipher):
    done = subprocess.run(["node", "--dns-result-order=ipv4first", NODE_CLIENT,
                           str(gateway.https_port), cipher], capture_output=True,
                          env=os.environ | {"NODE_PATH": NODE_PATH}, timeout=2 * DEADLINE,
                          check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"cipher": cipher, "code": 1000, "protocol": "TLSv1.3",
                                       "reused": [False, True, True]}


def test_python_sends_and_gets_back_a_large_body_resumed_too(gateway):
    """Its ssl chooses no cipher of TLS 1.3 before Python 3.15."""
    context = client_context(minimum=ssl.TLSVersion.TLSv1_3)
    session = None
    for number in range(3):
        with connect(gateway.https_port, True, context=context, session=session) as client:
            assert client.tls.session_reused == (number > 0)
            for size in (1, 100_000):
                echo(client, os.urandom(size))
            session = client.tls.session

    async def chat():
        async with dial(gateway, compression=None) as socket:
            data = os.urandom(LARGE)
            await socket.send(data)
            assert await socket.recv() == data
    run(chat())


def test_a_clients_close_notify_is_answered_behind_what_was_under_way(gateway):
    """One that shuts its side down and reads on gets all, and a close_notify behind it."""
    with connect(gateway.https_port, True) as client:
        client.send(get(LARGE))
        client.finish()
        head, body = client.read_response()
        assert head.status == 200
        assert body == pattern(LARGE)
        assert client.read_ending() == (b"", "end")


def test_a_websocket_ends_with_a_close_notify_from_both(gateway, log):
    with connect(gateway.https_port, True) as client:
        open_echo(client)
        client.send(frame(BINARY, b"last"))
        assert read_frame(client).payload == b"last"
        client.send(frame(CLOSE, close_payload(1000)))
        assert read_frame(client).close_code == 1000
        assert client.read_ending() == (b"", "end")
    log.wait("websocket", "/echo", "end=done")
