"""The one place that knows gateway-load's options and what it writes.

A scenario becomes a command line; its JSON (schema 1) becomes a Measured, whose figures are the
same whatever the load was.
"""

import contextlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from comparison.programs import CompareError, Program, wait_until

SCHEMA = 1
GENERATOR_LIMITED = 3
UNREACHABLE = 4
# What it may take beside its measured time: opening, warm-up, closing.
PATIENCE_S = 90
# With load, but not measured: all connections are open by then, and the first round's have had it.
WARM_UP_S = 0.5
HOLD_S = 600
# Of a core: beyond that the kernel halts a thread with a real-time priority for the rest of each
# second (sched_rt_runtime_us), and the latest quantiles are those halts'.
THROTTLED_SHARE = 0.94
_PATTERNS = {"push": "push", "handshake": "handshake", "idle": "hold"}  # of others: echo
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
    generator_share: float = 0.0  # of a core, by its busiest thread
    generator_us: float | None = None  # its own processor time for one, the warm-up among them

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


class LoadTool:
    """`patience_s` is what a run may take beside its measured time."""

    def __init__(self, binary, folder, cpus, real_time, patience_s=PATIENCE_S):
        self.binary = binary
        self.folder = folder
        self.cpus = cpus
        self.real_time = real_time
        self.patience_s = patience_s

    def command(self, scenario, url, seconds, pid, rate=None):
        """The words of its command line."""
        words = [str(self.binary), "--url", url, "--connections", str(scenario.connections),
                 "--pattern", _PATTERNS.get(scenario.pattern, "echo"), "--duration", f"{seconds:g}",
                 "--warm-up", f"{WARM_UP_S:g}", "--json", "-"]
        if pid is not None:
            words += ["--pid", str(pid)]
        if scenario.pattern in ("echo", "get"):
            words += ["--in-flight", str(scenario.in_flight)]
        if scenario.pattern == "echo":
            words += ["--size", str(scenario.size_bytes)]
        if scenario.pattern == "handshake":
            words += ["--resume", "1" if scenario.resumed else "0"]
        if rate is not None:
            words += ["--rate", f"{rate:.0f}"]
        if scenario.is_tls:
            # The gateway prefers X25519MLKEM768, which an OpenSSL before 3.5 does not have and
            # which costs more: all are to do the same.
            words += ["--verify", "off", "--groups", "X25519"]
        return words

    def start(self, command):
        program = Program("gateway-load", command, self.folder, self.cpus, self.real_time)
        if self.real_time:
            with program.stopped_on_failure():
                prefer_first_thread(program)
        return program

    def finish(self, program, scenario, seconds):
        """What a started one has measured. CompareError: it failed."""
        try:
            status = program.wait(seconds + self.patience_s)
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
        program = self.start(self.command(scenario, url, HOLD_S, None))
        try:
            said = program.wait_for(
                lambda: re.search(r"^holding (\d+) connections$", program.log(), re.MULTILINE),
                f"does not hold {scenario.connections} connections", self.patience_s)
            if int(said[1]) != scenario.connections:
                raise CompareError(f"{scenario.name}: only {said[1]} of {scenario.connections} "
                                   "connections could be opened")
            yield
        finally:
            program.stop()


def prefer_first_thread(program):
    """That is the one which reads the proxy's clock at the borders of the measured time; a load
    that never pauses, at the same priority on the same core, would let it wait."""
    threads = Path(f"/proc/{program.pid}/task")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, CompareError):
        # Later: the others would inherit it.
        wait_until(lambda: program.process.poll() is not None or len(os.listdir(threads)) > 1,
                   "gateway-load has one thread alone", 1)
        os.sched_setscheduler(program.pid, os.SCHED_FIFO, os.sched_param(2))


def parse(text, scenario, status=0):
    """Of what it writes as JSON; `status` is what it has ended with."""
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        return _of_document(document, scenario, status)
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        raise CompareError(f"gateway-load wrote JSON that is not understood ({problem!r}); its "
                           "version and this comparison's must be the same") from None


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
        generator_limited=status == GENERATOR_LIMITED,
        generator_share=document["generator"]["busiest_shard"],
        generator_us=_generator_us(document, scenario))


def _generator_us(document, scenario):
    """Its time and its messages are both those of the whole run."""
    key = _COUNTS.get(scenario.pattern, "received")
    count = sum(phase["counts"].get(key, 0) for phase in document["phases"])
    return document["generator"]["cpu_seconds"] * 1e6 / count if count else None


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
