"""What a route asks of WebSockets before a server is dialled: whose pages open them, which
subprotocols are spoken, and whether messages may be compressed."""

import pytest
import websockets

from support.frames import TEXT, frame, upgrade_request, upgrade_response
from support.gateway import Config, Variant
from support.relay import dial, run
from support.streams import connect

OPEN, GUARDED, PROGRAMS = "open.test", "guarded.test", "programs.test"
SPOKEN, PLAIN = "spoken.test", "plain.test"
ROUTES = [
    {"pool": "raw", "host": OPEN, "websocket": {"origins": [], "subprotocols": []}},
    {"pool": "raw", "host": GUARDED},
    {"pool": "raw", "host": PROGRAMS, "websocket": {"origins": ["https://a.test", "none"]}},
    {"pool": "raw", "host": SPOKEN, "websocket": {"origins": [],
                                                  "subprotocols": ["chat", "v2.chat"]}},
    {"pool": "raw", "host": PLAIN, "websocket": {"origins": [], "compression": "off"}},
]
DEFAULTS = {"websocket": {"origins": ["https://a.test", "https://*.b.test:8443", "null"]}}
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def gateway_of(start_gateway, raw_port):
    return start_gateway(Config({"raw": raw_port}, ROUTES, defaults=DEFAULTS), Variant(1))


@pytest.fixture(params=["ws", "wss"])
def visit(request, gateway_of):
    """visit(host, fields): a client that asks for a WebSocket."""
    clients = []

    def enter(host, more=""):
        secure = request.param == "wss"
        port = gateway_of.https_port if secure else gateway_of.http_port
        clients.append(connect(port, secure))
        clients[-1].send(upgrade_request("/ws", host, more=more))
        return clients[-1]

    yield enter
    for client in clients:
        client.close()


def let_in(client, upstream, answered=""):
    """The head that the server got; it answers, and the client may send."""
    server = upstream.accept()
    request = server.read_head()
    server.send(upgrade_response(request.get("Sec-WebSocket-Key"), answered))
    assert client.read_head().status == 101
    sent = frame(TEXT, b"hello")
    client.send(sent)
    assert server.read_exactly(len(sent)) == sent
    return request


@pytest.mark.parametrize("host, more", [
    (OPEN, "Origin: https://evil.test\r\n"),
    (OPEN, ""),
    (OPEN, "Origin: a\r\nOrigin: b\r\n"),
    (GUARDED, "Origin: https://a.test\r\n"),
    (GUARDED, "Origin: HTTPS://A.TEST:443\r\n"),
    (GUARDED, "Origin: https://x.y.b.test:8443\r\n"),
    (GUARDED, "Origin: null\r\n"),
    (PROGRAMS, ""),
    (PROGRAMS, "Origin: https://a.test\r\n")])
def test_those_that_are_named_are_let_in(visit, upstream, host, more):
    let_in(visit(host, more), upstream)


@pytest.mark.parametrize("host, origin", [
    (GUARDED, "https://evil.test"),
    (GUARDED, "http://a.test"),
    (GUARDED, "https://a.test:8443"),
    (GUARDED, "https://b.test:8443"),
    (GUARDED, "https://x.b.test"),
    (GUARDED, "https://a.test.evil.test"),
    (GUARDED, "https://a.test/"),
    (GUARDED, "https://evil.test\\.b.test:8443"),
    (GUARDED, "https://a.test https://evil.test"),
    (GUARDED, "A \"quoted\" word"),
    (GUARDED, ""),
    (GUARDED, None),
    (PROGRAMS, "null"),
    (PROGRAMS, "https://evil.test")])
def test_others_are_refused_before_a_server_is_asked(visit, gateway_of, log_of, upstream, host,
                                                     origin):
    log = log_of(gateway_of)
    client = visit(host, "" if origin is None else f"Origin: {origin}\r\n")
    head, body = client.read_response()
    assert (head.status, head.get("Connection")) == (403, "close")
    assert b"WebSocket" in body
    assert upstream.saw_nothing()
    line = log.wait("status=403", "end=origin-refused", "by=gateway")
    quoted = (origin or "").replace("\\", "\\\\").replace('"', '\\"')
    assert quoted in line


def test_a_second_origin_is_refused(visit, upstream):
    client = visit(GUARDED, "Origin: https://a.test\r\nOrigin: https://a.test\r\n")
    assert client.read_response()[0].status == 403
    assert upstream.saw_nothing()


def test_a_long_origin_is_cut_in_the_log(visit, gateway_of, log_of):
    log = log_of(gateway_of)
    assert visit(GUARDED, f"Origin: https://{'x' * 20_000}\r\n").read_response()[0].status == 403
    line = log.wait("end=origin-refused")
    assert "xxx..." in line and len(line) < 1000


