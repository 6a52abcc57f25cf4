"""bench/compare: its figures, and the words, tables and charts of its page."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from comparison import charts, figures, page, proxies, rows, scenarios  # noqa: E402


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
        "its pairs lie up to 18% apart (nginx (4k)).")


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
    assert f"- {behind['title']}: {standing}, " in named and f"- {ahead['title']}: " not in named


def test_the_pair_that_is_worst_says_why_a_row_is_not_ahead():
    level = entry("echo-64-100-wss", costs_of([5, 5], [12, 12], [20, 4], [6, 6]))
    assert "level, 0.75 of nginx (16k) (pairs 0.25-1.25)" in page.page(document(level), [])


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
    repeated = failing | {"repeated": {"haproxy": "why", "nginx-4k": "a\nreset"}}
    assert rows.sentence(rows.row_of(repeated)) == (
        f"{sentence[:-1]}. A run of nginx (4k) was repeated, for a reset.")
    assert failing["title"] in page.page(document(failing), [])
    ours = entry("echo-64-100-ws", costs_of([], [12], [10], [20])) | {"failed": {"gateway": "why"}}
    assert rows.sentence(rows.row_of(ours)) == (
        "The gateway was not measured. gateway failed: why.")
    assert rows.incomplete([rows.row_of(failing), rows.row_of(ours)]) == [
        rows.row_of(failing), rows.row_of(ours)]


def test_a_row_in_which_the_gateway_failed_is_none_in_which_it_is_ahead():
    ours = entry("get-http", costs_of([], [12], [10], [20])) | {"failed": {"gateway": "a\nreason"}}
    text = page.page(document(ours), [])
    named = text.split("## Where the gateway is not ahead")[1].split("##")[0]
    assert named.strip() == f"- {ours['title']}: failed, a reason"
    assert "not ahead in: get-http" in page.summary_text(document(ours))


def test_a_generator_that_the_kernel_may_have_halted_is_named():
    throttled = entry("echo-64-100-ws", costs_of([5], [12], [10], [20]))
    assert "halted" not in rows.sentence(rows.row_of(throttled))
    throttled["runs"]["haproxy"][0]["throttled"] = True
    assert "nearly nothing of its core, with HAProxy: p99.9" in rows.sentence(
        rows.row_of(throttled))
    assert "throttled" not in rows.summary_of(throttled)


@pytest.mark.parametrize("rate, said", [(1000, False), (1040, False), (1060, True), (940, True)])
def test_a_rate_that_was_not_kept_is_named(rate, said):
    opened = entry("open-wss", costs_of([5], [12], [10], [20])) | {"rate": rate}
    sentence = rows.sentence(rows.row_of(opened))
    assert ("The rate was not kept, by more than 5%, with gateway, nginx (4k)" in sentence) is said


def test_what_was_not_measured_says_why():
    skipped = {"name": "get-http", "title": "GET", "unit": "request", "compares": "cpu",
               "skipped": "no such option"}
    text = page.page(document(skipped), [])
    assert "- GET: Not measured: no such option." in text
    assert "Nothing was compared." in text and "In none of the rows" in text


@pytest.mark.parametrize("costs, said", [
    (costs_of([5, 5], [12, 12], [10, 10], [20, 20]), "quiet enough"),
    (costs_of([5, 8], [12, 12], [10, 10], [20, 20]), "too noisy for 1 of 1 rows"),
    (costs_of([5, 5], [12, 12], [10, 10], [20, 30]), "too noisy for 1 of 1 rows"),
    (costs_of([5, 5], [], [], [20, 30]), "too noisy for 1 of 1 rows"),
    (costs_of([5], [12], [10], [20]), "One round alone"),
])
def test_noise_is_said(costs, said):
    assert said in page.page(document(entry("echo-64-100-ws", costs)), [])


def test_a_row_of_one_round_does_not_silence_the_noise_of_others():
    single = entry("get-http", costs_of([5], [12], [10], [20]))
    noisy = entry("echo-64-100-ws", costs_of([5, 9], [12, 12], [10, 10], [20, 20]))
    quiet = entry("echo-64-100-wss", costs_of([5, 5], [12, 12], [10, 10], [20, 20]))
    text = rows.noise(rows.rows_of(document(single, noisy, quiet)))
    assert "leave --quick out): get-http." in text
    assert "too noisy for 1 of 2 rows" in text and "apart: echo-64-100-ws." in text
    assert "no other row's pairs" in rows.noise(rows.rows_of(document(single, quiet)))


def test_rounds_are_those_of_who_was_measured():
    failing = entry("echo-64-100-ws", costs_of([5, 5], [12, 12], [10, 10], []))
    assert "in turns, 2 rounds of 1 s." in page.page(document(failing), [])


@pytest.mark.parametrize("changed, said", [
    ({"interrupted": True}, "was interrupted"),
    ({"build": {"commit": None, "as_it_is": True, "options": {"b_sanitize": "address"}}},
     "as it was, with b_sanitize=address: no release build."),
    ({"build": {"commit": "1a2b-dirty", "as_it_is": False, "options": {}}},
     "gateway 0.1 (commit 1a2b-dirty); nginx 1.22."),
])
def test_what_the_figures_are_worth_is_said(changed, said):
    measured = document(entry("echo-64-100-ws", costs_of([5], [12], [10], [20])))
    assert said not in page.page(measured, [])
    assert said in page.page(measured | changed, [])


def test_a_core_that_proxy_and_generator_share_is_said():
    measured = document(entry("echo-64-100-ws", costs_of([5], [12], [10], [20])))
    assert "one core in hardware" not in page.page(measured, []) + page.summary_text(measured)
    measured["machine"]["shares_core"] = True
    assert "one core in hardware" in page.page(measured, [])
    assert "one core in hardware" in page.summary_text(measured)


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
