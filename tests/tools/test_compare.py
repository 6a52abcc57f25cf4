"""bench/compare: its figures, the configurations it writes, the words of its page, and one real run
against the gateway alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from comparison import charts, figures, load_tool, machine, measurement  # noqa: E402
from comparison import page, proxies, rows, scenarios, watched  # noqa: E402
from comparison.programs import CompareError  # noqa: E402

GATEWAY = os.environ["GATEWAY"]


@pytest.mark.parametrize("values, median, spread", [
    ([5], 5, 0), ([1, 2, 6], 2, 2.5), ([4, 2], 3, 2 / 3), ([3, None, 5], 4, 0.5), ([0, 0], 0, 0),
])
def test_median_and_spread(values, median, spread):
    summary = figures.summarize(values)
    assert (summary.median, summary.spread) == (median, pytest.approx(spread))


def test_nothing_measured_has_no_summary():
    assert figures.summarize([]) is figures.summarize([None]) is None


@pytest.mark.parametrize("ours, theirs, ratios, standing", [
    ([1, 2], [2, 4], [0.5, 0.5], "ahead"),
    ([3, 2], [2, 4], [1.5, 0.5], "level"),
    ([3, 5], [2, 4], [1.5, 1.25], "behind"),
    ([3, 5], [3, 4], [1, 1.25], "level"),
    ([1, None, 9, 4], [2, 2, 0, None], [0.5], "ahead"),
    ([1, 2], [4], [0.25], "ahead"),
    ([], [], [], "unknown"),
])
def test_ratios_are_taken_pair_by_pair(ours, theirs, ratios, standing):
    assert figures.pair_ratios(ours, theirs) == ratios
    assert figures.standing(ratios) == standing


def test_pairs_far_apart_are_noise():
    assert not figures.is_noisy([0.5, 0.55, 0.57])
    assert figures.is_noisy([0.5, 0.55, 0.6])


@pytest.mark.parametrize("value, text", [
    (None, "-"), (0, "0"), (0.1234, "0.123"), (14.912, "14.9"), (999.6, "1,000"),
    (1234567, "1,230,000"), (-15.02, "-15.0"),
])
def test_numbers_read_well(value, text):
    assert figures.significant(value) == text


@pytest.mark.parametrize("cores, siblings, proxy, load, backend", [
    ({0, 1}, {0, 1}, {0}, {1}, {1}),
    ({2, 3, 5}, {2}, {2}, {3}, {5}),
    ({0, 1, 2, 3}, {0, 1}, {0}, {2}, {3}),
])
def test_the_proxy_has_a_core_of_its_own(cores, siblings, proxy, load, backend):
    assert machine.share_out(cores, lambda _: siblings) == machine.Cores(proxy, load, backend)


def test_one_core_is_refused_with_the_cure():
    with pytest.raises(CompareError, match="second one"):
        machine.share_out({0}, lambda _: {0})


@pytest.mark.parametrize("text, count", [
    ("1234,,raw_syscalls:sys_enter,1001000,100.00,,\n", 1234),
    ("<not supported>,,raw_syscalls:sys_enter,0,100.00,,\n", None),
    ("event syntax error\n", None),
    ("", None),
])
def test_counts_of_perf(text, count):
    assert watched.parse_perf_stat(text) == count


@pytest.mark.parametrize("name", proxies.NAMES)
def test_configurations_pass_their_own_check(name, tmp_path):
    tmp_path.chmod(0o755)
    binary = machine.find(proxies.PROGRAMS[name], GATEWAY if name == proxies.GATEWAY else None)
    if binary is None:
        pytest.skip(f"no {proxies.PROGRAMS[name]} here")
    certificate = proxies.make_certificate(tmp_path)
    site = proxies.site_of(tmp_path, 9, certificate, 4096)
    file = proxies.write_configuration(name, site)
    done = subprocess.run(proxies.check_command(name, binary, file), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Tool(load_tool.LoadTool):
    """Of which only the command line is wanted."""

    def __init__(self):
        self.binary = "gateway-load"


@pytest.mark.parametrize("name, pid, rate, words", [
    ("echo-16k-wss", 7, None, "--pattern echo --duration 0.5 --json - --pid 7 --in-flight 4 "
     "--size 16384 --verify off --groups X25519"),
    ("get-http", None, None, "--pattern echo --duration 0.5 --json - --in-flight 1"),
    ("open-wss", None, 999.6, "--pattern echo --duration 0.5 --json - --in-flight 1 --size 64 "
     "--rate 1000 --verify off --groups X25519"),
    ("handshake-resumed", None, None, "--pattern handshake --duration 0.5 --json - --resume 1 "
     "--verify off --groups X25519"),
])
def test_command_lines(name, pid, rate, words):
    scenario = scenarios.BY_NAME[name]
    begin = ["gateway-load", "--url", "URL", "--connections", str(scenario.connections)]
    assert Tool().command(scenario, "URL", 0.5, pid, rate) == begin + words.split()


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
                       "generator": {"cpu_seconds": 3.0}, "errors": {},
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


def run(cpu_us, core_share=1.0):
    return {"cpu_us": cpu_us, "rate": 1000.0, "core_share": core_share, "p50_us": 10.0,
            "p99_us": 20.0, "p99.9_us": None, "resident_bytes": 5_000_000,
            "generator_limited": False}


def entry(name, costs, core_share=1.0):
    """`costs` by proxy; a list for its rounds."""
    scenario = scenarios.BY_NAME[name]
    runs = {proxy: [run(cost, core_share) for cost in each] for proxy, each in costs.items()}
    return {"name": name, "title": scenario.title, "unit": scenario.unit,
            "compares": scenario.compares, "runs": runs,
            "system_calls": {proxy: None for proxy in costs}}


def costs_of(gateway, small, large, haproxy):
    return {"gateway": gateway, "nginx-4k": small, "nginx-16k": large, "haproxy": haproxy}


def document(*entries):
    return {"schema": 1, "began": "2030-01-01T00:00:00+00:00", "minutes": 1.0,
            "command": "bench/compare",
            "machine": {"processor": "<a> & co", "cores": 2, "memory_bytes": 8e9, "kernel": "6.1",
                        "proxy_cores": [0], "load_cores": [1], "backend_cores": [1],
                        "generator_real_time": True, "busy_before": 0.01},
            "versions": {"gateway": "0.1", "nginx": "1.22"}, "proxies": list(proxies.NAMES),
            "rounds": 3, "seconds": 1, "scenarios": list(entries)}


def test_the_page_says_what_the_generator_itself_costs():
    measured = document(entry("echo-64-100-ws", costs_of([5, 6], [12, 12], [10, 10], [20, 20])))
    assert "The generator itself" not in page.page(measured, [])
    runs = [{"rate": 1e6, "cpu_us": 0.5}, {"rate": 2e6, "cpu_us": 0.75}, {"rate": 9e6, "cpu_us": 9}]
    text = page.page(measured | {"straight": {"scenario": "echo-64-100-ws", "runs": runs}}, [])
    assert "2,000,000 messages a second, for each of which gateway-load needs 0.750 us." in text
    assert "To pass on one takes nginx (4k) 12.0 us, nginx (16k) 10.0 us, HAProxy 20.0 us." in text
    text = page.page(measured | {"straight": {"scenario": "echo-64-100-ws", "skipped": "why"}}, [])
    assert "It was not measured: why" in text


def test_a_row_is_compared_with_the_better_nginx():
    row = rows.row_of(entry("echo-64-100-ws", costs_of([5, 6], [12, 12], [10, 10], [20, 20])))
    assert row.best_nginx == "nginx-16k"
    assert row.nginx_ratio.median == pytest.approx(0.55)
    assert rows.sentence(row) == (
        "The gateway needs 5.50 us for one message: 0.55 of what nginx (16k) needs and 0.28 of "
        "what HAProxy needs. It is ahead in every pair. The machine was too noisy for this row: "
        "its pairs lie 18% apart.")


def test_every_figure_is_summed_up_for_programs():
    costs = costs_of([5, 6], [12, 12], [10, 12], [20, 20])
    summary = rows.summary_of(entry("echo-64-100-ws", costs))
    assert "generator_limited" not in summary
    assert summary["cpu_us"]["nginx-16k"] == {
        "values": {"median": 11, "low": 10, "high": 12, "spread": pytest.approx(2 / 11)},
        "gateway_to_it": {"median": 0.5, "low": 0.5, "high": 0.5, "spread": 0}, "pairs": [0.5, 0.5]}
    assert summary["p99.9_us"]["haproxy"] == {"values": None, "gateway_to_it": None, "pairs": []}
    assert rows.summary_of({"skipped": "why"}) == {}


@pytest.mark.parametrize("costs, standing, said", [
    (costs_of([5, 5], [12, 12], [10, 10], [4, 4]), "behind", "HAProxy is, in every pair"),
    (costs_of([9, 11], [12, 12], [10, 10], [20, 20]), "level", "the pairs disagree"),
    (costs_of([11, 11], [10, 10], [9, 9], [20, 20]), "behind",
     "nginx (4k) and nginx (16k) are, in every pair"),
])
def test_rows_in_which_the_gateway_is_not_ahead_are_named(costs, standing, said):
    behind = entry("echo-64-100-wss", costs)
    ahead = entry("echo-64-100-ws", costs_of([5, 5], [12, 12], [10, 10], [20, 20]))
    row = rows.row_of(behind)
    assert (row.standing, said in rows.sentence(row)) == (standing, True)
    text = page.page(document(ahead, behind), [])
    named = text.split("## Where the gateway is not ahead")[1].split("##")[0]
    assert f"- {behind['title']}: " in named and f"- {ahead['title']}: " not in named


def test_an_idle_core_is_named():
    costs = costs_of([5], [12], [10], [20])
    for core_share, said in ((0.5, True), (1.0, False)):
        row = rows.row_of(entry("echo-1m-ws", costs, core_share))
        assert ("did not use all of the core" in rows.sentence(row)) is said


def test_a_proxy_that_has_failed_is_named_and_left_out():
    failing = entry("echo-64-100-ws", costs_of([5], [12], [10], []))
    failing["failed"] = {"haproxy": "it ended\nby itself"}
    sentence = rows.sentence(rows.row_of(failing))
    assert "0.50 of what nginx (16k) needs. It is ahead" in sentence
    assert "HAProxy failed: it ended by itself." in sentence
    assert failing["title"] in page.page(document(failing), [])
    ours = entry("echo-64-100-ws", costs_of([], [12], [10], [20])) | {"failed": {"gateway": "why"}}
    assert rows.sentence(rows.row_of(ours)) == (
        "The gateway was not measured. gateway failed: why.")


@pytest.mark.parametrize("rate, said", [(1000, False), (1040, False), (1060, True), (940, True)])
def test_a_rate_that_was_not_kept_is_named(rate, said):
    opened = entry("open-wss", costs_of([5], [12], [10], [20])) | {"rate": rate}
    sentence = rows.sentence(rows.row_of(opened))
    assert ("The rate was not kept, by more than 5%, with gateway, nginx (4k)" in sentence) is said


def test_a_rate_that_nobody_keeps_is_halved(monkeypatch):
    tried = []

    def run_once(plan, scenario, proxy, rate):
        tried.append(rate)
        return {"rate": min(rate, 300)}
    monkeypatch.setattr(measurement, "run_once", run_once)
    plan, scenario = plan_of([], 1), scenarios.BY_NAME["open-wss"]
    assert measurement.kept_rate(plan, scenario, None, 1000) == 250
    assert tried == [1000, 500, 250]
    assert measurement.kept_rate(plan, scenario, None, 100_000) == 12_500
    opened = entry("open-wss", costs_of([5], [12], [10], [20])) | {"rate": 1000, "rate_share": 0.25}
    assert "The rate is 25% of nginx's in the closed loop" in rows.sentence(rows.row_of(opened))


class Named:
    """Stands for a proxy's run in a round."""

    def __init__(self, costs):
        self.costs = costs
        self.order = []

    def __call__(self, plan, scenario, name):
        self.order.append(name)
        if self.costs[name] is None:
            raise CompareError("it ended by itself")
        return run(self.costs[name])


