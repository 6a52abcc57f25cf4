"""Runs scenarios: for each one all proxies are started, and then measured in turn, round after
round and every second one backwards (A B C D D C B A), so that what changes about the machine meets
all of them alike, and what drifts within a round does not always favour the same.

A run is a plain dictionary, as it stands in the JSON; a figure that could not be had is None.
"""

import contextlib
import time
from dataclasses import dataclass, field, replace

from comparison import figures, watched
from comparison.load_tool import THROTTLED_SHARE, WARM_UP_S
from comparison.programs import FAILURES, CompareError, Program
from comparison.proxies import NGINX_LARGE, Proxy, site_of

# Between connections: what goes up or down with many of them, and is nobody's.
SPARE_DESCRIPTORS = 500
HALVINGS_MAX = 3
# For counting and profiling: runs of their own, since both cost time.
ASIDE_S = 1.0
PROFILED_S = 2.0
FIRST_S = 0.1


@dataclass
class Plan:
    folder: object
    binaries: object
    names: list
    scenarios: list
    cores: object
    load: object                 # LoadTool
    backend_port: int
    certificate: tuple
    descriptors: int
    rounds: int
    seconds: float
    count_calls: bool = True
    profiles: object = None      # a folder, or None
    budget_s: float | None = None  # for all scenarios; each has a like share of it for its rounds
    end: float = float("inf")    # time.monotonic() after which this scenario begins no other round
    say: object = print
    capacity: dict = field(default_factory=dict)  # of nginx, by scenario: a second


def start_backend(binary, folder, cpus):
    """Gives the program and its port."""
    echo = Program("gateway-echo", [binary, "--listen", "127.0.0.1:0"], folder, cpus)
    with echo.stopped_on_failure():
        echo.wait_for(lambda: echo.output().endswith("\n"), "does not listen")
    return echo, int(echo.output().split()[-1].rsplit(":", 1)[1])


def start(plan, name):
    site = site_of(plan.folder, plan.backend_port, plan.certificate, plan.descriptors)
    return Proxy(name, plan.binaries.of(name), site, plan.cores.proxy)


def measure_all(plan):
    """Yields one entry a scenario, once it is measured: {"name", "title", ..., "runs": {proxy:
    [run, ...]}} or, where it could not be measured, {"skipped": why}."""
    began = time.monotonic()
    for number, scenario in enumerate(plan.scenarios, 1):
        plan.say(scenario.title)
        if plan.budget_s is not None:
            plan.end = began + plan.budget_s * number / len(plan.scenarios)
        fitted = fitting(plan, scenario)
        entry = {"name": scenario.name, "title": fitted.title, "unit": scenario.unit,
                 "compares": scenario.compares}
        try:
            if plan.budget_s is not None and time.monotonic() > began + plan.budget_s:
                raise CompareError(f"the time for all scenarios, {plan.budget_s:g} s, was up")
            entry |= measure(plan, fitted)
        except FAILURES as reason:
            entry["skipped"] = str(reason)
            plan.say(f"  skipped: {reason}")
        yield entry


def fitting(plan, scenario):
    """As many connections as descriptors suffice for: a proxy has two for each."""
    most = (plan.descriptors - SPARE_DESCRIPTORS) // 2
    if scenario.connections <= most:
        return scenario
    plan.say(f"  only {most} connections: a process may open {plan.descriptors} files; raise the "
             "hard limit (ulimit -Hn) for more")
    return replace(scenario, connections=most, title=f"{scenario.title} (only {most:,} of them)")


