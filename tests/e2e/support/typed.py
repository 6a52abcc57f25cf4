"""Programs that a test types to, as a person would: their standard input is a pipe, what they print
is a stream that can be read like any other (streams.py). Each wait has its deadline.
"""

import os
import select
import subprocess
import time

from support.program import Program
from support.streams import Stream
from support.waiting import DEADLINE, TooLate, wait_until

LARGE_CHUNK = 1 << 20


class Typed(Program, Stream):
    """`noise`: what it prints of its own between the bytes that it received. Text of its own goes
    to log() as far as it goes to the standard error. The output ends when the program does."""

    def __init__(self, command, folder, name, noise=()):
        self.buffered = self.received = b""
        self.position = 0
        self.noise = noise
        Program.__init__(self, command, folder, name, stdin=subprocess.PIPE)
        os.set_blocking(self.process.stdin.fileno(), False)

    def send(self, data):
        end = time.monotonic() + DEADLINE
        while data:
            if not select.select([], [self.process.stdin], [], end - time.monotonic())[1]:
                raise TooLate(f"{self.name} does not take what is typed:\n{self.log()}")
            data = data[os.write(self.process.stdin.fileno(), data):]

    def receive(self):
        def more():
            has_ended = self.process.poll() is not None
            with open(self.output_file, "rb") as output:
                output.seek(self.position)
                data = output.read(LARGE_CHUNK)
            return (data,) if data or has_ended else None
        data, = wait_until(more, lambda: f"output of {self.name}; it says:\n{self.log()[-4000:]}\n"
                           f"and before that: {self.received[-500:]!r}")
        self.position += len(data)
        return data

    def fill(self):
        data = super().fill()
        for words in self.noise:
            self.buffered = self.buffered.replace(words, b"")
        return data

    def wait_for_end_or(self, condition):
        """Where it may end by itself, and well."""
        wait_until(lambda: self.process.poll() is not None or condition(),
                   lambda: f"{self.name} to go on or to end:\n{self.log()[-4000:]}")

    def end_input(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()

    def close(self):
        self.kill()
        self.end_input()
