#!/usr/bin/python3
"""Servers and clients that break rules of which others know nothing: gunicorn with an application that
answers HEAD with a body, gorilla/websocket before a server that is killed, curl --http1.0 over TLS.

Needs the packages gunicorn, golang-go and golang-github-gorilla-websocket-dev.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from common import arguments, finish, site, verdict
from support.gateway import Config, Gateway, Variant
from support.ports import free_port
from support.program import Program
from support.streams import connect
from support.waiting import wait_until

REQUESTS = 120
APPLICATION = """
def application(environ, start_response):
    body = b"x" * 2000
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


class Gunicorn(Program):
    def __init__(self, folder, port):
        (folder / "heads.py").write_text(APPLICATION, encoding="ascii")
        super().__init__(["gunicorn", "--bind", f"127.0.0.1:{port}", "--chdir", str(folder),
                          "--worker-class", "gthread", "--threads", "4", "--keep-alive", "30",
                          "heads:application"], folder, "gunicorn")
        wait_until(lambda: answers(port), "gunicorn to listen")


def answers(port):
    try:
        connect(port).close()
    except OSError:
        return False
    return True


def ask_gunicorn(options):
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        folder, port = Path(name), free_port()
        server = Gunicorn(folder, port)
        gateway = Gateway(folder, Config({"app": port}, [{"pool": "app"}]),
                          Variant(options.shards, options.receive))
        try:
            heads, bodies = [], []
            with connect(gateway.http_port) as client:
                for _ in range(REQUESTS):
                    client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
                    heads.append(client.read_head().status)
                    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    bodies.append(client.read_response()[1])
            verdict(heads == [200] * REQUESTS, f"gunicorn: HEAD with a body: {heads.count(200)} of "
                    f"{REQUESTS} answers are 200")
            whole = bodies.count(b"x" * 2000)
            verdict(whole == REQUESTS, f"gunicorn: each GET behind one: {whole} of {REQUESTS} are "
                    "its own and whole")
            gateway.finish()
        finally:
            gateway.kill()
            server.kill()


def build_gorilla(folder):
    source = Path(__file__).parent / "gorilla" / "main.go"
    subprocess.run(["go", "build", "-o", str(folder / "gorilla"), str(source)], check=True,
                   env={**os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off",
                        "GOCACHE": str(folder / "cache"), "GOFLAGS": ""})
    return folder / "gorilla"


def kill_before_gorilla(options):
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as name:
        program = build_gorilla(Path(name))
        for scheme in ("ws", "wss"):
            with site(options) as (gateway, echo):
                port = gateway.https_port if scheme == "wss" else gateway.http_port
                with subprocess.Popen([program, f"{scheme}://127.0.0.1:{port}/echo"],
                                      stdout=subprocess.PIPE, text=True) as client:
                    opened = client.stdout.readline().strip()
                    echo.kill()
                    told = client.stdout.readline().strip()
                verdict((opened, told) == ("open", "closed 1011"),
                        f"gorilla/websocket, {scheme}, its server is killed: {told}")


def ask_with_http_1_0(options):
    with site(options) as (gateway, _):
        done = subprocess.run(["curl", "-sSk", "--http1.0", "-w", "%{http_code}", "-o", "/dev/null",
                               f"https://127.0.0.1:{gateway.https_port}/"], check=False,
                              capture_output=True, text=True)
        verdict(done.stdout == "200", f"curl --http1.0 https: {done.stdout} {done.stderr.strip()}")


def main():
    options = arguments(__doc__.split("\n", maxsplit=1)[0])
    ask_gunicorn(options)
    kill_before_gorilla(options)
    ask_with_http_1_0(options)
    finish()


if __name__ == "__main__":
    main()
