"""gateway-load: short runs through the gateway, and what it says of them."""

import signal
import subprocess

import pytest

from support.gateway import LOAD
from support.load import LoadResult, load_command, run_load
from support.program import Program
from support.waiting import DEADLINE

UNREACHABLE = 4


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_it_measures_echoes(gateway, scheme):
    result = run_load(gateway, scheme, "--connections", 5, "--in-flight", 4, "--size", 64,
                      "--duration", 1, "--cpu-of", gateway.pid, timeout=2 * DEADLINE)
    assert (result.opened, result.failed, result.errors) == (5, 0, {})
    assert result.messages > 0 and result.seconds > 0
    assert result.cpu_ns_per_message > 0
    assert 0 < result.rtt_ms("p50") <= result.rtt_ms("max")


def test_a_storm_on_the_gateway_has_a_time_to_recover(gateway):
    result = run_load(gateway, "wss", "--connections", 20, "--rate", 200, "--duration", 3, "--storm",
                      "at=500ms drop=50% reconnect=full-jitter:500ms", timeout=2 * DEADLINE)
    storm, = result.json["storms"]
    assert storm["dropped"] == 10 and storm["recovered_ns"] > 0
    assert result.opened == 30


def test_it_resumes_tls_sessions(gateway):
    result = run_load(gateway, "wss", "--pattern", "handshake", "--connections", 2, "--duration", 1,
                      "--resume", "100%", timeout=2 * DEADLINE)
    assert result.over_all("resumed") > result.over_all("full") > 0


def test_it_holds_connections_until_it_is_told_to_end(gateway, tmp_path):
    held = Program(load_command(gateway, "wss", "--connections", 20, "--hold"), tmp_path, "load")
    try:
        # Each connection takes a descriptor on both sides of the gateway.
        held.wait_for(lambda: gateway.descriptors() >= gateway.descriptors_at_start + 40,
                      "20 connections")
        held.wait_for(lambda: "holding 20 connections" in held.log(), "all of them held")
        held.stop(signal.SIGINT)
    finally:
        held.kill()
    result = LoadResult(held.output())
    assert (result.opened, result.failed) == (20, 0)


def test_it_says_what_fails(tmp_path, raw_port):
    done = subprocess.run([LOAD, "--url", f"ws://127.0.0.1:{raw_port}/echo", "--connections", "2",
                           "--duration", "1", "--json", "-"], capture_output=True, text=True,
                          timeout=2 * DEADLINE, check=False)
    assert done.returncode == UNREACHABLE
    assert LoadResult(done.stdout).failed == 2
