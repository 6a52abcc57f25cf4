"""gateway-echo with curl: framing, digests, keep-alive, and its misbehaviours over HTTP."""

import hashlib
import json
import os
import socket
import subprocess

import pytest

PERIOD = bytes(((i + 1) * 0x9E3779B97F4A7C15 % 2**64) >> 56 for i in range(65521))


def pattern(size):
    return (PERIOD * (size // len(PERIOD) + 1))[:size]


def curl(*arguments, body=None):
    return subprocess.run(["curl", "-sS", "--max-time", "30", *arguments],
                          input=body, capture_output=True, check=False)


@pytest.mark.parametrize("framing", ["", "&chunked=1", "&close=1"])
@pytest.mark.parametrize("size", [0, 1, 65521, 3_000_000])
def test_bytes_are_the_documented_pattern_in_each_framing(echo, framing, size):
    answer = curl(echo.http(f"/bytes?n={size}{framing}"))
    assert (answer.returncode, answer.stdout) == (0, pattern(size))


def test_bytes_tell_their_digest(echo):
    expected = hashlib.sha256(pattern(1_000_000)).hexdigest()
    assert curl(echo.http("/bytes?n=1000000&sha256=1")).stdout.decode() == expected


@pytest.mark.parametrize("source", ["@-", "chunked"])
def test_sink_counts_and_digests_a_body(echo, source):
    body = pattern(2_000_001)
    arguments = ["--data-binary", "@-"]
    if source == "chunked":
        arguments += ["-H", "Transfer-Encoding: chunked"]
    answer = curl(*arguments, echo.http("/sink"), body=body)
    assert json.loads(answer.stdout) == {
        "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_echo_returns_a_body(echo, version):
    body = pattern(2_000_001)
    answer = curl(version, "--data-binary", "@-", echo.http("/echo"), body=body)
    assert (answer.returncode, answer.stdout) == (0, body)


def test_echo_answers_before_the_request_has_ended(echo):
    with socket.create_connection(echo.host_port, timeout=10) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst")
        received = b""
        while b"first" not in received:
            received += client.recv(4096)
        client.sendall(b"other")
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(4096)
    assert b"5\r\nfirst\r\n5\r\nother\r\n" in received


def test_pipelined_requests_are_answered_in_order(echo):
    with socket.create_connection(echo.host_port, timeout=10) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                       b"GET /bytes?n=2&sha256=1 HTTP/1.1\r\nHost: x\r\n\r\n"
                       b"GET /headers HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n")
        received = b""
        while part := client.recv(4096):
            received += part
    digest = hashlib.sha256(pattern(2)).hexdigest().encode()
    places = [received.index(text) for text in (b"one", digest, b"Host: last")]
    assert places == sorted(places)


def test_headers_returns_the_head_as_received(echo):
    head = b"GET /headers?x=1 HTTP/1.1\r\nhOst: a\r\nX-Odd:   b \r\nConnection: close\r\n\r\n"
    with socket.create_connection(echo.host_port, timeout=10) as client:
        client.sendall(head)
        received = b""
        while part := client.recv(4096):
            received += part
    assert received.partition(b"\r\n\r\n")[2] == head


@pytest.mark.parametrize("path, status", [("/nothing", b"404"), ("/push", b"426")])
def test_what_is_not_there_is_refused(echo, path, status):
    assert curl("-i", echo.http(path)).stdout.split()[1] == status


def test_page_opens_a_websocket_on_its_own_origin(echo):
    page = curl(echo.http("/")).stdout.decode()
    assert "new WebSocket(" in page and "location.protocol" in page
    for name in ("status", "log", "text", "send", "send-binary", "close"):
        assert f'id="{name}"' in page


@pytest.mark.parametrize("path, code, size", [
    ("cut?n=100", 18, 100),         # the body is shorter than promised
    ("reset", 56, 0),               # the connection was reset
    ("garbage", 1, 0),              # not HTTP
    ("refuse", 0, 29),
    ("slow-head?interval_ms=1", 0, 5),
])
def test_misbehaviour_is_what_it_says(echo, path, code, size):
    answer = curl(echo.http("/misbehave/" + path))
    assert (answer.returncode, len(answer.stdout)) == (code, size)


def test_bad_requests_are_refused(echo):
    with socket.create_connection(echo.host_port, timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\nHost: x\n\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")


def listening_on(address):
    return subprocess.Popen([os.environ["GATEWAY_ECHO"], "--listen", address],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_unix_socket_is_served_and_goes_with_its_program(tmp_path):
    path = tmp_path / "echo.sock"
    with listening_on(f"unix:{path}") as program:
        try:
            assert program.stdout.readline() == f"listening on unix:{path}\n"
            answer = curl("--unix-socket", str(path), "http://app/bytes?n=65521")
            assert (answer.returncode, answer.stdout) == (0, pattern(65521))
            second = listening_on(f"unix:{path}")
            assert second.communicate(timeout=10)[1] == (
                f"gateway-echo: cannot listen on unix:{path}: Address already in use: "
                "if no program listens there any more, remove the file\n")
            assert second.returncode == 1
        finally:
            program.terminate()
        assert program.wait(10) == 0
    assert not path.exists()


@pytest.mark.parametrize("path", ["", "/" + "x" * 200])
def test_a_path_that_no_unix_socket_can_have_is_told(path):
    program = listening_on(f"unix:{path}")
    said = program.communicate(timeout=10)[1]
    assert program.returncode == 1
    assert said == (f"gateway-echo: unix:{path}: the path of a Unix socket has 1 to 107 bytes, "
                    f"and this one has {len(path)}\n")
