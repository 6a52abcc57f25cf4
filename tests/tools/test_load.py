"""gateway-load against gateway-echo: its line of JSON, and that it notices what is wrong."""

import json
import os
import signal
import subprocess

import pytest


def load(*arguments):
    return subprocess.run([os.environ["GATEWAY_LOAD"], *arguments], capture_output=True,
                          text=True, timeout=60, check=False)


def result_of(answer):
    assert answer.stdout.count("\n") == 1
    return json.loads(answer.stdout)


@pytest.mark.parametrize("kind", [[], ["--text"]], ids=["binary", "text"])
@pytest.mark.parametrize("connections, in_flight, size", [
    (1, 1, 0), (20, 1, 64), (5, 32, 126), (2, 8, 1_000_000),
])
def test_echoes_are_counted(echo, connections, in_flight, size, kind):
    answer = load("--url", echo.ws("/echo"), "--connections", str(connections), "--in-flight",
                  str(in_flight), "--size", str(size), "--duration", "0.3", "--cpu-of",
                  str(echo.process.pid), *kind)
    result = result_of(answer)
    assert (answer.returncode, result["errors"]) == (0, {})
    assert (result["opened"], result["failed"]) == (connections, 0)
    assert (result["in_flight"], result["size"]) == (in_flight, size)
    assert result["messages"] > 0 and result["seconds"] >= 0.3
    assert result["messages_per_second"] == pytest.approx(
        result["messages"] / result["seconds"], rel=0.01)
    latency = result["latency_us"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"]
    assert result["cpu_ns_per_message"] == pytest.approx(
        result["cpu_seconds"] * 1e9 / result["messages"], rel=0.01)


def test_hold_keeps_idle_connections_until_interrupted(echo):
    process = subprocess.Popen(
        [os.environ["GATEWAY_LOAD"], "--url", echo.ws("/echo"), "--connections", "50", "--hold"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "holding 50 connections\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert json.loads(output)["opened"] == 50


@pytest.mark.parametrize("path, failed, error", [
    ("/nothing", 2, "upgrade: status 404"),
    ("/misbehave/bad-accept", 2, "upgrade: status 101, Sec-WebSocket-Accept"),
    ("/misbehave/violate", 0, "violation: "),
    ("/misbehave/close?code=4000", 0, "closed by the peer: 4000"),
    ("/misbehave/early", 0, "a message that nobody sent"),
    ("/push?size=64&rate=1000", 0, "a message that nobody sent"),
    ("/sink", 0, "no message came back"),
])
def test_what_goes_wrong_is_named(echo, path, failed, error):
    answer = load("--url", echo.ws(path), "--connections", "2", "--duration", "0.1")
    result = result_of(answer)
    assert answer.returncode == 2
    assert result["failed"] == failed
    assert any(kind.startswith(error) for kind in result["errors"]), result["errors"]


def test_an_unread_flood_ends_in_time(echo):
    answer = load("--url", echo.ws("/sink?read=no"), "--in-flight", "100", "--size", "1000000",
                  "--duration", "0.1")
    assert result_of(answer)["errors"] == {"no message came back": 1}


@pytest.mark.parametrize("url", ["http://x/", "ws://", "ws://x:y/", "ws://[::1/", "ws://x/#f"])
def test_bad_urls_are_refused(url):
    answer = load("--url", url)
    assert (answer.returncode, answer.stdout) == (1, "")
