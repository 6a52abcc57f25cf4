"""Connections that are kept: a client's many requests in their order, an upstream's connection for
the next of them, and everything that must end one or keep it from being used again. What comes behind
an answer is in test_surplus.py."""

import select

import pytest

from conftest import DOWN_HOST
from support.attacks import chunk
from support.gateway import Config, Variant
from support.keeping import (FINE, HOST, HOST_LINE, ends, exchange, expect_new_connection, get,
                             read_open, serve)
from support.serving import Seen, Serving, read_plain_chunks
from support.streams import connect

MANY = 1000


def post(target, body):
    return (f"POST {target} HTTP/1.1\r\n{HOST}Content-Length: {len(body)}\r\n\r\n{body}"
            .encode())


def read_last(client):
    """An answer behind which the connection ends in order."""
    head, body = client.read_response()
    assert head.get("Connection") == "close"
    assert client.read_ending() == (b"", "end")
    return head.status, body


# What clients may do.

def test_many_pipelined_requests_are_answered_in_their_order(client, upstream, server):
    client.send(b"".join(get(f"/{number}") for number in range(MANY)))
    for number in range(MANY):
        assert serve(server).target == f"/{number}"
    for number in range(MANY):
        assert read_open(client) == (200, b"/%d" % number)
    assert len(upstream.streams) == 1


def chunked_post(target, *parts):
    body = "".join(chunk(part) for part in parts) + "0\r\n\r\n"
    return f"POST {target} HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{body}".encode()


MIXED = [
    (get("/get"), Seen("GET /get HTTP/1.1", (HOST_LINE,))),
    (get("/head").replace(b"GET", b"HEAD"), Seen("HEAD /head HTTP/1.1", (HOST_LINE,))),
    (post("/post", "a body"),
     Seen("POST /post HTTP/1.1", (HOST_LINE, "Content-Length: 6"), "a body")),
    (chunked_post("/chunked", "one", "two"),
     Seen("POST /chunked HTTP/1.1", (HOST_LINE, "Transfer-Encoding: chunked"), "onetwo")),
    (post("/empty", ""), Seen("POST /empty HTTP/1.1", (HOST_LINE, "Content-Length: 0"))),
    (chunked_post("/no-chunk"),
     Seen("POST /no-chunk HTTP/1.1", (HOST_LINE, "Transfer-Encoding: chunked"))),
]


def test_pipelined_requests_of_all_kinds_do_not_mix(client, server):
    rounds = 20
    client.send(b"".join(sent for sent, _ in MIXED) * rounds)
    for _ in range(rounds):
        for _, seen in MIXED:
            assert serve(server).seen == seen
    for _ in range(rounds):
        for _, seen in MIXED:
            method, target, _ = seen.first_line.split(" ")
            expected = b"" if method == "HEAD" else target.encode()
            assert read_open(client, method) == (200, expected)


def test_pipelined_requests_may_come_in_any_pieces(client, server):
    data = b"".join(sent for sent, _ in MIXED)
    for at in range(0, len(data), 7):
        client.send(data[at:at + 7])
    for _, seen in MIXED:
        assert serve(server).seen == seen
        method = seen.first_line.split(" ")[0]
        assert read_open(client, method)[0] == 200


def test_a_request_waits_for_the_answer_to_the_one_before(client, server):
    client.send(get("/1") + get("/2"))
    first = server.read_request()
    first.stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    assert client.read_head().status == 200
    assert client.read_chunk() == b"abc"
    assert first.target == "/1" and server.is_quiet()
    first.stream.send(b"0\r\n\r\n")
    assert client.read_chunk() == b""
    assert serve(server).target == "/2"
    assert read_open(client) == (200, b"/2")


def test_close_is_honoured(client, upstream, server):
    client.send(get("/1", "Connection: close\r\n") + get("/2"))
    assert serve(server, FINE).target == "/1"
    assert read_last(client) == (200, b"ok")
    assert server.is_quiet()


def test_a_malformed_head_in_the_middle_ends_what_it_follows(client, server):
    client.send(get("/1") + get("/2") + b"GET / HTTP/1.1\r\nX : y\r\n\r\n" + get("/3"))
    for target in ("/1", "/2"):
        assert serve(server).target == target
    assert read_open(client) == (200, b"/1")
    assert read_open(client) == (200, b"/2")
    assert read_last(client)[0] == 400
    assert server.is_quiet()


