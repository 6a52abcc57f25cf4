#!/usr/bin/env python3
"""Proof that the simulator bites: puts faults back into the gateway, one at a time, and tells within
how many seeds each is found.

    tests/simulation/mutations.py [NAME...]    all faults of mutations/, or these
    tests/simulation/mutations.py --check      only whether the patches still apply

It works in a copy of the tree, which stays for the next time. The exit status is 0 if each fault was
found.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from mutated_tree import ROOT, Mutated, check, copy_tree, must, option_parser, patches_of, run

PATCHES = ROOT / "tests/simulation/mutations"
SUMMARY = re.compile(r"(\d+) seeds and (\d+) connections in ([\d.]+) s")
FOUND = re.compile(r"^seed (\d+) fails", re.MULTILINE)


def simulate(folder, options):
    must("ninja", "-C", "build", "tests/simulate", cwd=folder)
    return run("build/tests/simulate", "--seeds", f"1..{options.seeds}", "--minutes",
               str(options.minutes), "--no-shortening", cwd=folder).stdout


def find(patch, folder, options):
    """A line of the table, and whether the fault was found."""
    with Mutated(patch, folder):
        output = simulate(folder, options)
    seeds, connections, seconds = SUMMARY.search(output).groups()
    found = FOUND.search(output)
    seed = found.group(1) if found else f"not within {seeds}"
    return f"{patch.stem:<22} {seed:>8} {seconds:>8} {connections:>12}", bool(found)


def main():
    parser = option_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=10000, help="at most so many of each")
    parser.add_argument("--minutes", type=int, default=10, help="at most so long for each")
    options = parser.parse_args()
    patches = patches_of(PATCHES, options.names)
    if options.check:
        return 0 if check(patches) else 1
    folder = options.folder.resolve()
    copy_tree(folder)
    print(f"{'fault':<22} {'seed':>8} {'seconds':>8} {'connections':>12}", flush=True)
    all_found = True
    for patch in patches:
        line, found = find(patch, folder, options)
        print(line, flush=True)
        all_found = all_found and found
    return 0 if all_found else 1


if __name__ == "__main__":
    sys.exit(main())
