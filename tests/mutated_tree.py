"""A copy of the tree, with a build folder of its own, into which faults are put as patches, one at a
time; for the scripts that prove that tests find them."""

import argparse
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*command, cwd, **options):
    # A test that fails may say what it got as it is, which need not be text.
    return subprocess.run(command, cwd=cwd, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def must(*command, cwd):
    done = run(*command, cwd=cwd)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}")


def apply(patch, folder, *options):
    # Whatever repository the folder may lie in, its paths are meant.
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_DIR": "/dev/null"}
    return run("git", "apply", *options, patch, cwd=folder, env=outside)


def patches_of(folder, names):
    """Those of these names, or all; there is at least one."""
    patches = [patch for patch in sorted(folder.glob("*.patch"))
               if not names or patch.stem in names]
    if not patches:
        sys.exit("no such fault")
    return patches


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


def option_parser(document):
    """What both scripts understand."""
    parser = argparse.ArgumentParser(description=document.split("\n\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true", help="only whether the patches apply")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build-mutations",
                        help="where the copy of the tree is")
    return parser


class Mutated:
    """With a `with`: the fault is in the tree, and is taken back at the end."""

    def __init__(self, patch, folder):
        self.patch = patch
        self.folder = folder

    def __enter__(self):
        done = apply(self.patch, self.folder)
        if done.returncode != 0:
            sys.exit(f"{self.patch.name} does not apply: {done.stdout}")

    def __exit__(self, *_):
        if apply(self.patch, self.folder, "--reverse").returncode != 0:
            sys.exit(f"{self.patch.name} cannot be taken back in {self.folder}")