def test_requests_that_open_no_websocket_are_asked_for_no_origin(gateway_of, upstream):
    with connect(gateway_of.http_port) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: {GUARDED}\r\n"
                    "Origin: https://evil.test\r\n\r\n".encode())
        server = upstream.accept()
        assert server.read_head().get("Origin") == "https://evil.test"
        server.send(FINE)
        assert client.read_response()[1] == b"ok"


def test_a_real_client_is_told_403(gateway_of):
    async def chat(**options):
        async with dial(gateway_of, "/ws", GUARDED, **options):
            pass
    for secure in (False, True):
        with pytest.raises(Exception, match="403"):
            run(chat(secure=secure, origin="https://evil.test"))


@pytest.mark.parametrize("offered, passed", [
    (["chat"], ["chat"]), (["mqtt,chat, Chat"], ["chat"]), (["chat,v2.chat"], ["chat,v2.chat"]),
    (["mqtt", "v2.chat"], ["v2.chat"]), ([], []), ([""], []), ([","], [])])
def test_a_server_is_offered_the_routes_subprotocols_alone(visit, upstream, offered, passed):
    lines = "".join(f"Sec-WebSocket-Protocol: {line}\r\n" for line in offered)
    request = let_in(visit(SPOKEN, lines), upstream)
    assert request.all("Sec-WebSocket-Protocol") == passed


@pytest.mark.parametrize("offered", [["mqtt"], ["Chat, mqtt"], ["mqtt", "wamp"]])
def test_a_client_that_offers_none_of_them_is_refused(visit, gateway_of, log_of, upstream, offered):
    log = log_of(gateway_of)
    client = visit(SPOKEN, "".join(f"Sec-WebSocket-Protocol: {line}\r\n" for line in offered))
    assert client.read_response()[0].status == 403
    assert upstream.saw_nothing()
    assert offered[-1] in log.wait("status=403", "end=subprotocol-refused")


@pytest.mark.parametrize("answered, status", [("chat", 101), ("mqtt", 502), ("v2.chat", 502)])
def test_a_server_answers_with_what_it_was_offered(visit, upstream, answered, status):
    client = visit(SPOKEN, "Sec-WebSocket-Protocol: mqtt, chat\r\n")
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    server.send(upgrade_response(key, f"Sec-WebSocket-Protocol: {answered}\r\n"))
    assert client.read_head().status == status


@pytest.mark.parametrize("offered, passed", [
    (["permessage-deflate; client_max_window_bits"], []),
    (["x-webkit-deflate-frame, permessage-deflate"], []),
    (["x-a; b=\"c\", permessage-deflate, x-d"], ["x-a; b=\"c\", x-d"]),
    (["permessage-deflate", "x-a"], ["x-a"]),
    (["x-a,x-b"], ["x-a,x-b"])])
def test_compression_is_taken_out_of_what_is_offered(visit, upstream, offered, passed):
    lines = "".join(f"Sec-WebSocket-Extensions: {line}\r\n" for line in offered)
    request = let_in(visit(PLAIN, lines), upstream)
    assert request.all("Sec-WebSocket-Extensions") == passed


def test_a_server_that_compresses_all_the_same_is_502(visit, upstream):
    client = visit(PLAIN, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    server = upstream.accept()
    key = server.read_head().get("Sec-WebSocket-Key")
    server.send(upgrade_response(key, "Sec-WebSocket-Extensions: permessage-deflate\r\n"))
    assert client.read_response()[0].status == 502


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_real_ends_chat_without_compression(gateway_of, raw_port, secure):
    async def echo(socket):
        async for message in socket:
            await socket.send(message)

    async def chat():
        async with websockets.serve(echo, "127.0.0.1", raw_port, compression="deflate"):
            async with dial(gateway_of, "/", PLAIN, secure, compression="deflate") as socket:
                assert not getattr(socket, "protocol", socket).extensions
                for message in ("a" * 10_000, b"\0" * 5000):
                    await socket.send(message)
                    assert await socket.recv() == message
    run(chat())


def test_a_reload_asks_other_things_of_whoever_comes_then(start_reloading, raw_port, upstream):
    route = {"name": "chat", "pool": "raw", "websocket": {"origins": ["https://a.test"]}}
    gateway, reload = start_reloading(Config({"raw": raw_port}, [route]))
    with connect(gateway.http_port) as early, connect(gateway.http_port) as late:
        ask = upgrade_request("/ws", "x.test", more="Origin: https://a.test\r\n")
        early.send(ask)
        server = upstream.accept()
        server.send(upgrade_response(server.read_head().get("Sec-WebSocket-Key")))
        assert early.read_head().status == 101
        route["websocket"]["origins"] = ["https://b.test"]
        assert "route chat changed" in reload()
        sent = frame(TEXT, b"still here")
        early.send(sent)
        assert server.read_exactly(len(sent)) == sent
        late.send(ask)
        assert late.read_response()[0].status == 403
