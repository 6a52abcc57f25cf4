#!/usr/bin/env python3
"""Counts the test cases of build folders and prints what failed, then `N passed, N failed`.

usage: summary.py (--units | --e2e) BUILD_FOLDER STATUS...
Reads what `meson test` (--units) or pytest (--e2e: e2e.xml) left there; STATUS is what that program ended
with. The cases come from JUnit files; but a program that crashed, timed out or leaked has failed whatever
its cases say, and so has a missing file, and a runner that ended badly for a reason that it did not record.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as xml

GOOD = {"OK", "EXPECTEDFAIL"}


class Count:
    def __init__(self) -> None:
        self.passed = 0
        self.skipped = 0
        self.failures: list[str] = []

    def add_cases(self, suites: list[xml.Element], where: str) -> None:
        for case in (case for suite in suites for case in suite.iter("testcase")):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failures.append(f"{where}: {case.get('classname')}.{case.get('name')}")
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                self.skipped += 1
            else:
                self.passed += 1


def name_of(suite: xml.Element) -> str:
    """The test's and the suite's; newer Meson puts the project's before them twice."""
    return suite.get("name", "").removeprefix("gateway.").removeprefix("gateway / ")


def count_meson(folder: pathlib.Path, count: Count) -> None:
    logs = folder / "meson-logs"
    try:
        runs = [json.loads(line) for line in (logs / "testlog.json").read_text().splitlines()]
        suites = list(xml.parse(logs / "testlog.junit.xml").getroot().iter("testsuite"))
    except (OSError, ValueError, xml.ParseError) as error:
        count.failures.append(f"{folder}: no record of the unit tests ({error})")
        return
    if not runs:
        count.failures.append(f"{folder}: no unit test ran")
    for run in runs:
        name = run["name"].split(" / ")[-1]
        own = [suite for suite in suites if name_of(suite).startswith(f"{name}.")]
        failures_before = len(count.failures)
        count.add_cases(own, str(folder))
        failed = run["result"] not in GOOD | {"SKIP"}
        if failed and len(count.failures) == failures_before:
            count.failures.append(f"{folder}: {name} ({run['result']})")
        elif not own and run["result"] == "SKIP":
            count.skipped += 1
        elif not own and not failed:
            count.passed += 1


def count_pytest(folder: pathlib.Path, count: Count) -> None:
    try:
        root = xml.parse(folder / "e2e.xml").getroot()
    except (OSError, xml.ParseError) as error:
        count.failures.append(f"{folder}: no record of the end-to-end tests ({error})")
        return
    before = count.passed + count.skipped + len(count.failures)
    count.add_cases([root], str(folder))
    if count.passed + count.skipped + len(count.failures) == before:
        count.failures.append(f"{folder}: no end-to-end test ran")


def main() -> int:
    kinds = {"--units": (count_meson, "unit tests"), "--e2e": (count_pytest, "end-to-end tests")}
    arguments = sys.argv[1:]
    count = Count()
    for kind, folder, status in zip(arguments[::3], arguments[1::3], arguments[2::3], strict=True):
        add, tests = kinds[kind]
        failures_before = len(count.failures)
        add(pathlib.Path(folder), count)
        if int(status) != 0 and len(count.failures) == failures_before:
            count.failures.append(f"{folder}: the {tests} ended with {status}, though none failed")
    for failure in count.failures:
        print(f"FAILED {failure}")
    skipped = f", {count.skipped} skipped" if count.skipped else ""
    print(f"{count.passed} passed, {len(count.failures)} failed{skipped}")
    return 1 if count.failures or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
