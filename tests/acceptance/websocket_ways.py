"""The ways in which a WebSocket ends, each with what either side may see of it and with the log's
word for it. What is seen is written as in Peer.ending(); CUT is a FIN that on TLS has no
close_notify before it. "-": that side has gone itself.
"""

import asyncio
import random
from collections import namedtuple

import common  # noqa: F401: it says where support/ is
from support.async_peers import Ended
from support.frames import (BINARY, CLOSE, TEXT, close_payload, frame, upgrade_request)

HELD_OPEN_SECONDS = 3.0  # longer than the gateway waits for anything behind a WebSocket's end
CUT = "CUT"
GONE = "-"
LOST = "close 1011, end"  # the client's server went without a close frame
BAD_RECORD = b"\x17\x03\x03\x00\x40" + bytes(range(64))
CLIENT_VIOLATIONS = [frame(TEXT, b"x", masked=False), frame(3, b"x"), frame(TEXT, b"x", rsv=4),
                     frame(CLOSE, b"\x03"), frame(CLOSE, close_payload(1005))]
SERVER_VIOLATIONS = [frame(TEXT, b"x"), frame(3, b"x", masked=False),
                     frame(TEXT, b"x", rsv=4, masked=False), frame(CLOSE, b"\x03", masked=False),
                     frame(CLOSE, close_payload(1005), masked=False)]

Way = namedtuple("Way", "run name weight log client server needs route")
Refusal = namedtuple("Refusal", "name weight log client request raw", defaults=[False])
WAYS = []  # of an open WebSocket: run(client, server) gives what the two saw


def way(log, client, server, weight=8, needs="", route="ws"):
    """`needs`: the side that must speak TLS; `route`: the path's first part."""
    def take(run):
        WAYS.append(Way(run, run.__name__.replace("_", " "), weight, log.split(),
                        client.split(" or "), server.split(" or "), needs, route))
        return run
    return take


async def both(client, server):
    return tuple(await asyncio.gather(client.ending(), server.ending()))


def closing(code, masked):
    return frame(CLOSE, close_payload(code), masked=masked)


async def answer_close(peer, masked):
    """Reads a close frame, which is to be the next, and answers it."""
    said = await peer.read_frame()
    assert said.opcode == CLOSE, said
    await peer.send(frame(CLOSE, said.payload, masked=masked))
    return f"close {said.close_code}"


# With close frames.

@way("done", "close 1000, end", "close 1000, end")
async def client_closes(client, server):
    await client.send(closing(1000, True))
    server_saw = await answer_close(server, masked=False)
    await server.finish()
    client_saw, rest = await both(client, server)
    return client_saw, f"{server_saw}, {rest}"


@way("done", "close 4001, end", "close 4001, end")
async def server_closes(client, server):
    await server.send(closing(4001, False))
    client_saw = await answer_close(client, masked=True)
    rest, server_saw = await both(client, server)
    return f"{client_saw}, {rest}", server_saw


@way("done", "close 1001, end", "close 1000, end")
async def both_close(client, server):
    await asyncio.gather(client.send(closing(1000, True)), server.send(closing(1001, False)))
    return await both(client, server)


@way("done", "close 1000, end", "close 1000", weight=16)
async def client_closes_and_stays(client, server):
    """Its server goes at once, and its own TCP connection stays open, unread."""
    await client.send(closing(1000, True))
    server_saw = await answer_close(server, masked=False)
    server.close()
    await asyncio.sleep(HELD_OPEN_SECONDS)
    return await client.ending(), server_saw


@way("done", "close 1001, end", "close 1001, end or end", weight=16)
async def server_closes_and_client_stays(client, server):
    await server.send(closing(1001, False))
    await server.finish()
    client_saw = await answer_close(client, masked=True)
    server_saw = await server.ending()
    await asyncio.sleep(HELD_OPEN_SECONDS)
    return f"{client_saw}, {await client.ending()}", server_saw