def measure(plan, scenario):
    if scenario.pattern == "idle":
        runs, failed, repeated = in_rounds(plan, scenario, hold_anew)
        return {"connections": scenario.connections, "runs": runs, "failed": failed,
                "repeated": repeated}
    running = {}
    try:
        for name in plan.names:
            with contextlib.suppress(*FAILURES):  # tried again, and said, when it is its turn
                alive(plan, running, name)
        rate = share = None
        if scenario.half_of:
            rate, share = half_of_capacity(plan, scenario, running)
        runs, failed, repeated = in_rounds(
            plan, scenario,
            lambda _, one, name: run_once(plan, one, alive(plan, running, name), rate))
        calls = {name: look_aside(plan, scenario, proxy, rate)
                 for name, proxy in running.items() if name not in failed}
    finally:
        for proxy in running.values():
            proxy.stop()
    note_capacity(plan, scenario, runs)
    return {"connections": scenario.connections, "rate": rate, "rate_share": share, "runs": runs,
            "failed": failed, "repeated": repeated, "system_calls": calls,
            "title": scenario.title_at(share or 1)}


def alive(plan, running, name):
    """That one of those that run, started anew where it has ended."""
    if name in running and running[name].program.process.poll() is not None:
        running.pop(name).stop()
    if name not in running:
        running[name] = start(plan, name)
    return running[name]


def in_rounds(plan, scenario, run):
    """The runs of each proxy; why one has failed, which is left out from then on, and its runs do
    not count; and why a run had to be repeated."""
    runs, failed, repeated = {name: [] for name in plan.names}, {}, {}
    for number in range(plan.rounds):
        if number > 0 and time.monotonic() > plan.end:
            plan.say(f"  {number} of {plan.rounds} rounds: the time is up")
            break
        names = [one for one in plan.names if one not in failed]
        for name in reversed(names) if number % 2 else names:
            try:
                runs[name].append(repeated_once(plan, scenario, name, run, repeated))
                plan.say(f"  {name}: {brief(runs[name][-1], scenario)}")
            except FAILURES as reason:
                failed[name] = str(reason)
                plan.say(f"  {name} failed: {reason}")
    runs = {name: [] if name in failed else found for name, found in runs.items()}
    return runs, failed, repeated


def repeated_once(plan, scenario, name, run, repeated):
    """One error among very many messages is not yet a proxy that cannot do it."""
    try:
        return run(plan, scenario, name)
    except FAILURES as reason:
        if time.monotonic() > plan.end:
            raise
        plan.say(f"  {name}, to be repeated: {reason}")
        repeated[name] = str(reason)
    return run(plan, scenario, name)


def brief(run, scenario):
    if scenario.pattern == "idle":
        return f"{run['bytes_each']:.0f} B a connection"
    cost = "-" if run["cpu_us"] is None else f"{run['cpu_us']:.2f} us"
    return f"{cost} a {scenario.unit}, {run['rate']:.0f}/s"


def run_once(plan, scenario, proxy, rate):
    watched.reset_peak(proxy.pid)
    found = plan.load.run(scenario, proxy.url(scenario.scheme, scenario.path), plan.seconds,
                          proxy.pid, rate)
    return {"cpu_us": found.cpu_us, "rate": found.rate, "core_share": found.core_share,
            "p50_us": found.latency_us["p50"], "p99_us": found.latency_us["p99"],
            "p99.9_us": found.latency_us["p99.9"], "seconds": found.seconds,
            "resident_bytes": watched.memory_bytes(proxy.pid, "VmHWM"),
            "generator_limited": found.generator_limited,
            "throttled": plan.load.real_time and found.generator_share > THROTTLED_SHARE}


def hold_anew(plan, scenario, name):
    """In a process of its own each time: what an earlier round has left would count as free."""
    proxy = start(plan, name)
    url = proxy.url(scenario.scheme, scenario.path)
    try:
        # What comes with the start, or with the first connection, is not one connection's. nginx
        # accepts before its worker has made its table of them.
        plan.load.run(replace(scenario, pattern="echo", connections=1), url, FIRST_S, None)
        before = watched.settled_memory_bytes(proxy.pid)
        with plan.load.hold(scenario, url):
            after = watched.settled_memory_bytes(proxy.pid)
            held = watched.descriptors(proxy.pid)
            if held < 2 * scenario.connections:  # one to the client, one to the backend
                raise CompareError(f"{name} has {held} descriptors open, and should hold "
                                   f"{scenario.connections} connections")
    finally:
        proxy.stop()
    return {"bytes_each": (after - before) / scenario.connections, "resident_bytes": after}


