"""gateway-load: a short run through the gateway, and the one line of JSON that it prints."""

import json
import signal
import subprocess

import pytest

from support.gateway import LOAD
from support.program import Program
from support.waiting import DEADLINE


def run_load(gateway, scheme, *arguments):
    port = gateway.https_port if scheme == "wss" else gateway.http_port
    done = subprocess.run([LOAD, "--url", f"{scheme}://127.0.0.1:{port}/echo",
                           *map(str, arguments)], capture_output=True, text=True,
                          timeout=2 * DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_it_measures_echoes(gateway, scheme):
    result = run_load(gateway, scheme, "--connections", 5, "--in-flight", 4, "--size", 64,
                      "--duration", 1, "--cpu-of", gateway.pid)
    assert (result["connections"], result["opened"], result["failed"]) == (5, 5, 0)
    assert result["errors"] == {}
    assert result["messages"] > 0 and result["seconds"] > 0
    assert result["cpu_ns_per_message"] > 0
    assert 0 < result["latency_us"]["p50"] <= result["latency_us"]["max"]


def test_it_holds_connections_until_it_is_told_to_end(gateway, tmp_path):
    held = Program([LOAD, "--url", f"wss://127.0.0.1:{gateway.https_port}/echo",
                    "--connections", 20, "--hold"], tmp_path, "load")
    try:
        # Each connection takes a descriptor on both sides of the gateway.
        held.wait_for(lambda: gateway.descriptors() >= gateway.descriptors_at_start + 40,
                      "20 connections")
        held.wait_for(lambda: "holding 20 connections" in held.log(), "all of them held")
        held.stop(signal.SIGINT)
    finally:
        held.kill()
    result = json.loads(held.output())
    assert (result["opened"], result["failed"]) == (20, 0)


def test_it_says_what_fails(tmp_path, raw_port):
    done = subprocess.run([LOAD, "--url", f"ws://127.0.0.1:{raw_port}/echo", "--connections", "2",
                           "--duration", "1"], capture_output=True, text=True,
                          timeout=2 * DEADLINE, check=False)
    assert done.returncode != 0
    assert json.loads(done.stdout)["failed"] == 2
