"""The ways in which a WebSocket ends, each with what either side may see of it and with what the log
says of it. What is seen is written as in Peer.ending(), close reasons only where they matter; CUT is a
FIN that on TLS has no close_notify before it. "-": that side has gone itself. "close ours": with any
code that a gateway may choose.
"""

import asyncio
import random
import re
from dataclasses import dataclass, field
from typing import Callable

from support.async_peers import word_of
from support.frames import BINARY, CLOSE, TEXT, close_payload, frame

HELD_OPEN_SECONDS = 3.0  # longer than the gateway waits for anything behind a WebSocket's end
CUT = "CUT"
GONE = "-"
# The client's server went without a close frame.
LOST = 'close 1011 "The server closed the connection too soon.", end'
BROKE = 'close 1011 "The server\'s connection broke.", end'
BAD_RECORD = b"\x17\x03\x03\x00\x40" + bytes(range(64))
CLIENT_VIOLATIONS = [frame(TEXT, b"x", masked=False), frame(3, b"x"), frame(TEXT, b"x", rsv=4),
                     frame(CLOSE, b"\x03"), frame(CLOSE, close_payload(1005))]
SERVER_VIOLATIONS = [frame(TEXT, b"x"), frame(3, b"x", masked=False),
                     frame(TEXT, b"x", rsv=4, masked=False), frame(CLOSE, b"\x03", masked=False),
                     frame(CLOSE, close_payload(1005), masked=False)]



@dataclass(frozen=True)
class Way:
    run: Callable    # (client, server): what the two saw
    name: str
    weight: int      # how often it comes among many
    log: list        # the words for its end, of which one is the log's
    counter: list    # the same of the counter that goes up
    by: str          # who the log says has ended it; "": that is open
    code: object     # the log's; None: that is open
    client: list     # what the client may see
    server: list
    needs: str       # the side that must speak TLS
    route: str       # the first part of the path
    last_words: str  # the side that says something right before, which has to arrive
    settings: dict = field(default_factory=dict)  # of the route, where it has some of its own
    key: str = ""    # of [defaults.websocket], which the gateway must know


WAYS = []  # of an open WebSocket


def way(log, client, server, by="", code=None, weight=8, needs="", route="ws", last_words=True,
        settings=None, key="", name=None, counter=None):
    """`by`: "client", "upstream" or "gateway". `counter`: the log's word, unless it is given."""
    speaker = {"client": "client", "upstream": "server"}.get(by, "") if last_words else ""

    def take(run):
        own = name or run.__name__.replace("_", " ")
        WAYS.append(Way(run, own, weight, log.split(), (counter or log).split(), by, code,
                        client.split(" or "), server.split(" or "), needs,
                        f"own-{key.replace('_', '-')}" if settings else route, speaker,
                        settings or {}, key))
        return run
    return take


def without_reasons(saw):
    return re.sub(r' "[^"]*"', "", saw)


def suits(saw, wanted, secure):
    wanted = wanted.replace(CUT, "truncated" if secure else "end")
    plain = without_reasons(saw)
    ours = re.sub(r"close (?!1005|1006|1015)\d+", "close ours", plain)
    return wanted in (saw, plain, ours)


async def both(client, server):
    return tuple(await asyncio.gather(client.ending(), server.ending()))


def closing(code, masked):
    return frame(CLOSE, close_payload(code), masked=masked)


async def answer_close(peer, masked):
    """Reads up to a close frame, and answers it."""
    words = []
    while (said := await peer.read_frame()).opcode != CLOSE:
        words.append(word_of(said))
    await peer.send(frame(CLOSE, said.payload, masked=masked))
    return ", ".join([*words, word_of(said)])


# With close frames.

@way("done", "close 1000, end", "close 1000, end", "client", 1000)
async def client_closes(client, server):
    await client.send(closing(1000, True))
    server_saw = await answer_close(server, masked=False)
    await server.finish()
    client_saw, rest = await both(client, server)
    return client_saw, f"{server_saw}, {rest}"


@way("done", "close 4001, end", "close 4001, end", "upstream", 4001)
async def server_closes(client, server):
    await server.send(closing(4001, False))
    client_saw = await answer_close(client, masked=True)
    rest, server_saw = await both(client, server)
    return f"{client_saw}, {rest}", server_saw


