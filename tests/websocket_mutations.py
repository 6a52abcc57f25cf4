#!/usr/bin/env python3
"""Proof that the tests of WebSockets bite: puts faults into scanner, UTF-8, relay and policies, one at
a time, and tells which test finds each.

    tests/websocket_mutations.py [NAME...]    all faults of websocket_mutations/, or these
    tests/websocket_mutations.py --check      only whether the patches still apply

The unit tests are asked first, those of proto/ws and then those of the gateway; then the simulator,
with --all also where they have found it. It works in a copy of the tree, which stays for the next
time, and builds only what it runs. The exit status is 0 if each fault was found.
"""

import re
import subprocess
import sys

from mutated_tree import ROOT, Mutated, check, copy_tree, must, option_parser, patches_of, run

PATCHES = ROOT / "tests/websocket_mutations"
PROTO_TESTS = ("tests/proto/ws/proto_ws_test", "*")
GATEWAY_TESTS = ("tests/gateway/gateway_tests", "*Relay*:*Translation*:*WebSocket*:*Judge*:*Exchange*")
SIMULATE = "tests/simulate"
THEMES = ("policies", "compression")
FAILED = re.compile(r"^\[  FAILED  \] ([\w./]+)", re.MULTILINE)
RUNNING = re.compile(r"^\[ RUN      \] ([\w./]+)", re.MULTILINE)
SEED = re.compile(r"^seed (\d+) fails", re.MULTILINE)
WRONG = re.compile(r"WRONG: (.*)$|(ended by .*)$", re.MULTILINE)
SECONDS = 300


def run_for_long(*command, cwd):
    """What it says, whether it ends or not."""
    try:
        done = run(*command, cwd=cwd, timeout=SECONDS)
        return done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as hung:
        return (hung.stdout or b"").decode(errors="replace"), False


def found_by_tests(program, only, folder):
    """The name of the test that fails, or in which the program ends; None: all pass."""
    must("ninja", "-C", "build", program, cwd=folder)
    output, passed = run_for_long(f"build/{program}", f"--gtest_filter={only}", cwd=folder)
    if passed:
        return None
    failed = list(dict.fromkeys(FAILED.findall(output)))
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return failed[0] + more
    return f"{RUNNING.findall(output)[-1]}, which does not come to its end"


def found_by_seeds(folder, options):
    """The seed that fails, and how; None: all pass."""
    must("ninja", "-C", "build", SIMULATE, cwd=folder)
    for theme in THEMES:
        output = run(f"build/{SIMULATE}", "--seeds", f"1..{options.seeds}", "--theme", theme,
                     "--no-shortening", cwd=folder).stdout
        if seed := SEED.search(output):
            how = WRONG.search(output)
            what = (how.group(1) or how.group(2)) if how else "?"
            return f"seed {seed.group(1)} of {theme}: {what}"
    return None


def find(patch, folder, options):
    """Prints what finds it; False: nothing does."""
    with Mutated(patch, folder):
        found = []
        for program, only in (PROTO_TESTS, GATEWAY_TESTS):
            if not found or options.all:
                found.append(found_by_tests(program, only, folder))
                found = [one for one in found if one]
        if not found or options.all:
            by_seed = found_by_seeds(folder, options)
            found += [by_seed] if by_seed else []
    print(f"{patch.stem:<30} {found[0] if found else 'NOT FOUND'}", flush=True)
    for one in found[1:]:
        print(f"{'':<30} {one}", flush=True)
    return bool(found)


def main():
    parser = option_parser(__doc__)
    parser.add_argument("--all", action="store_true", help="ask all tests about each fault")
    parser.add_argument("--seeds", type=int, default=1000, help="at most so many of each")
    options = parser.parse_args()
    patches = patches_of(PATCHES, options.names)
    if options.check:
        return 0 if check(patches) else 1
    folder = options.folder.resolve()
    copy_tree(folder)
    survivors = [patch.stem for patch in patches if not find(patch, folder, options)]
    print(f"{len(patches)} faults, {len(survivors)} of them not found {' '.join(survivors)}".rstrip())
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
