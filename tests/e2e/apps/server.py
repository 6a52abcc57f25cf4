"""The application of server.js on Python's http.server: server.py HTTP/1.1, or HTTP/1.0, which ends
every connection with its answer. Picks a free port, and prints it."""

import hashlib
import json
import select
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PAGE = Path(__file__).with_name("page.html").read_bytes()
PIECE = 10_000


class Audience:
    """Who waits for what is published: each has a socket that becomes readable then."""

    def __init__(self):
        self.lock = threading.Lock()
        self.members = []

    def __len__(self):
        with self.lock:
            return len(self.members)

    def join(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with self.lock:
            self.members.append((ours, theirs))
        return theirs

    def leave(self, theirs):
        with self.lock:
            pair = next(pair for pair in self.members if pair[1] is theirs)
            self.members.remove(pair)
        for end in pair:
            end.close()

    def tell(self, text):
        with self.lock:
            for ours, _ in self.members:
                ours.send(text)


listeners = Audience()
polls = Audience()


class Handler(BaseHTTPRequestHandler):
    timeout = None

    def do_GET(self):
        url = urlsplit(self.path)
        size = int(parse_qs(url.query).get("n", ["0"])[0])
        if url.path == "/page":
            self.send_whole(PAGE, "text/html")
        elif url.path == "/download":
            self.send_fields({"Content-Length": size})
            self.send_pieces(size)
        elif url.path == "/stream":
            self.send_stream(size)
        elif url.path == "/events":
            self.attend(listeners, self.send_events)
        elif url.path == "/poll":
            # Its poll is over before its answer is there: the next one may come with that.
            self.send_news(self.attend(polls, self.next_text))
        elif url.path == "/state":
            self.send_json({"listeners": len(listeners), "polls": len(polls)})
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.read_body()
        if self.path == "/upload":
            self.send_json({"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()})
        elif self.path == "/publish":
            listeners.tell(body)
            polls.tell(body)
            self.send_whole(b"published", "text/plain")
        else:
            self.send_error(404)

    do_PUT = do_POST

    def read_body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def send_fields(self, fields):
        self.send_response(200)
        for name, value in fields.items():
            self.send_header(name, str(value))
        self.end_headers()

    def send_whole(self, body, kind):
        self.send_fields({"Content-Type": kind, "Content-Length": len(body)})
        self.wfile.write(body)

    def send_json(self, value):
        self.send_whole(json.dumps(value).encode(), "application/json")

    def send_pieces(self, size):
        for at in range(0, size, PIECE):
            self.wfile.write(b"d" * min(PIECE, size - at))

    def send_stream(self, size):
        """Chunked, where the protocol has it."""
        if self.protocol_version == "HTTP/1.0":
            self.send_fields({})
            self.send_pieces(size)
            return
        self.send_fields({"Transfer-Encoding": "chunked"})
        for at in range(0, size, PIECE):
            piece = b"d" * min(PIECE, size - at)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def attend(self, audience, serve):
        news = audience.join()
        try:
            return serve(news)
        except OSError:
            self.close_connection = True  # the client left while it was written to
        finally:
            audience.leave(news)

    def next_text(self, news):
        """What is published next, or None when the client has left."""
        ready = select.select([news, self.connection], [], [])[0]
        return news.recv(65536) if news in ready else None

    def send_events(self, news):
        """An event stream ends with the connection."""
        self.close_connection = True
        self.send_fields({"Content-Type": "text/event-stream", "Cache-Control": "no-store",
                          "Connection": "close"})
        while (text := self.next_text(news)) is not None:
            self.wfile.write(b"data: " + text + b"\n\n")

    def send_news(self, text):
        if text is None:
            self.close_connection = True
        else:
            self.send_whole(text, "text/plain")

    def log_message(self, *_):
        pass


def main():
    Handler.protocol_version = sys.argv[1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()


main()