def closes(side, code, reason):
    """That side closes, and its code and its words pass unchanged."""
    text = f'close {code}' + (f' "{reason}"' if reason else "")
    payload = b"" if code is None else close_payload(code, reason)

    by, words = "upstream" if side == "server" else "client", reason.strip()[:20]

    @way("done", f"{text}, end", f"{text}, end", by, code or 1005,
         name=f"{side} closes with {code or 'no code'} {words}".strip())
    async def run(client, server):
        ender, other = (client, server) if side == "client" else (server, client)
        await ender.send(frame(CLOSE, payload, masked=side == "client"))
        other_saw = await answer_close(other, masked=side == "server")
        ender_saw, rest = await both(ender, other)
        views = ender_saw, f"{other_saw}, {rest}"
        return views if side == "client" else views[::-1]
    return run


for one in ("client", "server"):
    closes(one, None, "")
    closes(one, 1000, "that is all")
    closes(one, 1013, "")
    closes(one, 3000, "of a library")
    closes(one, 4000, "")
    closes(one, 4999, "tschüss " * 13)


@way("done", "close 4002, end", "frame of 4, close 4002, end", "upstream", 4002)
async def server_closes_within_messages(client, server):
    """Both ways a message is unfinished; what the client still said before its answer arrives."""
    await server.send(frame(TEXT, b"begun", fin=False, masked=False) + closing(4002, False))
    await client.send(frame(TEXT, b"half", fin=False))
    client_saw = await answer_close(client, masked=True)
    rest, server_saw = await both(client, server)
    return f"{client_saw}, {rest}".replace("frame of 5, ", ""), server_saw


@way("done", "close 1001, end", "close 1000, end")
async def both_close(client, server):
    await asyncio.gather(client.send(closing(1000, True)), server.send(closing(1001, False)))
    return await both(client, server)


@way("done", "close 1000, end", "close 1000", "client", 1000, weight=16)
async def client_closes_and_stays(client, server):
    """Its server goes at once, and its own TCP connection stays open, unread."""
    await client.send(closing(1000, True))
    server_saw = await answer_close(server, masked=False)
    server.close()
    await asyncio.sleep(HELD_OPEN_SECONDS)
    return await client.ending(), server_saw


@way("done", "close 1001, end", "close 1001, end or end", "upstream", 1001, weight=16)
async def server_closes_and_client_stays(client, server):
    await server.send(closing(1001, False))
    await server.finish()
    client_saw = await answer_close(client, masked=True)
    server_saw = await server.ending()
    await asyncio.sleep(HELD_OPEN_SECONDS)
    return f"{client_saw}, {await client.ending()}", server_saw


@way("close-timeout", "end", "close 1000, end", "gateway", 1000, weight=1)
async def server_never_answers_the_close(client, server):
    await client.send(closing(1000, True))
    return await both(client, server)


@way("close-timeout", "close 1001, end", "end", "gateway", 1001, weight=1)
async def client_never_answers_the_close(client, server):
    await server.send(closing(1001, False))
    return await both(client, server)


@way("idle", 'close 1001 "idle for too long", end', 'close 1001 "idle for too long", end', "gateway",
     1001, weight=1)
async def nobody_says_anything(client, server):
    return await both(client, server)


# Without.

@way("client-reset", GONE, "end or reset", "client", "-", last_words=False)
async def client_resets(client, server):
    client.reset()
    return GONE, await server.ending()


@way("upstream-reset", BROKE, GONE, "upstream", 1011, last_words=False)
async def server_resets(client, server):
    server.reset()
    return await client.ending(), GONE


@way("client-left", GONE, "end", "client", "-")
async def client_leaves(client, server):
    await client.finish()
    client.close()
    return GONE, await server.ending()


@way("upstream-left", LOST, GONE, "upstream", 1011)
async def server_leaves(client, server):
    await server.finish()
    server.close()
    return await client.ending(), GONE


@way("client-left", "frame of 8, end", "end", "client", "-")
async def client_half_closes(client, server):
    """Its server has something to say still."""
    await client.finish()
    server_saw = await server.ending()
    await server.send(frame(TEXT, b"one more", masked=False))
    await server.finish()
    return await client.ending(), server_saw


