"""Waiting: always for a condition, always with a deadline."""

import time

DEADLINE = 20.0  # seconds; generous, since a machine may be slow and sanitizers make it slower
POLL_INTERVAL = 0.005


class TooLate(AssertionError):
    """The condition did not hold in time."""


def wait_until(condition, what, seconds=DEADLINE, interval=POLL_INTERVAL):
    """Returns the first true value of condition(); fails with `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise TooLate(f"waited {seconds:g} s for {text}")
        time.sleep(interval)
