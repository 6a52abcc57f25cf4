"""What `gateway status` says of WebSockets: how many have opened and ended, why, by whom and with which
code."""

import re
from collections import Counter
from dataclasses import dataclass

from support.checking import run

PARTIES = ("client", "upstream", "gateway")


def status_of(gateway):
    done = run("status", "-c", gateway.file)
    assert (done.returncode, done.stderr) == (0, ""), done
    lines = (line.split(": ", 1) for line in done.stdout.splitlines())
    return {key: value.strip() for key, value in lines}


def numbers(fields):
    return Counter({key: int(value) for key, value in (one.split("=") for one in fields.split())})


def summed(text):
    """"3 done=2 idle=1" as numbers, whose sum is told right."""
    total, _, fields = text.partition(" ")
    told = numbers(fields)
    assert sum(told.values()) == int(total), text
    return told


def ended_in_all(gateway):
    """As its last lines in the log say."""
    return summed(re.search(r"ended websockets=(.+)", gateway.log())[1])


@dataclass
class Counts:
    open: int
    opened: int
    ended: Counter   # by the log's word
    closed: Counter  # by who it was, and the close frame's code: "none" where there was none
    sent: dict       # by whom: messages and bytes

    def since(self, before):
        return Counts(self.open, self.opened - before.opened, self.ended - before.ended,
                      self.closed - before.closed,
                      {party: self.sent[party] - before.sent[party] for party in self.sent})


def counts_of(gateway):
    told = status_of(gateway)
    closed = Counter({(party, code): count for party in PARTIES
                      for code, count in summed(told[f"websockets closed by {party}"]).items()})
    return Counts(int(told["websockets"]), int(told["websockets opened"]),
                  summed(told["websockets ended"]), closed,
                  {party: numbers(told[f"websockets sent by {party}"]) for party in PARTIES[:2]})
