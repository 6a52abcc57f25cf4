"""Handshakes that become no WebSocket: what comes back, and what the log calls it. What the client
gets is a status, and the stream's end where that comes with it. Behind "/ws/leave", "/ws/reset",
"/ws/wrong" and "/ws/mute" a server does just that. Without a word for the log: that cannot tell
whose it was.
"""

from dataclasses import dataclass
from typing import Callable

from support.async_peers import Ended
from support.frames import upgrade_request


@dataclass(frozen=True)
class Refusal:
    name: str
    weight: int
    log: str | None
    client: list
    request: Callable
    raw: bool = False


def ask(path, **options):
    return lambda name: upgrade_request(f"{path}/{name}", "x.test", **options)


HELLO_START = b"\x16\x03\x01\x00\x20"
REFUSALS = [
    Refusal("no route", 2, "no-route", ["404, end"], ask("/nowhere")),
    Refusal("handshake of another version", 2, "upgrade-refused", ["426, end"],
            ask("/ws", version="12")),
    Refusal("two hosts", 2, "bad-request", ["400, end"], ask("/ws", more="Host: y.test\r\n")),
    Refusal("head that stays half", 1, None, ["408, end"], lambda name: ask("/ws")(name)[:-2]),
    Refusal("server that is down", 2, "upstream-unreachable", ["502, end"], ask("/down")),
    Refusal("server that is not there", 1, "connect-timeout", ["504, end"], ask("/full")),
    Refusal("server that does not answer", 1, "response-timeout", ["504, end"], ask("/ws/mute")),
    Refusal("server that answers nonsense", 2, "bad-response", ["502, end"], ask("/ws/wrong")),
    Refusal("server that leaves instead", 2, "upstream-left", ["502, end"], ask("/ws/leave")),
    Refusal("server that resets instead", 2, "upstream-reset", ["502, end"], ask("/ws/reset")),
    # What follows is said on the TLS port, in plain bytes.
    Refusal("plain HTTP for TLS", 2, None, ["400, end"], ask("/ws"), True),
    Refusal("hello that stays half", 1, None, ["end"], lambda _: HELLO_START, True),
    Refusal("hello that is none", 2, None, ["7 bytes, end"],
            lambda _: HELLO_START + bytes(32), True),
]


async def answer_to(client, request):
    await client.send(request)
    try:
        head = await client.read_head()
        await client.read_body(head)
    except Ended as ended:
        return f"{len(ended.rest)} bytes, {ended.how}" if ended.rest else ended.how
    if head.get("Connection") is None:
        return str(head.status)
    return f"{head.status}, {await client.ending()}"
