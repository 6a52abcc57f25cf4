"""A program's peak of resident memory, while it runs: what wait4() tells of it counts the memory of whoever
started it."""

import subprocess
import time


def run_measured(arguments, timeout=60):
    """What it says on both outputs, its status, and its peak in KiB."""
    process = subprocess.Popen([str(one) for one in arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    peak, end = 0, time.monotonic() + timeout
    try:
        while process.poll() is None:
            assert time.monotonic() < end, "it does not end"
            peak = max(peak, peak_of(process.pid))
            time.sleep(0.005)
        return process.communicate()[0], process.returncode, peak
    finally:
        process.kill()
        process.wait()


def peak_of(pid):
    """0: it has ended."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
