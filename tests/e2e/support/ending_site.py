"""Where WebSockets end: websocket_ways.py has the ways."""

import asyncio
import contextlib
import random
import re
import ssl

from support.async_peers import Listener, dial, in_time
from support.certificates import make_certificate
from support.frames import PING, TEXT, frame, upgrade_request, upgrade_response
from support.gateway import Config, Gateway
from support.ports import free_port
from support.streams import client_context


def body_of(name, size):
    """Every few bytes of it say whose it is."""
    return (f"{name} " * (size // (len(name) + 1) + 1)).encode()[:size]


def path_name(way):
    return re.sub(r"[^a-z0-9]+", "-", way.name.lower()).strip("-")


class EndingSite:
    """Plain servers and servers behind TLS, which the test plays, and the gateway before them.
    `patience`: seconds that the gateway waits for anything; `full_port`: of who accepts nobody."""

    def __init__(self, folder, full_port, variant, patience, ways=(), **config):
        chain, key = make_certificate(folder, ["server.test"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        context.load_cert_chain(chain, key)
        self.listeners = {"ws": Listener(self.serve_websocket),
                          "wss": Listener(self.serve_websocket, context),
                          "slow": Listener(self.serve_slowly),
                          "slows": Listener(self.serve_slowly, context)}
        self.awaited = {}  # name of a WebSocket: the future of its server's side
        self.client_context = client_context()
        # Connections to the slow servers are not kept: each takes the place of one that has gone.
        pools = {name: {"servers": one.port, "keep_alive_idle": "off"}
                 for name, one in self.listeners.items()}
        pools["wss"]["tls"] = pools["slows"]["tls"] = {"verify": False}
        pools |= {"down": free_port(), "full": full_port}
        routes = [{"path": f"/{name}", "pool": name} for name in pools]
        for secured in ("", "s"):
            routes += [{"path": f"/cut{secured}", "pool": f"ws{secured}",
                        "websocket": {"upstream_lost": "cut"}},
                       {"path": f"/own{secured}", "pool": f"ws{secured}",
                        "websocket": {"upstream_lost": 4321}}]
        own = {one.route: one.settings for one in ways if one.settings}
        for name, settings in own.items():
            routes += [{"path": f"/{name}", "pool": "ws", "websocket": settings},
                       {"path": f"/{name}s", "pool": "wss", "websocket": settings}]
        limit = f"{patience}s"
        self.config = Config(pools, routes, level="info", log_buffer="64MiB",
                             timeouts={"connect": limit, "tls_handshake": limit,
                                       "request_header": limit, "upstream_response": limit,
                                       "websocket_idle": limit}, **config)
        self.gateway = Gateway(folder, self.config, variant)

    async def serve_websocket(self, peer):
        head = await peer.read_head()
        _, _, behaviour, *name = head.first_line.split(" ")[1].split("/")
        if behaviour == "leave":
            await peer.finish()
            peer.close()
        elif behaviour == "reset":
            peer.reset()
        elif behaviour == "mute":
            await peer.fill()
        elif behaviour == "wrong":
            await peer.send(upgrade_response("another key"))
            await peer.fill()
        else:
            await peer.send(upgrade_response(head.get("Sec-WebSocket-Key")))
            self.awaited.pop(name[0]).set_result(peer)

    async def serve_slowly(self, peer):
        """An answer begins late, and its body comes in pieces."""
        while True:
            head = await peer.read_head()
            _, _, framing, size, name = head.first_line.split(" ")[1].split("/")
            body, chunked = body_of(name, int(size)), framing == "chunked"
            await asyncio.sleep(random.uniform(0.2, 3.5))
            length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
            await peer.send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
            step = len(body) // random.randint(1, 5) + 1
            for at in range(0, len(body), step):
                piece = body[at:at + step]
                await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await asyncio.sleep(random.uniform(0, 0.5))
            if chunked:
                await peer.send(b"0\r\n\r\n")

    @contextlib.asynccontextmanager
    async def serving(self):
        tasks = [asyncio.create_task(one.run()) for one in self.listeners.values()]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            for one in self.listeners.values():
                one.socket.close()

    async def dial(self, secure):
        port = self.gateway.https_port if secure else self.gateway.http_port
        return await dial(port, self.client_context if secure else None)

    async def open_websocket(self, route, name, secure_client, secure_server):
        """Both its sides; each has said the name to the other."""
        self.awaited[name] = asyncio.get_running_loop().create_future()
        server_side = self.awaited[name]
        client = await self.dial(secure_client)
        path = f"/{route}{'s' * secure_server}/open/{name}"
        await client.send(upgrade_request(path, "x.test"))
        head = await client.read_head()
        assert head.status == 101, head
        server = await in_time(server_side)
        for source, to, masked in ((client, server, True), (server, client, False)):
            await source.send(frame(TEXT, name.encode(), masked=masked))
            while (got := await to.read_frame()).opcode == PING:
                pass  # the gateway's own
            assert got.payload == name.encode(), f"{name} got {got}"
        return client, server
