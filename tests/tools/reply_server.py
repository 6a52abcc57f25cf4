"""WebSocket servers that answer requests by their id, in an order of their own; they run in a
faulty_server.FaultyServer."""

import asyncio
import json


def reply_to(message, **more):
    return json.dumps({"result": "x" * 20, "id": json.loads(message)["id"], **more})


def answering(*deeds, batch=10):
    """Takes so many requests and answers them the last first; `deeds` are done to each batch of replies.
    One that is not whole when the client says no more is answered in the same order."""

    async def answer(server, connection):
        waiting = []
        while True:
            try:
                waiting.append(reply_to(await asyncio.wait_for(connection.recv(), 0.3)))
                server.received += 1
                if len(waiting) < batch:
                    continue
            except asyncio.TimeoutError:
                pass
            replies, waiting = waiting[::-1], []
            if len(replies) == batch:
                for deed in deeds:
                    replies = deed(server, replies)
            for reply in replies:
                await connection.send(reply)

    return answer


def lose(server, replies):
    server.lost += 1
    return replies[1:]


def double(server, replies):
    server.doubled += 1
    return [*replies, replies[3]]


def notify(server, replies):
    """Between them what has no id, or null."""
    server.swapped += 2
    return [json.dumps({"method": "news"}), *replies, json.dumps({"id": None, "event": "x"})]


def misname(server, replies):
    """One has an id that nobody asked with, each of another kind."""
    ids = [1 << 60, -1, "x", "1x", True, {"id": 1}, 1.5, ""]
    wrong = json.dumps({"id": ids[server.swapped % len(ids)]})
    server.swapped += 1
    return [*replies, wrong]


def stringify(_server, replies):
    return [json.dumps({"id": str(json.loads(reply)["id"])}) for reply in replies]


async def answer_much(server, connection):
    """Each with its id behind more than is kept of a reply."""
    async for message in connection:
        server.received += 1
        await connection.send(json.dumps({"result": "x" * (2 << 20), "id": json.loads(message)["id"]}))


async def answer_twice(server, connection):
    """As graphql-transport-ws does: the data, and then that it is complete."""
    async for message in connection:
        server.received += 1
        await connection.send(reply_to(message, type="next"))
        await connection.send(reply_to(message, type="complete"))


async def answer_late(server, connection):
    """The first request is answered after the hundredth."""
    first = await connection.recv()
    server.received += 1
    async for message in connection:
        server.received += 1
        await connection.send(reply_to(message))
        if server.received == 100:
            await connection.send(reply_to(first))
            server.swapped += 1


async def log_in(server, connection):
    """Gives a token for an id that is no number; then the ids of requests begin with it."""
    login = json.loads(await connection.recv())
    token = f"t{server.received}"
    server.received += 1
    await connection.send(json.dumps({"id": "login", "token": token, "echo": login}))
    async for message in connection:
        if not json.loads(message)["id"].startswith(token + "/"):
            await connection.close(1008, "another's token")
        server.doubled += 1
        await connection.send(reply_to(message))
