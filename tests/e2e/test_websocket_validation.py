"""What the gateway demands of the frames that pass: text is UTF-8, nothing is too large."""

import pytest

from support.frames import (BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame,
                            read_frame, read_until_close)
from support.gateway import FEW, Config
from support.relay import open_relay
from support.streams import connect

EURO = "€".encode()

# Text that is none: name: (frames by opcode, payload and FIN; how many bytes of the last payload are
# passed on, None: not even its header).
BAD_TEXTS = {
    "a-lone-continuation": ([(TEXT, b"ab\x80cd", True)], 2),
    "overlong": ([(TEXT, b"\xc0\xaf", True)], 0),
    "surrogate-behind-much": ([(TEXT, b"a" * 5000 + b"\xed\xa0\x80" + b"b" * 5000, True)], 5001),
    "above-unicode": ([(TEXT, EURO * 100 + b"\xf4\x90\x80\x80", True)], 301),
    "cut-at-the-end": ([(TEXT, b"abc" + EURO[:2], True)], 4),
    "in-a-later-fragment": ([(TEXT, EURO, False), (CONTINUATION, b"ab\xff", False)], 2),
    "at-the-border-of-fragments": ([(TEXT, EURO[:2], False), (CONTINUATION, b"a", True)], 0),
    "cut-and-nothing-comes": ([(TEXT, EURO[:2], False), (CONTINUATION, b"", True)], None),
    "behind-a-ping": ([(TEXT, EURO[:1], False), (PING, b"\xff", True),
                       (CONTINUATION, EURO[:1], True)], 0),
}
TEXTS = pytest.mark.parametrize("name", BAD_TEXTS)


def encode(frames, masked):
    """The bytes, and where the payload of the last frame begins."""
    encoded = [frame(opcode, payload, masked, fin) for opcode, payload, fin in frames]
    sent = b"".join(encoded)
    return sent, len(sent) - len(encoded[-1]), len(sent) - len(frames[-1][1])


def expect_place(line, section, frame_number, at):
    assert f" section={section} frame={frame_number} at={at} " in line, line


@TEXTS
@pytest.mark.parametrize("in_parts", [False, True], ids=["at-once", "in-parts"])
def test_a_client_whose_text_is_no_text(client, upstream, log, name, in_parts):
    frames, passed = BAD_TEXTS[name]
    sent, last_at, payload_at = encode(frames, masked=True)
    step = (1 if len(sent) < 1000 else 97) if in_parts else len(sent)
    relay = open_relay(client, upstream)
    good = frame(TEXT, EURO)
    client.send(good)
    assert read_frame(relay.upstream).payload == EURO
    for at in range(0, len(sent), step):
        client.send(sent[at:at + step])
    valid = sent[:last_at if passed is None else payload_at + passed]
    assert relay.upstream.read_exactly(len(valid)) == valid
    rest, ending = relay.upstream.read_ending()
    if passed is None:  # between two frames there is room for one of ours
        assert rest[:1] == b"\x88" and rest[1] & 0x80
    else:
        assert rest == b""
    assert ending == "end"
    closing = read_until_close(client)[-1]
    assert (closing.close_code, closing.close_reason) == (1007, "text is not UTF-8")
    line = log.wait("websocket", "end=client-violation")
    assert "by=client" in line and "code=1007" in line
    expect_place(line, "8.1", len(frames) + 1, len(good) + len(valid))


@TEXTS
def test_a_server_whose_text_is_no_text(client, upstream, log, name):
    frames, passed = BAD_TEXTS[name]
    sent, last_at, payload_at = encode(frames, masked=False)
    relay = open_relay(client, upstream)
    relay.upstream.send(sent)
    valid = sent[:last_at if passed is None else payload_at + passed]
    assert client.read_exactly(len(valid)) == valid
    if passed is None:
        assert read_until_close(client)[-1].close_code == 1011
    else:
        rest, ending = client.read_ending()
        assert rest == b"" and ending in (("truncated", "reset") if client.secure
                                          else ("end", "reset"))
    closing = read_until_close(relay.upstream)[-1]
    assert closing.masked
    assert (closing.close_code, closing.close_reason) == (1007, "text is not UTF-8")
    line = log.wait("websocket", "end=upstream-violation")
    assert "by=upstream" in line
    expect_place(line, "8.1", len(frames), len(valid))


def test_valid_text_passes_however_it_is_cut(client, upstream):
    relay = open_relay(client, upstream)
    text = ("Zwölf Boxkämpfer, 色は匂へど, Всё хорошо 👋 " * 40).encode()
    for masked, to, source in ((True, relay.upstream, client), (False, client, relay.upstream)):
        for size in (1, 7, 64, 1000):
            parts = [text[at:at + size] for at in range(0, len(text), size)]
            sent = b"".join(frame(CONTINUATION if at else TEXT, part, masked,
                                  fin=at == len(parts) - 1) for at, part in enumerate(parts))
            source.send(sent[:333])
            sure = 333 - 13  # the rest may be a part of a header, which is passed on whole
            assert to.read_exactly(sure) == sent[:sure]
            source.send(sent[333:])
            assert to.read_exactly(len(sent) - sure) == sent[sure:]


def test_a_rule_of_headers_is_told_with_its_section_and_place(client, upstream, log):
    relay = open_relay(client, upstream)
    good = frame(TEXT, b"good") + frame(PING)
    client.send(good + frame(3, b"x"))
    assert relay.upstream.read_exactly(len(good)) == good
    line = log.wait("websocket", "end=client-violation")
    assert 'code=1002' in line and 'cause="reserved opcode"' in line
    expect_place(line, "5.2", 3, len(good))


