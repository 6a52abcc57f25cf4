"""What a machine will not suffice for: a line each, of the check as of the start."""

import contextlib
import os
import subprocess
import threading

import pytest

from support.checking import run
from support.gateway import GATEWAY, Config
from support.ports import free_port
from support.waiting import DEADLINE

FEW = 1024
USER = 20000 + os.getpid() % 40000
NOBODY = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
          "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
ROOT_ALONE = pytest.mark.skipif(os.geteuid() != 0,
                                reason="root alone can be somebody without capabilities")


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


def answering(folder, shards):
    file = folder / "gateway.conf"
    file.write_text(f'shards = {shards}\n[[listen]]\naddress = "127.0.0.1:{free_port()}"\n'
                    '[[route]]\n[route.answer]\nbody = "x"\n')
    return file


@ROOT_ALONE
def test_little_locked_memory_is_raised_or_named(tmp_path):
    """Newer kernels count the rings of whoever is not root; older ones do not."""
    file = answering(tmp_path, 4)
    soft = run("-t", "-c", file, limits=["prlimit", "--memlock=65536:", *NOBODY])
    assert soft.returncode == 0, soft
    hard = run("-t", "-c", file, limits=["prlimit", "--memlock=65536:65536", *NOBODY])
    assert hard.returncode == 0 or hard.stderr.endswith(
        "no memory for a ring (ENOMEM): the limit of locked memory is 64 KiB; raise it with "
        "'ulimit -l unlimited' or LimitMEMLOCK=infinity\n"), hard


@contextlib.contextmanager
def started(file, suffices_for_one):
    limit = f"--memlock={suffices_for_one}:{suffices_for_one}"
    with subprocess.Popen(["prlimit", limit, *NOBODY, GATEWAY, "-c", file], text=True,
                          stderr=subprocess.PIPE) as process:
        deadline = threading.Timer(DEADLINE, process.kill)
        deadline.start()
        try:
            yield process
        finally:
            deadline.cancel()
            process.kill()


@ROOT_ALONE
def test_a_restart_waits_for_the_locked_memory_of_the_one_before(tmp_path):
    """Its rings are given back by the kernel some time after it has ended."""
    file = answering(tmp_path, 1)
    for _ in range(10):
        with started(file, 700_000) as process:
            said = []
            for line in process.stderr:
                said.append(line)
                if "ready" in line:
                    break
            else:
                pytest.fail("".join(said))
