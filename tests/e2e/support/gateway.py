"""The gateway and its echo backend as the tests start them, and the configuration they write."""

import json
import os
import re
import signal
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port
from support.program import Program
from support.waiting import DEADLINE

ROOT = Path(__file__).resolve().parents[3]
BUILD = (ROOT / os.environ.get("GATEWAY_BUILD", "build")).resolve()
GATEWAY = BUILD / "gateway" / "gateway"
ECHO = BUILD / "tools" / "gateway-echo"
LOAD = BUILD / "tools" / "gateway-load"

RAW_HOST = "raw.test"    # served by the `upstream` that a test plays
DOWN_HOST = "down.test"  # served by nobody

# What no run may print: a broken invariant of ours, or a finding of a sanitizer.
FAULT = re.compile(r"broken invariant|ERROR: \w+Sanitizer|runtime error:|terminate called|"
                   r"[Aa]ssertion .*failed")


def is_sanitized():
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    return any(option["name"] == "b_sanitize" and option["value"] != "none" for option in options)


# The exit status where requests or WebSockets were cut.
HAS_CUT = 3

# How a gateway stops whose test is about something else.
AT_ONCE = {"over": "0s", "hard_stop": "20s"}


@dataclass(frozen=True)
class Variant:
    shards: int = 1
    receive: str = "multishot"

    def __str__(self):
        return f"{self.shards}-shard-{self.receive}"


def variants(usual):
    """What GATEWAY_VARIANTS names instead, such as "4-shard-multishot,4-shard-oneshot"."""
    named = os.environ.get("GATEWAY_VARIANTS")
    if not named:
        return usual
    parts = [one.split("-") for one in named.split(",")]
    return [Variant(int(shards), receive) for shards, _, receive in parts]


# Each test that is not about the shape of the process sees one shard and several, and both forms of
# receiving; the core of the relay sees every combination.
FEW = variants([Variant(1, "oneshot"), Variant(2, "multishot")])
ALL = variants([Variant(shards, receive) for shards in (1, 2, 4)
                for receive in ("multishot", "oneshot")])


