"""An open WebSocket between a raw client and an upstream that the test plays."""

import asyncio
from dataclasses import dataclass

import websockets

from support.frames import upgrade_request, upgrade_response
from support.streams import Stream, client_context
from support.waiting import DEADLINE


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 3 * DEADLINE))


def dial(gateway, path="/echo", host="localhost", secure=True, **options):
    """Python's websockets through the gateway, whatever the host's name."""
    port = gateway.https_port if secure else gateway.http_port
    settings = {"ssl": client_context(), "server_hostname": host} if secure else {}
    return websockets.connect(f"{'wss' if secure else 'ws'}://{host}:{port}{path}",
                              host="127.0.0.1", port=port, max_size=None, **settings, **options)


def open_echo(client, path="/echo", host="localhost", more=""):
    """A raw client's handshake with a real backend."""
    client.send(upgrade_request(path, host, more=more))
    head = client.read_head()
    assert head.status == 101, head
    return head


@dataclass
class Relay:
    client: Stream
    upstream: Stream
    request: object   # the head that the upstream got
    response: object  # the head that the client got


def open_relay(client, upstream, host="raw.test", request_fields="", response_fields=""):
    client.send(upgrade_request("/ws", host, more=request_fields))
    server = upstream.accept()
    request = server.read_head()
    server.send(upgrade_response(request.get("Sec-WebSocket-Key"), response_fields))
    response = client.read_head()
    assert response.status == 101, response
    return Relay(client, server, request, response)
