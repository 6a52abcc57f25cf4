"""What a request may have at the most, and requests that end at the gateway."""

import pytest

from support.attacks import chunk
from support.gateway import Config, Variant
from support.streams import connect

CHUNKED = "Transfer-Encoding: chunked\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def start_with(start_gateway, raw_port):
    """start_with(limits, routes): a gateway with one shard before the raw server."""
    def start(limits=None, routes=({},), **options):
        tables = [{"pool": "raw", **route} for route in routes]
        return start_gateway(Config({"raw": raw_port}, tables, limits=limits, **options),
                             Variant(1))
    return start


def ask(client, target="/", method="GET", more="", body=""):
    client.send(f"{method} {target} HTTP/1.1\r\nHost: x.test\r\n{more}\r\n{body}".encode())


def exchange(client, server, *request, **parts):
    ask(client, *request, **parts)
    received = server.read_request()
    server.answer(received, FINE)
    head, body = client.read_response()
    assert (head.status, body) == (200, b"ok")
    return received


def expect_refusal(client, status):
    """The answer is the last on this connection."""
    head, body = client.read_response()
    assert (head.status, head.get("Connection")) == (status, "close")
    assert str(status).encode() in body
    assert client.read_ending() == (b"", "end")


# Bodies.

OF_LIMITS = ({"body": "10B"}, ({},))
OF_ROUTE = ({"body": "1KiB"}, ({"body_max": "10B"},))
OF_ROUTES_LIMITS = ({"body": "1KiB"}, ({"limits": {"body": "10B"}},))
body_limits = pytest.mark.parametrize("limits,routes", [OF_LIMITS, OF_ROUTE, OF_ROUTES_LIMITS],
                                      ids=["limits", "route", "limits-of-route"])


@body_limits
def test_a_body_of_the_largest_size_passes(start_with, server, limits, routes):
    gateway = start_with(limits, routes)
    with connect(gateway.http_port) as client:
        exchange(client, server, "/", "POST", "Content-Length: 10\r\n", "0123456789")
        body = f"{chunk('01234')}{chunk('56789')}0\r\n\r\n"
        assert exchange(client, server, "/", "POST", CHUNKED, body).seen.body == "0123456789"


@body_limits
@pytest.mark.parametrize("sent", ["", "01234567890"], ids=["head-only", "with-the-body"])
def test_a_length_that_is_too_large_is_refused_before_the_server_hears(
        start_with, upstream, log_of, limits, routes, sent):
    gateway = start_with(limits, routes)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client, "/", "POST", "Content-Length: 11\r\n", sent)
        expect_refusal(client, 413)
    assert upstream.saw_nothing()
    assert "end=body-too-large" in log.wait("status=413")


@body_limits
def test_chunks_that_get_too_large_are_refused_in_mid_upload(start_with, upstream, log_of, limits,
                                                             routes):
    """The server must not take what it got for the whole."""
    gateway = start_with(limits, routes)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        ask(client, "/", "POST", CHUNKED, chunk("01234"))
        stream = upstream.accept()
        stream.read_head()
        assert stream.read_chunk() == b"01234"
        client.send(f"{chunk('567890')}0\r\n\r\n".encode())
        expect_refusal(client, 413)
        stream.read_ending()
        assert not stream.received.endswith(b"0\r\n\r\n")
    assert "end=body-too-large" in log.wait("status=413")


def test_chunks_that_are_too_large_at_once_are_not_passed_on_as_whole(start_with, upstream):
    gateway = start_with({"body": "10B"})
    with connect(gateway.http_port) as client:
        ask(client, "/", "POST", CHUNKED, f"{chunk('0123456789x')}0\r\n\r\n")
        expect_refusal(client, 413)
        stream = upstream.accept()
        stream.read_ending()
        assert not stream.received.endswith(b"0\r\n\r\n")


def test_a_route_may_have_bodies_of_any_size(start_with, server):
    gateway = start_with({"body": "10B"}, ({"path": "/any", "body_max": "off"}, {"path": "/"}))
    with connect(gateway.http_port) as client:
        exchange(client, server, "/any", "POST", "Content-Length: 100\r\n", "x" * 100)
        ask(client, "/", "POST", "Content-Length: 100\r\n")
        expect_refusal(client, 413)


