"""What the acceptance scripts share: a gateway with its backend, verdicts, measured numbers.

The scripts are for people: each starts what it needs, prints its figures and PASS or FAIL for each
demand, and ends with status 1 where one failed. GATEWAY_BUILD names the build folder.
"""

import argparse
import contextlib
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from support.gateway import Config, Echo, Gateway, Variant  # noqa: E402

failures = []


def verdict(good, text):
    print(f"{'PASS' if good else 'FAIL'}  {text}", flush=True)
    if not good:
        failures.append(text)


def finish():
    sys.exit(1 if failures else 0)


def arguments(description, **extra):
    """--shards and --receive, and what is asked for: name=(default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--receive", choices=["multishot", "oneshot"], default="multishot")
    for name, (default, text) in extra.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default,
                            help=f"{text} (%(default)s)")
    return parser.parse_args()


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def site(options, level="info", environment=None, **config):
    """A backend and a gateway before it, which must end well; its log then is final_log."""
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder = Path(name)
        echo = Echo(folder)
        try:
            settings = Config({"echo": echo.port}, [{"pool": "echo"}], level=level, **config)
            gateway = Gateway(folder, settings, Variant(options.shards, options.receive),
                              environment=environment)
            try:
                yield gateway, echo
                gateway.finish()
                gateway.final_log = gateway.log()
            finally:
                gateway.kill()
        finally:
            echo.kill()


def reset_peak(program):
    """VmHWM counts anew from the present VmRSS."""
    Path(f"/proc/{program.pid}/clear_refs").write_text("5", encoding="ascii")


def kib(program, key="VmRSS"):
    return program.status(key)


def stop_counters(gateway):
    """What the shards say when they stop: summed over them."""
    sums = {}
    for line in gateway.final_log.splitlines():
        if "stopped connections=" in line:
            for name, number in re.findall(r"(\w+)=(\d+)", line):
                sums[name] = sums.get(name, 0) + int(number)
    return sums


def busiest_threads(pid, count):
    """The threads that used the most processor time: the shards."""
    def ticks(thread):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    threads = subprocess.run(["ls", f"/proc/{pid}/task"], capture_output=True, text=True,
                             check=True).stdout.split()
    return sorted(threads, key=ticks)[-count:]


def trace_shards(gateway, shards, seconds):
    """The system calls of the shards' threads in so many seconds: their numbers by name."""
    command = ["timeout", "--signal=INT", str(seconds), "strace", "-c"]
    for thread in busiest_threads(gateway.pid, shards):
        command += ["-p", thread]
    table = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    calls = {}
    for line in table.splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found[2] != "total":
            calls[found[2]] = int(found[1])
    return calls
