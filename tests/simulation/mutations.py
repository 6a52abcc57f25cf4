#!/usr/bin/env python3
"""Proof that the simulator bites: puts faults back into the gateway, one at a time, and tells within
how many seeds each is found.

    tests/simulation/mutations.py [NAME...]    all faults of mutations/, or these
    tests/simulation/mutations.py --check      only whether the patches still apply

It works in a copy of the tree, which stays for the next time. The exit status is 0 if each fault was
found.
"""

import argparse
import filecmp
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATCHES = ROOT / "tests/simulation/mutations"
SUMMARY = re.compile(r"(\d+) seeds and (\d+) connections in ([\d.]+) s")
FOUND = re.compile(r"^seed (\d+) fails", re.MULTILINE)


def run(*command, cwd, **options):
    return subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def must(*command, cwd):
    done = run(*command, cwd=cwd)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}")


def apply(patch, folder, *options):
    # Whatever repository the folder may lie in, its paths are meant.
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_DIR": "/dev/null"}
    return run("git", "apply", *options, patch, cwd=folder, env=outside)


def check(patches):
    """Whether each patch still applies."""
    good = True
    for patch in patches:
        done = apply(patch, ROOT, "--check")
        print(f"{patch.stem}: {'applies' if done.returncode == 0 else done.stdout.strip()}")
        good = good and done.returncode == 0
    return good


def copy_if_changed(source, to):
    # What stays the same keeps its time, and is not built again; what was mutated gets a new one.
    if not os.path.exists(to) or not filecmp.cmp(source, to, shallow=False):
        shutil.copy(source, to)


def copy_tree(folder):
    """What is built, as it is now; what was built before is used again."""
    def ignored(path, names):
        top = pathlib.Path(path) == ROOT
        return [name for name in names if name in (".git", "__pycache__", "node_modules") or
                (top and name.startswith("build"))]
    shutil.copytree(ROOT, folder, ignore=ignored, copy_function=copy_if_changed,
                    dirs_exist_ok=True)
    if not (folder / "build/build.ninja").exists():
        must("meson", "setup", "build", "-Dtests=enabled", "--wrap-mode=nodownload", cwd=folder)


def simulate(folder, options):
    must("ninja", "-C", "build", "tests/simulate", cwd=folder)
    return run("build/tests/simulate", "--seeds", f"1..{options.seeds}", "--minutes",
               str(options.minutes), "--no-shortening", cwd=folder).stdout


def find(patch, folder, options):
    """A line of the table, and whether the fault was found."""
    done = apply(patch, folder)
    if done.returncode != 0:
        return f"{patch.stem:<22} {done.stdout.strip()}", False
    output = simulate(folder, options)
    if apply(patch, folder, "--reverse").returncode != 0:
        sys.exit(f"{patch.name} cannot be taken back in {folder}")
    seeds, connections, seconds = SUMMARY.search(output).groups()
    found = FOUND.search(output)
    seed = found.group(1) if found else f"not within {seeds}"
    return f"{patch.stem:<22} {seed:>8} {seconds:>8} {connections:>12}", bool(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true", help="only whether the patches apply")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build-mutations",
                        help="where the copy of the tree is")
    parser.add_argument("--seeds", type=int, default=10000, help="at most so many of each")
    parser.add_argument("--minutes", type=int, default=10, help="at most so long for each")
    options = parser.parse_args()
    patches = [patch for patch in sorted(PATCHES.glob("*.patch"))
               if not options.names or patch.stem in options.names]
    if not patches:
        sys.exit("no such fault")
    if options.check:
        return 0 if check(patches) else 1
    copy_tree(options.folder.resolve())
    print(f"{'fault':<22} {'seed':>8} {'seconds':>8} {'connections':>12}", flush=True)
    all_found = True
    for patch in patches:
        line, found = find(patch, options.folder.resolve(), options)
        print(line, flush=True)
        all_found = all_found and found
    return 0 if all_found else 1


if __name__ == "__main__":
    sys.exit(main())
