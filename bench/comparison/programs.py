"""Child processes on cores of their own: their output goes to files, each is ended by its process
id, and none outlives whoever started it, however that ends. Every wait has a deadline.
"""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time

DEADLINE_S = 20
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class CompareError(Exception):
    """What stops the comparison, in words that name the thing and the cure."""


# What one proxy or one look at it may fail by, while the others are measured on: a process that has
# ended has no /proc, perf may hang, a program may not start.
FAILURES = (CompareError, OSError, subprocess.SubprocessError)


def end_orderly():
    """SIGTERM and SIGHUP end this process as Ctrl-C does: each `finally` is run."""
    def leave(number, _):
        raise SystemExit(128 + number)
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, leave)


def wait_until(condition, what, seconds=DEADLINE_S):
    """The first true value of `condition`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise CompareError(f"{what}: not so after {seconds} s")
        time.sleep(0.01)


PORTS = range(10_000, 12_000)
claims = []  # a socket for each port, for as long as this process lives


def free_port():
    """One below those that the kernel takes for outgoing connections, and that no comparison that runs
    at the same time has."""
    for port in random.sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0gateway-comparison-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claims.append(claim)
        return port
    raise CompareError(f"no port of {PORTS[0]} to {PORTS[-1]} is free")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def real_time_allowed():
    """Whether this process may have SCHED_FIFO; it goes back at once."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def settle(cpus, real_time, with_parent):
    """For preexec_fn: where the child runs, how, and by which signal it ends with its parent."""
    def in_child():
        LIBC.prctl(PR_SET_PDEATHSIG, with_parent)
        os.sched_setaffinity(0, cpus)
        if real_time:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return in_child


class Program:
    """Whoever makes one ends it, with stop(). `with_parent` is what it gets when this process is
    gone; one with children of its own has to get a signal at which it ends them."""

    def __init__(self, name, command, folder, cpus, real_time=False, with_parent=signal.SIGKILL):
        self.name = name
        self.log_file = folder / f"{name}.log"
        self.output_file = folder / f"{name}.out"
        with open(self.log_file, "wb") as log, open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=log, cwd=folder, preexec_fn=settle(cpus, real_time, with_parent))

    @property
    def pid(self):
        return self.process.pid

    @contextlib.contextmanager
    def stopped_on_failure(self):
        """For the block in which it is not yet, or no longer, somebody's to stop."""
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def log(self):
        return self.log_file.read_text(errors="replace")

    def output(self):
        return self.output_file.read_text(errors="replace")

    def wait_for(self, condition, what, seconds=DEADLINE_S):
        """Like wait_until, but fails at once when the program has ended."""
        def ready():
            value = condition()
            if not value and self.process.poll() is not None:
                raise CompareError(f"{self.name} ended by itself with {self.process.returncode}: "
                                   f"{self.log()[-2000:].strip() or 'it said nothing'}")
            return value
        return wait_until(ready, f"{self.name}: {what}", seconds)

    def wait(self, seconds=DEADLINE_S):
        """Its exit status; it is killed where it does not end in time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise CompareError(f"{self.name} did not end in {seconds:g} s; it says: "
                               f"{self.log()[-2000:].strip()}") from None

    def stop(self, how=signal.SIGINT):
        """At once: SIGINT is that to the gateway, gateway-echo, nginx and HAProxy alike."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