def plan_of(names, rounds, **rest):
    return measurement.Plan(
        folder=None, binaries=None, names=names, scenarios=[], cores=None, load=None,
        backend_port=0, certificate=(), descriptors=0, rounds=rounds, seconds=1,
        say=lambda text: None, **rest)


def test_proxies_are_measured_in_turns():
    each = Named({"a": 1, "b": None, "c": 2})
    runs, failed = measurement.in_rounds(plan_of(["a", "b", "c"], 3),
                                         scenarios.BY_NAME["echo-64-100-ws"], each)
    assert each.order == ["a", "b", "c", "a", "c", "a", "c"]
    assert [len(runs[name]) for name in "abc"] == [3, 0, 3]
    assert failed == {"b": "it ended by itself"}


def test_when_time_is_up_no_other_round_begins():
    each = Named({"a": 1, "b": 2})
    measurement.in_rounds(plan_of(["a", "b"], 3, end=0), scenarios.BY_NAME["echo-64-100-ws"], each)
    assert each.order == ["a", "b"]


def test_no_more_connections_than_descriptors_suffice_for():
    plan = plan_of([], 1)
    plan.descriptors = 4500
    fewer = measurement.fitting(plan, scenarios.BY_NAME["idle-wss"])
    assert fewer.connections == 2000 and fewer.title.endswith("(only 2,000 of them)")
    assert measurement.fitting(plan, scenarios.BY_NAME["echo-64-1000-ws"]).connections == 1000


