"""`request_id` and `trace`: what the server gets of them, and what the log says."""

import re

import pytest

from support.checking import check_text
from support.frames import CLOSE, close_payload, frame, read_frame, upgrade_request
from support.gateway import FEW, Config
from support.relay import open_relay
from support.streams import connect

ID = r"[0-9a-f]{32}"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
MADE = re.compile(rf"00-({ID})-[0-9a-f]{{16}}-01")


@pytest.fixture
def site(start_gateway, echo, raw_port, log_of):
    """The route "off" says otherwise than the defaults."""
    def start(defaults, top=None, route=None, log=None):
        config = Config({"echo": echo.port, "raw": raw_port},
                        [{"name": "echo", "path": "/", "host": "localhost", "pool": "echo"},
                         {"name": "raw", "path": "/", "host": "raw.test", "pool": "raw"},
                         {"name": "off", "path": "/", "host": "off.test", "pool": "echo",
                          "request_id": "off", "trace": "off", **(route or {})},
                         {"name": "says", "path": "/", "host": "says.test", "answer": {"body": "x"}}],
                        defaults=defaults, top=top, log=log)
        gateway = start_gateway(config, FEW[1])
        return gateway, log_of(gateway)
    return start


def ask(gateway, fields="", host="localhost"):
    """What the server gets: {name in lower case: [values]}."""
    with connect(gateway.http_port) as client:
        client.send(f"GET /headers HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
        head, body = client.read_response()
        assert head.status == 200
    seen = {}
    for line in body.decode().split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        seen.setdefault(name.lower(), []).append(value)
    return seen


def test_each_request_has_an_id_of_its_own(site):
    gateway, log = site({"request_id": "create"})
    ids = [ask(gateway)["x-request-id"] for _ in range(40)]
    assert all(len(one) == 1 and re.fullmatch(ID, one[0]) for one in ids)
    assert len({one[0] for one in ids}) == 40
    for one in ids:
        log.wait(" request id=", f" upstream=127.0.0.1:{gateway.config.pools['echo']} request_id={one[0]} status=200")


def test_strangers_bring_none(site):
    gateway, log = site({"request_id": "create"})
    seen = ask(gateway, "X-Request-Id: mine\r\nx_request_id: mine\r\nX-Request-ID: again\r\n")
    assert re.fullmatch(ID, *seen["x-request-id"]) and "x_request_id" not in seen
    assert "mine" not in log.wait(f"request_id={seen['x-request-id'][0]}")


@pytest.mark.parametrize("defaults, top", [
    ({"request_id": "keep"}, {}),
    ({"request_id": "create"}, {"trusted_proxies": ["127.0.0.0/8"]}),
], ids=["keep", "trusted"])
def test_an_id_is_kept_where_that_may_be(site, defaults, top):
    gateway, log = site(defaults, top)
    assert ask(gateway, "X-Request-ID: a-b.C_1:/+=@\r\n")["x-request-id"] == ["a-b.C_1:/+=@"]
    log.wait(" request_id=a-b.C_1:/+=@ status=200")
    for unfit in ("a b", 'a"b', "x" * 129, "\xff", "a\r\nX-Request-Id: b", ""):
        assert re.fullmatch(ID, *ask(gateway, f"X-Request-Id: {unfit}\r\n")["x-request-id"]), unfit


def test_a_route_says_otherwise_and_then_nothing_is_touched(site):
    gateway, log = site({"request_id": "create", "trace": "create"})
    seen = ask(gateway, "X-Request-Id: mine\r\ntraceparent: nonsense\r\ntracestate: a=b\r\n", "off.test")
    assert (seen["x-request-id"], seen["traceparent"], seen["tracestate"]) == (["mine"], ["nonsense"], ["a=b"])
    assert "request_id" not in log.wait("route=off") and "trace_id" not in log.wait("route=off")


def test_by_default_nobody_looks(site):
    gateway, log = site({})
    seen = ask(gateway, f"X-Request-Id: mine\r\ntraceparent: {PARENT}\r\n")
    assert (seen["x-request-id"], seen["traceparent"]) == (["mine"], [PARENT])
    line = log.wait("route=echo", "status=200")
    assert "request_id" not in line and "trace_id" not in line


def test_what_asks_no_server_has_an_id_too(site):
    gateway, log = site({"request_id": "create", "trace": "create"})
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: says.test\r\n\r\nGET / HTTP/1.1\r\nHost: none\r\n\r\n")
        assert client.read_response()[0].status == 200
        assert client.read_response()[0].status == 404
    for status in (200, 404):
        assert re.search(rf" request_id={ID} trace_id={ID} status={status}", log.wait(f"status={status}"))


@pytest.mark.parametrize("trace", ["pass", "create"])
def test_a_trace_passes_as_it_came(site, trace):
    gateway, log = site({"trace": trace})
    later = PARENT.replace("00-", "01-", 1) + "-more"
    for parent in (PARENT, later):
        seen = ask(gateway, f"Traceparent: {parent}\r\ntracestate: a=1,b=2\r\n")
        assert (seen["traceparent"], seen["tracestate"]) == ([parent], ["a=1,b=2"])
    assert len(log.wait_many(2, f" trace_id={TRACE} ")) == 2


@pytest.mark.parametrize("trace", ["pass", "create"])
def test_no_connection_takes_a_trace_away(site, trace):
    """RFC 9110 section 7.6.1: what is for all who come behind is not for one hop, whatever a client says."""
    gateway, log = site({"trace": trace})
    seen = ask(gateway, f"Connection: traceparent, TraceState, x-own\r\ntraceparent: {PARENT}\r\n"
                        "tracestate: a=1\r\nX-Own: 1\r\n")
    assert (seen["traceparent"], seen["tracestate"]) == ([PARENT], ["a=1"]) and "x-own" not in seen
    log.wait(f" trace_id={TRACE} ")


def test_where_nobody_looks_a_connection_takes_it(site):
    gateway, _ = site({})
    assert "traceparent" not in ask(gateway, f"Connection: traceparent\r\ntraceparent: {PARENT}\r\n")


NO_TRACES = ["", "traceparent: nonsense\r\ntracestate: a=1\r\n",
             f"traceparent: {PARENT.upper()}\r\n", f"traceparent: 00-{'0' * 32}-00f067aa0ba902b7-01\r\n",
             f"traceparent: {PARENT}\r\ntraceparent: {PARENT}\r\ntracestate: a=1\r\n"]


@pytest.mark.parametrize("fields", NO_TRACES)
def test_what_is_no_trace_goes_no_further(site, fields):
    gateway, log = site({"trace": "pass"})
    seen = ask(gateway, fields)
    assert "traceparent" not in seen and "tracestate" not in seen
    assert "trace_id" not in log.wait("status=200")


@pytest.mark.parametrize("fields", NO_TRACES)
def test_a_trace_is_made_where_there_is_none(site, fields):
    gateway, log = site({"trace": "create"})
    seen = ask(gateway, fields)
    assert "tracestate" not in seen
    made = MADE.fullmatch(*seen["traceparent"])
    log.wait(f" trace_id={made[1]} status=200")


def test_a_websocket_has_those_of_its_handshake(site, upstream):
    gateway, log = site({"request_id": "create", "trace": "create"},
                        log={"websocket_open": True, "headers": ["Origin"]})
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream, request_fields="Origin: https://a.test\r\nX-Request-Id: x\r\n")
        given = relay.request.get("X-Request-Id")
        made = MADE.fullmatch(relay.request.get("traceparent"))
        marks = f" request_id={given} trace_id={made[1]} ", ' header_origin="https://a.test"'
        log.wait("websocket-opened id=", *marks)
        client.send(frame(CLOSE, close_payload(1000)))
        read_frame(relay.upstream)
        relay.upstream.send(frame(CLOSE, close_payload(1000), masked=False))
        log.wait(" websocket id=", *marks)
    assert re.fullmatch(ID, given)


