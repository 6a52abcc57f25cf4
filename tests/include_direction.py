#!/usr/bin/env python3
"""Includes go one way: uring -> liburing; proto -> its libraries; gateway -> uring, proto; tools -> uring,
proto. Nothing includes gateway but tests and bench. Each library stays behind the files named here.

usage: include_direction.py SOURCE_ROOT
"""

import pathlib
import re
import sys

# Folder: the folders of this project that it may include from.
ALLOWED = {
    "uring": {"uring"},
    "proto": {"proto"},
    "gateway": {"gateway", "uring", "proto"},
    "tools": {"tools", "uring", "proto"},
}
# First part of a library's include: the folders that may name it.
LIBRARIES = {
    "liburing.h": {"uring"},
    "liburing": {"uring"},
    "wolfssl": {"proto"},
    "toml++": {"gateway"},
    "CLI": {"gateway", "tools"},
    "fmt": {"gateway", "tools"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def faults_of(folder: str, text: str) -> list[str]:
    faults = []
    for quote, path in INCLUDE.findall(text):
        top = path.split("/")[0]
        if quote == '"' and "/" not in path:
            faults.append(f'"{path}" is not relative to the root')
        elif quote == '"' and top not in ALLOWED[folder]:
            faults.append(f'{folder} must not include "{path}"')
        elif quote == "<" and folder not in LIBRARIES.get(top, {folder}):
            faults.append(f"{folder} must not include <{path}>")
    return faults


def check_the_checker() -> None:
    """A check that cannot fail is a defect: these must be found, and these must not."""
    for folder, line in [
        ("uring", '#include "proto/bytes.hh"'),
        ("proto", '#include "uring/ring.hh"'),
        ("proto", "#include <liburing.h>"),
        ("uring", "#include <fmt/format.h>"),
        ("tools", '#  include "gateway/options.hh"'),
        ("gateway", '#include "options.hh"'),
    ]:
        assert faults_of(folder, line), line
    for folder, line in [
        ("gateway", '#include "uring/ring.hh"'),
        ("proto", "#include <wolfssl/ssl.h>"),
        ("tools", "#include <vector>"),
    ]:
        assert not faults_of(folder, line), line


def main() -> int:
    check_the_checker()
    root = pathlib.Path(sys.argv[1])
    checked = 0
    found = False
    for folder in ALLOWED:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".hh", ".cc", ".in"}:
                continue
            checked += 1
            for fault in faults_of(folder, path.read_text()):
                print(f"{path.relative_to(root)}: {fault}")
                found = True
    print(f"{checked} files checked")
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
