"""The seccomp profile that is shipped for containers: the gateway serves under it, and it is one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.gateway import GATEWAY, ROOT, Config
from support.load import run_load

PROFILE = ROOT / "tools/dist/container/seccomp.json"
SANDBOX = Path(__file__).parent / "support" / "sandbox.py"
# Looking for leaks at the end, as the sanitized build does, means tracing, which no container allows.
NO_TRACING = {"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0"}


def within(profile, *command, **options):
    done = subprocess.run([sys.executable, SANDBOX, profile, *map(str, command)], capture_output=True,
                          text=True, timeout=30, check=False, **options)
    if done.returncode == 77:
        pytest.skip("no libseccomp")
    return done


def without(tmp_path, *names):
    profile = json.loads(PROFILE.read_text())
    rule = profile["syscalls"][0]
    assert set(names) <= set(rule["names"])
    rule["names"] = [one for one in rule["names"] if one not in names]
    changed = tmp_path / "seccomp.json"
    changed.write_text(json.dumps(profile))
    return changed


def test_the_gateway_serves_under_the_profile(start_gateway, echo, curl):
    within(PROFILE, "/bin/true")  # or there is no library for it
    config = Config(pools={"echo": echo.port}, routes=[{"path": "/", "pool": "echo"}])
    gateway = start_gateway(config, started_by=[sys.executable, SANDBOX, PROFILE],
                            environment=NO_TRACING)
    status = Path(f"/proc/{gateway.pid}/status").read_text()
    assert "\nSeccomp:\t2\n" in status and "\nNoNewPrivs:\t1\n" in status
    for url in (f"http://127.0.0.1:{gateway.http_port}/", f"https://localhost:{gateway.https_port}/"):
        assert b"<html" in curl(url).stdout
    result = run_load(gateway, "wss", "--connections", 10, "--duration", 1, timeout=60)
    assert result.messages > 0 and not result.errors


def test_without_io_uring_in_the_profile_the_start_says_so(tmp_path):
    profile = without(tmp_path, "io_uring_setup")
    done = within(profile, GATEWAY, "--from", "http://127.0.0.1:1", "--to", "127.0.0.1:2",
                  env=NO_TRACING)
    assert done.returncode == 1
    assert "a profile that allows io_uring_setup" in done.stderr


def test_the_profile_keeps_namespaces_and_tracing_away():
    done = within(PROFILE, "/usr/bin/unshare", "--user", "/bin/true")
    assert done.returncode != 0 and "Operation not permitted" in done.stderr
