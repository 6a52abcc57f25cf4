"""bench/compare as it measures: the cores, the configurations, the load tool's words, the order of
the runs and what becomes of one that fails, and real runs, which leave no process behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from comparison import builds, configurations, load_tool, machine, measurement  # noqa: E402
from comparison import proxies, scenarios, watched  # noqa: E402
from comparison.programs import CompareError, wait_until  # noqa: E402

GATEWAY = os.environ["GATEWAY"]
BUILD = Path(GATEWAY).parents[1]
NEEDS_TWO_CORES = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")


@pytest.mark.parametrize("cores, siblings, proxy, load, backend, shared", [
    ({0, 1}, {0}, {0}, {1}, {1}, False),
    ({0, 1}, {0, 1}, {0}, {1}, {1}, True),
    ({2, 3, 5}, {2}, {2}, {3}, {5}, False),
    ({0, 1, 2, 3}, {0, 1}, {0}, {2}, {3}, False),
])
def test_the_proxy_has_a_core_of_its_own(cores, siblings, proxy, load, backend, shared):
    assert machine.share_out(cores, lambda _: siblings) == machine.Cores(proxy, load, backend,
                                                                         shared)


def test_one_core_is_refused_with_the_cure():
    with pytest.raises(CompareError, match="second one"):
        machine.share_out({0}, lambda _: {0})


@pytest.mark.parametrize("text, counts", [
    ("  0.1,1234,,raw_syscalls:sys_enter,1001000,100.00,,\n"
     "  0.2,<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n", [1234, 0]),
    ("  0.1,<not supported>,,raw_syscalls:sys_enter,0,100.00,,\n", []),
    ("  0.1,7,,other:event,0,100.00,,\n", []),
    ("event syntax error\n", []),
    ("", []),
])
def test_counts_of_perf(text, counts):
    assert watched.parse_perf_stat(text) == counts


@pytest.mark.parametrize("options, hindrance", [
    ({"buildtype": "release", "optimization": "3", "b_sanitize": "none"}, None),
    ({"buildtype": "release", "optimization": "3", "b_sanitize": []}, None),
    ({"buildtype": "debug", "optimization": "0", "b_sanitize": "none"}, "optimization=0"),
    ({"buildtype": "release", "optimization": "3", "b_sanitize": "address"}, "b_sanitize=address"),
    ({"optimization": "3", "b_coverage": True}, "b_coverage=true"),
])
def test_no_other_than_a_release_build_is_compared(options, hindrance, tmp_path):
    assert builds.hindrance_of(options) == hindrance
    (tmp_path / "meson-info").mkdir()
    (tmp_path / "build.ninja").write_text("")
    (tmp_path / "meson-info" / "intro-buildoptions.json").write_text(
        json.dumps([{"name": name, "value": value} for name, value in options.items()]))
    assert builds.options_of(tmp_path) == options
    if hindrance:
        with pytest.raises(CompareError, match=f"{hindrance}.*--no-build"):
            builds.made(tmp_path, print)


@pytest.mark.parametrize("name", proxies.NAMES)
def test_configurations_pass_their_own_check(name, tmp_path):
    tmp_path.chmod(0o755)
    binary = machine.find(proxies.PROGRAMS[name], GATEWAY if name == proxies.GATEWAY else None)
    if binary is None:
        pytest.skip(f"no {proxies.PROGRAMS[name]} here")
    certificate = proxies.make_certificate(tmp_path)
    site = proxies.site_of(tmp_path, 9, certificate, 4096)
    file = proxies.write_configuration(name, binary, site)
    done = subprocess.run(proxies.check_command(name, binary, file), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nginx_is_given_no_directive_of_a_module_that_it_has_not(tmp_path):
    binary = tmp_path / "nginx"
    binary.write_text("#!/bin/sh\necho configure arguments: --without-http_scgi_module >&2\n")
    binary.chmod(0o755)
    site = configurations.Site(tmp_path, 1, 2, 3, "chain", "key", "both", 100)
    for name in proxies.NGINX:
        text = proxies.write_configuration(name, binary, site).read_text()
        assert "scgi_temp_path" not in text.replace("uwsgi_temp_path", "")
        assert "fastcgi_temp_path" in text and "proxy_temp_path" in text


class Tool(load_tool.LoadTool):
    """Of which only the command line is wanted."""

    def __init__(self):
        self.binary = "gateway-load"


@pytest.mark.parametrize("name, pid, rate, pattern, words", [
    ("echo-16k-wss", 7, None, "echo",
     "--pid 7 --in-flight 4 --size 16384 --verify off --groups X25519"),
    ("get-http", None, None, "echo", "--in-flight 1"),
    ("open-wss", None, 999.6, "echo",
     "--in-flight 1 --size 64 --rate 1000 --verify off --groups X25519"),
    ("handshake-resumed", None, None, "handshake", "--resume 1 --verify off --groups X25519"),
])
def test_command_lines(name, pid, rate, pattern, words):
    scenario = scenarios.BY_NAME[name]
    always = (f"gateway-load --url URL --connections {scenario.connections} --pattern {pattern} "
              "--duration 0.5 --warm-up 0.5 --json -")
    assert Tool().command(scenario, "URL", 0.5, pid, rate) == [*always.split(), *words.split()]


def test_json_that_is_not_understood_is_an_error():
    for text in ("{", "{}", "[]", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "phases": []}'):
        with pytest.raises(CompareError, match="not understood"):
            load_tool.parse(text, scenarios.BY_NAME["echo-64-100-ws"])


QUANTILES = {"count": 9, "p50_ns": 1000, "p90_ns": 1500, "p99_ns": 2000, "p99.9_ns": 3500}


def result_of_load(counts, timings, cpu_seconds=2.0):
    """What gateway-load writes, as far as it is read: a ramp, and two phases that count."""
    def phase(name):
        return {"name": name, "length_ns": 500_000_000, "counts": counts, "timings": timings}
    return json.dumps({"schema": 1, "phases": [phase("ramp"), phase("hold"), phase("soak")],
                       "generator": {"cpu_seconds": 3.0, "busiest_shard": 0.5}, "errors": {},
                       "watched": [{"pid": 7, "cpu_seconds": cpu_seconds}]})


@pytest.mark.parametrize("name, counts, timing, count", [
    ("echo-64-100-ws", {"sent": 60, "received": 50}, "rtt", 100),
    ("get-https", {"received": 50, "full": 9}, "rtt", 100),
    ("burst-wss", {"delivered": 500}, "delivery", 1000),
    ("handshake-full", {"full": 100, "resumed": 5}, "tls", 200),
    ("handshake-resumed", {"resumed": 100}, "tls", 200),
])
def test_a_result_is_read(name, counts, timing, count):
    scenario = scenarios.BY_NAME[name]
    measured = load_tool.parse(result_of_load(counts, {timing: QUANTILES}), scenario)
    assert (measured.seconds, measured.count, measured.rate) == (1.0, count, count)
    assert measured.cpu_us == pytest.approx(2e6 / count)
    messages = sum(counts.get(key, 0) for key in ("received", "delivered")) * 3
    assert measured.generator_us == (pytest.approx(3e6 / messages) if messages else None)
    assert measured.core_share == 2.0 and not measured.generator_limited
    assert measured.generator_share == 0.5
    assert measured.latency_us == {"p50": 1.0, "p99": 2.0, "p99.9": 3.5}
    limited = load_tool.parse(result_of_load(counts, {}), scenario, load_tool.GENERATOR_LIMITED)
    assert limited.generator_limited
    assert limited.latency_us == {"p50": None, "p99": None, "p99.9": None}


@pytest.mark.parametrize("name, counts, said", [
    ("handshake-resumed", {"full": 10, "resumed": 90}, "only 180 of 200 handshakes were resumed"),
    ("handshake-full", {"full": 9, "resumed": 1}, "only 18 of 20 handshakes were full"),
])
def test_handshakes_of_the_other_kind_are_an_error(name, counts, said):
    with pytest.raises(CompareError, match=said):
        load_tool.parse(result_of_load(counts, {}), scenarios.BY_NAME[name])


def test_a_rate_that_nobody_keeps_is_halved(monkeypatch):
    tried = []

    def run_once(plan, scenario, proxy, rate):
        tried.append(rate)
        return {"rate": min(rate, 300)}
    monkeypatch.setattr(measurement, "run_once", run_once)
    plan, scenario = plan_of([], 1), scenarios.BY_NAME["open-wss"]
    assert measurement.kept_rate(plan, scenario, None, 1000) == 250
    assert tried == [1000, 500, 250]
    tried.clear()
    assert measurement.kept_rate(plan, scenario, None, 100_000) == tried[-1] == 12_500


class Named:
    """Stands for a proxy's run in a round. `costs`: one for all rounds, or one each, the last for
    all later ones; an exception is what the run ends with."""

    def __init__(self, costs):
        self.costs = {name: each if isinstance(each, list) else [each]
                      for name, each in costs.items()}
        self.order = []

    def __call__(self, plan, scenario, name):
        self.order.append(name)
        costs = self.costs[name]
        cost = costs.pop(0) if len(costs) > 1 else costs[0]
        if isinstance(cost, Exception):
            raise cost
        return {"cpu_us": cost, "rate": 1.0}


def plan_of(names, rounds, **rest):
    return measurement.Plan(
        folder=None, binaries=None, names=names, scenarios=[], cores=None, load=None,
        backend_port=0, certificate=(), descriptors=0, rounds=rounds, seconds=1,
        say=lambda text: None, **rest)


SCENARIO = scenarios.BY_NAME["echo-64-100-ws"]


def test_proxies_are_measured_in_turns_and_every_second_time_backwards():
    each = Named({"a": [1, 2, 3], "b": 5, "c": [7, 8, 9]})
    runs, failed, repeated = measurement.in_rounds(plan_of(["a", "b", "c"], 3), SCENARIO, each)
    assert each.order == ["a", "b", "c", "c", "b", "a", "a", "b", "c"]
    costs = {name: [run["cpu_us"] for run in found] for name, found in runs.items()}
    assert costs == {"a": [1, 2, 3], "b": [5, 5, 5], "c": [7, 8, 9]}
    assert failed == repeated == {}


@pytest.mark.parametrize("problem", [
    CompareError("it ended by itself"), FileNotFoundError("no such process"),
    subprocess.TimeoutExpired("perf", 30),
])
def test_a_run_that_fails_is_repeated_once_and_strikes_out_its_proxy_alone(problem):
    each = Named({"a": [1, problem, 3], "b": [2, problem, problem, 4], "c": 5})
    runs, failed, repeated = measurement.in_rounds(plan_of(["a", "b", "c"], 3), SCENARIO, each)
    assert each.order == ["a", "b", "c", "c", "b", "b", "a", "a", "a", "c"]
    assert [len(runs[name]) for name in "abc"] == [3, 0, 3]
    assert failed == {"b": str(problem)}
    assert repeated == {"a": str(problem), "b": str(problem)}


class Ended:
    """Stands for a proxy, and for its program and that one's process."""

    def __init__(self, status):
        self.status = status
        self.program = self.process = self
        self.stopped = False

    def poll(self):
        return self.status

    def stop(self):
        self.stopped = True


