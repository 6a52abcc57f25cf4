#!/usr/bin/python3
"""An upload of 1 GiB while its response streams, in bounded memory; 10,000 pipelined requests;
how long an event of a stream is under way; how soon a server learns that a client has left."""

import hashlib
import statistics
import subprocess
import threading
import time

from common import arguments, finish, kib, reset_peak, site, verdict
from support.gateway import Config, Gateway, Variant
from support.ports import free_port
from support.streams import Upstream, connect

RISE_MAX_KIB = 4096
EVENT_MS_MAX = 5
LEAVING_MS_MAX = 100
CURL = ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def echo_body(port, size):
    """Sends so many bytes to /echo while they come back; gives both digests and the seconds."""
    sent, got, begun = hashlib.sha256(), hashlib.sha256(), time.monotonic()
    command = [*CURL, "-H", "Expect:", "-H", "Transfer-Encoding: chunked", "-T", "-",
               f"https://127.0.0.1:{port}/echo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as curl:
        def feed():
            piece = bytes(range(256)) * 4096
            for _ in range(size // len(piece)):
                sent.update(piece)
                curl.stdin.write(piece)
            curl.stdin.close()
        feeder = threading.Thread(target=feed)
        feeder.start()
        while piece := curl.stdout.read(1 << 20):
            got.update(piece)
        feeder.join()
    return sent.hexdigest(), got.hexdigest(), time.monotonic() - begun


def try_both_ways(gateway, size):
    echo_body(gateway.https_port, 64 << 20)
    reset_peak(gateway)
    before = kib(gateway, "VmHWM")
    sent, got, seconds = echo_body(gateway.https_port, size)
    rise = kib(gateway, "VmHWM") - before
    verdict(sent == got and rise < RISE_MAX_KIB,
            f"{size >> 20} MiB up while they come down: {seconds:.1f} s, SHA-256 "
            f"{'equal' if sent == got else 'different'}, peak {rise} KiB higher")


def try_pipelining(gateway, count, secure):
    requests = [f"GET /bytes?n={number % 500} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                for number in range(count)]
    begun = time.monotonic()
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        sender = threading.Thread(target=lambda: [client.send(b"".join(requests[at:at + 100]))
                                                  for at in range(0, count, 100)])
        if secure:  # one thread only may use the session
            for at in range(0, count, 100):
                client.send(b"".join(requests[at:at + 100]))
                read_answers(client, at, at + 100)
        else:
            sender.start()
            read_answers(client, 0, count)
            sender.join()
    seconds = time.monotonic() - begun
    verdict(True, f"{count} pipelined requests in order over {'https' if secure else 'http'} in "
            f"{seconds:.2f} s")


def read_answers(client, first, end):
    for number in range(first, end):
        head = client.read_head()
        assert head.status == 200 and int(head.get("Content-Length")) == number % 500, number
        client.read_exactly(number % 500)


def open_stream(gateway, upstream, secure, head=HEAD):
    client = connect(gateway.https_port if secure else gateway.http_port, secure)
    client.send(b"GET /events HTTP/1.1\r\nHost: a.test\r\n\r\n")
    server = upstream.accept()
    server.read_head()
    if head:
        server.send(head)
        client.read_head()
    return client, server


def try_events(gateway, upstream, secure, count):
    client, server = open_stream(gateway, upstream, secure)
    delays = []
    for number in range(count):
        event = b"data: %d\n\n" % number
        begun = time.monotonic()
        server.send(b"%x\r\n%s\r\n" % (len(event), event))
        assert client.read_chunk() == event
        delays.append((time.monotonic() - begun) * 1000)
    client.close()
    server.read_ending()
    delays.sort()
    p99 = delays[int(len(delays) * 0.99)]
    verdict(p99 < EVENT_MS_MAX, f"{count} events over {'https' if secure else 'http'}: median "
            f"{statistics.median(delays):.2f} ms, 99 % {p99:.2f} ms, longest {delays[-1]:.2f} ms")


def try_leaving(gateway, upstream, secure, begun_response, how, count):
    delays = []
    for _ in range(count):
        client, server = open_stream(gateway, upstream, secure, HEAD if begun_response else None)
        begun = time.monotonic()
        client.reset() if how == "RST" else client.close()
        server.read_ending()
        delays.append((time.monotonic() - begun) * 1000)
        server.close()
    verdict(max(delays) < LEAVING_MS_MAX,
            f"{count} clients leave by {how} over {'https' if secure else 'http'}, the response "
            f"{'begun' if begun_response else 'not begun'}: the server knows after "
            f"{statistics.median(delays):.1f} ms, {max(delays):.1f} ms at the most")


def main():
    options = arguments(__doc__, size=(1 << 30, "bytes each way"), requests=(10_000, "pipelined"),
                        events=(500, "of a stream"), clients=(50, "that leave, each way"))
    with site(options) as (gateway, _):
        try_both_ways(gateway, options.size)
        for secure in (False, True):
            try_pipelining(gateway, options.requests, secure)
    with site(options) as (gateway, _):
        folder = gateway.log_file.parent
        upstream = Upstream(free_port())
        config = Config({"raw": upstream.port}, [{"pool": "raw"}], level="info")
        own = Gateway(folder, config, Variant(options.shards, options.receive), name="own")
        try:
            for secure in (False, True):
                try_events(own, upstream, secure, options.events)
                for begun in (False, True):
                    for how in ("FIN", "RST"):
                        try_leaving(own, upstream, secure, begun, how, options.clients)
        finally:
            own.kill()
            upstream.close()
    finish()


if __name__ == "__main__":
    main()
