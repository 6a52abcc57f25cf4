"""A gateway whose configuration changes while it serves."""

import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

from support.frames import TEXT, frame, read_frame
from support.streams import connect


def saying(text, path="/"):
    """A route that answers by itself."""
    return {"name": "says", "path": path, "answer": {"body": text}}


def ask(stream, target="/", host="x.test"):
    stream.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, body = stream.read_response()
    return head.status, body.decode()


def ask_anew(port, secure=False, target="/"):
    with connect(port, secure) as client:
        return ask(client, target)


def echoes(client, word=b"x"):
    client.send(frame(TEXT, word))
    return read_frame(client).payload == word


def refuses(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


class Reloading:
    """Reloads a gateway, and says what its log has of it."""

    def __init__(self, gateway, log):
        self.gateway = gateway
        self.log = log
        self.reloads = 0

    def write(self, text=None):
        """As a deployment would: at once."""
        fresh = self.gateway.file.with_suffix(".new")
        fresh.write_text(self.gateway.config.text() if text is None else text)
        fresh.rename(self.gateway.file)

    def signal(self):
        self.gateway.process.send_signal(signal.SIGHUP)

    def ending(self):
        """Of the last reload: the line that each ends with."""
        self.reloads += 1
        lines = self.log.wait_many(self.reloads, "main reload: ")
        return lines[self.reloads - 1].split(" main reload: ")[1]

    def __call__(self, text=None):
        self.write(text)
        self.signal()
        return self.ending()


@contextmanager
def hold_fifo(path):
    """Whoever reads it waits until it is left."""
    os.mkfifo(path)
    with os.fdopen(os.open(path, os.O_RDWR), "wb") as fifo:
        yield fifo


def is_open(pid, path):
    folder = Path(f"/proc/{pid}/fd")
    return any(os.path.realpath(one) == str(path) for one in folder.iterdir())