# Heads.

def head_of(size, name="X-Filler"):
    """A GET whose head has so many bytes in all."""
    start = f"GET / HTTP/1.1\r\nHost: x.test\r\n{name}: "
    return (start + "x" * (size - len(start) - 4) + "\r\n\r\n").encode()


def test_the_size_of_a_head_is_limited(start_with, server, log_of):
    gateway = start_with({"header": "2KiB", "target": "1KiB"})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        client.send(head_of(2048))
        server.answer(server.read_request(), FINE)
        assert client.read_response()[0].status == 200
        client.send(head_of(2049, "X-Overlong"))
        expect_refusal(client, 431)
    assert server.is_quiet()
    assert "X-Overlong" in log.wait("status=431", "end=bad-request")


def test_the_number_of_fields_is_limited(start_with, server, log_of):
    gateway = start_with({"header_count": 4})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        exchange(client, server, more="X-A: 1\r\nX-B: 1\r\nX-C: 1\r\n")
        ask(client, more="X-A: 1\r\nX-B: 1\r\nX-C: 1\r\nX-D: 1\r\n")
        expect_refusal(client, 431)
    assert server.is_quiet()
    log.wait("status=431", "end=bad-request")


# Responses.

def answer_with(server, client, head, method="GET"):
    """What the client gets for a response with this head and the body `ok`."""
    ask(client, method=method)
    body = "" if method == "HEAD" else "ok"
    server.answer(server.read_request(), f"{head}\r\n{body}".encode())
    return client.read_head()


def fields(count):
    """In all, with the length."""
    return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + "X-Field: 1\r\n" * (count - 1)


@pytest.mark.parametrize("limits,most", [({}, 512), ({"response_header_count": 9}, 9)],
                         ids=["default", "configured"])
def test_the_number_of_a_responses_fields_is_limited(start_with, server, log_of, limits, most):
    gateway = start_with(limits)
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        refusal = answer_with(server, client, fields(most + 1))
        assert (refusal.status, client.read_body(refusal)[:3]) == (502, b"502")
        head = answer_with(server, client, fields(most))
        assert (head.status, len(head.all("X-Field"))) == (200, most - 1)
        assert client.read_exactly(2) == b"ok"
    log.wait("status=502", "end=bad-response", "too many fields")


@pytest.mark.parametrize("status", [599, 600, 799, 999])
def test_a_status_of_no_known_class_passes(start_with, server, log_of, status):
    gateway = start_with()
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        for _ in range(2):
            head = answer_with(server, client, f"HTTP/1.1 {status} Odd\r\nContent-Length: 2\r\n")
            assert head.first_line == f"HTTP/1.1 {status} Odd"
            assert client.read_exactly(2) == b"ok"
    log.wait(f"status={status}", "end=done")
    assert gateway.stop() == 0
    # RFC 9110 section 15: what has no class is an error of the server.
    log.wait("served route=", "requests=2", "5xx=2")


