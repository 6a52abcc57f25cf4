#!/usr/bin/python3
"""One of three servers is stopped (SIGSTOP), goes on, and then is killed, under steady load: how fast
that is found, what fails from then on, and how its share comes back, as a table over time."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import arguments, finish, verdict
from support.gateway import Config, Gateway, Variant
from support.ports import free_port
from support.streams import connect
from support.waiting import wait_until

TICK = 0.25
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer
server.daemon_threads = True
server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


class Load:
    """So many clients, each asking again as soon as it has its answer."""

    def __init__(self, port, clients):
        self.port = port
        self.results = []  # (when it ended, what: a server's name or a failure)
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.over.is_set():
            try:
                with connect(self.port) as client:
                    while not self.over.is_set():
                        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
                        head, body = client.read_response()
                        told = body.decode() if head.status == 200 else str(head.status)
                        self.results.append((time.monotonic(), told))
                        time.sleep(0.01)
            except (OSError, EOFError) as error:
                self.results.append((time.monotonic(), type(error).__name__))

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def serve(name, port):
    process = subprocess.Popen([sys.executable, "-c", SERVER, name, str(port)],
                               stderr=subprocess.DEVNULL)
    wait_until(lambda: accepts(port), f"server {name}")
    return process


def accepts(port):
    try:
        connect(port).close()
        return True
    except OSError:
        return False


def table(results, marks, names):
    begun = results[0][0]
    print("  time " + "".join(f"{name:>8}" for name in names) + "   failed")
    for tick in range(int((results[-1][0] - begun) / TICK) + 1):
        first, last = begun + tick * TICK, begun + (tick + 1) * TICK
        told = [what for when, what in results if first <= when < last]
        failed = sum(what not in names for what in told)
        happened = ", ".join(text for when, text in marks if first <= when < last)
        print(f"{tick * TICK:5.2f}s " + "".join(f"{told.count(name):8}" for name in names) +
              f" {failed:8}  {happened}")


def run(options, folder):
    names = ("a", "b", "c")
    ports = {name: free_port() for name in names}
    servers = {name: serve(name, ports[name]) for name in names}
    gateway = Gateway(folder, Config(
        {"app": {"servers": [ports[name] for name in names],
                 "health": {"every": "250ms", "timeout": "250ms", "fall": 2, "rise": 2},
                 "ejection": {"time": "2s"}}},
        [{"pool": "app"}], defaults={"timeouts": {"upstream_response": "2s", "connect": "1s"}},
        level="info"), Variant(options.shards, options.receive))
    marks = []

    def mark(text):
        marks.append((time.monotonic(), text))
        return marks[-1][0]

    def wait(state, since):
        gateway.wait_for(lambda: re.search(f"upstream=127.0.0.1:{ports['c']} state={state}",
                                           gateway.log_since(since)), state)
        return mark(state.split(" ")[0])

    def failures(first, last):
        return sum(what not in names for when, what in load.results if first <= when < last)

    try:
        load = Load(gateway.http_port, options.clients)
        time.sleep(1)
        for how, word in ((signal.SIGSTOP, "SIGSTOP"), (signal.SIGKILL, "SIGKILL")):
            since = gateway.log_mark()
            began = mark(word)
            os.kill(servers["c"].pid, how)
            found = wait("(down|ejected)", since)
            # Whoever had asked it before that waits for as long as an answer may take.
            time.sleep(3)
            began_late = found + 2.1
            late = failures(began_late, time.monotonic())
            verdict(found - began < 2, f"{word}: found after {found - began:.2f} s")
            early = failures(began, began_late)
            verdict(late == 0, f"{word}: {early} of the requests that were there already failed, "
                               f"{late} of those that came later")
            since = gateway.log_mark()
            mark("back")
            if how == signal.SIGSTOP:
                os.kill(servers["c"].pid, signal.SIGCONT)
            else:
                servers["c"].wait()
                servers["c"] = serve("c", ports["c"])
            wait("up", since)
            time.sleep(1.5)
        load.end()
        table(load.results, marks, names)
        gateway.finish()
    finally:
        load.over.set()
        gateway.kill()
        for server in servers.values():
            server.kill()
            server.wait()


def main():
    options = arguments(__doc__, clients=(12, "that ask at once"))
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        run(options, Path(name))
    finish()


if __name__ == "__main__":
    main()
