"""The handshake where the gateway compresses itself: what the server gets to see, what is answered to
which offer, byte for byte, and what a server may not answer."""

import pytest
import websockets

from support.frames import (KEY, RSV1, TEXT, accept_of, frame, read_until_close, upgrade_request,
                            upgrade_response)
from support.gateway import Config, Variant
from support.relay import dial, run
from support.streams import connect

BARE, KEEPING = "bare.test", "keeping.test"
ROUTES = [
    {"pool": "raw", "host": BARE, "websocket": {"compression": "terminate"}},
    {"pool": "raw", "host": KEEPING, "websocket": {"compression": "terminate",
                                                   "context_takeover": True}},
]
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

DEFLATE = "permessage-deflate"
NO_CONTEXT = "; server_no_context_takeover; client_no_context_takeover"
CHROMIUM = f"{DEFLATE}; client_max_window_bits"

# name: (lines of the offer, the answer without contexts, and with them)
TAKEN = {
    "firefox": ([DEFLATE], NO_CONTEXT, ""),
    "chromium": ([CHROMIUM], NO_CONTEXT, ""),
    "apple": ([f"x-webkit-deflate-frame, {CHROMIUM}"], NO_CONTEXT, ""),
    "gorilla": ([DEFLATE + NO_CONTEXT], NO_CONTEXT, NO_CONTEXT),
    "no-server-context": ([f"{DEFLATE}; server_no_context_takeover"], NO_CONTEXT,
                          "; server_no_context_takeover"),
    "no-client-context": ([f"{DEFLATE}; client_no_context_takeover"], NO_CONTEXT,
                          "; client_no_context_takeover"),
    "server-window": ([f"{DEFLATE}; server_max_window_bits=9"],
                      f"{NO_CONTEXT}; server_max_window_bits=9", "; server_max_window_bits=9"),
    "quoted-window": ([f'{DEFLATE}; server_max_window_bits="10"'],
                      f"{NO_CONTEXT}; server_max_window_bits=10", "; server_max_window_bits=10"),
    "client-window": ([f"{DEFLATE}; client_max_window_bits=11"],
                      f"{NO_CONTEXT}; client_max_window_bits=11", "; client_max_window_bits=11"),
    "second-of-a-line": ([f"{DEFLATE}; server_max_window_bits=8, {DEFLATE}"], NO_CONTEXT, ""),
    "second-line": (["x-a; b=c", f"{DEFLATE}; unknown", DEFLATE], NO_CONTEXT, ""),
    "first-of-two": ([f"{DEFLATE}; server_max_window_bits=12, {DEFLATE}"],
                     f"{NO_CONTEXT}; server_max_window_bits=12", "; server_max_window_bits=12"),
}

DECLINED = {
    "nothing": [],
    "empty": [""],
    "window-of-8": [f"{DEFLATE}; server_max_window_bits=8"],
    "window-of-7": [f"{DEFLATE}; server_max_window_bits=7"],
    "window-of-16": [f"{DEFLATE}; client_max_window_bits=16"],
    "window-with-a-zero": [f"{DEFLATE}; server_max_window_bits=010"],
    "window-without-value": [f"{DEFLATE}; server_max_window_bits"],
    "window-twice": [f"{DEFLATE}; server_max_window_bits=9; server_max_window_bits=9"],
    "flag-twice": [f"{DEFLATE}; client_no_context_takeover; client_no_context_takeover"],
    "value-for-a-flag": [f"{DEFLATE}; server_no_context_takeover=1"],
    "unknown-parameter": [f"{CHROMIUM}; x-unknown"],
    "all-of-several": [f"{DEFLATE}; a, {DEFLATE}; b", f"{DEFLATE}; c"],
    "webkit": ["x-webkit-deflate-frame"],
    "another": ["permessage-bzip2, x-a"],
    "other-case": ["Permessage-Deflate"],
}


def extensions(lines):
    return "".join(f"Sec-WebSocket-Extensions: {line}\r\n" for line in lines)


@pytest.fixture
def gateway_of(start_gateway, raw_port):
    return start_gateway(Config({"raw": raw_port}, ROUTES), Variant(1))


@pytest.fixture(params=["ws", "wss"])
def visit(request, gateway_of):
    """visit(host, lines): a client that asks for a WebSocket and offers these extensions."""
    clients = []

    def enter(host, lines=()):
        secure = request.param == "wss"
        port = gateway_of.https_port if secure else gateway_of.http_port
        clients.append(connect(port, secure))
        clients[-1].send(upgrade_request("/ws", host, more=extensions(lines)))
        return clients[-1]

    yield enter
    for client in clients:
        client.close()