def test_a_request_that_is_sent_again_keeps_its_id(site, upstream):
    gateway, _ = site({"request_id": "create"})
    ask_raw = b"GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n"
    with connect(gateway.http_port) as client:
        client.send(ask_raw)
        server = upstream.accept()
        server.read_head()
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.read_response()
        client.send(ask_raw)
        first = server.read_head().get("X-Request-Id")
        server.close()  # a kept connection that was closed as the request came: once more
        again = upstream.accept()
        assert again.read_head().get("X-Request-Id") == first
        again.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert client.read_response()[0].status == 200


def test_trailers_bring_no_id(site, upstream):
    gateway, _ = site({"request_id": "create"})
    with connect(gateway.http_port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"0\r\nX-Request-Id: mine\r\nX-Other: yes\r\n\r\n")
        server = upstream.accept()
        server.read_head()
        assert b"mine" not in server.read_until(b"X-Other: yes\r\n\r\n")
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert client.read_response()[0].status == 200


def test_an_upgrade_that_is_refused_has_its_id(site, upstream):
    gateway, log = site({"request_id": "create"})
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/ws", "raw.test"))
        server = upstream.accept()
        given = server.read_head().get("X-Request-Id")
        server.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        assert client.read_head().status == 403
    log.wait(f" request_id={given} status=403")


def test_a_reload_turns_both_on(start_reloading, echo):
    config = Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}])
    gateway, reloading = start_reloading(config)
    assert "x-request-id" not in ask(gateway)
    config.defaults = {"request_id": "create", "trace": "create"}
    reloading.write()
    reloading.signal()
    assert "route echo changed, defaults.request_id changed, defaults.trace changed" in reloading.ending()
    seen = ask(gateway)
    assert re.fullmatch(ID, *seen["x-request-id"]) and MADE.fullmatch(*seen["traceparent"])


@pytest.mark.parametrize("lines, words", [
    ('request_id = "yes"', "'request_id' must be one of off, create, keep, not 'yes'"),
    ('trace = "creat"', "did you mean 'create'?"),
    ('request_id = "create"\nrequest_headers = { set = { "x-request-id" = "1" } }',
     "'x-request-id' of [route.request_headers] is written by 'request_id' of this route"),
    ('websocket = { request_id = "create" }', "it belongs in [[route]]"),
])
def test_errors_name_the_cure(tmp_path, lines, words):
    text = ('[[listen]]\naddress = "127.0.0.1:1"\n[pool.app]\nservers = ["127.0.0.1:2"]\n'
            f'[[route]]\npool = "app"\n{lines}\n')
    done = check_text(tmp_path, text)
    assert done.returncode == 1
    assert words in done.stderr, done.stderr
