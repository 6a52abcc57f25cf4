"""Plays cases through a gateway: one side sends, the other is blind (support/blind.py), and what both
have seen is judged.

                        its sender sees                       the other side sees
    no rule is broken   all frames come back, its close last  every byte as it was sent
    a rule is broken    what had come back, then a close      nothing but what was valid, then a
                        frame with the rule's code            close frame; in mid-frame its end
"""

import asyncio
import re
from dataclasses import dataclass

from support.async_peers import Ended
from support.blind import Blind
from support.conformance.case import FRAMES, OCTETS, ONE, SHOWN
from support.conformance.site import Seen, end_all
from support.frames import CLOSE
from support.permessage_deflate import Inflater, extensions
from support.strict import CLIENT, SERVER, Control, read_all

AT_A_TIME = 16
LOG_LINE = re.compile(r'websocket id=.* request="[^"]*/(case-\d+)[ "].* end=(\S+) by=(\S+) ')


@dataclass(frozen=True)
class Run:
    case: object
    way: object
    sender: str
    secure: bool

    def __str__(self):
        way = f"in writes of {self.way}" if isinstance(self.way, int) else self.way
        return (f"{self.case.id} ({self.case.section}) {self.case.what} [{self.sender}, "
                f"{'wss' if self.secure else 'ws'}, {way}]")


def runs_of(cases, senders=(CLIENT, SERVER), secures=(False, True), ways=None):
    """`ways`: those of the cases' ways that are wanted, where it has any of them."""
    made = []
    for case in cases:
        chosen = case.chosen_ways()
        wanted = [way for way in chosen if ways is None or way in ways] or chosen[:1]
        made += [Run(case, way, sender, secure) for way in wanted for sender in senders
                 for secure in secures if sender in case.senders]
    return made


def other_of(side):
    return SERVER if side == CLIENT else CLIENT


class Echo(Seen):
    """The blind side."""

    def __init__(self, peer, masks):
        super().__init__(peer)
        self.blind = Blind(masks)
        self.sent = bytearray()
        self.turned = asyncio.Queue()

    def on_bytes(self, new):
        back = self.blind.turn(new)
        if back:
            self.sent += back
            self.turned.put_nowait(back)

    async def answer(self):
        """Writes apart from reading: else both sides could wait for room."""
        try:
            while True:
                await self.peer.send(await self.turned.get())
        except Ended:
            pass  # the reader tells how


