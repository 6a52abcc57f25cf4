#!/usr/bin/python3
"""SIGTERM with thousands of wss sessions: they are closed evenly over the configured time, each
with its code and reason and none with a reset, while a download comes to its end and whoever is new is
refused at once."""

import selectors
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.frames import CLOSE, close_payload, frame, read_frame
from support.gateway import Config, Echo, Gateway, Variant
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until

CODE, REASON = 4100, "come back in a while"
DOWNLOAD_BYTES = 40_000_000


class Download:
    """One that lasts so long, at a steady pace, by a process of its own."""

    def __init__(self, folder, port, seconds):
        self.file = folder / "download"
        self.curl = subprocess.Popen(
            ["curl", "--silent", "--show-error", "--insecure", "--output", self.file,
             "--limit-rate", str(DOWNLOAD_BYTES // seconds), "--write-out", "%{time_total}",
             f"https://127.0.0.1:{port}/bytes?n={DOWNLOAD_BYTES}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def begin(self):
        wait_until(lambda: self.file.exists() and self.file.stat().st_size > 0, "the download")

    def judge(self):
        said, _ = self.curl.communicate(timeout=120)
        size = self.file.stat().st_size
        verdict(self.curl.returncode == 0 and size == DOWNLOAD_BYTES,
                f"a download of {size} bytes, of {DOWNLOAD_BYTES}: curl's status "
                f"{self.curl.returncode}, {said} s")


def open_sessions(port, count):
    sessions = []
    for _ in range(count):
        stream = connect(port, True)
        open_echo(stream)
        sessions.append(stream)
    return sessions


def take_closes(sessions, began):
    """When each was closed, with what, and what came behind it."""
    times, told, endings = [], [], []
    with selectors.DefaultSelector() as selector:
        for stream in sessions:
            selector.register(stream.socket, selectors.EVENT_READ, (stream, "open"))
        while selector.get_map():
            for key, _ in selector.select():
                stream, state = key.data
                if state == "open":
                    closing = read_frame(stream)
                    times.append(time.monotonic() - began)
                    told.append((closing.opcode, closing.close_code, closing.close_reason))
                    stream.send(frame(CLOSE, close_payload(closing.close_code)))
                    selector.modify(key.fileobj, selectors.EVENT_READ, (stream, "closing"))
                else:
                    selector.unregister(key.fileobj)
                    endings.append(stream.read_ending())
                    stream.close()
    return times, told, endings


def is_refused(port):
    """Whoever comes while those are let in who were on their way is not answered: TCP tries again
    after a second, a new attempt is refused sooner."""
    with socket.socket() as client:
        client.settimeout(0.05)
        try:
            client.connect(("127.0.0.1", port))
        except ConnectionRefusedError:
            return True
        except (ConnectionResetError, TimeoutError):
            pass
    return False


def main():
    options = arguments(__doc__, sessions=(5000, "to be closed"), over=(20, "seconds"),
                        download=(15, "seconds that it lasts"))
    drain = {"over": f"{options.over}s", "hard_stop": f"{options.over + 30}s", "close_code": CODE,
             "close_reason": REASON}
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-drain-") as name:
        folder = Path(name)
        echo = Echo(folder)
        config = Config({"echo": echo.port}, [{"pool": "echo"}], level="info", drain=drain)
        gateway = Gateway(folder, config, Variant(options.shards, options.receive))
        try:
            drain_it(options, gateway, folder)
        finally:
            gateway.kill()
            echo.kill()
    finish()


def drain_it(options, gateway, folder):
    sessions = open_sessions(gateway.https_port, options.sessions)
    download = Download(folder, gateway.https_port, options.download)
    download.begin()
    began = time.monotonic()
    gateway.process.send_signal(signal.SIGTERM)
    refused = {}

    def look_for_refusal():
        wait_until(lambda: is_refused(gateway.http_port), "new clients to be refused")
        refused["after"] = time.monotonic() - began

    looker = threading.Thread(target=look_for_refusal)
    looker.start()
    times, told, endings = take_closes(sessions, began)
    looker.join()
    status = gateway.wait(60)
    judge(options, times, told, endings, download, refused["after"], status)
    for line in gateway.log().splitlines():
        if "drain:" in line:
            print(line)


def judge(options, times, told, endings, download, refused_after, status):
    seconds = [sum(1 for one in times if second <= one < second + 1)
               for second in range(options.over)]
    print("closes in each second:", " ".join(map(str, seconds)))
    verdict(max(seconds) <= 1.2 * min(seconds),
            f"evenly: {min(seconds)} to {max(seconds)} a second, at most a fifth apart")
    right = sum(1 for one in told if one == (CLOSE, CODE, REASON))
    verdict(right == options.sessions, f"{right} of {options.sessions} were told {CODE} and "
            f"the reason")
    clean = sum(1 for one in endings if one == (b"", "end"))
    verdict(clean == options.sessions, f"{clean} ended in order, none with a reset")
    download.judge()
    verdict(refused_after < 0.5, f"new clients were refused after {refused_after:.2f} s")
    verdict(status == 0, f"exit status {status}")


if __name__ == "__main__":
    main()