def test_a_proxy_that_has_ended_is_started_anew(monkeypatch):
    fresh, up, down = Ended(None), Ended(None), Ended(-11)
    monkeypatch.setattr(measurement, "start", lambda plan, name: fresh)
    running = {"up": up, "down": down}
    assert [measurement.alive(None, running, name) for name in ("up", "down", "new")] == [
        up, fresh, fresh]
    assert running == {"up": up, "down": fresh, "new": fresh}
    assert down.stopped and not up.stopped


def test_what_goes_wrong_in_one_scenario_leaves_the_others(monkeypatch):
    def measure(plan, scenario):
        if scenario.name == SCENARIO.name:
            raise OSError("no memory")
        return {"runs": {}}
    monkeypatch.setattr(measurement, "measure", measure)
    plan = plan_of([], 1)
    plan.scenarios, plan.descriptors = [SCENARIO, scenarios.BY_NAME["get-http"]], 10_000
    found = list(measurement.measure_all(plan))
    assert [one.get("skipped") for one in found] == ["no memory", None]
    plan.budget_s = -1
    assert all("was up" in one["skipped"] for one in measurement.measure_all(plan))


def test_when_time_is_up_no_other_round_begins():
    each = Named({"a": 1, "b": 2})
    measurement.in_rounds(plan_of(["a", "b"], 3, end=0), SCENARIO, each)
    assert each.order == ["a", "b"]


