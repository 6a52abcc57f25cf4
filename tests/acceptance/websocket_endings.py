#!/usr/bin/python3
"""WebSockets that end in every way of the table of endings, many at a time and in random order,
while other clients ask slow servers: each answer of those comes whole, whatever the others do.

Half of the WebSockets are wss, a quarter has a server behind TLS, a third of the clients keeps its
TCP connection open for 3 s behind the end. Everybody says who he is, so that a byte of somebody
else's shows. One line for each way says what both sides saw of it, and what the log calls it.
"""

import asyncio
import random
import re
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from common import arguments, finish, kib, raise_descriptor_limit, verdict
from support.async_peers import DEADLINE, Ended, dial
from support.ending_site import EndingSite, body_of, path_name
from support.gateway import Variant
from support.upstreams import full_server
from support.websocket_refusals import REFUSALS, answer_to
from support.websocket_ways import (HELD_OPEN_SECONDS, Way, answer_close, both, suits,
                                    without_reasons)
from support.websocket_ways_by_rule import ways

FAULTS_SHOWN = 10
BODY_MAX = 300_000


class Asker:
    """A client that asks slow servers, one request after the other."""

    def __init__(self, site, number):
        self.site = site
        self.number = number
        self.answers = 0
        self.faults = []

    async def run(self, stopped):
        client = None
        while not stopped.is_set():
            try:
                client = client or await self.site.dial(self.number % 2 == 0)
                await self.ask(client)
                self.answers += 1
            except (Ended, AssertionError, OSError, asyncio.TimeoutError) as error:
                self.faults.append(repr(error))
                if client is not None:
                    client.close()
                client = None
        if client is not None:
            client.close()

    async def ask(self, client):
        name, size = f"asker-{self.number}-{self.answers}", random.randrange(1, BODY_MAX)
        path = f"/{random.choice(['slow', 'slows'])}/{random.choice(['chunked', 'length'])}"
        await client.send(f"GET {path}/{size}/{name} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())
        head = await client.read_head()
        assert head.status == 200, head
        body = await client.read_body(head)
        assert body == body_of(name, size), f"{name}: a body that is not its own"


class Endings:
    def __init__(self, site, count, at_once):
        self.site = site
        self.slots = asyncio.Semaphore(at_once)
        self.ways = ways() + REFUSALS
        # Each way at least once.
        more = random.choices(self.ways, [way.weight for way in self.ways],
                              k=max(0, count - len(self.ways)))
        self.plan = self.ways + more
        random.shuffle(self.plan)
        self.seen = defaultdict(Counter)  # way's name: (client saw, server saw) as one text
        self.faults = defaultdict(list)
        self.names = {}  # of a WebSocket: its way's

    async def run(self):
        async def one(number, way):
            name = f"{path_name(way)}-{number}"
            self.names[name] = way.name
            try:
                # Whatever a way waits for has a deadline; this one is for what was forgotten.
                saw = await asyncio.wait_for(self.end(number, name, way), 3 * DEADLINE)
                self.seen[way.name][saw] += 1
            except Exception as error:
                self.faults[way.name].append(f"{name}: {error!r}")
            finally:
                self.slots.release()
        running = []
        for number, way in enumerate(self.plan):
            await self.slots.acquire()
            running.append(asyncio.create_task(one(number, way)))
        await asyncio.gather(*running)

    async def end(self, number, name, way):
        if isinstance(way, Way):
            return await self.end_open(number, name, way)
        client = await (dial(self.site.gateway.https_port) if way.raw
                        else self.site.dial(number % 2 == 0))
        try:
            saw = await answer_to(client, way.request(name))
        finally:
            client.close()
        return f"client {saw}", saw in way.client

    async def end_open(self, number, name, way):
        secure_client = way.needs == "client" or number % 2 == 0
        secure_server = way.needs == "server" or number % 4 == 1
        client, server = await self.site.open_websocket(way.route, name, secure_client,
                                                        secure_server)
        try:
            client_saw, server_saw = await way.run(client, server)
            if random.random() < 1 / 3:
                await asyncio.sleep(HELD_OPEN_SECONDS)
        finally:
            client.close()
            server.close()
        fine = all(any(suits(saw, text, secure) for text in may)
                   for saw, may, secure in ((client_saw, way.client, secure_client),
                                            (server_saw, way.server, secure_server)))
        return f"client {client_saw}, server {server_saw}", fine

    def report(self, log):
        called = defaultdict(Counter)
        for name, word in re.findall(r'(?:websocket|request) id=.* request="[^"]*/([\w-]+-\d+)[ "]'
                                     r'.* end=(\S+)', log):
            if name in self.names:
                called[self.names[name]][word] += 1
        for way in self.ways:
            seen, faults, words = self.seen[way.name], self.faults[way.name], called[way.name]
            for one in faults[:FAULTS_SHOWN]:
                print(f"      {one}")
            wanted = [way.log] if isinstance(way.log, str) else way.log or []
            count = sum(other.name == way.name for other in self.plan)
            fine = not faults and all(good for _, good in seen) and (
                not wanted or set(words) <= set(wanted))
            told = "; ".join(f"{count} x {saw}{'' if good else ' (WRONG)'}"
                             for (saw, good), count in seen.most_common())
            verdict(fine and (not wanted or sum(words.values()) == count),
                    f"{way.name}: {told}; the log: {dict(words)}"
                    + (f"; {len(faults)} FAULTS" if faults else ""))


async def stop_with_open(site, count):
    """The gateway stops while these are open."""
    opened = [await site.open_websocket("ws", f"open-{number}", number % 2 == 0, number % 4 == 1)
              for number in range(count)]
    stopping = asyncio.get_running_loop().run_in_executor(None, site.gateway.finish)

    async def leave(client, server):
        said = tuple(map(without_reasons, (await answer_close(client, masked=True),
                                           await answer_close(server, masked=False))))
        rest = await both(client, server)
        client.close()
        server.close()
        return said, rest
    seen = Counter(await asyncio.gather(*(leave(*one) for one in opened)))
    await stopping
    words = Counter(re.findall(r"websocket id=.*/open-\d+.* end=(\S+)", site.gateway.log()))
    verdict(list(seen) == [(("close 1001", "close 1001"), ("end", "end"))]
            and words == {"stopping": count},
            f"the gateway stops: {dict(seen)}; the log: {dict(words)}")


async def run(options, folder, full_port):
    site = EndingSite(folder, full_port, Variant(options.shards, options.receive), options.patience,
                      ways())
    try:
        serving = [asyncio.create_task(one.run()) for one in site.listeners.values()]
        begun, before = time.monotonic(), kib(site.gateway)
        stopped = asyncio.Event()
        askers = [Asker(site, number) for number in range(options.askers)]
        asking = [asyncio.create_task(one.run(stopped)) for one in askers]
        endings = Endings(site, options.websockets, options.at_once)
        await endings.run()
        stopped.set()
        await asyncio.gather(*asking)
        await asyncio.to_thread(site.gateway.wait_for_descriptors, DEADLINE)
        seconds = time.monotonic() - begun
        endings.report(site.gateway.log())
        faults = [fault for one in askers for fault in one.faults]
        for fault in faults[:FAULTS_SHOWN]:
            print(f"      {fault}")
        verdict(not faults and all(one.answers > 0 for one in askers),
                f"{sum(one.answers for one in askers)} answers of slow servers came whole to "
                f"{len(askers)} other clients, {len(faults)} did not")
        verdict(True, f"descriptors are back to {site.gateway.descriptors_at_start}; "
                      f"{seconds:.0f} s; VmRSS {before} -> {kib(site.gateway)} KiB")
        await stop_with_open(site, 100)
        served = [fault for one in site.listeners.values() for fault in one.faults]
        verdict(not served, f"the servers had {len(served)} faults {served[:FAULTS_SHOWN]}")
        for task in serving:
            task.cancel()
    finally:
        site.gateway.kill()


def main():
    options = arguments(__doc__, websockets=(20_000, "in all"), at_once=(1000, "open at a time"),
                        askers=(50, "other clients"),
                        patience=(30, "seconds that the gateway waits for anything"),
                        seed=(0, "of the order and of what is chosen; 0: another one each time"))
    seed = options.seed or random.randrange(1, 1 << 32)
    print(f"--seed {seed}", flush=True)
    random.seed(seed)
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name, full_server() as full:
        asyncio.run(run(options, Path(name), full))
    finish()


if __name__ == "__main__":
    main()
