"""A stand-in for the admin listener, for what the real one does not do on demand: it dies, it is silent, it
answers late, its names are hostile, and it remembers what it was asked. It keeps to docs/admin.md."""

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from support.admin_world import Refused, World
from support.frames import CLOSE, TEXT, accept_of, frame, read_frame
from support.gateway import ROOT
from support.ports import free_port
from support.waiting import DEADLINE, wait_until

PAGE = ROOT / "gateway" / "admin" / "page.html"
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
          "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
TOKEN = "0123456789abcdef0123456789abcdef"
BEAT = 0.1  # seconds between two snapshots, each of which is a second later than the one before


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict
    token: str
    protocols: tuple
    origin: str
    body: object


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve()

    do_POST = do_PUT = do_GET

    def serve(self):
        stand_in = self.server.stand_in
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        protocols = tuple(one.strip() for one in self.headers.get("Sec-WebSocket-Protocol", "").split(",") if one)
        bearer = [one.removeprefix("bearer.") for one in protocols if one.startswith("bearer.")]
        asked = Asked(self.command, unquote(url.path), dict(parse_qsl(url.query)),
                      self.headers.get("Authorization", "").removeprefix("Bearer ") or "".join(bearer),
                      protocols, self.headers.get("Origin"), json.loads(body) if body else None)
        stand_in.asked.append(asked)
        stand_in.speaks.wait(DEADLINE)
        status, answer = stand_in.answer(asked)
        if status == 101:
            return self.serve_websocket(stand_in, asked)
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(answer, bytes) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(text)

    def serve_websocket(self, stand_in, asked):
        self.close_connection = True
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept_of(self.headers["Sec-WebSocket-Key"]))
        self.send_header("Sec-WebSocket-Protocol", asked.protocols[0])
        self.end_headers()
        with stand_in.joined(asked.path, self):
            try:
                while read_frame(self).opcode != CLOSE:
                    pass
            except (AssertionError, OSError):
                pass  # gone

    def read_exactly(self, size):
        data = self.rfile.read(size)
        assert len(data) == size
        return data

    def tell(self, text):
        try:
            self.wfile.write(frame(TEXT, text.encode(), masked=False))
        except (OSError, ValueError):
            pass  # its own thread sees it gone

    def cut(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, stand_in):
        self.stand_in = stand_in
        self.connections = set()
        super().__init__(("127.0.0.1", stand_in.port), Handler)

    def get_request(self):
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_):
        pass  # a browser that leaves


class StandIn:
    def __init__(self, world=None):
        self.world = world or World()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.token = TOKEN
        self.reads_need_token = False
        self.asked = []
        self.answers = {}  # (method, path): (status, JSON), instead of what it would say
        self.speaks = threading.Event()
        self.speaks.set()
        self.beats = True
        self.open = {"/live": set(), "/log": set()}
        self.has_log = True
        self.lock = threading.Lock()
        self.ends = threading.Event()
        self.server = None
        self.beating = threading.Thread(target=self.beat, daemon=True)
        self.start()
        self.beating.start()

    def start(self):
        self.server = Server(self)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def die(self):
        """As a process that is killed: nobody listens, and each connection is cut."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.ends.set()
        self.speaks.set()
        self.die()
        self.beating.join(DEADLINE)

    @contextmanager
    def silent(self):
        """It takes what comes and says nothing, as a process that is stopped."""
        self.speaks.clear()
        try:
            yield
        finally:
            self.speaks.set()

    def beat(self):
        while not self.ends.wait(BEAT):
            if self.beats and self.speaks.is_set():
                self.tell("/live", json.dumps(self.world.snapshot()))

    @contextmanager
    def joined(self, path, handler):
        with self.lock:
            self.open[path].add(handler)
        try:
            yield
        finally:
            with self.lock:
                self.open[path].discard(handler)

    def tell(self, path, text):
        with self.lock:
            for handler in self.open[path]:
                handler.tell(text)

    def answer(self, asked):
        if (asked.method, asked.path) in self.answers:
            return self.answers[asked.method, asked.path]
        if asked.path == "/":
            return 200, PAGE.read_bytes()
        if asked.origin not in (None, self.url.rstrip("/")):
            return 403, {"error": f"pages of {asked.origin} may ask nothing here"}
        changes = asked.method != "GET"
        if (changes or self.reads_need_token) and asked.token != self.token:
            return 401, {"error": "the token lacks or is wrong: it stands in token_file"}
        return self.change(asked) if changes else self.read(asked)

    def read(self, asked):
        if asked.path == "/live" or asked.path == "/log" and self.has_log:
            return (101, None) if asked.protocols else (426, {"error": "this is a WebSocket"})
        if asked.path == "/snapshot":
            return 200, self.world.snapshot()
        if asked.path == "/history":
            return 200, self.world.history()
        if asked.path == "/connections":
            try:
                return 200, self.world.page(asked.query)
            except Refused as refused:
                return 400, {"error": str(refused)}
        if asked.path.startswith("/connections/"):
            facts = self.world.detail(int(asked.path.rsplit("/", 1)[1]))
            return (200, facts) if facts else (404, {"error": "no such connection"})
        return 404, {"error": f"there is no {asked.path}"}

    def change(self, asked):
        if asked.path == "/connections/kick":
            filters = {name: value for name, value in asked.body.items()
                       if name not in ("code", "reason", "rate", "all")}
            rows = self.world.matching(filters)
            opened = [one for one in rows if "kind" in filters or one["kind"] in ("websocket", "tunnel")]
            return 200, {"kicked": len(opened)}
        if asked.path == "/reload":
            return 200, {"done": True, "lines": ["pool chat: a server more, 127.0.0.1:9004", "1 change"]}
        return 200, {"done": True, "lines": []}

    def wait_asked(self, method, path):
        """The last of these."""
        def found():
            return [one for one in self.asked if (one.method, one.path) == (method, path)]
        return wait_until(found, lambda: f"{method} {path} in {self.asked}")[-1]
