#!/usr/bin/env python3
"""Includes go one way: uring -> liburing; proto -> its libraries; gateway -> uring, proto; tools -> uring,
proto. Nothing includes gateway but tests and bench. The rooms of gateway include downwards. Each library
stays behind the files named here.

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
# The rooms of gateway, from the top down: each may include from those below it, and from those beside it.
# main.cc and its like stand at the top; gateway/version.hh is anybody's.
ROOMS = [
    {"process"},
    {"console"},
    {"admin"},
    {"shard", "client", "exchange", "websocket"},
    {"upstream", "rewrite", "names", "limits", "tracing"},
    {"config", "link"},
    {"log", "metrics"},
]
# Rooms that share a level and yet know nothing of each other.
APART = {"upstream", "rewrite", "names", "limits", "tracing", "config", "link", "log", "metrics"}
# First part of a library's include: the folders that may name it.
LIBRARIES = {
    "liburing.h": {"uring"},
    "liburing": {"uring"},
    "wolfssl": {"proto"},
    "toml++": {"gateway", "tools"},
    "CLI": {"gateway", "tools"},
    "fmt": {"gateway", "tools"},
    "seccomp.h": {"gateway"},
    "ares.h": {"gateway"},
    "zlib.h": {"proto", "tools"},
    "intel-ipsec-mb.h": {"proto"},
    "nlohmann": {"proto", "gateway", "tools"},
}
# ... and the files there, of a library that has such.
HOMES = {
    "ares.h": {"gateway/names/lookup.cc", "gateway/names/service_answer.cc"},
    "zlib.h": {"proto/ws/deflate.cc", "tools/load/report/compressed.cc"},
    "intel-ipsec-mb.h": {"proto/tls/record/aead_ipsec_mb.cc"},
    "nlohmann": {
        "gateway/admin/json.hh",
        "gateway/tracing/partial_success.cc",
        "proto/jwt/json.cc",
        "tools/load/field_extraction.cc",
        "tools/load/json_pointer.cc",
        "tools/load/report/json_reader.cc",
        "tools/load/report/json_writer.cc",
    },
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def level_of(room: str) -> int:
    return next(level for level, rooms in enumerate(ROOMS) if room in rooms)


def may_enter(room: str, other: str) -> bool:
    if room == other or other == "version.hh":
        return True
    if other.endswith(".hh"):  # at the top
        return room == "process"
    beside = level_of(room) == level_of(other) and not {room, other} <= APART
    return beside or level_of(room) < level_of(other)


def faults_of(folder: str, text: str, room: str | None = None, where: str = "") -> list[str]:
    """`room`: the folder in gateway, or None for a file at its top. `where`: the file, from the root."""
    faults = []
    for quote, path in INCLUDE.findall(text):
        top = path.split("/")[0]
        if quote == '"' and "/" not in path:
            faults.append(f'"{path}" is not relative to the root')
        elif quote == '"' and top not in ALLOWED[folder]:
            faults.append(f'{folder} must not include "{path}"')
        elif quote == '"' and top == "gateway" and room and not may_enter(room, path.split("/")[1]):
            faults.append(f'gateway/{room} must not include "{path}"')
        elif quote == "<" and folder not in LIBRARIES.get(top, {folder}):
            faults.append(f"{folder} must not include <{path}>")
        elif quote == "<" and where not in HOMES.get(top, {where}):
            faults.append(f"only {', '.join(sorted(HOMES[top]))} may include <{path}>")
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
        ("proto", "#include <zlib.h>"),
        ("gateway", "#include <zlib.h>"),
        ("gateway", "#include <ares.h>"),
        ("proto", "#include <intel-ipsec-mb.h>"),
    ]:
        assert faults_of(folder, line), line
    for room, line in [
        ("log", '#include "gateway/config/config.hh"'),
        ("config", '#include "gateway/link/end.hh"'),
        ("upstream", '#include "gateway/exchange/exchange.hh"'),
        ("exchange", '#include "gateway/process/process.hh"'),
        ("shard", '#include "gateway/options.hh"'),
    ]:
        assert faults_of("gateway", line, room), line
    for room, line in [
        ("exchange", '#include "gateway/shard/shard.hh"'),
        ("upstream", '#include "gateway/log/log.hh"'),
        ("process", '#include "gateway/options.hh"'),
        ("log", '#include "gateway/log/level.hh"'),
    ]:
        assert not faults_of("gateway", line, room), line
    for folder, line in [
        ("gateway", '#include "uring/ring.hh"'),
        ("proto", "#include <wolfssl/ssl.h>"),
        ("tools", "#include <vector>"),
    ]:
        assert not faults_of(folder, line), line
    for library, homes in HOMES.items():
        for home in homes:
            assert not faults_of(home.split("/")[0], f"#include <{library}>", where=home), home


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
            where = path.relative_to(root).as_posix()
            parts = path.relative_to(root).parts
            room = parts[1] if folder == "gateway" and len(parts) > 2 else None
            for fault in faults_of(folder, path.read_text(), room, where):
                print(f"{path.relative_to(root)}: {fault}")
                found = True
    print(f"{checked} files checked")
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
