"""A case: frames that one side sends, and what is to become of them."""

from dataclasses import dataclass, replace

from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame
from support.strict import CLIENT, SERVER

SHORT = 400  # bytes that may be sent one at a time

# How the bytes are written.
FRAMES = "frame by frame"    # each is waited for
ONE = "in one write"
OCTETS = "byte by byte"
SHOWN = "no byte more than shows it"  # of what breaks a rule; the rest never comes


@dataclass(frozen=True)
class F:
    """A frame that either side may send."""
    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    length: int | None = None        # another one than the payload has
    length_bytes: int | None = None  # 0, 2, 8: another form than the shortest
    masked: bool | None = None       # None: as its sender must

    def sent_by(self, sender):
        masked = sender == CLIENT if self.masked is None else self.masked
        return frame(self.opcode, self.payload, masked, self.fin, self.rsv, self.length,
                     self.length_bytes)


def text(payload, fin=True, **more):
    return F(TEXT, payload.encode() if isinstance(payload, str) else payload, fin, **more)


def binary(payload, fin=True, **more):
    return F(BINARY, payload, fin, **more)


def go_on(payload, fin=True, **more):
    return F(CONTINUATION, payload.encode() if isinstance(payload, str) else payload, fin, **more)


def ping(payload=b"", **more):
    return F(PING, payload, **more)


def pong(payload=b"", **more):
    return F(PONG, payload, **more)


def close(code=None, reason="", **more):
    return F(CLOSE, b"" if code is None else close_payload(code, reason), **more)


def fragments(opcode, pieces):
    """One message, a frame for each piece."""
    last = len(pieces) - 1
    return tuple(F(opcode if number == 0 else CONTINUATION, piece, number == last)
                 for number, piece in enumerate(pieces))


def cut(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)] or [b""]


@dataclass(frozen=True)
class Case:
    """`good` keeps the rules, and is passed on. Then comes either `closing`, and `behind` it what
    nobody gets; or `bad`, which breaks a rule somewhere: its sender is told `code`."""
    id: str
    section: str  # of RFC 6455, unless it says another
    what: str
    good: tuple = ()
    bad: tuple = ()
    code: int = 0
    closing: F = close(1000)
    behind: tuple = ()
    ways: tuple = ()       # FRAMES, ONE, OCTETS, SHOWN, or so many bytes a write; (): as suits it
    senders: tuple = (CLIENT, SERVER)
    needs: str = ""        # a key of [defaults.websocket] that the gateway must know
    offered: str = ""      # by the client, and then by the server: Sec-WebSocket-Extensions
    answered: str = ""

    @property
    def group(self):
        return self.id.split(".")[0]

    def bytes_sent(self):
        return sum(len(one.payload) + 14 for one in self.good + self.bad)

    def chosen_ways(self):
        if self.ways:
            return self.ways
        short = (OCTETS,) if self.bytes_sent() <= SHORT else ()
        shown = (SHOWN,) if self.bad else ()
        return (FRAMES, ONE) + short + shown


def numbered(group, section, cases, **common):
    """Cases from (what, good) or (what, good, bad, code) or with a dictionary of more at the end."""
    made = []
    for number, (what, good, *rest) in enumerate(cases, 1):
        more = rest.pop() if rest and isinstance(rest[-1], dict) else {}
        bad, code = rest or ((), 0)
        made.append(replace(Case(f"{group}.{number}", section, what, tuple(good), tuple(bad), code),
                            **{**common, **more}))
    return made
