"""What a machine will not suffice for: a line each, of the check as of the start."""

import os

import pytest

from support.checking import run
from support.gateway import Config
from support.ports import free_port

FEW = 1024


def test_few_descriptors_are_a_warning_of_the_check_and_of_the_start(start_gateway, echo, tmp_path):
    config = Config({"app": echo.port}, [{"pool": "app"}])
    file = tmp_path / "checked.conf"
    file.write_text(config.text())
    checked = run("-t", "-c", file, "--shards", 1, limits=["prlimit", f"--nofile={FEW}:{FEW}"])
    assert checked.returncode == 0 and checked.stdout
    [said] = [line for line in checked.stderr.splitlines() if "open files" in line]
    assert said.startswith(f"gateway: warning: only {FEW} open files are allowed, two for each")
    gateway = start_gateway(config, open_files=FEW)
    assert f" warning main {said.removeprefix('gateway: warning: ')}\n" in gateway.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be somebody without capabilities")
def test_little_locked_memory_is_raised_or_named(tmp_path):
    """Newer kernels count the rings of whoever is not root; older ones do not."""
    file = tmp_path / "gateway.conf"
    file.write_text(f'shards = 4\n[[listen]]\naddress = "127.0.0.1:{free_port()}"\n'
                    '[[route]]\n[route.answer]\nbody = "x"\n')
    user = 20000 + os.getpid() % 40000
    nobody = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
              "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    soft = run("-t", "-c", file, limits=["prlimit", "--memlock=65536:", *nobody])
    assert soft.returncode == 0, soft
    hard = run("-t", "-c", file, limits=["prlimit", "--memlock=65536:65536", *nobody])
    assert hard.returncode == 0 or hard.stderr.endswith(
        "no memory for a ring (ENOMEM): the limit of locked memory is 64 KiB; raise it with "
        "'ulimit -l unlimited' or LimitMEMLOCK=infinity\n"), hard
