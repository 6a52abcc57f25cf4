"""What the log says of a WebSocket's traffic: exactly what the two sides have sent, over ws and wss; and what
it says while one is open."""

import re
import threading

import pytest

from support.frames import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame,
                            read_frame)
from support.gateway import FEW, Config
from support.relay import open_relay
from support.reloading import Reloading
from support.streams import connect

BOTH = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)
TLS_RECORD = 22  # bytes that TLS 1.3 adds to each
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


@pytest.fixture
def site(start_gateway, raw_port, log_of):
    def start(variant=FEW[1], log=None, **websocket):
        config = Config({"raw": raw_port}, [{"name": "raw", "pool": "raw", "websocket": websocket}],
                        log=log, level="info", log_buffer="1MiB")
        gateway = start_gateway(config, variant)
        return gateway, log_of(gateway)
    return start


def client_of(gateway, secure):
    return connect(gateway.https_port if secure else gateway.http_port, secure)


def fields_of(line):
    """{key: value}, quoted ones with their quotes."""
    return dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line))


def numbers_of(line):
    return {key: int(value) for key, value in fields_of(line).items() if value.isdigit()}


def say(sender, receiver, data):
    """A frame, once it has arrived."""
    sender.send(data)
    return read_frame(receiver)


@BOTH
@VARIANTS
def test_a_conversation_has_its_numbers(site, upstream, variant, secure):
    gateway, log = site(variant)
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream).upstream
        say(client, server, frame(TEXT, b"hello"))
        say(server, client, frame(BINARY, bytes(200), masked=False))
        say(client, server, frame(PING, b"p"))
        say(server, client, frame(PONG, b"p", masked=False))
        say(server, client, frame(TEXT, b"in ", masked=False, fin=False))
        say(server, client, frame(CONTINUATION, b"two", masked=False))
        say(client, server, frame(CLOSE, close_payload(4001, "bye")))
        say(server, client, frame(CLOSE, close_payload(4001), masked=False))
        line = log.wait("websocket id=")
    told = numbers_of(line)
    expected = {"client_frames": 3, "client_messages": 1, "client_bytes": 5, "client_compressed": 0,
                "upstream_frames": 5, "upstream_messages": 2, "upstream_bytes": 206,
                "upstream_compressed": 0,
                "client_wire_bytes": 11 + 7 + 11 + 3 * TLS_RECORD * secure,
                "to_client_wire_bytes": 204 + 3 + 5 + 5 + 4 + 5 * TLS_RECORD * secure,
                "upstream_wire_bytes": 204 + 3 + 5 + 5 + 4, "to_upstream_wire_bytes": 11 + 7 + 11,
                "client_pushed_back_ms": 0, "upstream_pushed_back_ms": 0}
    assert {key: told[key] for key in expected} == expected
    assert 'end=done by=client code=4001 reason="bye" cause=' in line
    assert "ping" not in line and "section=" not in line


@BOTH
def test_compressed_messages_are_told_apart_where_that_was_agreed(site, upstream, secure):
    gateway, log = site()
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream, request_fields=DEFLATE, response_fields=DEFLATE).upstream
        for _ in range(3):
            say(client, server, frame(TEXT, b"\xca\x48\xcd\xc9\xc9\x07\x00", rsv=4))
        say(client, server, frame(TEXT, b"plain"))
        say(server, client, frame(BINARY, b"in two", rsv=4, fin=False, masked=False))
        say(server, client, frame(CONTINUATION, b"frames", masked=False))
        say(server, client, frame(BINARY, b"plain", masked=False))
        client.reset()
        told = numbers_of(log.wait("websocket id="))
    assert (told["client_messages"], told["client_compressed"]) == (4, 3)
    assert (told["upstream_messages"], told["upstream_compressed"]) == (2, 1)


@BOTH
@pytest.mark.parametrize("side", ["client", "upstream"])
def test_round_trips_are_of_the_peer_that_was_pinged(site, upstream, secure, side):
    gateway, log = site(ping="100ms", pong_timeout="10s", ping_to=side)
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream).upstream
        peer = client if side == "client" else server
        for _ in range(3):
            ping = read_frame(peer)
            peer.send(frame(PONG, ping.payload, masked=side == "client"))
        say(client, server, frame(TEXT, b"behind the last pong"))
        say(server, client, frame(TEXT, b"likewise", masked=False))
        client.reset()
        line = log.wait("websocket id=")
    told = numbers_of(line)
    assert 0 < told[f"{side}_ping_us"] <= told[f"{side}_ping_us_max"]
    assert line.count("_ping_us=") == 1, "the other one was not pinged"
    assert (told["client_frames"], told["upstream_frames"]) == (1, 1)


@BOTH
@pytest.mark.parametrize("slow", ["client", "upstream"])
def test_who_is_not_read_since_the_other_takes_nothing_is_pushed_back(site, upstream, secure, slow):
    gateway, log = site(log={"websocket_every": "1s"})
    size = 32 << 20  # more than all buffers on the way take
    sender = "upstream" if slow == "client" else "client"
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream).upstream
        source, sink = (server, client) if slow == "client" else (client, server)
        sending = threading.Thread(target=source.send,
                                   args=(frame(BINARY, bytes(size), masked=sender == "client"),))
        sending.start()
        gateway.wait_for(lambda: any(numbers_of(line)[f"{sender}_pushed_back_ms"] > 500
                                     for line in log.lines("websocket-so-far")), "it to be pushed back")
        assert len(read_frame(sink).payload) == size
        sending.join()
        client.reset()
        told = numbers_of(log.wait("websocket id="))
    assert told[f"{sender}_pushed_back_ms"] > 500
    assert told[f"{slow}_pushed_back_ms"] == 0
    assert told[f"{sender}_bytes"] == size