@way("close-timeout", "end", "close 1000, end", weight=1)
async def server_never_answers_the_close(client, server):
    await client.send(closing(1000, True))
    return await both(client, server)


@way("close-timeout", "close 1001, end", "end", weight=1)
async def client_never_answers_the_close(client, server):
    await server.send(closing(1001, False))
    return await both(client, server)


@way("idle", "close 1001, end", "close 1001, end", weight=1)
async def nobody_says_anything(client, server):
    return await both(client, server)


# Without.

@way("client-reset", GONE, "end or reset")
async def client_resets(client, server):
    client.reset()
    return GONE, await server.ending()


@way("upstream-reset", LOST, GONE)
async def server_resets(client, server):
    server.reset()
    return await client.ending(), GONE


@way("client-left", GONE, "end")
async def client_leaves(client, server):
    await client.finish()
    client.close()
    return GONE, await server.ending()


@way("upstream-left", LOST, GONE)
async def server_leaves(client, server):
    await server.finish()
    server.close()
    return await client.ending(), GONE


@way("client-left", "end", "end")
async def client_half_closes(client, server):
    await client.finish()
    server_saw = await server.ending()
    await server.finish()
    return await client.ending(), server_saw


@way("client-left", "end", "end")
async def client_half_closes_and_stays(client, server):
    await client.finish()
    server_saw = await server.ending()
    server.close()
    await asyncio.sleep(HELD_OPEN_SECONDS)
    return await client.ending(), server_saw


@way("upstream-left", LOST, "end")
async def server_half_closes(client, server):
    await server.finish()
    return await both(client, server)


@way("upstream-left upstream-reset", CUT, GONE, route="cut")
async def server_is_lost_where_that_is_shown(client, server):
    await server.finish()
    server.close()
    return await client.ending(), GONE


@way("upstream-left", "close 4321, end", GONE, route="own")
async def server_is_lost_where_a_code_says_so(client, server):
    await server.finish()
    server.close()
    return await client.ending(), GONE


# TLS.

@way("client-truncated", CUT, f"end or {CUT}", needs="client")
async def client_is_cut(client, server):
    await client.cut()
    return await both(client, server)


@way("upstream-truncated", LOST, f"end or {CUT}", needs="server")
async def server_is_cut(client, server):
    await server.cut()
    return await both(client, server)


@way("tls-failed", "tls-failed", f"end or {CUT}", needs="client")
async def client_breaks_tls(client, server):
    await client.send_raw(BAD_RECORD)
    return await both(client, server)


@way("upstream-tls-failed", LOST, "tls-failed", needs="server")
async def server_breaks_tls(client, server):
    await server.send_raw(BAD_RECORD)
    return await both(client, server)


# In the middle, and against the rules.

@way("client-reset", GONE, f"half a frame, {CUT} or half a frame, end or half a frame, reset")
async def client_dies_in_mid_frame(client, server):
    half = frame(BINARY, bytes(1000))[:500]
    await client.send(half)
    while len(server.buffered) < len(half):
        await server.fill()
    client.reset()
    return GONE, await server.ending()


@way("upstream-reset", f"half a frame, {CUT} or half a frame, reset", GONE)
async def server_dies_in_mid_frame(client, server):
    half = frame(BINARY, bytes(1000), masked=False)[:500]
    await server.send(half)
    while len(client.buffered) < len(half):
        await client.fill()
    server.reset()
    return await client.ending(), GONE


@way("client-violation", "close 1002, end", "close 1002, end")
async def client_breaks_the_protocol(client, server):
    await client.send(random.choice(CLIENT_VIOLATIONS))
    return await both(client, server)


@way("upstream-violation", LOST, "close 1002, end")
async def server_breaks_the_protocol(client, server):
    await server.send(random.choice(SERVER_VIOLATIONS))
    return await both(client, server)


# Before there is a WebSocket: the status of what the client gets, and the stream's end where that
# comes with it. Behind "/ws/leave", "/ws/reset", "/ws/wrong" and "/ws/mute" a server does just that.
# Without a word for the log: that cannot tell whose it was.

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
