"""gateway-load, run against the gateway, and what is asked of its result."""

import json
import subprocess

from support.gateway import LOAD

PASSED, LIMITED = 0, 3


class LoadResult:
    """Of the JSON that gateway-load has written."""

    def __init__(self, text):
        self.json = json.loads(text)
        self.errors = {kind: error["count"] for kind, error in self.json["errors"].items()}
        self.opened = self.over_all("opened")
        self.failed = self.over_all("failed")
        hold, = [phase for phase in self.json["phases"] if phase["name"] == "hold"]
        self.seconds = hold["length_ns"] / 1e9
        self.messages = hold["counts"].get("received", 0)
        self.messages_per_second = self.messages / self.seconds
        self.rtt = hold["timings"].get("rtt", {})

    def over_all(self, name):
        return sum(phase["counts"].get(name, 0) for phase in self.json["phases"])

    @property
    def cpu_ns_per_message(self):
        """Of all processes that were watched."""
        return sum(one["cpu_seconds"] for one in self.json["watched"]) * 1e9 / self.messages

    def rtt_ms(self, name):
        return self.rtt[f"{name}_ns"] / 1e6


def load_command(gateway, scheme, *arguments):
    port = gateway.https_port if scheme == "wss" else gateway.http_port
    return [str(part) for part in (LOAD, f"{scheme}://127.0.0.1:{port}/echo", "--json", "-",
                                   *arguments)]


def run_load(gateway, scheme, *arguments, timeout=None):
    """That the generator was the limit is no fault of a test's: both share the machine."""
    done = subprocess.run(load_command(gateway, scheme, *arguments), capture_output=True, text=True,
                          timeout=timeout, check=False)
    assert done.returncode in (PASSED, LIMITED), done.stderr
    return LoadResult(done.stdout)
