"""gateway-load: what it refuses before the run, with the option's name and the cure."""

import json
import os
import re
import subprocess

import pytest
from test_load import USAGE, load


@pytest.mark.parametrize("url", ["ftp://x/", "ws://", "ws://x:y/", "ws://[::1/", "ws://x/#f"])
def test_bad_urls_are_refused(url):
    answer = load("--url", url)
    assert (answer.returncode, answer.stdout) == (USAGE, "")


@pytest.mark.parametrize("arguments, told", [
    ([], "no URL"),
    (["ws://127.0.0.1:1/", "--size", "1x"], "--size"),
    (["ws://127.0.0.1:1/", "--duration", "soon"], "--duration"),
    (["ws://127.0.0.1:1/", "--connections", "0"], "--connections"),
    (["ws://127.0.0.1:1/", "--header", "no colon"], "--header"),
    (["ws://127.0.0.1:1/", "--header", "X: a\nY: b"], "--header"),
    (["ws://127.0.0.1:1/", "--verify", "/nowhere.pem"], "--verify: cannot read /nowhere.pem"),
    (["ws://127.0.0.1:1/", "--key", "/k"], "--key"),
    (["ws://127.0.0.1:1/", "--source", "x"], "--source"),
    (["ws://127.0.0.1:1/", "--pid", "999999999"], "--pid: no process 999999999"),
    (["ws://127.0.0.1:1/", "--html", "-"], "--json alone can go to standard output"),
    (["ws://127.0.0.1:1/", "--html", "/dev/null", "--junit", "/dev/null"], "two results"),
    (["ws://127.0.0.1:1/", "--source", "192.0.2.1"], "--source: 192.0.2.1:0: Cannot assign"),
    (["ws://127.0.0.1:1/", "--source", "::1"], "--source: not of the family"),
    (["ws://127.0.0.1:1/", "--groups", "X25519"], "--groups: no URL"),
    (["wss://127.0.0.1:1/", "--groups", "X25519,X1"], "--groups: unknown group X1"),
    (["ws://127.0.0.1:1/", "--poisson"], "--poisson"),
    (["http://192.0.2.1/", "--churn", "100000", "--life", "1s"], "--churn: so many connections a second"),
    (["ws://127.0.0.1:1/", "--storm", "at=x"], "--storm"),
    (["ws://127.0.0.1:1/", "--storm", "at=1s drop=0%"], "--storm: drop="),
    (["ws://127.0.0.1:1/", "--storm", "at=10s"], "--storm: its at= is behind"),
    (["ws://127.0.0.1:1/", "--churn", "5"], "--churn: they would live for ever"),
    (["ws://127.0.0.1:1/", "--churn", "5", "--life", "1", "--connect-rate", "5"], "--connect-rate"),
    (["ws://127.0.0.1:1/", "--rate", "5", "--pattern", "push"], "--rate: with this --pattern"),
    (["ws://127.0.0.1:1/", "--rate", "5", "--pattern", "handshake"], "are --churn"),
    (["ws://127.0.0.1:1/", "--rate", "1e-10"], "--rate: a number of at least"),
    (["ws://127.0.0.1:1/", "--connect-rate", "nan"], "--connect-rate: a number"),
    (["ws://127.0.0.1:1/", "--find", "lost<1", "--pattern", "hold"], "--find: it searches"),
    (["ws://127.0.0.1:1/", "--timeout", "0"], "--timeout: at least 1ms"),
    (["ws://127.0.0.1:1/", "--open-timeout", "0"], "--open-timeout: at least 1ms"),
    (["ws://127.0.0.1:1/", "--sni", "a"], "--sni: no URL"),
    (["ws://127.0.0.1:1/", "--header", "A: " + "b" * 33000], "--header: with the URL"),
    (["ws://127.0.0.1:1/", "--fail-if", "nonsense>1"], "--fail-if"),
    (["ws://127.0.0.1:1/", "--find", "nonsense>1"], "--find"),
    (["ws://127.0.0.1:1/", "--find", "lost<1", "--duration", "0"], "--find"),
    (["ws://127.0.0.1:1/", "--body", "5"], "--body"),
    (["http://127.0.0.1:1/", "--pattern", "push"], "--pattern"),
    (["ws://127.0.0.1:1/", "--nonsense"], "--nonsense"),
])
def test_usage_errors_name_the_option(arguments, told):
    answer = load(*arguments)
    assert (answer.returncode, answer.stdout) == (USAGE, "")
    assert told in answer.stderr


def test_what_will_not_suffice_is_said_before(echo):
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -n 100 && exec "$@"', "bash", os.environ["GATEWAY_LOAD"],
         echo.ws("/echo"), "--connections", "200"], capture_output=True, text=True, timeout=30,
        check=False)
    assert limited.returncode == USAGE
    assert re.search(r"descriptors.*raise ulimit -n", limited.stderr)
    ports = load(echo.ws("/echo"), "--connections", 100_000)
    assert ports.returncode == USAGE
    assert "--source" in ports.stderr or "ulimit" in ports.stderr


def test_what_authorizes_is_not_in_a_report(echo, tmp_path):
    report = tmp_path / "result.json"
    answer = load(echo.ws("/echo"), "--header", "Authorization: Bearer abc", "--header=Cookie: id=abc",
                  "--header", "X-Trace: shown", "--duration", "0.1", "--warm-up", 0, "--json", report)
    assert answer.returncode == 0, answer.stderr
    command = json.loads(report.read_text())["command"]
    assert "abc" not in command and "X-Trace: shown" in command