def asked(upstream):
    """The server, and the bytes of the request that it got."""
    server = upstream.accept()
    return server, server.read_until(b"\r\n\r\n")


def plain_request(visit, upstream, host):
    """What the server gets of a client that offers nothing."""
    client = visit(host)
    server, request = asked(upstream)
    server.send(FINE)
    assert client.read_response()[0].status == 200
    return request


def expected_switch(agreed):
    line = f"Sec-WebSocket-Extensions: {agreed}\r\n" if agreed else ""
    return ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"{line}Sec-WebSocket-Accept: {accept_of(KEY)}\r\nVia: 1.1 gateway\r\n\r\n").encode()


def open_through(visit, upstream, host, lines, answered=""):
    """Client and server of a WebSocket, the request that came there, and the 101 that came back."""
    client = visit(host, lines)
    server, request = asked(upstream)
    server.send(upgrade_response(KEY, answered))
    return client, server, request, client.read_until(b"\r\n\r\n")


@pytest.mark.parametrize("host", [BARE, KEEPING])
@pytest.mark.parametrize("name", TAKEN)
def test_the_first_good_offer_is_taken_and_kept_from_the_server(visit, upstream, name, host):
    lines, bare, keeping = TAKEN[name]
    plain = plain_request(visit, upstream, host)
    _, _, request, switch = open_through(visit, upstream, host, lines)
    assert request == plain and b"xtensions" not in request
    assert switch == expected_switch(DEFLATE + (bare if host == BARE else keeping))


@pytest.mark.parametrize("name", DECLINED)
def test_without_a_good_offer_the_websocket_opens_without_compression(visit, upstream, name):
    plain = plain_request(visit, upstream, BARE)
    client, server, request, switch = open_through(visit, upstream, BARE, DECLINED[name])
    assert request == plain
    assert switch == expected_switch("")
    sent = frame(TEXT, b"hello")
    client.send(sent)
    assert server.read_exactly(len(sent)) == sent
    client.send(frame(TEXT, b"\0", rsv=RSV1))
    assert read_until_close(client)[-1].close_code == 1002


@pytest.mark.parametrize("lines", [[], [DEFLATE], ["x-a"]], ids=["none", "taken", "declined"])
@pytest.mark.parametrize("answered", [DEFLATE, DEFLATE + NO_CONTEXT, "x-a", "x-webkit-deflate-frame",
                                      f"{DEFLATE};", ",a"])
def test_a_server_that_agrees_to_what_it_was_not_offered_is_502(visit, upstream, lines, answered):
    client = visit(BARE, lines)
    server, _ = asked(upstream)
    server.send(upgrade_response(KEY, extensions([answered])))
    head, body = client.read_response()
    assert head.status == 502 and body
    assert head.all("Sec-WebSocket-Extensions") == []
    server.read_ending()


def test_an_empty_list_of_the_server_is_left_out(visit, upstream):
    for lines, agreed in ([CHROMIUM], DEFLATE + NO_CONTEXT), ([], ""):
        *_, switch = open_through(visit, upstream, BARE, lines, extensions(["", " ,"]))
        assert switch == expected_switch(agreed)


def test_a_refusal_says_nothing_of_compression(visit, upstream):
    client = visit(BARE, [CHROMIUM])
    server, _ = asked(upstream)
    server.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    head, body = client.read_response()
    assert (head.status, body) == (403, b"no")
    assert head.all("Sec-WebSocket-Extensions") == []


@pytest.mark.parametrize("value", [f"{DEFLATE};", "a b", f'{DEFLATE}; server_max_window_bits="9',
                                   f"{DEFLATE}; server_max_window_bits=", ",".join([DEFLATE] * 33)],
                         ids=["no-parameter", "two-words", "open-quote", "no-value", "many"])
def test_malformed_offers_are_refused(visit, upstream, value):
    assert visit(BARE, [value]).read_response()[0].status == 400
    assert upstream.saw_nothing()


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("host", [BARE, KEEPING])
def test_real_ends_agree_each_with_the_gateway(gateway_of, raw_port, host, secure):
    def extensions_of(socket):
        return getattr(socket, "protocol", socket).extensions

    async def meet():
        of_server = []

        async def serve(socket):
            of_server.append(extensions_of(socket))
            await socket.wait_closed()

        async with websockets.serve(serve, "127.0.0.1", raw_port, compression="deflate"):
            async with dial(gateway_of, "/", host, secure, compression="deflate") as socket:
                of_client = extensions_of(socket)
        assert of_server == [[]]
        assert [(each.name, not each.remote_no_context_takeover, not each.local_no_context_takeover)
                for each in of_client] == [(DEFLATE, host == KEEPING, host == KEEPING)]

    run(meet())