def half_of_capacity(plan, scenario, running):
    """Of nginx with its larger buffers, in the scenario that is named; measured now, if it has not
    been. Gives the rate, and its share of that capacity."""
    closed = replace(scenario, name=scenario.half_of, half_of=None)
    if NGINX_LARGE not in plan.names:
        raise CompareError(f"its rate is half of what {NGINX_LARGE} does: compare with that, too")
    if closed.name not in plan.capacity:
        nginx = alive(plan, running, NGINX_LARGE)
        plan.capacity[closed.name] = run_once(plan, closed, nginx, None)["rate"]
    capacity = plan.capacity[closed.name]
    rate = kept_rate(plan, scenario, alive(plan, running, NGINX_LARGE), capacity / 2)
    plan.say(f"  {rate:.0f} {scenario.unit}s a second")
    return rate, rate / capacity


def kept_rate(plan, scenario, proxy, rate):
    """Halved until it is kept, so often at the most: messages one by one cost generator and backend
    more than those that come in batches, and where the two share a core they may be the limit."""
    for halvings in range(HALVINGS_MAX + 1):
        found = run_once(plan, scenario, proxy, rate)
        if figures.is_kept(found["rate"], rate):
            break
        plan.say(f"  {rate:.0f} {scenario.unit}s a second were due, {found['rate']:.0f} came back")
        if halvings < HALVINGS_MAX:
            rate /= 2
    return rate


def note_capacity(plan, scenario, runs):
    rates = sorted(run["rate"] for run in runs.get(NGINX_LARGE, []))
    if rates:
        plan.capacity[scenario.name] = rates[len(rates) // 2]


def look_aside(plan, scenario, proxy, rate):
    """Its system calls for one message; and its profile, where one is wanted. None: they could not
    be counted."""
    calls = None
    try:
        if plan.count_calls:
            # Beyond both ends of the measured time, whose rate is so that of the slowed proxy.
            calls, reached = during_load(
                plan, scenario, proxy, rate, ASIDE_S,
                lambda: watched.system_calls(proxy.pid, ASIDE_S + WARM_UP_S))
            calls = None if calls is None else calls / reached
        if plan.profiles is not None:
            file = plan.profiles / f"{scenario.name}-{proxy.name}.txt"
            during_load(plan, scenario, proxy, rate, 2 * PROFILED_S,
                        lambda: watched.profile(proxy.pid, PROFILED_S, file))
            plan.say(f"  {proxy.name}: profile in {file}")
    except FAILURES as reason:
        plan.say(f"  {proxy.name}, beside the measured runs: {reason}")
    return calls


def during_load(plan, scenario, proxy, rate, seconds, look):
    """What `look` gives, which begins as soon as the connections are open, and the load's rate."""
    idle = watched.descriptors(proxy.pid)
    program = plan.load.start(plan.load.command(
        scenario, proxy.url(scenario.scheme, scenario.path), seconds, proxy.pid, rate))
    with program.stopped_on_failure():
        busy = 1 if scenario.pattern == "handshake" else scenario.connections
        program.wait_for(lambda: watched.descriptors(proxy.pid) >= idle + busy,
                         f"does not open {busy} connections")
        seen = look()
    return seen, plan.load.finish(program, scenario, seconds).rate


def busy_share(seconds):
    """Of all cores, over so long."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    passed = sum(after) - sum(before)
    idle = after[3] + after[4] - before[3] - before[4]
    return 1 - idle / passed if passed else 0.0


def _ticks():
    with open("/proc/stat", encoding="ascii") as file:
        return [int(field) for field in file.readline().split()[1:9]]