def test_what_was_not_measured_says_why():
    skipped = {"name": "get-http", "title": "GET", "unit": "request", "compares": "cpu",
               "skipped": "no such option"}
    text = page.page(document(skipped), [])
    assert "- GET: Not measured: no such option." in text
    assert "Nothing was compared." in text and "In none of the rows" in text


@pytest.mark.parametrize("costs, said", [
    (costs_of([5, 5], [12, 12], [10, 10], [20, 20]), "quiet enough"),
    (costs_of([5, 8], [12, 12], [10, 10], [20, 20]), "too noisy for 1 of 1 rows"),
    (costs_of([5], [12], [10], [20]), "One round alone"),
])
def test_noise_is_said(costs, said):
    assert said in page.page(document(entry("echo-64-100-ws", costs)), [])


def test_every_row_of_a_table_has_as_many_cells():
    text = page.page(document(entry("echo-64-100-ws", costs_of([5], [12], [10], [20])),
                              entry("open-wss", costs_of([5], [12], [10], [20]))), [])
    tables = [[line for line in block.splitlines() if line.startswith("|")]
              for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1 and len(lines) >= 3


def test_charts_are_well_formed_and_have_a_bar_for_each_proxy():
    found = charts.charts_of(document(
        entry("echo-64-100-ws", costs_of([5], [12], [10], [20])) | {"title": "a < b & c"},
        entry("open-wss", costs_of([5], [12], [10], [20]))))
    assert [name for name, _, _ in found] == ["processor.svg", "latency-open-wss.svg"]
    root = ElementTree.fromstring(found[0][2])
    bars = {one.get("class"): float(one.get("width")) for one in root
            if one.tag.endswith("rect") and one.get("x") == "300" and one.get("height") == "11"}
    assert list(bars) == list(proxies.NAMES)
    assert bars["gateway"] == pytest.approx(bars["nginx-16k"] / 2, rel=0.01)
    assert "a < b & c" in "".join(root.itertext())


def compare(folder, *arguments):
    return subprocess.run([sys.executable, ROOT / "bench" / "compare", *map(str, arguments)],
                          capture_output=True, text=True, timeout=100, check=False, cwd=folder)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_real_run(tmp_path):
    done = compare(tmp_path, "--build", Path(GATEWAY).parents[1], "--proxy", "gateway",
                   "--quick", "--scenario", "echo-64-100-wss", "--rounds", 1, "--seconds", 0.2,
                   "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "compare.json").read_text())
    measured = written["scenarios"][0]
    assert "skipped" not in measured, measured
    assert measured["runs"]["gateway"][0]["cpu_us"] > 0
    assert measured["runs"]["gateway"][0]["rate"] > 0
    again = compare(tmp_path, "--from", tmp_path / "compare.json", "--output", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert ((tmp_path / "again" / "performance.md").read_text()
            == (tmp_path / "performance.md").read_text())


@pytest.mark.parametrize("arguments, said", [
    (["--scenario", "nothing"], "invalid choice: 'nothing'"),
    (["--rounds", "0"], "invalid positive int"),
    (["--from", "wrong.json"], "--from wrong.json: not what this bench/compare has written"),
    (["--nginx", "/nowhere"], "--nginx /nowhere: no program that can be run is there"),
])
def test_usage_errors_name_the_option(arguments, said, tmp_path):
    (tmp_path / "wrong.json").write_text("{}")
    done = compare(tmp_path, "--build", Path(GATEWAY).parents[1], "--output", tmp_path,
                   *arguments)
    assert done.returncode != 0 and said in done.stderr
