"""What a route does: answers, redirects, changes heads."""

import pytest

from support.frames import upgrade_request
from support.gateway import Config, Variant
from support.streams import connect


@pytest.fixture
def start_with(start_gateway, raw_port):
    """start_with(routes): a gateway with one shard; without an action they go to the raw server."""
    def start(*routes, **options):
        actions = ("answer", "redirect", "pool")
        tables = [route if any(key in route for key in actions) else {**route, "pool": "raw"}
                  for route in routes]
        return start_gateway(Config({"raw": raw_port}, tables, **options), Variant(1))
    return start


def ask(client, target="/", method="GET", more="", host="x.test", body=""):
    client.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n{body}".encode())


def read_answer(client, method="GET"):
    head = client.read_head()
    bodiless = method == "HEAD" or head.status in (204, 304)
    return head, b"" if bodiless else client.read_body(head)


# Answers.

ANSWERS = {
    "defaults": ({}, 200, "text/plain; charset=utf-8", b""),
    "all": ({"status": 503, "body": "<p>gl\u00fcck</p>", "type": "text/html; charset=utf-8"}, 503,
            "text/html; charset=utf-8", "<p>gl\u00fcck</p>".encode()),
    "404": ({"status": 404, "body": "gone\r\n\r\n"}, 404, "text/plain; charset=utf-8",
            b"gone\r\n\r\n"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_as_configured_and_the_connection_stays(start_with, name):
    table, status, media_type, expected = ANSWERS[name]
    gateway = start_with({"answer": table})
    with connect(gateway.http_port) as client:
        for _ in range(2):
            ask(client)
            head, body = read_answer(client)
            assert (head.status, body) == (status, expected)
            assert head.get("Content-Type") == media_type
            assert head.get("Connection") is None


def test_an_answer_to_head_tells_the_length_and_has_no_body(start_with):
    gateway = start_with({"answer": {"body": "seven77"}})
    with connect(gateway.http_port) as client:
        ask(client, method="HEAD")
        ask(client)
        head, _ = read_answer(client, "HEAD")
        assert (head.status, head.get("Content-Length")) == (200, "7")
        assert read_answer(client)[1] == b"seven77"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_type_either(start_with, status):
    gateway = start_with({"answer": {"status": status}})
    with connect(gateway.http_port) as client:
        for _ in range(2):
            ask(client)
            head, _ = read_answer(client)
            assert head.status == status
            assert head.get("Content-Type") is None and head.get("Content-Length") is None


INNER = b"GET /inner HTTP/1.1\r\nHost: x.test\r\n\r\n"
WITH_INNER = (b"POST /own HTTP/1.1\r\nHost: x.test\r\nContent-Length: %d\r\n\r\n" % len(INNER))


def start_answering(start_with):
    return start_with({"path": "/own", "answer": {"body": "own"}}, {"path": "/"})


def test_the_body_of_a_request_that_is_answered_is_no_request(start_with, upstream):
    gateway = start_answering(start_with)
    with connect(gateway.http_port) as client:
        for _ in range(3):
            client.send(WITH_INNER + INNER)
            head, body = read_answer(client)
            assert (head.status, head.get("Connection"), body) == (200, None, b"own")
    assert upstream.saw_nothing()


def test_a_body_that_comes_behind_its_answer_is_no_request_either(start_with, upstream):
    """The answer tells whether the connection stays."""
    gateway = start_answering(start_with)
    with connect(gateway.http_port) as client:
        client.send(WITH_INNER)
        head, body = read_answer(client)
        assert (head.status, body) == (200, b"own")
        client.send(INNER + WITH_INNER + INNER)
        if head.get("Connection") == "close":
            assert client.read_ending()[0] == b""
        else:
            assert read_answer(client)[1] == b"own"
    assert upstream.saw_nothing()


def test_an_answer_has_the_fields_that_its_route_adds(start_with):
    gateway = start_with({"answer": {"body": "x"}, "response_headers": {
        "set": {"Cache-Control": "no-store"}, "add": {"X-Two": ["1", "2"]}}})
    with connect(gateway.http_port) as client:
        ask(client)
        head, _ = read_answer(client)
        assert head.get("Cache-Control") == "no-store"
        assert head.all("X-Two") == ["1", "2"]


def test_a_type_that_its_route_sets_is_the_only_one(start_with):
    gateway = start_with({"answer": {"body": "{}"},
                          "response_headers": {"set": {"Content-Type": "application/json"}}})
    with connect(gateway.http_port) as client:
        ask(client)
        assert read_answer(client)[0].all("Content-Type") == ["application/json"]


# Methods.

def refused_method(client, server, method, allowed, body=""):
    """With its body in the same write: an answer that overtakes its body ends the connection."""
    ask(client, "/", method, f"Content-Length: {len(body)}\r\n" if body else "", body=body)
    head, text = read_answer(client, method)
    assert (head.status, head.get("Connection")) == (405, None)
    assert head.get("Allow") == allowed
    assert method == "HEAD" or text == b"405 Method Not Allowed\nThis method is not allowed here.\n"
    assert server.is_quiet()


def passed_method(client, server, method):
    ask(client, "/", method)
    request = server.read_request()
    assert request.method == method
    server.answer(request)
    assert read_answer(client, method)[0].status == 200


def test_a_route_passes_the_methods_that_it_lists(start_with, server, log_of):
    gateway = start_with({"methods": ["GET", "PURGE"]})
    log = log_of(gateway)
    with connect(gateway.http_port) as client:
        for method in ("GET", "PURGE"):
            passed_method(client, server, method)
        for method in ("HEAD", "POST", "get", "TRACE", "OPTIONS"):
            refused_method(client, server, method, "GET, PURGE")
        refused_method(client, server, "PUT", "GET, PURGE", body="GET / HTTP/1.1\r\n\r\n")
        passed_method(client, server, "GET")
    log.wait("PUT", "status=405", "end=method-not-allowed", "by=gateway")


def test_trace_passes_only_where_it_is_listed(start_with, server):
    allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    gateway = start_with({"path": "/"}, {"path": "/traced", "methods": "TRACE"})
    with connect(gateway.http_port) as client:
        refused_method(client, server, "TRACE", allowed)
        passed_method(client, server, "PURGE")
        ask(client, "/traced", "TRACE")
        request = server.read_request()
        assert request.seen.first_line == "TRACE /traced HTTP/1.1"
        server.answer(request)
        assert read_answer(client)[0].status == 200
        ask(client, "/traced", "GET")
        assert read_answer(client)[0].get("Allow") == "TRACE"


@pytest.mark.parametrize("action", [{"answer": {"body": "own"}}, {"redirect": {"to": "/b"}}],
                         ids=["answer", "redirect"])
def test_methods_are_for_every_action(start_with, server, action):
    gateway = start_with({"methods": ["GET"], **action})
    with connect(gateway.http_port) as client:
        refused_method(client, server, "POST", "GET")
        ask(client)
        assert read_answer(client)[0].status in (200, 308)


def test_a_websocket_is_asked_for_with_get(start_with, server):
    gateway = start_with({"methods": ["POST"]})
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/", "x.test") + b"\x81\x80GET / HTTP/1.1\r\n\r\n")
        head, _ = read_answer(client)
        assert (head.status, head.get("Connection")) == (405, "close")
        assert client.read_ending()[0] == b"", "what is behind it may be frames"
        assert server.is_quiet()


# Redirects.

REDIRECTS = {
    "host-and-target": ("https://{host}{target}", "/a/b?c=%20d&e", "x.test:81",
                        "https://x.test/a/b?c=%20d&e"),
    "host-and-another-port": ("https://{host}:8443{target}", "/a", "x.test:81",
                              "https://x.test:8443/a"),
    "host-of-v6": ("https://{host}{target}", "/a", "[::1]:81", "https://[::1]/a"),
    "authority": ("http://{authority}/b{target}", "/a", "x.test:81", "http://x.test:81/b/a"),
    "authority-without-a-port": ("http://{authority}{target}", "/a", "x.test", "http://x.test/a"),
    "the-scheme-that-was-used": ("//{authority}{target}", "/a", "x.test:81", "//x.test:81/a"),
    "a-path-stays-one": ("/{target}", "/evil.test", "x.test", "/evil.test"),
    "slashes-stay-a-path": ("/{target}", "//evil.test/", "x.test", "/evil.test/"),
    "a-backslash-is-a-slash-to-browsers": ("/{target}", "/\\evil.test", "x.test", "/evil.test"),
    "inner-slashes-stay": ("/a{target}", "//b", "x.test", "/a//b"),
    "another-host-with-two-slashes": ("https://new.test{target}", "//evil.test", "x.test",
                                      "https://new.test//evil.test"),
    "target-alone": ("https://new.test{target}", "/?q", "x.test", "https://new.test/?q"),
    "target-is-what-is-meant": ("https://new.test{target}", "/a/../b//%63?/../", "x.test",
                                "https://new.test/b//%63?/../"),
    "no-placeholder": ("/elsewhere", "/a?b", "x.test", "/elsewhere"),
    "twice": ("https://new.test/?from={host}&at={target}&again={host}", "/a", "x.test",
              "https://new.test/?from=x.test&at=/a&again=x.test"),
    "a-placeholder-in-a-target-is-text": ("https://new.test{target}{host}", "/{host}", "x.test",
                                          "https://new.test/{host}x.test"),
    "absolute-form": ("https://new.test{target}", "http://x.test/a?b", "x.test",
                      "https://new.test/a?b"),
}


@pytest.mark.parametrize("name", REDIRECTS)
def test_a_redirect_leads_where_it_says(start_with, name):
    to, target, host, expected = REDIRECTS[name]
    gateway = start_with({"redirect": {"to": to}})
    with connect(gateway.http_port) as client:
        for method in ("GET", "HEAD"):
            ask(client, target, method, host=host)
            head, _ = read_answer(client, method)
            assert (head.status, head.get("Location")) == (308, expected)
            assert head.get("Connection") is None


@pytest.mark.parametrize("to", ["https://{host}{target}", "//{authority}{target}",
                                "https://www.{host}/"])
def test_nobody_is_redirected_to_no_host(start_with, to):
    gateway = start_with({"redirect": {"to": to}})
    with connect(gateway.http_port) as client:
        client.send(b"GET /a HTTP/1.0\r\n\r\n")
        head, body = read_answer(client)
        assert (head.status, head.get("Location")) == (400, None)
        assert body == b"400 Bad Request\nno host to redirect to\n"


def test_who_names_no_host_is_redirected_where_none_is_needed(start_with):
    gateway = start_with({"redirect": {"to": "/new?from={host}"}})
    with connect(gateway.http_port) as client:
        client.send(b"GET /a HTTP/1.0\r\n\r\n")
        assert read_answer(client)[0].get("Location") == "/new?from="


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_status_of_a_redirect(start_with, status):
    gateway = start_with({"redirect": {"to": "/new", "status": status}})
    with connect(gateway.http_port) as client:
        ask(client, method="POST", more="Content-Length: 0\r\n")
        assert read_answer(client)[0].status == status


def test_a_redirect_has_the_fields_that_its_route_adds(start_with):
    gateway = start_with({"redirect": {"to": "/new"}, "response_headers": {
        "set": {"X-Set": "1"}, "add": {"X-Add": "2"}}})
    with connect(gateway.http_port) as client:
        ask(client)
        head, _ = read_answer(client)
        assert (head.get("X-Set"), head.get("X-Add")) == ("1", "2")


# Heads that are changed on their way.

CHANGES = {"remove": ["X-Gone", "User-Agent"], "set": {"X-Set": "ours", "X-New": "new"},
           "add": {"X-Add": ["one", "two"]}}
SENT = ("X-Gone: 1\r\nx-gone: 2\r\nX-Set: theirs\r\nx-set: also\r\nX-Add: zero\r\nX-Kept: kept\r\n")


def check_changes(fields):
    """`fields`: the values of a name."""
    assert fields("X-Gone") == []
    assert fields("X-Set") == ["ours"]
    assert fields("X-New") == ["new"]
    assert fields("X-Add") == ["zero", "one", "two"]
    assert fields("X-Kept") == ["kept"]


def values(request):
    """Of a request at the server: the values of a name."""
    def all_of(name):
        lines = [line.split(": ", 1) for line in (*request.seen.lines, *request.own)]
        return [value for key, value in lines if key.lower() == name.lower()]
    return all_of


def test_a_requests_head_is_changed(start_with, server):
    gateway = start_with({"request_headers": CHANGES})
    with connect(gateway.http_port) as client:
        for _ in range(2):
            ask(client, more=SENT + "User-Agent: me\r\n")
            request = server.read_request()
            check_changes(values(request))
            assert values(request)("User-Agent") == []
            assert values(request)("Host") == ["x.test"]
            server.answer(request)
            assert read_answer(client)[0].status == 200


def test_a_responses_head_is_changed(start_with, server):
    gateway = start_with({"response_headers": {**CHANGES, "remove": ["X-Gone", "Server"]}})
    with connect(gateway.http_port) as client:
        for _ in range(2):
            ask(client)
            server.answer(server.read_request(), b"HTTP/1.1 200 OK\r\nServer: secret/1.0\r\n"
                          + SENT.encode() + b"Content-Length: 2\r\n\r\nok")
            head, body = read_answer(client)
            assert body == b"ok"
            check_changes(head.all)
            assert head.get("Server") is None


OWNED = "X-Gone: 1\r\nx_gone: 2\r\nX-SET: 3\r\nX_Set: 4\r\n"
FREE = ("X-Add: 5", "X-Checksum: 6")
TRAILERS = OWNED + "".join(f"{line}\r\n" for line in FREE)
CHUNKS = f"2\r\nok\r\n0\r\n{TRAILERS}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("announced", ["", "Trailer: X-Set, X-Checksum\r\n"], ids=["", "announced"])
def test_trailers_do_not_get_past_a_requests_changes(start_with, server, announced):
    gateway = start_with({"request_headers": CHANGES})
    with connect(gateway.http_port) as client:
        ask(client, method="POST", more=CHUNKED + announced)
        client.send(CHUNKS.encode())
        request = server.read_request()
        assert (request.seen.body, request.seen.trailers) == ("ok", FREE)
        server.answer(request)
        assert read_answer(client)[0].status == 200


@pytest.mark.parametrize("announced", ["", "Trailer: X-Set, X-Checksum\r\n"], ids=["", "announced"])
def test_trailers_do_not_get_past_a_responses_changes(start_with, server, announced):
    gateway = start_with({"response_headers": CHANGES})
    with connect(gateway.http_port) as client:
        ask(client)
        request = server.read_request()
        server.answer(request, f"HTTP/1.1 200 OK\r\n{CHUNKED}{announced}\r\n".encode())
        assert client.read_head().get("Trailer") == ("X-Checksum" if announced else None)
        server.answer(request, CHUNKS.encode())
        assert client.read_chunk() == b"ok"
        lines = client.read_until(b"\r\n\r\n").decode().split("\r\n")
        assert lines == ["0", *FREE, "", ""]


def test_early_hints_do_not_get_past_a_responses_changes(start_with, server):
    gateway = start_with({"response_headers": CHANGES})
    with connect(gateway.http_port) as client:
        ask(client)
        request = server.read_request()
        server.answer(request, f"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n{SENT}\r\n".encode())
        assert client.read_head().fields == [("Link", "</a>"), ("X-Add", "zero"),
                                             ("X-Kept", "kept")]
        server.answer(request)
        assert read_answer(client)[0].status == 200


def test_a_servers_426_says_what_it_asks_for(start_with, server):
    gateway = start_with({})
    with connect(gateway.http_port) as client:
        ask(client)
        server.answer(server.read_request(), b"HTTP/1.1 426 Upgrade Required\r\n"
                      b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n")
        head, _ = read_answer(client)
        assert (head.status, head.get("Upgrade"), head.get("Connection")) == (426, "websocket",
                                                                              "Upgrade")


def test_the_host_may_be_replaced(start_with, server):
    gateway = start_with({"request_headers": {"set": {"Host": "app.internal:81"}}})
    with connect(gateway.http_port) as client:
        ask(client)
        request = server.read_request()
        assert values(request)("Host") == ["app.internal:81"]
        assert values(request)("X-Forwarded-Host") == ["x.test"]
        server.answer(request)
        assert read_answer(client)[0].status == 200


def test_what_the_gateway_tells_may_be_removed(start_with, server):
    told = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
            "Forwarded", "Via"]
    gateway = start_with({"request_headers": {"remove": told}})
    with connect(gateway.http_port) as client:
        ask(client, more="".join(f"{name}: mine\r\n" for name in told))
        request = server.read_request()
        assert request.own == []
        server.answer(request)
        assert read_answer(client)[0].status == 200


def test_the_changes_of_one_route_are_not_those_of_another(start_with, server):
    gateway = start_with({"path": "/a", "request_headers": {"set": {"X-Route": "a"}}},
                         {"path": "/b", "request_headers": {"set": {"X-Route": "b"}}})
    with connect(gateway.http_port) as client:
        for path, expected in {"/a": ["a"], "/b": ["b"], "/a/b": ["a"]}.items():
            ask(client, path)
            request = server.read_request()
            assert values(request)("X-Route") == expected
            server.answer(request)
            assert read_answer(client)[0].status == 200
