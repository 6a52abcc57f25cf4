#!/usr/bin/python3
"""A mixed run of 1,000 WebSockets and 100,000 requests over several routes, listeners and endings, by clients
that keep their own books: then each counter that the admin listener's metrics have, and each total of its JSON,
beside the truth.
"""

import resource
import tempfile
from collections import Counter
from pathlib import Path

from common import arguments, failures, finish, verdict
from support.admin import admin_config, admin_of
from support.frames import BINARY, CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import Echo, Gateway, Variant
from support.metrics import Scrape
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until

SIZES = [0, 1, 64, 125, 126, 1000, 5000]
CODES = [1000, 1001, 3000, 4001, 4999]
BATCH = 50  # requests sent at once on a connection
AT_ONCE = 100


class Books:
    def __init__(self):
        self.opened, self.messages, self.bytes, self.requests = Counter(), Counter(), Counter(), Counter()
        self.closed, self.accepted, self.body_bytes, self.handshakes = Counter(), Counter(), Counter(), 0


def websocket(gateway, stack, number, books):
    """Opens one, and lets it talk; whoever closes it later has its books, too."""
    secure, route = number % 3 == 0, ["chat", "feed"][number % 2]
    client = connect(gateway.https_port if secure else gateway.http_port, secure)
    stack.append(client)
    open_echo(client, host=f"{route}.test")
    books.accepted[secure] += 1
    books.handshakes += secure
    books.opened[route] += 1
    for message in range(number % 7):
        payload = b"x" * SIZES[(number + message) % len(SIZES)]
        opcode = [TEXT, BINARY][message % 2]
        if message % 3 == 2 and payload:
            half = len(payload) // 2
            client.send(frame(opcode, payload[:half], fin=False) + frame(0, payload[half:]))
        else:
            client.send(frame(opcode, payload))
        received = b""
        while True:
            part = read_frame(client)
            received += part.payload
            if part.fin:
                break
        assert received == payload
        books.messages[route] += 1
        books.bytes[route] += len(payload)
    return client, route


def end(client, route, number, books):
    """One in five without a word."""
    if number % 5 == 4:
        client.close()
        books.closed[route, "client", "none", "client-left"] += 1
        return
    code = CODES[number % len(CODES)]
    client.send(frame(CLOSE, close_payload(code)))
    while read_frame(client).opcode != CLOSE:
        pass
    client.close()
    word = str(code) if code < 3000 else f"{code // 1000}xxx"
    books.closed[route, "client", word, "done"] += 1


def websockets(gateway, count, books):
    for first in range(0, count, AT_ONCE):
        stack = []
        some = [(*websocket(gateway, stack, number, books), number)
                for number in range(first, min(count, first + AT_ONCE))]
        for client, route, number in some:
            end(client, route, number, books)
        for client in stack:
            client.close()


KINDS = [("api", "/", b"abc", 200), ("api", "/echo", b"", 400), ("own", "/own", b"", 404), ("own", "/own", b"", 404)]