def test_no_more_connections_than_descriptors_suffice_for():
    plan = plan_of([], 1)
    plan.descriptors = 4500
    fewer = measurement.fitting(plan, scenarios.BY_NAME["idle-wss"])
    assert fewer.connections == 2000 and fewer.title.endswith("(only 2,000 of them)")
    assert measurement.fitting(plan, scenarios.BY_NAME["echo-64-1000-ws"]).connections == 1000


def test_the_title_says_which_part_of_the_capacity_it_is():
    opened = scenarios.BY_NAME["open-wss"]
    assert opened.title_at(0.5) == opened.title
    assert opened.title_at(0.25).startswith("64 B at 25% of nginx's capacity")


def test_connections_that_are_not_held_are_an_error(tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho holding 900 connections >&2\nexec sleep 60\n")
    tool.chmod(0o755)
    load = load_tool.LoadTool(tool, tmp_path, os.sched_getaffinity(0), False)
    with pytest.raises(CompareError, match="only 900 of 9500 connections could be opened"):
        with load.hold(scenarios.BY_NAME["idle-wss"], "wss://nowhere"):
            pytest.fail("it holds too few")


def compare(folder, *arguments):
    return subprocess.run([sys.executable, ROOT / "bench" / "compare", *map(str, arguments)],
                          capture_output=True, text=True, timeout=100, check=False, cwd=folder)


@NEEDS_TWO_CORES
def test_a_real_run(tmp_path):
    done = compare(tmp_path, "--no-build", "--build", BUILD, "--proxy", "gateway",
                   "--quick", "--scenario", "echo-64-100-wss", "--scenario", "idle-wss",
                   "--rounds", 1, "--seconds", 0.2, "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "compare.json").read_text())
    measured = written["scenarios"][0]
    assert "skipped" not in measured, measured
    assert measured["runs"]["gateway"][0]["cpu_us"] > 0
    assert measured["runs"]["gateway"][0]["rate"] > 0
    assert written["scenarios"][1]["runs"]["gateway"][0]["bytes_each"] > 0
    again = compare(tmp_path, "--from", tmp_path / "compare.json", "--output", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert ((tmp_path / "again" / "performance.md").read_text()
            == (tmp_path / "performance.md").read_text())


def descendants(pid):
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += [int(child), *descendants(child)]
    return found


def is_there(pid):
    """A zombie is not: whoever adopts it looks after it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@NEEDS_TWO_CORES
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("proxy, processes", [("gateway", 1), ("nginx-4k", 2)])
def test_nothing_outlives_it(proxy, processes, how, tmp_path):
    if machine.find(proxies.PROGRAMS[proxy], GATEWAY if proxy == "gateway" else None) is None:
        pytest.skip(f"no {proxies.PROGRAMS[proxy]} here")
    with subprocess.Popen(
            [sys.executable, ROOT / "bench" / "compare", "--no-build", "--build", BUILD,
             "--proxy", proxy, "--scenario", "echo-64-100-wss", "--rounds", "9", "--seconds", "60",
             "--output", tmp_path / "out"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=os.environ | {"TMPDIR": str(tmp_path)}) as process:
        def all_there():
            found = descendants(process.pid)
            if process.poll() is not None:
                pytest.fail(f"it ended with {process.returncode}: {process.stdout.read()}")
            return len(found) == 2 + processes and found
        try:
            # gateway-echo, the proxy, gateway-load
            children = wait_until(all_there, "its children are not there", 60)
            process.send_signal(how)
            process.wait(60)
        finally:
            process.kill()
        try:
            wait_until(lambda: not any(map(is_there, children)), f"still there: {children}")
        finally:
            for child in filter(is_there, children):
                os.kill(child, signal.SIGKILL)
        ended = {signal.SIGKILL: -how, signal.SIGINT: 130}.get(how, 128 + how)
        assert process.returncode == ended, process.stdout.read()
    if how != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@NEEDS_TWO_CORES
def test_what_could_not_be_measured_is_in_the_exit_status_and_in_the_page(tmp_path):
    done = compare(tmp_path, "--no-build", "--build", BUILD, "--proxy", "gateway", "--scenario",
                   "open-wss", "--output", tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "Not measured: its rate is half of what nginx" in (
        tmp_path / "performance.md").read_text()


@pytest.mark.parametrize("text", [
    "{}", "[]", "7", '{"schema": 1}', '{"schema": 1, "scenarios": []}', "{", "\udcff",
    pytest.param("[" * 100_000, id="deep"),
    '{"schema": 1, "scenarios": [7], "proxies": [], "machine": {}}',
])
def test_a_file_that_is_none_of_its_own_is_refused(text, tmp_path):
    (tmp_path / "wrong.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    done = compare(tmp_path, "--from", "wrong.json", "--output", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr == ("bench/compare: --from wrong.json: not what this bench/compare has "
                           "written; measure again\n")


@pytest.mark.parametrize("arguments, said", [
    (["--scenario", "nothing"], "invalid choice: 'nothing'"),
    (["--rounds", "0"], "invalid positive int"),
    (["--nginx", "/nowhere"], "--nginx /nowhere: no program that can be run is there"),
    (["--build", "/nowhere"], "--build /nowhere: /nowhere/gateway/gateway is no program"),
])
def test_usage_errors_name_the_option(arguments, said, tmp_path):
    done = compare(tmp_path, "--no-build", "--build", BUILD, "--output", tmp_path, *arguments)
    assert done.returncode != 0 and said in done.stderr