@way("client-left", "end", "end", "client", "-")
async def client_half_closes_and_stays(client, server):
    await client.finish()
    server_saw = await server.ending()
    server.close()
    await asyncio.sleep(HELD_OPEN_SECONDS)
    return await client.ending(), server_saw


@way("upstream-left", LOST, "end", "upstream", 1011)
async def server_half_closes(client, server):
    await server.finish()
    return await both(client, server)


@way("upstream-left upstream-reset", CUT, GONE, "upstream", "-", route="cut")
async def server_is_lost_where_that_is_shown(client, server):
    await server.finish()
    server.close()
    return await client.ending(), GONE


@way("upstream-left", "close 4321, end", GONE, "upstream", 4321, route="own")
async def server_is_lost_where_a_code_says_so(client, server):
    await server.finish()
    server.close()
    return await client.ending(), GONE


# TLS.

@way("client-truncated", CUT, f"end or {CUT}", "client", "-", needs="client")
async def client_is_cut(client, server):
    await client.cut()
    return await both(client, server)


@way("upstream-truncated", 'close 1011 "The server\'s stream ended without a TLS close_notify.", end',
     f"end or {CUT}", "upstream", 1011, needs="server")
async def server_is_cut(client, server):
    await server.cut()
    return await both(client, server)


@way("tls-failed", "tls-failed", f"end or {CUT}", "client", "-", needs="client")
async def client_breaks_tls(client, server):
    await client.send_raw(BAD_RECORD)
    return await both(client, server)


@way("upstream-tls-failed", 'close 1011 "The TLS session with the server failed.", end', "tls-failed",
     "upstream", 1011, needs="server")
async def server_breaks_tls(client, server):
    await server.send_raw(BAD_RECORD)
    return await both(client, server)


# In the middle, and against the rules.

@way("client-reset", GONE, f"half a frame, {CUT} or half a frame, end or half a frame, reset",
     "client", "-", last_words=False)
async def client_dies_in_mid_frame(client, server):
    half = frame(BINARY, bytes(1000))[:500]
    await client.send(half)
    while len(server.buffered) < len(half):
        await server.fill()
    client.reset()
    return GONE, await server.ending()


@way("upstream-reset", f"half a frame, {CUT} or half a frame, reset", GONE, "upstream", "-",
     last_words=False)
async def server_dies_in_mid_frame(client, server):
    half = frame(BINARY, bytes(1000), masked=False)[:500]
    await server.send(half)
    while len(client.buffered) < len(half):
        await client.fill()
    server.reset()
    return await client.ending(), GONE


@way("client-violation", "close 1002, end", "close 1002, end", "client", 1002)
async def client_breaks_the_protocol(client, server):
    await client.send(random.choice(CLIENT_VIOLATIONS))
    return await both(client, server)


@way("upstream-violation", "close 1011, end", "close 1002, end", "upstream", 1011)
async def server_breaks_the_protocol(client, server):
    await server.send(random.choice(SERVER_VIOLATIONS))
    return await both(client, server)


@way("client-violation", "close 1007, end", "close 1002, end or close 1007, end", "client", 1007)
async def client_closes_with_no_text(client, server):
    await client.send(frame(CLOSE, close_payload(1000) + b"\xff"))
    return await both(client, server)


@way("client-violation", f"half a frame, {CUT}", "close 1002, end", "client", 1002, last_words=False)
async def client_breaks_the_protocol_in_mid_frame_of_its_server(client, server):
    half = frame(BINARY, bytes(1000), masked=False)[:500]
    await server.send(half)
    while len(client.buffered) < len(half):
        await client.fill()
    await client.send(frame(3, b"x"))
    return await both(client, server)


@way("upstream-violation", "close 1011, end", f"half a frame, {CUT}", "upstream", 1011,
     last_words=False)
async def server_breaks_the_protocol_in_mid_frame_of_its_client(client, server):
    half = frame(BINARY, bytes(1000))[:500]
    await client.send(half)
    while len(server.buffered) < len(half):
        await server.fill()
    await server.send(frame(3, b"x", masked=False))
    return await both(client, server)
