"""Plays the conversations of groups 12 and 13 (deflate.py) through a gateway in one of its modes."""

import asyncio
from contextlib import suppress

from support.async_peers import Ended
from support.conformance.case import cut
from support.conformance.site import Seen, end_all
from support.frames import CLOSE, CONTINUATION, PING, PONG, close_payload, frame
from support.permessage_deflate import NAME, Agreed, Deflater, Inflater, Offer, agreed, extensions
from support.strict import CLIENT, RSV1, SERVER, Message, Reader

FIELD = "Sec-WebSocket-Extensions"
BYE = close_payload(1000, "bye")


class Pass:
    """What is offered and answered passes, and each byte of each frame."""
    name, settings, needs = "pass", {}, None
    passes_bytes = True

    def suits(self, _talk):
        return True

    def wrong_heads(self, talk, offered, answered, opened):
        """Or what both ends go by: what the client was answered, and what the server was offered."""
        got = opened.request.all(FIELD), opened.response.all(FIELD)
        wanted = [offered] if offered else [], [answered] if answered else []
        return None if got == wanted else f"extensions {got} instead of {wanted}"


class Off(Pass):
    """Nobody is offered any compression; other extensions pass."""
    name, settings, needs = "off", {"compression": "off"}, ("compression", '"off"')
    passes_bytes = True

    def wrong_heads(self, talk, offered, answered, opened):
        got = opened.request.all(FIELD) + opened.response.all(FIELD)
        return f"extensions {got} where they are off" if "deflate" in "".join(got) else None


class Terminate(Pass):
    """The gateway compresses with the client, and speaks plainly with the server."""
    name, settings, needs = "terminate", {"compression": "terminate"}, ("compression", '"terminate"')
    passes_bytes = False

    def suits(self, talk):
        return not talk.as_passed

    def wrong_heads(self, talk, offered, answered, opened):
        if opened.request.all(FIELD):
            return f"the server was offered {opened.request.all(FIELD)}"
        # A server's window of 8 bits is more than zlib can do: it may be declined.
        can = [one for one in talk.offers if isinstance(one, Offer) and one.server_bits != 8]
        if can and len(opened.response.all(FIELD)) != 1:
            return f"the client was answered {opened.response.all(FIELD)}"
        return None


MODES = {mode.name: mode for mode in (Pass(), Off(), Terminate())}


def what_holds(talk, answers):
    """Of an answer that a client got, which must suit one of its offers."""
    if not answers:
        return None
    faults = []
    for offer in (one for one in talk.offers if isinstance(one, Offer)):
        try:
            return agreed(offer, answers[0])
        except AssertionError as error:
            faults.append(str(error))
    raise AssertionError("; ".join(faults))


class Speaker(Seen):
    """One end: strict in reading, and with a compressor of its own, where that was agreed."""

    def __init__(self, peer, side, holds, fragment):
        super().__init__(peer)
        holds_or = holds or Agreed()
        windows = [(holds_or.client_bits, holds_or.client_takeover),
                   (holds_or.server_bits, holds_or.server_takeover)]
        own, others = windows if side == CLIENT else windows[::-1]
        self.masks = side == CLIENT
        self.deflater = Deflater(*own) if holds else None
        self.reader = Reader(SERVER if side == CLIENT else CLIENT, Inflater(*others) if holds else None)
        self.fragment = fragment
        self.messages = []
        self.closed = None
        self.sent = bytearray()

    def on_bytes(self, new):
        for event in self.reader.feed(new):
            if isinstance(event, Message):
                self.messages.append((event.opcode, event.data))
                self.on_message(event)
            elif event.opcode == CLOSE:
                self.closed = event.payload
                self.on_close(event)
            else:
                assert event.opcode in (PING, PONG)

    def on_message(self, message):
        pass

    def on_close(self, event):
        pass

    def frames(self, opcode, data):
        payload = self.deflater.message(data) if self.deflater else data
        pieces = cut(payload, self.fragment or max(1, len(payload)))
        rsv = RSV1 if self.deflater else 0
        return b"".join(frame(CONTINUATION if number else opcode, piece, self.masks,
                              number == len(pieces) - 1, 0 if number else rsv)
                        for number, piece in enumerate(pieces))

    async def send(self, data):
        self.sent += data
        with suppress(Ended):
            await self.peer.send(data)


class Server(Speaker):
    """Sends back what it gets."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.answers = asyncio.Queue()

    def on_message(self, message):
        self.answers.put_nowait(self.frames(message.opcode, message.data))

    def on_close(self, event):
        self.answers.put_nowait(frame(CLOSE, event.payload, masked=False))

    async def answer(self):
        while True:
            await self.send(await self.answers.get())


class Conversation:
    def __init__(self, talk, mode, opened):
        self.talk, self.mode = talk, mode
        holds = what_holds(talk, opened.response.all(FIELD))
        self.client = Speaker(opened.client, CLIENT, holds, talk.fragment)
        self.server = Server(opened.server, SERVER, holds if mode.passes_bytes else None, talk.fragment)

    async def go(self):
        tasks = [asyncio.create_task(one) for one in (self.client.run(), self.server.run(),
                                                      self.server.answer())]
        try:
            for opcode, data in self.talk.messages:
                await self.client.send(self.client.frames(opcode, data))
            count = len(self.talk.messages)
            await self.client.until(lambda: len(self.client.messages) >= count
                                    or self.client.reader.violation, f"{count} messages")
            await self.client.send(frame(CLOSE, BYE))
            await self.client.until_ended("the client's end")
            await self.server.until_ended("the server's end")
        finally:
            await end_all(tasks)

    def judge(self):
        messages = list(self.talk.messages)
        for name, side, other in (("server", self.server, self.client),
                                  ("client", self.client, self.server)):
            if side.reader.violation:
                return f"the {name} met a broken rule: {side.reader.violation}"
            if side.messages != messages:
                return f"the {name} got {[len(data) for _, data in side.messages]}"
            if side.closed != BYE or side.how != "end":
                return f"the {name} saw {side.closed}, then {side.how}"
            if self.mode.passes_bytes and side.raw != other.sent:
                return f"the {name} got other bytes than were sent"
        return None


def field_of(talk):
    return ", ".join(one.text() if isinstance(one, Offer) else one for one in talk.offers)


class TalkPlayer:
    def __init__(self, site, mode, at_a_time=16):
        self.site, self.mode = site, mode
        self.slots = asyncio.Semaphore(at_a_time)
        self.failed = []
        self.count = 0

    async def play(self, runs):
        """`runs`: (talk, secure)."""
        tasks = []
        for talk, secure in runs:
            await self.slots.acquire()
            tasks = [task for task in tasks if not task.done()]
            tasks.append(asyncio.create_task(self.play_one(talk, secure)))
        await asyncio.gather(*tasks)

    async def play_one(self, talk, secure):
        self.count += 1
        try:
            offered = field_of(talk)
            answered = talk.answer.text() if talk.answer else ""
            opened = await self.site.open(
                f"/talk-{self.count}", secure, extensions(offered),
                lambda head: extensions(answered) if NAME in (head.get(FIELD) or "") else "")
            try:
                wrong = self.mode.wrong_heads(talk, offered, answered, opened)
                if not wrong:
                    conversation = Conversation(talk, self.mode, opened)
                    await conversation.go()
                    wrong = conversation.judge()
            finally:
                opened.close()
        except Exception as error:
            wrong = repr(error)
        finally:
            self.slots.release()
        if wrong:
            name = f"{talk.id} {talk.what} [{'wss' if secure else 'ws'}, {self.mode.name}]"
            self.failed.append((name, wrong))