class Play:
    def __init__(self, run, opened):
        self.run, self.case = run, run.case
        self.sender = opened.client if run.sender == CLIENT else opened.server
        other = opened.server if run.sender == CLIENT else opened.client
        self.saw = Seen(self.sender)
        self.echo = Echo(other, masks=run.sender == SERVER)
        self.good = [one.sent_by(run.sender) for one in self.case.good]
        rest = self.case.bad or (self.case.closing, *self.case.behind)
        self.rest = [one.sent_by(run.sender) for one in rest]
        self.passes = b"".join(self.good) + (b"" if self.case.bad else self.rest[0])
        self.violation = None
        if self.case.bad:
            reader, _ = self.read(run.sender, b"".join(self.good + self.rest))
            self.violation = reader.violation
            assert self.violation and self.violation.offset >= sum(map(len, self.good)), self.violation
            self.passes = b"".join(self.good + self.rest)[:self.violation.offset]

    async def go(self):
        tasks = [asyncio.create_task(one) for one in (self.saw.run(), self.echo.run(),
                                                      self.echo.answer())]
        try:
            await self.send_all()
            await self.saw.until_ended("the sender's end")
            await self.echo.until_ended("the other side's end")
        finally:
            await end_all(tasks)

    async def send_all(self):
        try:
            if self.run.way == FRAMES:
                for number in range(len(self.good)):
                    await self.send(self.good[number])
                    await self.wait_for_echo(number + 1)
                for one in self.rest:
                    await self.send(one)
            elif self.run.way == SHOWN:
                await self.send(b"".join(self.good))
                await self.wait_for_echo(len(self.good))
                shown = self.violation.offset + 1 - sum(map(len, self.good))
                await self.send(b"".join(self.rest)[:shown])
            elif self.run.way in (ONE, OCTETS):
                data = b"".join(self.good + self.rest)
                await self.send_cut(data, len(data) if self.run.way == ONE else 1)
            else:
                await self.send_cut(b"".join(self.good), self.run.way)
                await self.wait_for_echo(len(self.good))
                await self.send_cut(b"".join(self.rest), self.run.way)
        except Ended:
            pass  # what it saw tells why

    async def send_cut(self, data, step):
        for at in range(0, len(data), step):
            await self.send(data[at:at + step])

    async def send(self, data):
        if data:
            await self.sender.send(data)

    async def wait_for_echo(self, frames):
        size = len(Blind(self.run.sender == SERVER).turn(b"".join(self.good[:frames])))
        await self.saw.until_length(size, f"the echo of {frames} frames")

    def read(self, sender, data):
        return read_all(sender, data, Inflater() if self.case.answered else None)

    # What is wrong with what was seen, or None.

    def judge(self):
        return self.judge_violation() if self.case.bad else self.judge_good()

    def judge_good(self):
        if self.echo.raw != self.passes:
            return f"the other side got {short(self.echo.raw)} instead of {short(self.passes)}"
        if self.saw.raw != self.echo.sent:
            return (f"the sender got {short(self.saw.raw)}, then {self.saw.how}, instead of "
                    f"{short(self.echo.sent)}")
        reader, events = self.read(other_of(self.run.sender), bytes(self.saw.raw))
        if reader.violation or not is_close(events):
            return f"what came back is no answer: {reader.violation} {events[-1:]}"
        if (self.saw.how, self.echo.how) != ("end", "end"):
            return f"the ends: {self.saw.how}, and at the other side {self.echo.how}"
        return None

    def judge_violation(self):
        if self.violation.code != self.case.code:
            return f"the table has {self.case.code}, a strict reader {self.violation}"
        return self.judge_sender() or self.judge_other()

    def judge_sender(self):
        raw = bytes(self.saw.raw)
        reader, events = self.read(other_of(self.run.sender), raw)
        if reader.violation or not is_close(events) or reader.in_frame:
            return f"the sender was not told {self.case.code}: {short(raw)}, {self.saw.how}"
        told = events[-1]
        if told.code != self.case.code or not told.reason or self.saw.how != "end":
            return f"the sender was told {told.code} {told.reason!r}, then {self.saw.how}"
        back = raw[:-close_bytes(told, other_of(self.run.sender))]
        if not self.echo.sent.startswith(back):
            return f"the sender got {short(back)}, and {short(self.echo.sent)} was sent"
        waited = self.run.way not in (ONE, OCTETS)
        wanted = len(Blind(self.run.sender == SERVER).turn(b"".join(self.good))) if waited else 0
        if len(back) < wanted:
            return f"the sender got back {len(back)} bytes instead of {wanted}"
        return None

    def judge_other(self):
        raw, good = bytes(self.echo.raw), b"".join(self.good)
        reader, events = self.read(self.run.sender, raw)
        if reader.violation:
            return f"a rule is broken towards the other side: {reader.violation}, {short(raw)}"
        told = events[-1] if is_close(events) and not reader.in_frame else None
        body = raw[:-close_bytes(told, self.run.sender)] if told else raw
        if not (self.passes.startswith(body) and len(body) >= len(good)):
            return f"the other side got {short(body)} of {short(self.passes)}"
        if told is None and not reader.in_frame:
            return f"the other side got no close frame: {short(raw)}, {self.echo.how}"
        if told is None:  # in mid-frame, where none can stand
            whole = self.run.secure and self.run.sender == SERVER and self.echo.how == "end"
            return "the other side's TLS ended as if all were there" if whole else None
        codes = {1002, self.case.code} if self.run.sender == CLIENT else {1011}
        if told.code not in codes or self.echo.how != "end":
            return f"the other side was told {told.code} {told.reason!r}, then {self.echo.how}"
        return None

    def log_words(self):
        if self.case.bad:
            side = "client" if self.run.sender == CLIENT else "upstream"
            return f"{side}-violation", side
        return "done", "client" if self.run.sender == CLIENT else "upstream"


def is_close(events):
    return bool(events) and isinstance(events[-1], Control) and events[-1].opcode == CLOSE


def close_bytes(told, sender):
    return 2 + len(told.payload) + (4 if sender == CLIENT else 0)


def short(data, most=60):
    text = bytes(data[:most]).hex()
    return f"{len(data)} bytes {text}{'...' if len(data) > most else ''}"


class Player:
    """Plays runs, some at a time; `failed` has (run, what is wrong)."""

    def __init__(self, site, at_a_time=AT_A_TIME):
        self.site = site
        self.slots = asyncio.Semaphore(at_a_time)
        self.words = {}  # a path's name: the run, and what the log is to say of it
        self.failed = []
        self.count = 0

    async def play(self, runs):
        tasks = []
        for run in runs:
            await self.slots.acquire()
            tasks = [task for task in tasks if not task.done()]
            tasks.append(asyncio.create_task(self.play_one(run)))
        await asyncio.gather(*tasks)

    async def play_one(self, run):
        self.count += 1
        name = f"case-{self.count}"
        try:
            opened = await self.site.open(f"/{name}", run.secure, extensions(run.case.offered),
                                          extensions(run.case.answered))
            try:
                play = Play(run, opened)
                await play.go()
                wrong = play.judge()
            finally:
                opened.close()
            self.words[name] = run, play.log_words()
            if wrong:
                self.failed.append((run, wrong))
        except Exception as error:
            self.failed.append((run, repr(error)))
        finally:
            self.slots.release()

    def judge_log(self, log):
        """Once the gateway has ended: each WebSocket has its line, which says who ended it and how."""
        lines = {name: (end, by) for name, end, by in LOG_LINE.findall(log)}
        for name, (run, words) in self.words.items():
            if lines.get(name) != words:
                self.failed.append((run, f"the log says {lines.get(name)} instead of {words}"))