def toml(value):
    """A value as TOML writes it; JSON strings are TOML, too. A dictionary is an inline table."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml(key)} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def pairs(table):
    return [f"{key} = {toml(value)}" for key, value in table.items()]


class Config:
    """A gateway.conf with one plain and one TLS listener on free ports.

    pools: {name: port or "host:port" or a list of them, or a table with them and other keys};
    routes: [{"path": ..., "pool": ...}]; timeouts: {key: "5s"}; limits: {key: value}; defaults:
    {"timeouts": {key: "5s"}, "limits": ...}; drain, reload: {key: value}; certificates: "self-signed" or a
    list; listeners: more of them, as tables; admin, tracing: keys of these tables; log: keys of that which have no name here; top: keys that are
    in no table.
    """

    def __init__(self, pools, routes, timeouts=None, certificates="self-signed", level="debug",
                 limits=None, listeners=(), top=None, log_buffer="256KiB", defaults=None, control=None,
                 log_file="stderr", drain=None, reload=None, log=None, admin=None, tracing=None):
        self.http_port = free_port()
        self.https_port = free_port()
        self.pools = pools
        self.routes = routes
        self.timeouts = timeouts or {}
        self.certificates = certificates
        self.level = level
        self.log_buffer = log_buffer
        self.control = control or {}
        self.admin = admin or {}
        self.tracing = tracing or {}
        self.log_file = log_file
        self.log = log or {}
        self.limits = limits or {}
        self.defaults = defaults or {}
        self.listeners = listeners
        self.top = top or {}
        self.drain = AT_ONCE if drain is None else drain
        self.reload = reload or {}

    def text(self):
        lines = pairs(self.top)
        lines += ["[[listen]]", f'address = "127.0.0.1:{self.http_port}"',
                  "[[listen]]", f'address = "127.0.0.1:{self.https_port}"',
                  f"certificates = {self.print_certificates()}"]
        for listener in self.listeners:
            lines += ["[[listen]]"] + pairs(listener)
        for name, pool in self.pools.items():
            pool = pool if isinstance(pool, dict) else {"servers": pool}
            servers = pool["servers"] if isinstance(pool["servers"], list) else [pool["servers"]]
            texts = [f"127.0.0.1:{one}" if isinstance(one, int) else one for one in servers]
            lines += [f"[pool.{name}]"] + pairs({**pool, "servers": texts})
        for route in self.routes:
            lines += ["[[route]]"] + pairs(route)
        lines += ["[defaults]"] + pairs(self.defaults)
        lines += ["[timeouts]"] + pairs(self.timeouts)
        lines += ["[limits]"] + pairs(self.limits)
        if self.control:
            lines += ["[control]"] + pairs(self.control)
        if self.admin:
            lines += ["[admin]"] + pairs(self.admin)
        if self.tracing:
            lines += ["[tracing]"] + pairs(self.tracing)
        lines += ["[drain]"] + pairs(self.drain)
        lines += ["[reload]"] + pairs(self.reload)
        lines += ["[log]"] + pairs({"level": self.level, "buffer": self.log_buffer, **self.log})
        if self.log_file != "stderr":
            lines += pairs({"file": self.log_file})
        return "\n".join(lines) + "\n"

    def print_certificates(self):
        if isinstance(self.certificates, str):
            return toml(self.certificates)
        tables = [f"{{ chain = {toml(str(chain))}, key = {toml(str(key))} }}"
                  for chain, key in self.certificates]
        return "[" + ", ".join(tables) + "]"


class Gateway(Program):
    """Started and ready when the constructor returns."""

    def __init__(self, folder, config, variant=Variant(), name="gateway", environment=None,
                 open_files=None, started_by=(), pass_fds=(), program=GATEWAY):
        """`started_by`: a command that executes the rest of its arguments. Without shards in the
        variant the file says how many."""
        self.config = config
        self.variant = variant
        self.http_port = config.http_port
        self.https_port = config.https_port
        self.file = file = folder / f"{name}.conf"
        file.write_text(config.text())
        limited = ["prlimit", f"--nofile={open_files}:{open_files}"] if open_files else []
        shards = ["--shards", variant.shards] if variant.shards else []
        super().__init__([*limited, *started_by, program, "-c", file, *shards,
                          "--receive", variant.receive], folder, name, environment, pass_fds)
        try:
            self.wait_for(self.is_ready, "the line 'ready'")
        except BaseException:
            self.kill()
            raise
        self.descriptors_at_start = self.descriptors()

    def is_ready(self):
        file = Path(self.config.log_file)
        if self.config.level in ("info", "debug") and (file == Path("stderr") or file.is_file()):
            said = self.log() if file == Path("stderr") else file.read_text()
            return re.search(r"\bready\b", said)
        try:  # it says nothing that can be read
            socket.create_connection(("127.0.0.1", self.http_port)).close()
            return True
        except OSError:
            return False

    def log_since(self, mark):
        return self.log_file.read_bytes()[mark:].decode(errors="replace")

    def log_mark(self):
        return self.log_file.stat().st_size

    @contextmanager
    def paused(self):
        """It stands still meanwhile: what peers and clocks do falls into one turn of its loop."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            self.wait_for(self.stands_still, "it to stand still")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stands_still(self):
        """Every thread of it: behind the name in stat stands the state, T for stopped."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return all((one / "stat").read_text().rpartition(")")[2].split()[0] == "T"
                   for one in threads)

    def wait_for_descriptors(self, seconds=DEADLINE):
        """Every connection has ended and gave back what it held."""
        self.wait_for(lambda: self.descriptors() <= self.descriptors_at_start,
                      "the descriptors to be given back", seconds)

    def check_faults(self):
        found = FAULT.search(self.log())
        assert not found, f"{self.name} reported a fault:\n{self.log()[found.start() - 500:]}"

    def finish(self):
        """Stops in order; fails where the gateway had ended, found a fault or does not end well."""
        self.check_running()
        code = self.stop()
        self.check_faults()
        assert code == 0, f"{self.name} ended with {code}:\n{self.log()[-4000:]}"


class Echo(Program):
    """gateway-echo on a port that stays its own while it does not run, unless told one."""

    def __init__(self, folder, name="echo", port=None):
        super().__init__([ECHO, "--listen", f"127.0.0.1:{port or free_port()}"], folder, name)
        try:
            found = self.wait_for(lambda: re.search(r"listening on 127\.0\.0\.1:(\d+)",
                                                    self.output() + self.log()), "its port")
        except BaseException:
            self.kill()
            raise
        self.port = int(found[1])
