"""The one place that knows gateway-load's options and what it writes.

A scenario becomes a command line; its JSON becomes a Measured, whose figures are the same whatever
the load was. Options that a build of it does not know yet make a scenario impossible, and say so.
"""

import contextlib
import json
import re
import subprocess
from dataclasses import dataclass, field

from comparison.programs import CompareError, Program

GENERATOR_LIMITED = 3
UNREACHABLE = 4
# What it may take beside its measured time: opening, warm-up, closing.
PATIENCE_S = 90
# Of other patterns: rtt, received.
_TIMINGS = {"handshake": "tls", "push": "delivery"}
_COUNTS = {"push": "delivered"}
# So many of the handshakes have to be of the kind that is measured.
_OF_ITS_KIND = 0.95


@dataclass(frozen=True)
class Measured:
    seconds: float
    count: float                  # messages, requests, handshakes
    cpu_seconds: float | None     # of the watched process, within these seconds
    latency_us: dict              # p50, p99, p99.9; None where it does not say
    errors: dict = field(default_factory=dict)
    generator_limited: bool = False

    @property
    def rate(self):
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self):
        """Processor time for one."""
        if self.cpu_seconds is None or not self.count:
            return None
        return self.cpu_seconds * 1e6 / self.count

    @property
    def core_share(self):
        if self.cpu_seconds is None or not self.seconds:
            return None
        return self.cpu_seconds / self.seconds


class Unable(Exception):
    """This build of gateway-load has no option for that."""


class LoadTool:
    def __init__(self, binary, folder, cpus, real_time):
        self.binary = binary
        self.folder = folder
        self.cpus = cpus
        self.real_time = real_time
        self.help = subprocess.run([binary, "--help"], capture_output=True, text=True, timeout=20,
                                   check=False).stdout

    def knows(self, option):
        return re.search(rf"(^|[\s,]){option}\b", self.help, re.MULTILINE) is not None

    def need(self, option):
        if not self.knows(option):
            raise Unable(f"this gateway-load has no {option}")
        return option

    def command(self, scenario, url, seconds, pid, rate=None):
        """The words of its command line. Unable: it cannot do that."""
        words = [str(self.binary), "--url", url, "--connections", str(scenario.connections),
                 "--duration", f"{seconds:g}"]
        if pid is not None:
            words += ["--cpu-of", str(pid)]
        if self.knows("--json"):
            words += ["--json", "-"]
        if scenario.scheme in ("http", "https") and not self.knows("--pattern"):
            raise Unable("this gateway-load drives no http")
        if scenario.pattern in ("echo", "get"):
            words += ["--in-flight", str(scenario.in_flight)]
        if scenario.pattern == "echo":
            words += ["--size", str(scenario.size_bytes)]
        if scenario.pattern == "push":
            words += [self.need("--pattern"), "push"]
        if scenario.pattern == "handshake":
            words += [self.need("--pattern"), "handshake", self.need("--resume"),
                      "1" if scenario.resumed else "0"]
        if scenario.pattern == "idle":
            words += ["--hold"]
        if rate is not None:
            words += [self.need("--rate"), f"{rate:.0f}"]
        if scenario.is_tls:
            words += ["--verify", "off"]
        if scenario.is_tls and self.chooses_groups:
            words += ["--groups", "X25519"]
        return words

    @property
    def chooses_groups(self):
        """Else the gateway exchanges keys by X25519MLKEM768, and an OpenSSL before 3.5 by X25519
        alone, which costs less."""
        return self.knows("--groups")

    def start(self, command):
        return Program("gateway-load", command, self.folder, self.cpus, self.real_time)

    def finish(self, program, scenario, seconds):
        """What a started one has measured. CompareError: it failed."""
        try:
            status = program.wait(seconds + PATIENCE_S)
            output = program.output()
        finally:
            program.stop()
        text = output.strip()
        if status == UNREACHABLE or not text.startswith("{"):
            raise CompareError(f"gateway-load ended with {status}: {program.log().strip()[-500:]}")
        measured = parse(text, scenario, status)
        if measured.errors or measured.count == 0:
            raise CompareError(f"{scenario.name}: gateway-load saw errors: "
                               f"{measured.errors or 'nothing was answered'}")
        if status not in (0, GENERATOR_LIMITED):
            raise CompareError(f"{scenario.name}: gateway-load ended with {status}: "
                               f"{program.log().strip()[-500:]}")
        return measured

    def run(self, scenario, url, seconds, pid, rate=None):
        command = self.command(scenario, url, seconds, pid, rate)
        return self.finish(self.start(command), scenario, seconds)

    @contextlib.contextmanager
    def hold(self, scenario, url):
        """Idle connections, each of which has had one message, as long as the block lasts."""
        command = [word for word in self.command(scenario, url, 600, None)
                   if word not in ("--json", "-")]
        program = self.start(command)
        try:
            program.wait_for(lambda: re.search(r"\bholding\b", program.log() + program.output()),
                             f"does not hold {scenario.connections} connections", PATIENCE_S)
            yield
        finally:
            program.stop()


def parse(text, scenario, status=0):
    """From its JSON: the line of a single run, or the document of schema 1."""
    try:
        document = json.loads(text)
        if "schema" in document:
            return _of_document(document, scenario, status)
        return _of_line(document)
    except (ValueError, KeyError, TypeError) as problem:
        raise CompareError(f"gateway-load wrote JSON that is not understood ({problem!r}); its "
                           "version and this comparison's must be the same") from None


def _of_line(line):
    latency = line["latency_us"]
    return Measured(seconds=line["seconds"], count=line["messages"],
                    cpu_seconds=line["cpu_seconds"],
                    latency_us={"p50": latency["p50"], "p99": latency["p99"],
                                "p99.9": latency.get("p99.9")},
                    errors=line["errors"])


def _of_document(document, scenario, status):
    """Phases that count are all but ramps. What is 0 is not among the counts."""
    phases = [phase for phase in document["phases"] if not phase["name"].startswith("ramp")]
    timings = phases[-1]["timings"].get(_TIMINGS.get(scenario.pattern, "rtt"), {})
    watched = document["watched"]
    return Measured(
        seconds=sum(phase["length_ns"] for phase in phases) / 1e9,
        count=_count_of([phase["counts"] for phase in phases], scenario),
        cpu_seconds=watched[0]["cpu_seconds"] if watched else None,
        latency_us={name: timings[f"{name}_ns"] / 1e3 if timings else None
                    for name in ("p50", "p99", "p99.9")},
        errors={kind: error["count"] for kind, error in document["errors"].items()},
        generator_limited=status == GENERATOR_LIMITED)


def _count_of(counts, scenario):
    def total(key):
        return sum(one.get(key, 0) for one in counts)
    if scenario.pattern != "handshake":
        return total(_COUNTS.get(scenario.pattern, "received"))
    wanted, other = total("full"), total("resumed")
    if scenario.resumed:
        wanted, other = other, wanted
    if wanted < _OF_ITS_KIND * (wanted + other):
        raise CompareError(f"{scenario.name}: only {wanted} of {wanted + other} handshakes were "
                           f"{'resumed' if scenario.resumed else 'full'} ones")
    return wanted
