"""The ways in which a WebSocket ends by a rule of the gateway's own. A way whose key the gateway does
not know waits; what the log calls it, and which code the other side gets, is open where it has none.
"""

import asyncio

from support.async_peers import Ended
from support.frames import BINARY, CONTINUATION, frame
from support.websocket_keys import is_known
from support.websocket_ways import CUT, WAYS, both, way


def limited(side, what, settings, key, code, data):
    """That side sends too much, and is told `code`."""
    told = f"close {code}, end"
    other = f"close ours, end or frame of 60000, close ours, end or half a frame, {CUT}"
    views = (told, other) if side == "client" else (other, told)
    by, word = ("client", "client-violation") if side == "client" else ("upstream", "upstream-violation")

    @way(word, *views, by, last_words=False, settings=settings, key=key,
         name=f"{side} sends {what}")
    async def run(client, server):
        ender = client if side == "client" else server
        await ender.send(data(side == "client"))
        return await both(client, server)
    return run


def many_fragments(masked):
    return frame(BINARY, bytes(60_000), masked, fin=False) + frame(CONTINUATION, bytes(60_000), masked)


for one in ("client", "server"):
    limited(one, "a frame that is too long", {"frame_max": "64KiB"}, "frame_max", 1009,
            lambda masked: frame(BINARY, b"", masked, length=65_537))
    limited(one, "a message that is too long", {"message_max": "64KiB"}, "message_max", 1009,
            lambda masked: frame(BINARY, b"", masked, length=65_537))
    limited(one, "fragments of too long a message", {"message_max": "64KiB"}, "message_max", 1009,
            many_fragments)


@way("lifetime", "close 1001, end", "close 1001, end", "gateway", 1001, last_words=False,
     settings={"lifetime": "3s"}, key="lifetime")
async def it_has_lived_long_enough(client, server):
    return await both(client, server)


@way("client-no-pong", "close ours, end", "close ours, end", "client", last_words=False,
     settings={"ping": "200ms", "pong_timeout": "300ms", "ping_to": "client"}, key="ping")
async def client_never_answers_a_ping(client, server):
    client_saw, server_saw = await both(client, server)
    return client_saw.replace("ping, ", ""), server_saw


async def push_until_closed(stream, masked):
    try:
        while True:
            await stream.send(frame(BINARY, bytes(65_536), masked))
    except Ended:
        pass


def without_frames(saw):
    return saw.replace("frame of 65536, ", "")


SLOW = {"slow_consumer": {"grace": "500ms", "close": 4013}}


@way("client-slow", f"close 4013, end or half a frame, {CUT} or half a frame, reset",
     "close 4013, end or close 4013, reset", "client", 4013, last_words=False, settings=SLOW,
     key="slow_consumer")
async def client_takes_nothing(client, server):
    pushing = asyncio.create_task(push_until_closed(server, masked=False))
    server_saw = await server.ending()
    client_saw = await client.ending()
    await pushing
    return without_frames(client_saw), server_saw


@way("upstream-slow", "close 1013, end or close 1013, reset",
     f"close 4013, end or half a frame, {CUT} or half a frame, reset", "upstream", None,
     last_words=False, settings=SLOW, key="slow_consumer")
async def server_takes_nothing(client, server):
    pushing = asyncio.create_task(push_until_closed(client, masked=True))
    client_saw = await client.ending()
    server_saw = await server.ending()
    await pushing
    return client_saw, without_frames(server_saw)


def ways():
    """Those that this gateway can end in."""
    return [one for one in WAYS if not one.key or is_known(one.key)]