def requests(gateway, count, books):
    sent = 0
    while sent < count:
        with connect(gateway.http_port, False) as client:
            books.accepted[False] += 1
            for _ in range(min(20, (count - sent + BATCH - 1) // BATCH)):
                some = [KINDS[(sent + at) % len(KINDS)] for at in range(min(BATCH, count - sent))]
                client.send(b"".join(
                    f"POST {path} HTTP/1.1\r\nHost: api.test\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                    for _, path, body, _ in some))
                for route, path, body, _ in some:
                    head, answer = client.read_response()
                    books.requests[route, head.status // 100] += 1
                    books.body_bytes[route, "request"] += len(body) if route == "api" else 0
                    books.body_bytes[route, "response"] += len(answer) if route == "api" else 0
                sent += len(some)


def table(rows):
    print(f"{'counter':<86} {'told':>12} {'truth':>12}")
    for name, told, truth in rows:
        print(f"{name:<86} {told:>12.0f} {truth:>12.0f}{'' if told == truth else '   DIFFERENT'}")
        if told != truth:
            failures.append(name)


def rows_of(scrape, books):
    for route in ("chat", "feed"):
        yield f"gateway_websockets_opened_total{{route={route}}}", scrape.sum(
            "gateway_websockets_opened_total", route=route), books.opened[route]
        yield f"gateway_websockets_open{{route={route}}}", scrape.sum("gateway_websockets_open", route=route), 0
        for side in ("client", "upstream"):
            labels = {"route": route, "from": side}
            yield (f"gateway_websocket_messages_total{{route={route},from={side}}}",
                   scrape.sum("gateway_websocket_messages_total", **labels), books.messages[route])
            yield (f"gateway_websocket_payload_bytes_total{{route={route},from={side}}}",
                   scrape.sum("gateway_websocket_payload_bytes_total", **labels), books.bytes[route])
            yield (f"gateway_websocket_message_size_bytes_count{{route={route},from={side}}}",
                   scrape.sum("gateway_websocket_message_size_bytes_count", **labels), books.messages[route])
    for (route, side, code, cause), count in sorted(books.closed.items()):
        yield (f"gateway_websockets_closed_total{{route={route},side={side},code={code},cause={cause}}}",
               scrape.sum("gateway_websockets_closed_total", route=route, side=side, code=code, cause=cause), count)
    yield ("gateway_websockets_closed_total", scrape.sum("gateway_websockets_closed_total"),
           sum(books.closed.values()))
    for (route, status), count in sorted(books.requests.items()):
        yield (f"gateway_requests_total{{route={route},code={status}xx}}",
               scrape.sum("gateway_requests_total", route=route, code=f"{status}xx"), count)
    yield "gateway_requests_total", scrape.sum("gateway_requests_total"), sum(books.requests.values())
    for route in ("api", "own"):
        yield (f"gateway_request_body_bytes_total{{route={route}}}",
               scrape.sum("gateway_request_body_bytes_total", route=route), books.body_bytes[route, "request"])
        yield (f"gateway_response_body_bytes_total{{route={route}}}",
               scrape.sum("gateway_response_body_bytes_total", route=route), books.body_bytes[route, "response"])
        yield (f"gateway_request_seconds_count{{route={route}}}",
               scrape.sum("gateway_request_seconds_count", route=route),
               sum(count for (its, _), count in books.requests.items() if its == route))
    yield ("gateway_connections_accepted_total", scrape.sum("gateway_connections_accepted_total"),
           sum(books.accepted.values()))
    yield "gateway_tls_handshakes_total", scrape.sum("gateway_tls_handshakes_total"), books.handshakes
    yield "gateway_connections_open", scrape.sum("gateway_connections_open"), 0


def rows_of_json(totals, books):
    yield "JSON totals requests", totals["requests"], sum(books.requests.values())
    yield "JSON totals websockets_opened", totals["websockets_opened"], sum(books.opened.values())
    yield "JSON totals websockets_ended", totals["websockets_ended"], sum(books.closed.values())
    for side in ("client", "upstream"):
        yield f"JSON totals messages_from_{side}", totals[f"messages_from_{side}"], sum(books.messages.values())
        yield f"JSON totals bytes_from_{side}", totals[f"bytes_from_{side}"], sum(books.bytes.values())


def main():
    options = arguments(__doc__, websockets=(1000, "in all"), requests=(100_000, "in all"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder = Path(name)
        echo = Echo(folder)
        config = admin_config(folder, {"echo": echo.port},
                              [{"name": "chat", "host": "chat.test", "pool": "echo"},
                               {"name": "feed", "host": "feed.test", "pool": "echo"},
                               {"name": "own", "host": "api.test", "path": "/own", "answer": {"status": 404, "body": "not here"}},
                               {"name": "api", "host": "api.test", "pool": "echo"}], level="info")
        gateway = Gateway(folder, config, Variant(options.shards, options.receive))
        try:
            books = Books()
            websockets(gateway, options.websockets, books)
            requests(gateway, options.requests, books)
            admin = admin_of(gateway)
            wait_until(lambda: admin.get("/snapshot")["totals"]["connections"] == 0, "all to be gone")
            scrape = Scrape(admin.ask("/metrics").body.decode())
            table([*rows_of(scrape, books), *rows_of_json(admin.get("/snapshot")["totals"], books)])
            verdict(not failures, f"{options.websockets} WebSockets and {options.requests} requests: "
                                  f"{'all are' if not failures else 'not all are'} equal")
        finally:
            gateway.kill()
            echo.stop()
    finish()


if __name__ == "__main__":
    main()
