#!/usr/bin/python3
"""WebSockets that stay, over three servers: how evenly they are spread, whether the gateway's counts hold
through reloads, and what a fourth server gets, before and after some are asked to come again."""

import asyncio
import signal
import tempfile
import time
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.checking import run
from support.frames import CLOSE, close_payload, frame, upgrade_request
from support.gateway import Config, Gateway, Variant
from support.named import NamedServers
from support.waiting import wait_until

PATIENCE_SECONDS = 120


class Crowd:
    """Clients that come again whenever they are closed."""

    def __init__(self, port):
        self.port = port
        self.open = 0
        self.asked = 0
        self.tasks = []

    async def come(self, count):
        self.tasks += [asyncio.ensure_future(self.stay()) for _ in range(count)]
        while self.open < len(self.tasks):
            await asyncio.sleep(0.05)

    async def stay(self):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                await self.be_asked(reader, writer)
            finally:
                writer.close()

    async def be_asked(self, reader, writer):
        writer.write(upgrade_request("/", "x.test"))
        await reader.readuntil(b"\r\n\r\n")
        self.open += 1
        head = await reader.readexactly(2)
        payload = await reader.readexactly(head[1] & 0x7F)
        self.open -= 1
        self.asked += 1
        writer.write(frame(CLOSE, close_payload(int.from_bytes(payload[:2], "big"))))
        await writer.drain()


def told_of(gateway, servers):
    """By `gateway status`: WebSockets of each server."""
    lines = run("status", "-c", gateway.file).stdout.splitlines()
    counts = {}
    for line in lines:
        if line.startswith("server app/"):
            name, rest = line.split(": ", 1)
            counts[int(name.rsplit(":", 1)[1])] = int(rest.split("websockets=")[1].split()[0])
    return [counts.get(port) for port in servers.ports]


def reload(gateway):
    done = run("reload", "-c", gateway.file)
    assert done.returncode == 0, done


async def measure(gateway, servers, options):
    crowd = Crowd(gateway.http_port)
    await crowd.come(options.websockets)
    share = options.websockets / 3
    at_first = servers.websockets()
    verdict(max(at_first[:3]) - min(at_first[:3]) <= 0.02 * share, f"at first: {at_first}")
    for number in range(20):
        gateway.config.timeouts["request_header"] = f"{10 + number % 2}s"
        gateway.file.write_text(gateway.config.text())
        reload(gateway)
    told = told_of(gateway, servers)
    verdict(told[:3] == servers.websockets()[:3], f"after 20 reloads `gateway status` says {told}")
    gateway.config.pools["app"]["servers"] = list(servers.ports)
    gateway.file.write_text(gateway.config.text())
    begun = time.monotonic()
    reload(gateway)
    while " done, asked=" not in gateway.log():
        await asyncio.sleep(0.2)
        assert time.monotonic() < begun + PATIENCE_SECONDS
    seconds = time.monotonic() - begun
    while crowd.open < options.websockets:
        await asyncio.sleep(0.1)
    at_last = servers.websockets()
    even = options.websockets / 4
    verdict(max(abs(count - even) for count in at_last) <= 0.04 * even,
            f"with a fourth one: {at_last}, {crowd.asked} were asked, in {seconds:.1f} s")
    verdict(crowd.asked <= options.websockets - 3 * even + 3, "no more than it takes")
    verdict(told_of(gateway, servers) == at_last, "`gateway status` says the same")
    for task in crowd.tasks:
        task.cancel()


def main():
    options = arguments(__doc__, websockets=(3000, "WebSockets"), rate=(50, "asked in a second"))
    raise_descriptor_limit()
    servers = NamedServers(4)
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder = Path(name)
        pool = {"servers": servers.ports[:3], "balance": "least-connections",
                "rebalance": {"rate": f"{options.rate}/s", "code": 1012}}
        config = Config({"app": pool}, [{"pool": "app"}], level="info",
                        control={"socket": str(folder / "control.sock")})
        gateway = Gateway(folder, config, Variant(max(2, options.shards), options.receive))
        try:
            asyncio.run(measure(gateway, servers, options))
            wait_until(lambda: sum(servers.websockets()) == 0, "the end of all")
            gateway.stop(signal.SIGTERM)
        finally:
            gateway.kill()
            servers.close()
    finish()


if __name__ == "__main__":
    main()
