#!/usr/bin/python3
"""Upgrades in a row under load: requests on kept and on new connections, wss echo sessions. Nobody is
refused, reset, or left without an answer; a session is closed with the code of the drain, and opened
anew. Then a successor that is broken: who serves goes on."""

import asyncio
import multiprocessing
import tempfile
import time
from pathlib import Path

import websockets

from common import arguments, finish, raise_descriptor_limit, verdict
from support.gateway import Config, Echo, Gateway, Variant
from support.streams import client_context
from support.upgrading import Upgrading, Worker, ask_kept, ask_once, place
from support.waiting import wait_until

SAYS = b"GET /says HTTP/1.1\r\nHost: localhost\r\n\r\n"
BYTES = b"GET /bytes?n=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
OPENING_AT_ONCE = 50


class Log:
    """What Upgrading needs of a log."""

    def __init__(self, gateway):
        self.gateway = gateway

    def lines(self, *words):
        return [line.rstrip("\n") for line in self.gateway.log().splitlines(True)
                if line.endswith("\n") and all(word in line for word in words)]

    def wait_many(self, count, *words):
        def enough():
            lines = self.lines(*words)
            return lines if len(lines) >= count else None
        return wait_until(enough, lambda: f"{count} lines with {words}", 120)


class Sessions(multiprocessing.Process):
    """WebSockets that each send a message twice a second, and want it back: in a process of their own,
    since threads that ask beside them would keep their handshakes waiting for seconds."""

    def __init__(self, port, count):
        super().__init__(daemon=True)
        self.port, self.count = port, count
        self.counts = {name: multiprocessing.Value("q", 0, lock=False)
                       for name in ("open", "echoes", "closed")}
        self.over = multiprocessing.Event()
        self.told, self.faults = multiprocessing.SimpleQueue(), []
        self.start()

    def __getattr__(self, name):
        return self.__dict__["counts"][name].value

    def run(self):
        asyncio.run(self.all())

    async def all(self):
        gate = asyncio.Semaphore(OPENING_AT_ONCE)
        context = client_context()
        await asyncio.gather(*(self.session(gate, context) for _ in range(self.count)))

    async def session(self, gate, context):
        while not self.over.is_set():
            try:
                async with gate:
                    session = await websockets.connect(
                        f"wss://localhost:{self.port}/echo", host="127.0.0.1", port=self.port, ssl=context,
                        server_hostname="localhost", open_timeout=60, ping_interval=None, compression=None)
                self.counts["open"].value += 1
                try:
                    while not self.over.is_set():
                        await session.send("x")
                        assert await asyncio.wait_for(session.recv(), 60) == "x"
                        self.counts["echoes"].value += 1
                        await asyncio.sleep(0.5)
                    await session.close()
                finally:
                    self.counts["open"].value -= 1
            except websockets.exceptions.ConnectionClosed as end:
                if end.rcvd is not None and end.rcvd.code == 1001:
                    self.counts["closed"].value += 1
                else:
                    self.told.put(repr(end))
            except Exception as fault:  # pylint: disable=broad-except
                self.told.put(repr(fault))

    def are_all_open(self):
        """Or something is wrong."""
        while not self.told.empty():
            self.faults.append(self.told.get())
        return self.faults or self.open == self.count

    def stop(self):
        self.over.set()
        self.join(120)
        self.are_all_open()


def upgrade_in_a_row(folder, options):
    echo = Echo(folder)
    config = Config({"echo": echo.port}, [{"name": "says", "path": "/says", "answer": {"body": "x"}},
                                          {"name": "echo", "pool": "echo"}], level="info",
                    drain={"over": f"{options.over}s", "hard_stop": f"{options.over + 60}s"},
                    control={"socket": str(folder / "control")}, top={"pid_file": str(folder / "pid")})
    binary = folder / "gateway"
    place(binary)
    gateway = Gateway(folder, config, Variant(options.shards, options.receive), program=binary)
    line = Upgrading(gateway, Log(gateway), binary)
    sessions, workers = None, []
    try:
        sessions = Sessions(config.https_port, options.websockets)
        wait_until(sessions.are_all_open,
                   lambda: f"the sessions to open: {sessions.open} {sessions.faults[:3]}", 300)
        workers = [Worker(work) for work in (
            ask_kept(config.http_port, False, SAYS), ask_kept(config.https_port, True, BYTES),
            ask_once(config.http_port, False, BYTES), ask_once(config.https_port, True, SAYS))]
        time.sleep(1)
        for number in range(options.upgrades):
            begun = time.monotonic()
            line()
            took = time.monotonic() - begun
            alive = len([pid for pid in line.pids if line.exit_status(pid) is None])
            print(f"      upgrade {number + 1}: pid {line.pid} serves after {took:.2f} s; {alive} processes, "
                  f"{sessions.open} sessions open", flush=True)
            time.sleep(options.between)
        for pid in line.pids[:-1]:
            wait_until(lambda pid=pid: line.exit_status(pid) is not None, f"{pid} to drain", 120)
        wait_until(sessions.are_all_open, "all to be open", 120)
        codes = [line.exit_status(pid) for pid in line.pids[:-1]]
        verdict(codes == [0] * options.upgrades, f"predecessors ended with {codes}: nothing was cut")
        verdict((folder / "pid").read_text() == f"{line.pid}\n", "the pid file follows")

        place(binary, "#!/bin/sh\necho 'broken as it should be' >&2\nexit 9\n")
        answered = sum(one.count for one in workers)
        cause, words = line.fails()
        verdict(words[-1:] == ["broken as it should be"], f"a broken successor: {words[-1:]} {cause}")
        wait_until(lambda: sum(one.count for one in workers) > answered + 100, "requests to go on", 60)
        verdict(True, "the old one serves on")

        for one in workers:
            one.stop()
        sessions.stop()
        faults = [fault for one in workers for fault in one.faults]
        requests = sum(one.count for one in workers)
        renewed = sum(one.renewed for one in workers)
        refused = [fault for fault in faults + sessions.faults if "Refused" in fault]
        verdict(not refused, f"{len(refused)} connections refused")
        verdict(not faults, f"{requests} requests on kept and new connections, {len(faults)} failed "
                f"{faults[:3]}; kept ones that were ended in order between two requests: {renewed}")
        verdict(not sessions.faults,
                f"{options.websockets} sessions, {sessions.echoes} echoes, {sessions.closed} closed with 1001 "
                f"and opened anew, {len(sessions.faults)} failed {sessions.faults[:3]}")
        line.finish()
    finally:
        for one in workers:
            one.over.set()
        if sessions:
            sessions.kill()
        gateway.kill()
        line.kill()
        echo.kill()


def main():
    options = arguments(__doc__, upgrades=(5, "in a row"), websockets=(1000, "wss sessions"),
                        over=(5, "seconds over which each predecessor closes its WebSockets"),
                        between=(2.0, "seconds between two upgrades"))
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-upgrade-") as name:
        upgrade_in_a_row(Path(name), options)
    finish()


if __name__ == "__main__":
    main()