@pytest.mark.parametrize("host,status", [("nobody.test", 404), (DOWN_HOST, 502)])
def test_a_refusal_of_a_good_request_keeps_the_connection(client, server, host, status):
    client.send(get("/1") + get("/2", host=host) + get("/3"))
    assert serve(server).target == "/1"
    assert read_open(client) == (200, b"/1")
    assert read_open(client)[0] == status
    assert serve(server).target == "/3"
    assert read_open(client) == (200, b"/3")


def test_a_client_of_http_1_0_may_ask_to_be_kept(client, server):
    for target in ("/1", "/2"):
        client.send(get(target, "Connection: keep-alive\r\n", version="1.0"))
        assert serve(server).target == target
        head, body = client.read_response()
        assert (head.status, body) == (200, target.encode())
        assert head.get("Connection").lower() == "keep-alive"
    client.send(get("/3", version="1.0"))
    serve(server)
    assert read_last(client) == (200, b"/3")


def test_a_client_of_http_1_0_is_not_kept_where_only_the_end_tells_the_length(client, server):
    client.send(get("/1", "Connection: keep-alive\r\n", version="1.0"))
    serve(server, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    head = client.read_head()
    assert head.get("Transfer-Encoding") is None
    assert head.get("Connection") == "close"
    assert client.read_ending() == (b"ok", "end")


# What the upstream sees.

def test_an_upstream_connection_is_used_again(client, upstream, server):
    for number in range(5):
        client.send(get(f"/{number}"))
        request = serve(server)
        assert not any(line.lower().startswith("connection:") for line in request.seen.lines)
        assert read_open(client) == (200, b"/%d" % number)
    assert len(upstream.streams) == 1


def test_an_upstream_connection_serves_one_client_after_the_other(start_gateway, upstream,
                                                                  raw_port):
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), Variant(1))
    server = Serving(upstream)
    for number in range(4):
        secure = number % 2 == 1
        with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
            exchange(client, server, f"/{number}")
    assert len(upstream.streams) == 1


def test_a_kept_connection_that_the_server_closes_is_replaced(client, server):
    used = exchange(client, server)
    used.close()
    server.open.remove(used)
    expect_new_connection(client, server, used)


def test_a_get_that_meets_a_dying_connection_is_sent_again(client, server):
    used = exchange(client, server)
    client.send(get("/again"))
    request = server.read_request()
    assert (request.target, request.stream) == ("/again", used)
    used.close()
    server.open.remove(used)
    again = serve(server)
    assert again.seen == request.seen
    assert read_open(client) == (200, b"/again")


def test_a_get_is_not_sent_again_for_ever(client, upstream, server):
    used = exchange(client, server)
    client.send(get("/again"))
    for number in range(2):
        stream = server.read_request().stream
        assert (stream is used) == (number == 0)
        stream.close()
        server.open.remove(stream)
    assert client.read_head().status == 502
    assert len(upstream.streams) == 2
    assert not select.select([upstream.listener], [], [], 0)[0]


@pytest.mark.parametrize("body", ["", "money"])
def test_a_post_that_meets_a_dying_connection_is_not_sent_twice(client, upstream, server, body):
    used = exchange(client, server)
    client.send(post("/pay", body))
    request = server.read_request()
    assert (request.target, request.stream) == ("/pay", used)
    used.close()
    assert client.read_response()[0].status == 502
    assert len(upstream.streams) == 1
    assert not select.select([upstream.listener], [], [], 0)[0]


