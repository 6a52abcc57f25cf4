"""What `meson install` lays down: all of it and nothing else, pages and completions that know every option
and every key, a unit that systemd takes."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["MESON_BUILD"])
PROGRAMS = {"gateway": os.environ["GATEWAY"], "gateway-load": os.environ["GATEWAY_LOAD"]}
OPTIONS = {option["name"]: option["value"] for option in
           json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())}
PREFIX = OPTIONS["prefix"]
PAGES = {"gateway": "man8/gateway.8", "gateway-load": "man1/gateway-load.1"}
CONFIGURATION = "etc/gateway/gateway.conf"


def run(*command, **options):
    return subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=60,
                          check=False, **options)


def install(destination):
    done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", destination)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(f"{destination}{PREFIX}")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return install(tmp_path_factory.mktemp("destination"))


def man(installed, page):
    return installed / OPTIONS["mandir"] / page


def test_only_what_belongs_is_installed(installed):
    assert sorted(str(one.relative_to(installed)) for one in installed.rglob("*")
                  if not one.is_dir()) == [
        "bin/gateway",
        "bin/gateway-load",
        CONFIGURATION,
        "etc/logrotate.d/gateway",
        "lib/systemd/system/gateway.service",
        "lib/sysusers.d/gateway.conf",
        "share/bash-completion/completions/gateway",
        "share/bash-completion/completions/gateway-load",
        "share/doc/gateway/examples/gateway.socket",
        "share/gateway/seccomp.json",
        "share/man/man1/gateway-load.1",
        "share/man/man5/gateway.conf.5",
        "share/man/man8/gateway.8",
    ]


def test_a_configuration_that_is_there_stays(tmp_path):
    file = install(tmp_path) / CONFIGURATION
    shipped = file.read_text()
    assert shipped == (ROOT / "gateway.conf").read_text().replace(
        '\n# socket = "off"\n', '\nsocket = "/run/gateway/control.sock"\n')
    assert 'control.sock"' in shipped
    install(tmp_path)
    assert sorted(one.name for one in file.parent.iterdir()) == ["gateway.conf"]

    file.write_text("# mine\n")
    install(tmp_path)
    assert file.read_text() == "# mine\n"
    assert (file.parent / "gateway.conf.new").read_text() == shipped


@pytest.mark.parametrize("page", [*PAGES.values(), "man5/gateway.conf.5"])
@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
def test_the_pages_are_well_formed(installed, page):
    done = run("mandoc", "-T", "lint", "-W", "warning", man(installed, page))
    assert (done.returncode, done.stdout) == (0, "")


def options_of(program):
    done = run(PROGRAMS[program], "--help")
    assert done.returncode == 0
    found = re.findall(r"^ +(-\S+)", done.stdout, re.MULTILINE)
    assert "-h,--help" in found
    return [one for names in found for one in names.split(",")]


def subcommands_of(program):
    _, _, listed = run(PROGRAMS[program], "--help").stdout.partition("\nSubcommands:\n")
    return re.findall(r"^  ([a-z]+)", listed, re.MULTILINE)


def test_the_page_tells_every_command(installed):
    page = man(installed, PAGES["gateway"]).read_text()
    assert subcommands_of("gateway")
    for one in subcommands_of("gateway"):
        assert f"\n.TP\n.B {one}\n" in page


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_page_tells_every_option(installed, program):
    page = man(installed, PAGES[program]).read_text().replace("\\-", "-")
    missing = [one for one in options_of(program)
               if not re.search(rf'^\.[BT]\S* .*{one}(?![\w-])', page, re.MULTILINE)]
    assert missing == []


def test_the_page_of_the_configuration_tells_every_key(installed):
    every_key = (ROOT / "tests/gateway/config/every_key.hh").read_text()
    keys = set(re.findall(r"^([a-z_]+) = ", every_key, re.MULTILINE))
    assert len(keys) > 40
    page = re.sub(r"\\f[BR]", "", man(installed, "man5/gateway.conf.5").read_text())
    # Some stand in the text of others, such as the status of an answer.
    assert [one for one in sorted(keys) if not re.search(rf"(?<![\w-]){one}(?![\w-])", page)] == []
    for key in ("shards", "keep_alive_age", "request_body_idle", "header_count", "buffer"):
        assert re.search(rf"^\.T[PQ]\n{key}\b", page, re.MULTILINE), key


def complete(installed, *words):
    """What bash offers for the last of the words."""
    script = """
        source "$1" && shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _gateway "$1"
        printf '%s\\n' "${COMPREPLY[@]}" """
    file = installed / "share/bash-completion/completions/gateway"
    done = run("bash", "-c", script, "bash", file, *words, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_bash_completes_options_and_files(installed):
    for program, path in PROGRAMS.items():
        assert complete(installed, path, "") == options_of(program) + subcommands_of(program)
    assert complete(installed, PROGRAMS["gateway"], "-t", "--conf") == ["--config"]
    assert complete(installed, PROGRAMS["gateway"], "-c", "gateway.c") == ["gateway.conf"]
    assert complete(installed, PROGRAMS["gateway"], "--test", "gateway.c") == []
    assert complete(installed, PROGRAMS["gateway-load"], "--size", "") == []
    assert complete(installed, PROGRAMS["gateway"], "rel") == ["reload"]


def test_bash_completes_files_where_a_command_takes_them(installed, tmp_path):
    program = tmp_path / "gateway-load"
    program.write_text("""#!/bin/sh
        case $1 in
          compare) printf 'Positionals:\\n  FILES FILE x 2 REQUIRED     Results\\n' ;;
          *) printf 'Subcommands:\\n  compare                     Compares\\n' ;;
        esac
        printf '\\nOptions:\\n  -h,--help                   Helps\\n'
        """)
    program.chmod(0o755)
    assert complete(installed, program, "comp") == ["compare"]
    assert complete(installed, program, "compare", "gateway.c") == ["gateway.conf"]
    assert complete(installed, program, "compare", "--h") == ["--help"]


def unit_of(installed):
    return (installed / "lib/systemd/system/gateway.service").read_text()


def test_the_unit_starts_what_was_installed(installed):
    unit = unit_of(installed)
    assert f"ExecStart={PREFIX}/bin/gateway -c {PREFIX}/{CONFIGURATION}\n" in unit
    assert f"ExecReload={PREFIX}/bin/gateway reload -c {PREFIX}/{CONFIGURATION}\n" in unit
    assert "\nUser=gateway\n" in unit and "\nRuntimeDirectory=gateway\n" in unit
    assert re.search(r"^u gateway ", (installed / "lib/sysusers.d/gateway.conf").read_text(),
                     re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_takes_the_unit_and_calls_it_safe(installed, tmp_path):
    file = tmp_path / "gateway.service"
    file.write_text(unit_of(installed).replace(f"{PREFIX}/bin", f"{installed}/bin"))
    shutil.copy(installed / "share/doc/gateway/examples/gateway.socket", tmp_path)
    done = run("systemd-analyze", "verify", "--man=no", file, tmp_path / "gateway.socket")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    # The threshold is in tenths.
    done = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", file)
    assert done.returncode == 0, done.stdout + done.stderr