@BOTH
def test_who_is_not_read_by_his_rates_is_pushed_back(site, upstream, secure):
    gateway, log = site(messages_per_second=20, burst="100ms")
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream).upstream
        for _ in range(40):
            client.send(frame(TEXT, b"x"))
        for _ in range(40):
            read_frame(server)
        say(client, server, frame(CLOSE, close_payload(1000)))
        say(server, client, frame(CLOSE, close_payload(1000), masked=False))
        told = numbers_of(log.wait("websocket id="))
    # The close frame comes when the debt of those before it is paid.
    # By his rates and by his server's window, each in whole milliseconds.
    assert 1000 < told["client_pushed_back_ms"] <= told["ms"] + 1


# A close frame's text, in a log of lines and fields.

REASONS = {
    "quotes": b'a "quoted" word \\',
    "a field": b'" end=done by=client code=1000 reason="',
    "a line": b"bye\r\n2026-11-28T00:00:00.000Z info shard=0 websocket id=1 end=done",
    "controls": bytes(range(0x20)) + b"\x7f",
    "characters": "tschüss \u2028 \U0001f44b".encode(),
    "as long as can be": b"\x01" * 123,
    "nothing": b"",
}
BROKEN = {"cut": b"tsch\xc3", "never UTF-8": b"\xff\xfe\n\x1b[31m"}


def escaped(data):
    def of(byte):
        if chr(byte) in '"\\':
            return "\\" + chr(byte)
        return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
    return '"' + "".join(map(of, data)) + '"'


def close_by(side, client, server, payload):
    sender, receiver = (client, server) if side == "client" else (server, client)
    sender.send(frame(CLOSE, payload, masked=side == "client"))
    got = read_frame(receiver)
    receiver.send(frame(CLOSE, got.payload, masked=side != "client"))
    read_frame(sender)


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_a_hostile_reason_is_one_field_of_one_line(site, upstream, side):
    gateway, log = site(validate="off")
    for number, (name, reason) in enumerate((REASONS | BROKEN).items(), 1):
        with client_of(gateway, number % 2 == 0) as client:
            server = open_relay(client, upstream).upstream
            close_by(side, client, server, close_payload(4000) + reason)
            line = log.wait_many(number, "websocket id=")[-1]
            server.close()
        told = fields_of(line)
        assert (told["reason"], told["code"], told["by"]) == (escaped(reason), "4000", side), name
    assert len(log.lines("websocket id=")) == number, "none of them made another one"
    assert all(re.match(r"\d{4}-", line) for line in log.text().splitlines())


@BOTH
@pytest.mark.parametrize("name", BROKEN)
def test_a_reason_that_is_no_text_is_told_by_the_rule_that_it_breaks(site, upstream, secure, name):
    gateway, log = site()
    with client_of(gateway, secure) as client:
        open_relay(client, upstream)
        client.send(frame(CLOSE, close_payload(1000) + BROKEN[name]))
        assert read_frame(client).close_code == 1007
        told = fields_of(log.wait("websocket id="))
    assert (told["end"], told["code"], told["section"]) == ("client-violation", "1007", "5.5.1")
    assert told["reason"] == told["cause"], "the gateway's own words"


@BOTH
def test_the_first_close_frame_is_told(site, upstream, secure):
    gateway, log = site()
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream).upstream
        say(server, client, frame(CLOSE, close_payload(4009, "first"), masked=False))
        say(client, server, frame(CLOSE, close_payload(4001, "second")))
        told = fields_of(log.wait("websocket id="))
    assert (told["by"], told["code"], told["reason"]) == ("upstream", "4009", '"first"')


# While it is open.

@BOTH
@VARIANTS
def test_an_open_one_is_told_of_where_that_is_asked_for(site, upstream, variant, secure):
    gateway, log = site(variant, log={"websocket_open": True, "websocket_every": "1s"})
    with client_of(gateway, secure) as client:
        server = open_relay(client, upstream).upstream
        opened = fields_of(log.wait("websocket-opened id="))
        say(client, server, frame(TEXT, b"hello"))
        first, second = log.wait_many(2, "websocket-so-far", "client_messages=1 ")[-2:]
        say(client, server, frame(TEXT, b"again"))
        third = log.wait("websocket-so-far", "client_messages=2 client_bytes=10 ")
        assert not log.lines("websocket id="), "it has not ended"
        client.reset()
        ended = log.wait("websocket id=")
    same = ("id", "n", "client", "request", "route", "upstream")
    for line in (first, second, third, ended):
        assert {key: fields_of(line)[key] for key in same} == {key: opened[key] for key in same}
    ages = [numbers_of(line)["ms"] for line in (first, second, third, ended)]
    assert ages == sorted(ages) and 1000 <= ages[1] - ages[0]
    assert "end=" not in first and "code=" not in first
    assert len(log.lines("websocket-opened")) == 1


def test_an_open_one_is_not_told_of_unless_that_is_asked_for(site, upstream, log_of):
    gateway, log = site()
    reload = Reloading(gateway, log_of(gateway))
    with client_of(gateway, False) as one, client_of(gateway, True) as other:
        open_relay(one, upstream)
        ended = f":{one.local_port} "
        gateway.config.log = {"websocket_open": True, "websocket_every": "5m"}
        assert "log.websocket_open changed, log.websocket_every changed" in reload()
        open_relay(other, upstream)
        assert f":{other.local_port} " in log.wait("websocket-opened")
        one.reset()
        log.wait("websocket id=", ended)
    assert len(log.lines("websocket-opened")) == 1 and not log.lines("websocket-so-far")