@pytest.mark.parametrize("interim", [b"HTTP/1.1 102 Processing\r\n\r\n",
                                     b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
                         ids=["102", "103"])
def test_a_request_that_was_answered_in_part_is_not_sent_again(client, upstream, server, interim):
    used = exchange(client, server)
    client.send(get("/again").replace(b"GET", b"DELETE"))
    request = server.read_request()
    assert (request.target, request.stream) == ("/again", used)
    used.send(interim)
    assert client.read_head().status == int(interim.split(b" ")[1])
    used.close()
    server.open.remove(used)
    assert client.read_response()[0].status == 502
    assert len(upstream.streams) == 1
    assert not select.select([upstream.listener], [], [], 0)[0]


NOT_KEPT = {
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "http-1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "close-chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: x, Close\r\n"
                     b"\r\n2\r\nok\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_a_connection_that_the_upstream_gives_up_is_not_used_again(client, server, name):
    used = exchange(client, server, response=NOT_KEPT[name])
    assert ends(used)
    server.open.remove(used)
    expect_new_connection(client, server, used)


# RFC 9112 section 6.1: it may not understand chunks, and would take them for another request.
def test_a_server_of_http_1_0_gets_no_chunked_body(start_gateway, raw_port, upstream, server):
    """The gateway remembers it: that is one which has no other tests."""
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]), Variant(1))
    client = connect(gateway.http_port)
    used = exchange(client, server, response=NOT_KEPT["http-1.0"])
    assert ends(used)
    server.open.remove(used)
    client.send(get("/2").replace(b"GET", b"POST", 1).replace(
        b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"))
    head, _ = client.read_response()
    assert (head.status, head.get("Connection")) == (411, "close")
    assert client.read_ending() == (b"", "end")
    assert upstream.accept().read_ending()[0] == b""


def test_a_body_until_the_end_leaves_the_client_open(client, server):
    client.send(get("/1"))
    used = server.read_request().stream
    used.send(b"HTTP/1.1 200 OK\r\n\r\nok")
    used.close()
    server.open.remove(used)
    head, body = client.read_response()
    assert (head.get("Transfer-Encoding"), head.get("Connection"), body) == ("chunked", None, b"ok")
    expect_new_connection(client, server, used)


def test_interim_responses_do_not_disturb_the_order(client, upstream, server):
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    client.send(get("/1") + get("/2"))
    for _ in range(2):
        serve(server, interim + FINE)
    for _ in range(2):
        assert client.read_head().status == 100
        assert client.read_head().get("Link") == "</a>"
        assert read_open(client) == (200, b"ok")
    assert len(upstream.streams) == 1


def test_servers_that_fail_are_warned_of_a_few_times_each(start_gateway, raw_port, log_of):
    """Nobody listens there."""
    gateway = start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}]))
    log = log_of(gateway)
    requests = 100
    with connect(gateway.http_port) as client:
        client.send(get("/1") * requests)
        assert [read_open(client)[0] for _ in range(requests)] == [502] * requests
    log.wait_many(requests, "request", "status=502")
    warned = [line for line in log.lines("failed") if " warning " in line]
    assert 0 < len(warned) < requests / 2
    assert all("end=upstream-unreachable by=upstream" in line for line in warned)


# Both at once.

def test_trailers_pass_both_ways(client, server):
    client.send(f"POST /1 HTTP/1.1\r\n{HOST}TE: trailers\r\nConnection: TE\r\n"
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Up: 1\r\nX-Also: 2\r\n\r\n"
                .encode() + get("/2"))
    request = serve(server, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
                            b"0\r\nX-Down: 3\r\nContent-Length: 99\r\n\r\n")
    assert (request.seen.body, request.seen.trailers) == ("abc", ("X-Up: 1", "X-Also: 2"))
    assert client.read_head().status == 200
    assert read_plain_chunks(client) == (b"ok", ("X-Down: 3",))
    assert serve(server).target == "/2"
    assert read_open(client) == (200, b"/2")


@pytest.mark.parametrize("framing,rest", [
    ("Content-Length: 100000\r\n\r\nfirst", b"x" * 1000),
    ("Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
], ids=["length", "chunked"])
def test_an_answer_before_the_end_of_the_upload_is_the_last(client, upstream, framing, rest):
    """Neither connection can be used again: what is left of the body would be taken for a head."""
    client.send(f"POST / HTTP/1.1\r\n{HOST}{framing}".encode())
    stream = upstream.accept()
    stream.read_head()
    stream.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nbig\n")
    head, body = client.read_response()
    assert (head.status, head.get("Connection"), body) == (413, "close", b"big\n")
    client.send(rest + get("/victim"))
    assert client.read_ending() == (b"", "end")
    stream.read_ending()
    assert b"/victim" not in stream.received
    assert not select.select([upstream.listener], [], [], 0)[0]
