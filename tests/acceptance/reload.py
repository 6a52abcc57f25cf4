#!/usr/bin/python3
"""Reloads in a row under load: kept and new connections, requests, WebSocket sessions; routes, servers,
listeners and certificates change with each. Then what a reload with many certificates costs an
established WebSocket."""

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from common import arguments, finish, kib, raise_descriptor_limit, verdict
from support.certificates import make_certificate
from support.frames import TEXT, frame, read_frame
from support.gateway import Config, Echo, Gateway, Variant
from support.load import LIMITED, PASSED, LoadResult, load_command
from support.ports import free_port
from support.relay import open_echo
from support.reloading import Reloading
from support.streams import connect
from support.waiting import wait_until


class Log:
    """What Reloading needs of a log."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.mark = gateway.log_mark()

    def wait_many(self, count, *words):
        def enough():
            lines = [line for line in self.gateway.log_since(self.mark).splitlines(True)
                     if line.endswith("\n") and all(word in line for word in words)]
            return lines if len(lines) >= count else None
        return [line.rstrip("\n") for line in wait_until(enough, "a reload to be told", 60)]


class Asking(threading.Thread):
    """Asks until it is told to stop; counts what was answered, and what was not."""

    def __init__(self, port, secure, keeps):
        super().__init__()
        self.port, self.secure, self.keeps = port, secure, keeps
        self.over = threading.Event()
        self.answered, self.faults = 0, []
        self.start()

    def run(self):
        client = None
        while not self.over.is_set():
            try:
                client = client or connect(self.port, self.secure)
                client.send(b"GET /says HTTP/1.1\r\nHost: x\r\n\r\n")
                head, _ = client.read_response()
                assert head.status == 200, head
                self.answered += 1
                if not self.keeps:
                    client.close()
                    client = None
            except Exception as fault:  # pylint: disable=broad-except
                self.faults.append(repr(fault))
                client = None

    def stop(self):
        self.over.set()
        self.join()


def says(number):
    return {"name": "says", "path": "/says", "answer": {"body": str(number)}}


def swap(certificates, number, to):
    for source, target in zip(certificates[number % 2], to):
        shutil.copy(source, str(target) + ".new")
        Path(str(target) + ".new").rename(target)


def reload_in_a_row(folder, options):
    pairs = []
    for name in ("one", "other"):
        (folder / name).mkdir()
        pairs.append(make_certificate(folder / name, ["localhost"]))
    served = (folder / "served.pem", folder / "served.key")
    swap(pairs, 0, served)
    echoes = [Echo(folder, f"echo-{number}") for number in range(2)]
    config = Config({"echo": [echo.port for echo in echoes]},
                    [says(0), {"name": "echo", "pool": "echo"}], certificates=[served], level="info")
    gateway = Gateway(folder, config, Variant(options.shards, options.receive))
    load = subprocess.Popen(load_command(gateway, "wss", "--connections", options.websockets,
                                         "--duration", 100000, "--fail-if", "errors>0"),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    asking = []
    try:
        reload = Reloading(gateway, Log(gateway))
        wait_until(lambda: gateway.descriptors() >= 2 * options.websockets, "the sessions to open", 120)
        time.sleep(2)
        descriptors = gateway.descriptors()
        asking = [Asking(gateway.http_port, False, True), Asking(gateway.https_port, True, True),
                  Asking(gateway.http_port, False, False), Asking(gateway.https_port, True, False)]
        sizes, kept = [], []
        extra = free_port()
        begun = time.monotonic()
        for number in range(1, options.reloads + 1):
            config.routes[0] = says(number)
            config.listeners = [{"address": f"127.0.0.1:{extra}"}] if number % 2 else []
            config.pools["echo"] = [echo.port for echo in echoes][:1 + number % 2]
            swap(pairs, number, served)
            told = reload()
            assert told.startswith(f"generation {number + 1}: "), told
            kept.append(told)
            sizes.append(kib(gateway))
        seconds = time.monotonic() - begun
        for one in asking:
            one.stop()
        verdict(True, f"{options.reloads} reloads in {seconds:.1f} s; the last: {kept[-1]}")
        verdict(all("0 closed" in told and f"{options.websockets} websockets" in told
                    for told in kept), f"each kept all {options.websockets} WebSockets")
        faults = [fault for one in asking for fault in one.faults]
        answered = sum(one.answered for one in asking)
        verdict(not faults, f"{answered} requests on kept and new connections, {len(faults)} failed"
                f" {faults[:3]}")
        grown = sizes[-1] - sizes[min(9, len(sizes) - 1)]
        verdict(grown <= 1024, f"VmRSS {sizes[min(9, len(sizes) - 1)]} KiB after ten, {sizes[-1]} KiB "
                f"after all: {grown:+} KiB (at most 1024)")
        load.send_signal(2)
        figures = load.communicate(timeout=60)
        verdict(load.returncode in (PASSED, LIMITED), f"the load tool's errors: status {load.returncode} "
                f"{figures[1][-200:].strip()}")
        if figures[0]:
            result = LoadResult(figures[0])
            print(f"      {result.opened} opened, {result.messages} messages, {result.errors}")
        wait_until(lambda: gateway.descriptors() <= gateway.descriptors_at_start + 8,
                   "the descriptors to come back", 30)
        verdict(True, f"descriptors: {gateway.descriptors_at_start} at the start, {descriptors} under "
                f"load, {gateway.descriptors()} after it")
        gateway.finish()
    finally:
        for one in asking:
            one.over.set()
        load.kill()
        gateway.kill()
        for echo in echoes:
            echo.kill()


def percentile(sorted_times, share):
    return sorted_times[min(int(len(sorted_times) * share), len(sorted_times) - 1)] * 1000


def measure_stall(folder, options):
    folder = folder / "many"
    folder.mkdir()
    many = [make_certificate(folder, [f"n{number}.test"]) for number in range(options.certificates)]
    echo = Echo(folder)
    config = Config({"echo": echo.port}, [says(0), {"name": "echo", "pool": "echo"}],
                    certificates=many, level="info")
    gateway = Gateway(folder, config, Variant(options.shards, options.receive))
    try:
        reload = Reloading(gateway, Log(gateway))
        times = {"before": [], "during": []}
        with connect(gateway.https_port, True) as client:
            open_echo(client)
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def echo_until(phase, over):
                while not over():
                    begun = time.perf_counter()
                    client.send(frame(TEXT, b"x" * 64))
                    read_frame(client)
                    times[phase].append(time.perf_counter() - begun)
                    time.sleep(0.0005)

            end = time.monotonic() + 5
            echo_until("before", lambda: time.monotonic() > end)
            told = []
            for round_number in range(options.rounds):
                # All are new: no shard can go on with what it has.
                for number, (chain, key) in enumerate(many):
                    if round_number % 2 == 0:
                        other = many[(number + 1) % len(many)]
                        shutil.copy(other[0], str(chain) + ".new")
                        shutil.copy(other[1], str(key) + ".new")
                    else:
                        fresh = make_certificate(folder, ["fresh.test"])
                        shutil.move(fresh[0], str(chain) + ".new")
                        shutil.move(fresh[1], str(key) + ".new")
                for chain, key in many:
                    Path(str(chain) + ".new").rename(chain)
                    Path(str(key) + ".new").rename(key)
                thread = threading.Thread(target=lambda: told.append(reload()))
                thread.start()
                echo_until("during", lambda: not thread.is_alive())
        for line in told:
            print("     ", line)
        for phase, all_times in times.items():
            all_times.sort()
            print(f"      {phase}: {len(all_times)} echoes, median {percentile(all_times, 0.5):.2f} ms, "
                  f"p99 {percentile(all_times, 0.99):.2f} ms, max {all_times[-1] * 1000:.2f} ms")
        verdict(percentile(times["during"], 0.99) < 5,
                f"p99 of an established echo stays under 5 ms while {options.certificates} certificates "
                "are loaded")
        gateway.finish()
    finally:
        gateway.kill()
        echo.kill()


def main():
    options = arguments(__doc__, reloads=(200, "in a row"), websockets=(4000, "sessions"),
                        certificates=(200, "of one listener"), rounds=(4, "of reloads with them"))
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-reload-") as name:
        reload_in_a_row(Path(name), options)
        measure_stall(Path(name), options)
    finish()


if __name__ == "__main__":
    main()
