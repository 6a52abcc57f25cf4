#!/usr/bin/env python3
"""Builds and tests the second way in a build folder of its own: this release's patched wolfSSL source,
and its liburing where that is new enough, under the same settings and the same TLS tests.

usage: second_way.py SOURCE_ROOT BUILD_FOLDER TEST...
Skips (77) where tools/bootstrap --distribution has not been run.
"""

import os
import pathlib
import subprocess
import sys

SKIP = 77


def main() -> int:
    root, build, *tests = sys.argv[1:]
    os.nice(19)  # others measure time meanwhile
    if not (pathlib.Path(root) / "subprojects/wolfssl-distribution").is_dir():
        print("no source of the distribution's wolfSSL here")
        return SKIP
    packaged_liburing = subprocess.run(["pkg-config", "--atleast-version=2.4", "liburing"])
    liburing = "distribution" if packaged_liburing.returncode == 0 else "pinned"
    options = ["-Dwolfssl=distribution", f"-Dliburing={liburing}", "-Dbenchmarks=disabled"]
    setup = ["meson", "setup", "--wrap-mode=nodownload", *options, build, root]
    if (pathlib.Path(build) / "build.ninja").exists():
        setup.insert(2, "--reconfigure")
    result = subprocess.run(setup, stdout=subprocess.PIPE, text=True)
    print(result.stdout)
    if result.returncode != 0:
        return result.returncode
    if "distribution" not in result.stdout:
        print("the build does not say which way it took")
        return 1
    test = ["meson", "test", "-C", build, "--print-errorlogs", "--timeout-multiplier", "5", *tests]
    return subprocess.run(test).returncode


if __name__ == "__main__":
    sys.exit(main())
