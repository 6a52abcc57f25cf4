"""WebSocket servers that push messages with times and numbers, well or badly, and then say goodbye; they run
in a faulty_server.FaultyServer."""

import asyncio
import json
import struct
import time

# Of messages.
COUNT = 200
SECONDS_AHEAD = 100


def unix_time(unit, text=False, ahead=0):
    now = time.time_ns() + int(ahead * 1e9)
    value = {"s": now / 1e9, "ms": now // 1_000_000, "us": now // 1000, "ns": now}[unit]
    return str(value) if text else value


def telling(make):
    """Messages with what `make` gives in /data/ts."""

    async def push(server, connection):
        for _ in range(COUNT):
            await connection.send(json.dumps({"data": {"ts": make()}}))
            server.received += 1

    return push


def saying(message):
    async def push(server, connection):
        for _ in range(COUNT):
            await connection.send(message)
            server.received += 1

    return push


def marked(number, ahead_ns=0):
    return struct.pack("<QQQ", 0, number, time.clock_gettime_ns(time.CLOCK_MONOTONIC) + ahead_ns) + b"x" * 8


def numbering(order):
    """Marked messages with these numbers, in this order."""

    async def push(server, connection):
        for number in order:
            await connection.send(marked(number))
            server.received += 1

    return push


async def run_ahead(_server, connection):
    await connection.send(marked(0))
    await connection.send(marked(1, SECONDS_AHEAD * 10**9))


async def fill_a_gap_late(server, connection):
    """The number 0 comes when it was given up by far."""
    server.received += 1
    await connection.send(marked(1))
    await asyncio.sleep(2)
    await connection.send(marked(0))


async def publish_enveloped(server, connection):
    """What one says all hear, in another form."""
    server.members.add(connection)
    try:
        async for message in connection:
            for member in list(server.members):
                await member.send(json.dumps({"from": "one", "payload": json.loads(message)}))
    finally:
        server.members.discard(connection)