def test_who_breaks_no_rule_has_no_place_in_the_log(client, upstream, log):
    relay = open_relay(client, upstream)
    client.send(frame(CLOSE, close_payload(1000)))
    relay.upstream.send(frame(CLOSE, close_payload(1000), masked=False))
    read_until_close(client)
    assert "section=" not in log.wait("websocket", "end=done")


EXTENSION = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


def test_a_compressed_message_passes_unchecked(client, upstream):
    relay = open_relay(client, upstream, request_fields=EXTENSION, response_fields=EXTENSION)
    for masked, source, to in ((True, client, relay.upstream), (False, relay.upstream, client)):
        sent = (frame(TEXT, b"\xff\xfe", masked, rsv=4)
                + frame(TEXT, b"\xff", masked, fin=False, rsv=4) + frame(CONTINUATION, b"\x80", masked)
                + frame(BINARY, b"\xff", masked))
        source.send(sent)
        assert to.read_exactly(len(sent)) == sent
    client.send(frame(TEXT, b"\xff"))
    assert read_until_close(client)[-1].close_code == 1007


# Of a route.

ROUTES = {"full": {}, "headers": {"validate": "headers"}, "off": {"validate": "off"},
          "small": {"frame_max": "100B", "message_max": "150B"}}


@pytest.fixture(params=FEW, ids=str)
def routed(request, start_gateway, raw_port, log_of):
    routes = [{"name": name, "host": f"{name}.test", "pool": "raw", "websocket": keys}
              for name, keys in ROUTES.items()]
    gateway = start_gateway(Config({"raw": raw_port}, routes), request.param)
    gateway.log_view = log_of(gateway)
    return gateway


@pytest.fixture(params=["plain", "tls"])
def enter(request, routed):
    """enter(): a client of it."""
    clients = []

    def connected():
        secure = request.param == "tls"
        clients.append(connect(routed.https_port if secure else routed.http_port, secure))
        clients[-1].secure = secure
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def test_a_route_says_how_much_is_looked_at(enter, upstream):
    no_text = frame(TEXT, b"\xff")
    for route in ("headers", "off"):
        relay = open_relay(enter(), upstream, f"{route}.test")
        relay.client.send(no_text)
        assert relay.upstream.read_exactly(len(no_text)) == no_text
        relay.client.send(frame(3, b"x"))
        if route == "off":
            assert read_frame(relay.upstream).opcode == 3
        else:
            assert read_until_close(relay.upstream)[-1].close_code == 1002
            assert read_until_close(relay.client)[-1].close_code == 1002


def test_where_nothing_is_looked_at_all_passes_and_a_close_ends_it(enter, upstream, routed):
    relay = open_relay(enter(), upstream, "off.test")
    odd = (frame(PING, bytes(300)) + frame(11, b"x", fin=False, rsv=7) + frame(CONTINUATION, b"x")
           + frame(TEXT, b"x", masked=False) + b"\x82\xff" + (3).to_bytes(8, "big") + bytes(7))
    relay.client.send(odd)
    assert relay.upstream.read_exactly(len(odd)) == odd
    relay.upstream.send(odd)
    assert relay.client.read_exactly(len(odd)) == odd
    relay.upstream.send(frame(CLOSE, close_payload(1006), masked=False))
    assert read_frame(relay.client).close_code == 1006
    relay.client.send(frame(CLOSE, b"x"))
    assert read_frame(relay.upstream).payload == b"x"
    relay.client.read_ending()
    assert "end=done" in routed.log_view.wait("websocket", "off.test")


# Beyond what the route "small" allows: (opcode, payload bytes, FIN), and what is broken.
TOO_MUCH = {
    "a-frame": ([(BINARY, 100, True), (TEXT, 101, True)], "frame too large"),
    "a-huge-frame": ([(BINARY, 1 << 40, True)], "frame too large"),
    "a-fragment": ([(BINARY, 10, False), (CONTINUATION, 101, False)], "frame too large"),
    "a-message": ([(TEXT, 100, False), (PING, 50, True), (CONTINUATION, 51, True)],
                  "message too large"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
@pytest.mark.parametrize("sender", ["client", "server"])
def test_what_is_too_large_ends_before_its_header(enter, routed, upstream, name, sender):
    frames, cause = TOO_MUCH[name]
    relay = open_relay(enter(), upstream, "small.test")
    masked = sender == "client"
    source, to = ((relay.client, relay.upstream) if masked else (relay.upstream, relay.client))
    good = b"".join(frame(opcode, b"x" * size, masked, fin) for opcode, size, fin in frames[:-1])
    opcode, size, fin = frames[-1]
    source.send(good + frame(opcode, b"", masked, fin, length=size))  # nothing of its payload comes
    if good:
        assert to.read_exactly(len(good)) == good
    told = read_until_close(to)[-1]
    closing = read_until_close(source)[-1]
    assert (closing.close_code, closing.close_reason) == (1009, cause)
    assert told.close_code == (1009 if masked else 1011)
    party = "client" if masked else "upstream"
    line = routed.log_view.wait("websocket", f"end={party}-violation", f'cause="{cause}"')
    assert f"by={party}" in line
    expect_place(line, "10.4", len(frames), len(good))


def test_what_is_as_large_as_may_be_passes(enter, upstream):
    relay = open_relay(enter(), upstream, "small.test")
    for masked, source, to in ((True, relay.client, relay.upstream),
                               (False, relay.upstream, relay.client)):
        sent = b"".join(frame(opcode, b"x" * size, masked, fin) for opcode, size, fin in
                        [(TEXT, 100, True), (TEXT, 100, False), (PING, 125, True),
                         (CONTINUATION, 50, True), (BINARY, 100, True)])
        source.send(sent)
        assert to.read_exactly(len(sent)) == sent
