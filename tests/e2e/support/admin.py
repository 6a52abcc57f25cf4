"""Clients of the admin listener: plain ones, with whatever head a test wants."""

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass

from support.gateway import Config, Variant
from support.ports import free_port
from support.streams import Stream
from support.waiting import DEADLINE

TOKEN = "0123456789abcdef-._~0123456789abcdef"

READS = ["/healthz", "/ready", "/version", "/snapshot", "/history", "/pools", "/pools/echo", "/servers",
         "/routes", "/listeners", "/limits", "/certificates", "/shards", "/generations", "/metrics",
         "/connections", "/"]
# Of these, those that anybody may read from anywhere.
FREE = ["/healthz", "/ready", "/"]


@dataclass
class Answer:
    status: int
    head: object
    body: bytes

    def json(self):
        return json.loads(self.body)

    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]

    def error(self):
        return self.json()["error"]


class Admin:
    """Of a gateway whose configuration has an [admin]; each question is a connection of its own."""

    def __init__(self, address):
        self.address = address  # a port, or the path of a Unix socket

    @contextmanager
    def connect(self):
        if isinstance(self.address, int):
            connection = socket.create_connection(("127.0.0.1", self.address), timeout=DEADLINE)
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(DEADLINE)
            connection.connect(str(self.address))
        with Stream(connection) as stream:
            yield stream

    def connect_slowly(self):
        """A Stream whose system takes little that it does not read."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(DEADLINE)
        connection.connect(("127.0.0.1", self.address))
        return Stream(connection)

    def head(self, method, path, more="", host="localhost", token=None, body=None):
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        length = f"Content-Length: {len(body)}\r\n" if body is not None else ""
        return (f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}{length}{more}"
                "Connection: close\r\n\r\n").encode()

    def ask(self, path, method="GET", body=None, **head):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with self.connect() as stream:
            stream.send(self.head(method, path, body=body, **head) + (body or b""))
            return read_answer(stream, method == "HEAD")

    def get(self, path, **head):
        answer = self.ask(path, **head)
        assert answer.status == 200, answer
        return answer.json()

    def post(self, path, body=None, method="POST", token=TOKEN, **head):
        return self.ask(path, method, {} if body is None else body, token=token, **head)

    def connections(self, query=""):
        return self.get(f"/connections{'?' if query else ''}{query}")


def read_answer(stream, has_no_body=False):
    head = stream.read_head()
    return Answer(head.status, head, b"" if has_no_body else stream.read_body(head))


def admin_config(folder, pools, routes, admin=None, **more):
    """A Config with an admin listener, and the token in a file beside it."""
    file = folder / "admin.token"
    file.write_text(TOKEN + "\n")
    settings = {"address": f"127.0.0.1:{free_port()}", "token_file": str(file), **(admin or {})}
    return Config(pools, routes, admin=settings, **more)


def admin_of(gateway):
    address = gateway.config.admin["address"]
    return Admin(address.removeprefix("unix:") if address.startswith("unix:")
                 else int(address.rpartition(":")[2]))


TWO_SHARDS = Variant(2)
