"""What a process costs, seen from outside: memory, system calls, a profile.

Its processor time in the measured window is read by the load tool, which knows when that is.
"""

import os
import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from comparison.programs import CompareError

# The kernel takes a request for the peak to begin anew.
_RESET_PEAK = "5"
SAMPLES_A_SECOND = 997
_CALLS = "raw_syscalls:sys_enter"
_COLUMNS = 120  # perf makes each line as long as the longest name
_BETWEEN_LOOKS_S, _LOOKS_MAX, _SETTLED = 0.5, 40, 0.002
# perf counts in slices, so that those in which nothing was under way do not count.
_SLICE_MS = 100


def memory_bytes(pid, key="VmRSS"):
    """VmRSS now, VmHWM at the most since reset_peak()."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"^{key}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise CompareError(f"/proc/{pid}/status has no {key}")
    return int(found[1]) * 1024


def settled_memory_bytes(pid):
    """VmRSS once it no longer grows: connections that are open may still have a message to pass."""
    before = memory_bytes(pid)
    for _ in range(_LOOKS_MAX):
        time.sleep(_BETWEEN_LOOKS_S)
        now = memory_bytes(pid)
        if abs(now - before) <= before * _SETTLED:
            return now
        before = now
    raise CompareError(f"the memory of process {pid} did not settle in "
                       f"{_LOOKS_MAX * _BETWEEN_LOOKS_S:g} s")


def reset_peak(pid):
    """False where this user may not: then the peak is that of the whole life."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
        return True
    except OSError:
        return False


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def can_count_calls():
    """Whether perf is here, and may count system calls."""
    return shutil.which("perf") is not None and any(_counted(["--", "true"], 0))


def system_calls(pid, seconds):
    """How many it makes in a second, of so many; None where perf cannot say."""
    # The last slice ends when sleep does.
    counts = _counted(["-p", str(pid), "--", "sleep", str(seconds)], seconds)[:-1]
    return statistics.median(counts) * 1000 / _SLICE_MS if any(counts) else None


def _counted(whom, seconds):
    done = subprocess.run(["perf", "stat", "-x", ",", "-I", str(_SLICE_MS), "-e", _CALLS, *whom],
                          capture_output=True, text=True, timeout=seconds + 30, check=False)
    return parse_perf_stat(done.stderr)


def parse_perf_stat(text):
    """The counts in perf's lines of comma-separated values, the time first; of a slice in which
    there was nothing it says "<not counted>"."""
    rows = (line.split(",") for line in text.splitlines())
    return [int(fields[1]) if fields[1].isdigit() else 0 for fields in rows
            if len(fields) > 3 and fields[3] == _CALLS and fields[1] != "<not supported>"]


def profile(pid, seconds, file):
    """Writes where its processor time goes, by function, to `file` as text."""
    perf = shutil.which("perf")
    if perf is None:
        raise CompareError("--profile needs perf: apt-get install linux-perf")
    data = file.with_suffix(".data")
    try:
        record = subprocess.run(
            [perf, "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND), "-p", str(pid),
             "-o", data, "--", "sleep", str(seconds)], capture_output=True, text=True,
            timeout=seconds + 60, check=False)
        if record.returncode != 0:
            raise CompareError(f"perf record -p {pid}: {record.stderr.strip()}")
        report = subprocess.run(
            [perf, "report", "-i", data, "--stdio", "--percent-limit", "0.5"], capture_output=True,
            text=True, timeout=120, check=False)
        lines = (line.rstrip()[:_COLUMNS] for line in report.stdout.splitlines())
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    finally:
        data.unlink(missing_ok=True)
