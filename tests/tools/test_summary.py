"""tests/summary.py counts what was recorded, and what a runner did not record."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SUMMARY = Path(__file__).parents[1] / "summary.py"
GOOD = '<testcase classname="Frame" name="Good"/>'
BAD = '<testcase classname="Frame" name="Bad"><failure message="no"/></testcase>'
SKIPPED = '<testcase classname="Frame" name="Skipped"><skipped/></testcase>'


def record_units(folder, cases, result="OK"):
    logs = folder / "meson-logs"
    logs.mkdir()
    (logs / "testlog.json").write_text(json.dumps({"name": "gateway / proto", "result": result}) + "\n")
    (logs / "testlog.junit.xml").write_text(
        f'<testsuites><testsuite name="gateway.proto.Frame">{cases}</testsuite></testsuites>')


def record_e2e(folder, cases):
    (folder / "e2e.xml").write_text(
        f'<testsuites><testsuite name="pytest">{cases}</testsuite></testsuites>')


def summarize(*arguments):
    done = subprocess.run([sys.executable, SUMMARY, *map(str, arguments)], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("kind, record", [("--units", record_units), ("--e2e", record_e2e)])
@pytest.mark.parametrize("cases, status, code, said", [
    (GOOD, 0, 0, ["1 passed, 0 failed"]),
    (GOOD + SKIPPED, 0, 0, ["1 passed, 0 failed, 1 skipped"]),
    (GOOD + BAD, 1, 1, ["FAILED {folder}: Frame.Bad", "1 passed, 1 failed"]),
    (GOOD, 3, 1, ["FAILED {folder}: the {tests} ended with 3, though none failed",
                  "1 passed, 1 failed"]),
], ids=["good", "skipped", "failed", "ended-badly"])
def test_cases_are_counted_and_a_bad_end_that_none_explains(tmp_path, kind, record, cases, status,
                                                            code, said):
    record(tmp_path, cases)
    tests = {"--units": "unit tests", "--e2e": "end-to-end tests"}[kind]
    expected = [line.format(folder=tmp_path, tests=tests) for line in said]
    assert summarize(kind, tmp_path, status) == (code, expected)


def test_a_program_that_crashed_has_failed_whatever_its_cases_say(tmp_path):
    record_units(tmp_path, GOOD, "FAIL")
    assert summarize("--units", tmp_path, 1) == (
        1, [f"FAILED {tmp_path}: proto (FAIL)", "1 passed, 1 failed"])


@pytest.mark.parametrize("kind", ["--units", "--e2e"])
def test_a_missing_record_is_one_failure(tmp_path, kind):
    code, said = summarize(kind, tmp_path, 2)
    assert code == 1
    assert "no record of the" in said[0]
    assert said[1:] == ["0 passed, 1 failed"]


def test_each_record_answers_for_its_own_program(tmp_path):
    record_units(tmp_path, GOOD + BAD)
    record_e2e(tmp_path, GOOD)
    code, said = summarize("--units", tmp_path, 1, "--e2e", tmp_path, 1)
    assert (code, said[-1]) == (1, "2 passed, 2 failed")
