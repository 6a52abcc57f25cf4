"""The machine: which core does what, what is installed, and what stands in the report of it."""

import os
import platform
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from comparison.programs import CompareError

_INSTALLER = Path(__file__).resolve().parents[2] / "tools" / "common" / "install-unstarted"
_DESCRIPTORS = 1 << 15


@dataclass(frozen=True)
class Cores:
    """On two cores generator and backend share the one that the proxy has not. `shared`: that is
    the proxy's own one in hardware, so that what a message costs depends on what they do."""
    proxy: set
    load: set
    backend: set
    shared: bool = False


def share_out(cores, siblings):
    """`siblings` says which cores are the same one in hardware as a given one, itself included.
    Neither generator nor backend gets one of these where there is another."""
    if len(cores) < 2:
        raise CompareError("only one core may be used here: the proxy needs one of its own; give "
                           "the machine a second one, or widen the affinity of this process")
    proxy, *others = sorted(cores)
    apart = [core for core in others if core not in siblings(proxy)]
    shared = not apart
    apart = apart or others
    return Cores({proxy}, {apart[0]}, {apart[1] if len(apart) > 1 else apart[0]}, shared)


def siblings_of(core):
    file = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return {core}
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def cores_here():
    return share_out(os.sched_getaffinity(0), siblings_of)


def raise_descriptor_limit():
    """What a process may open from now on, as far as it is of use: nginx has memory ready for all
    connections that it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def find(name, path=None):
    """The program of that name, where Debian puts those of the administrator, too."""
    if path is not None:
        found = Path(path).resolve()
        if not os.access(found, os.X_OK):
            raise CompareError(f"--{name} {path}: no program that can be run is there")
        return found
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def install(packages):
    """The distribution's; nothing of them is started, now or with the machine."""
    print(f"bench/compare: installing {' '.join(packages)}", flush=True)
    with subprocess.Popen([_INSTALLER, *packages], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _, said = process.communicate()
        except BaseException:
            process.terminate()  # not killed: it has something to remove before it ends
            raise
    if process.returncode != 0:
        raise CompareError(f"{' and '.join(packages)} cannot be installed: {said.strip()[-500:]}; "
                           "or name them with --nginx PATH and --haproxy PATH")


def version_of(binary):
    """The first number that it says with a dot in it; nginx does so on stderr."""
    for option in ("--version", "-v"):
        done = subprocess.run([binary, option], capture_output=True, text=True, timeout=20,
                              check=False)
        found = re.search(r"\d+\.\d+[\w.+~-]*", done.stdout + done.stderr)
        if found and done.returncode == 0:
            return found[0]
    return "unknown"


def processor():
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def describe(cores, real_time):
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_bytes": int(memory[1]) * 1024,
        "kernel": platform.release(),
        "proxy_cores": sorted(cores.proxy),
        "load_cores": sorted(cores.load),
        "backend_cores": sorted(cores.backend),
        "shares_core": cores.shared,
        "generator_real_time": real_time,
    }