@pytest.mark.parametrize("lines", ["Content-Length: 2\r\nContent-Length: 2\r\n",
                                   "Content-Length: 2, 2\r\n"], ids=["twice", "list"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_equal_lengths_of_a_response_are_one(start_with, server, lines, method):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        for _ in range(2):
            head = answer_with(server, client, f"HTTP/1.1 200 OK\r\n{lines}", method)
            assert (head.status, head.all("Content-Length")) == (200, ["2"])
            assert method == "HEAD" or client.read_exactly(2) == b"ok"


@pytest.mark.parametrize("lines", ["Content-Length: 2\r\nContent-Length: 3\r\n",
                                   "Content-Length: 2, 3\r\n", "Content-Length: 2,\r\n",
                                   "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"])
def test_lengths_of_a_response_that_differ_are_refused(start_with, server, lines):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        assert answer_with(server, client, f"HTTP/1.1 200 OK\r\n{lines}").status == 502


def test_the_target_is_limited(start_with, server, log_of):
    gateway = start_with({"target": "256B"})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        target = "/" + "x" * 250 + "?q=12"
        assert len(target) == 256
        assert exchange(client, server, target).target == target
        ask(client, target + "3")
        expect_refusal(client, 414)
    assert server.is_quiet()
    log.wait("status=414")


# Connections.

@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_connection_is_closed_after_so_many_requests(start_with, server, secure):
    gateway = start_with({"requests_per_connection": 3})
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        for number in range(1, 5):
            ask(client, f"/{number}")
        for number in range(1, 4):
            request = server.read_request()
            assert request.target == f"/{number}"
            server.answer(request)
            head, _ = client.read_response()
            assert head.get("Connection") == ("close" if number == 3 else None)
        assert client.read_ending() == (b"", "end")
    assert server.is_quiet()


def test_refusals_and_answers_count_as_requests(start_with, server):
    gateway = start_with({"requests_per_connection": 2}, ({"host": "x.test"},))
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
        head, _ = client.read_response()
        assert (head.status, head.get("Connection")) == (404, None)
        ask(client)
        server.answer(server.read_request(), FINE)
        assert client.read_response()[0].get("Connection") == "close"
        assert client.read_ending() == (b"", "end")


# Requests that go no further.

def test_another_expectation_than_continue_is_417(start_with, upstream):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        ask(client, "/", "POST", "Expect: miracles\r\nContent-Length: 5\r\n")
        expect_refusal(client, 417)
    assert upstream.saw_nothing()


def test_an_expectation_of_http_1_0_means_nothing(start_with, server):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: x.test\r\nExpect: miracles\r\n\r\n")
        request = server.read_request()
        assert not any(line.startswith("Expect") for line in request.seen.lines)
        server.answer(request, FINE)
        assert client.read_response()[0].status == 200


def test_https_that_is_asked_for_in_plain_text_is_421(start_with, upstream):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        ask(client, "https://x.test/secret")
        assert client.read_response()[0].status == 421
    assert upstream.saw_nothing()


def test_a_trusted_proxy_may_ask_for_https_in_plain_text(start_with, server):
    gateway = start_with(top={"trusted_proxies": ["127.0.0.1"]})
    with connect(gateway.http_port) as client:
        assert exchange(client, server, "https://x.test/secret").target == "/secret"


@pytest.mark.parametrize("target", ["*", "/", "http://x.test"])
def test_options_on_the_last_hop_end_at_the_gateway(start_with, upstream, target):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        for _ in range(2):
            ask(client, target, "OPTIONS", "Max-Forwards: 0\r\n")
            head = client.read_head()
            assert head.status in (200, 204)
            assert {"GET", "POST", "OPTIONS"} <= set(head.get("Allow").split(", "))
            assert head.get("Connection") is None
    assert upstream.saw_nothing()


@pytest.mark.parametrize("sent,passed", [("*", "*"), ("http://x.test", "*"), ("/a", "/a")])
def test_options_with_hops_left_reach_the_server(start_with, server, sent, passed):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        request = exchange(client, server, sent, "OPTIONS", "Max-Forwards: 2\r\n")
        assert request.seen.first_line == f"OPTIONS {passed} HTTP/1.1"
        assert "Max-Forwards: 1" in request.seen.lines


def test_trace_on_the_last_hop_is_not_answered_with_what_was_sent(start_with, upstream):
    gateway = start_with()
    with connect(gateway.http_port) as client:
        ask(client, "/", "TRACE", "Max-Forwards: 0\r\nCookie: secret\r\n")
        head, body = client.read_response()
        assert head.status == 405
        assert head.get("Allow") and b"secret" not in body
    assert upstream.saw_nothing()


def test_trace_that_is_listed_ends_at_its_last_hop_without_a_secret(start_with, upstream):
    gateway = start_with(routes=({"methods": ["TRACE"]},))
    with connect(gateway.http_port) as client:
        for _ in range(2):
            ask(client, "/a", "TRACE", "Max-Forwards: 0\r\nCookie: secret\r\n")
            head, body = client.read_response()
            assert (head.status, head.get("Content-Type")) == (200, "message/http")
            assert body == b"TRACE /a HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n"
    assert upstream.saw_nothing()


def test_trace_has_no_body(start_with, upstream):
    gateway = start_with(routes=({"methods": ["TRACE"]},))
    with connect(gateway.http_port) as client:
        ask(client, "/", "TRACE", "Content-Length: 2\r\n", "ok")
        expect_refusal(client, 400)
    assert upstream.saw_nothing()
