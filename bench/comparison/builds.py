"""The build that is measured: a release build of what is here, made where there is none and brought
up to date where there is one; or a folder's programs as they are.
"""

import json
import os
import shlex
import subprocess
from pathlib import Path

from comparison.programs import CompareError

ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = ("gateway/gateway", "tools/gateway-load", "tools/gateway-echo")
_OPTIONS = ("buildtype", "optimization", "b_sanitize", "b_coverage")


def made(build, say):
    """(gateway, gateway-load, gateway-echo), and what the JSON says of them."""
    if not (build / "build.ninja").exists():
        say(f"bench/compare: no build in {build} yet: making one")
        _run("tools/bootstrap")
        _run("meson", "setup", build, "--wrap-mode=nodownload")
    options = options_of(build)
    hindrance = hindrance_of(options)
    if hindrance:
        raise CompareError(f"--build {build}: that build has {hindrance}, and is none to compare; "
                           "name another folder, or measure it as it is with --no-build")
    _run("ninja", "-C", build, *_PROGRAMS)
    return _found(build), {"commit": _commit(), "as_it_is": False, "options": options}


def as_it_is(build):
    """The same, of whatever is there."""
    return _found(build), {"commit": None, "as_it_is": True, "options": options_of(build)}


def options_of(build):
    """By name, those that change what is measured; empty where Meson has made nothing there."""
    try:
        text = (build / "meson-info" / "intro-buildoptions.json").read_text(encoding="utf-8")
        return {option["name"]: option["value"] for option in json.loads(text)
                if option["name"] in _OPTIONS}
    except (OSError, ValueError):
        return {}


def hindrance_of(options):
    """Why it is not a release build; None: it is. Newer Mesons have lists of sanitizers."""
    if options.get("b_sanitize", "none") not in ("none", []):
        return f"b_sanitize={options['b_sanitize']}"
    if options.get("b_coverage"):
        return "b_coverage=true"
    if options.get("optimization", "3") != "3":
        return f"optimization={options['optimization']}"
    return None


def _found(build):
    found = [build / program for program in _PROGRAMS]
    for file in found:
        if not os.access(file, os.X_OK):
            raise CompareError(f"--build {build}: {file} is no program that can be run")
    return found


def _run(*command):
    try:
        done = subprocess.run(command, cwd=ROOT, check=False)
    except FileNotFoundError:
        raise CompareError(f"no {command[0]} here: tools/bootstrap installs it; --no-build does "
                           "without it where there is a build") from None
    if done.returncode != 0:
        raise CompareError(f"{shlex.join(map(str, command))} failed; see above")


def _commit():
    """None where git, or a repository, is not there."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, check=False,
                              capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
