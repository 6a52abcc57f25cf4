#!/usr/bin/python3
"""A client breaks off an upload to a server that reads slowly: how much later the server knows, directly
and through the gateway. What lies in the server's own buffers comes before it either way."""

import socket
import tempfile
import threading
import time
from pathlib import Path

from common import arguments, finish, verdict
from support.gateway import Config, Gateway, Variant
from support.streams import connect

PIECE = 64 * 1024
UPLOAD_SECONDS = 3  # long enough to fill what lies between
LATER_MAX_SECONDS = 1.0
HEAD = b"POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 1000000000\r\n\r\n"


class SlowServer:
    """Reads so many bytes a second, until its connection ends; `ended` is when."""

    def __init__(self, rate):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.rate = rate
        self.ended = None
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection = self.listener.accept()[0]
        begun, taken = time.monotonic(), 0
        with connection, self.listener:
            try:
                while data := connection.recv(PIECE):
                    taken += len(data)
                    time.sleep(max(0.0, begun + taken / self.rate - time.monotonic()))
            except ConnectionResetError:
                pass
        self.ended = time.monotonic()


def seconds_until_known(port, server, secure):
    client = connect(port, secure)
    client.send(HEAD)
    until = time.monotonic() + UPLOAD_SECONDS
    try:
        while (left := until - time.monotonic()) > 0:
            client.socket.settimeout(left)
            client.send(bytes(PIECE))
    except TimeoutError:
        pass
    client.reset()
    reset = time.monotonic()
    server.thread.join()
    return server.ended - reset


def main():
    options = arguments(__doc__, rate=(2_000_000, "bytes a second that the server reads"))
    server = SlowServer(options.rate)
    direct = seconds_until_known(server.port, server, False)
    print(f"directly: {direct:.1f} s")
    for secure in (False, True):
        server = SlowServer(options.rate)
        with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
            gateway = Gateway(Path(folder), Config({"slow": server.port}, [{"pool": "slow"}]),
                              Variant(options.shards, options.receive))
            try:
                port = gateway.https_port if secure else gateway.http_port
                seconds = seconds_until_known(port, server, secure)
                verdict(seconds < direct + LATER_MAX_SECONDS,
                        f"through the gateway, {'https' if secure else 'http'}: {seconds:.1f} s "
                        f"(at most {LATER_MAX_SECONDS:.0f} s later than directly)")
                gateway.finish()
            finally:
                gateway.kill()
    finish()


if __name__ == "__main__":
    main()
