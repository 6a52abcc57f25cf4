"""Child processes: their output goes to files, they are ended by their process id, none is left.

Program owns its process: who makes one ends it, with stop() or kill(), also when a test fails.
"""

import ctypes
import os
import signal
import subprocess

from support.waiting import DEADLINE, wait_until

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """In the child: no program outlives a test run that is killed itself."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    def __init__(self, command, folder, name, environment=None, pass_fds=(),
                 stdin=subprocess.DEVNULL):
        self.name = name
        self.command = [str(part) for part in command]
        self.log_file = folder / f"{name}.log"
        self.output_file = folder / f"{name}.out"
        with open(self.log_file, "wb") as log, open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                self.command, stdin=stdin, stdout=output, stderr=log,
                cwd=folder, preexec_fn=die_with_parent, env={**os.environ, **(environment or {})},
                pass_fds=pass_fds)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace")

    def output(self):
        return self.output_file.read_text(errors="replace")

    def check_running(self):
        code = self.process.poll()
        assert code is None, f"{self.name} ended by itself with {code}:\n{self.log()[-4000:]}"

    def wait_for(self, condition, what, seconds=DEADLINE):
        """Like wait_until, but fails at once when the program has ended."""
        def ready():
            value = condition()
            if not value:
                self.check_running()
            return value
        return wait_until(ready, lambda: f"{what}; {self.name} says:\n{self.log()[-4000:]}",
                          seconds)

    def wait(self, seconds=DEADLINE):
        """The exit code; negative for a signal."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end in {seconds:g} s:\n{self.log()[-4000:]}") from None

    def stop(self, how=signal.SIGTERM, seconds=DEADLINE):
        if self.process.poll() is None:
            os.kill(self.pid, how)
        return self.wait(seconds)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def status(self, key):
        """A number of /proc/PID/status, such as VmRSS in kB."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise KeyError(key)
