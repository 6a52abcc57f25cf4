"""Which path a route judges, and which one its server gets: the one that was judged, in every
spelling, with the route's path taken off or not."""

import pytest

from support.frames import KEY
from support.gateway import Config, Variant
from support.streams import connect


@pytest.fixture
def start_with(start_gateway, raw_port):
    """start_with(routes): a gateway with one shard; without an answer they go to the raw server."""
    def start(*routes):
        tables = [route if "answer" in route else {**route, "pool": "raw"} for route in routes]
        return start_gateway(Config({"raw": raw_port}, tables), Variant(1))
    return start


HANDSHAKE = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             f"Sec-WebSocket-Key: {KEY}\r\n")


def ask(client, target, more=""):
    client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n{more}\r\n".encode())


def read_status(client):
    head = client.read_head()
    client.read_body(head)
    return head.status


def passes(client, server, target, more=""):
    """What the server gets for a target, which it answers."""
    ask(client, target, more)
    request = server.read_request()
    server.answer(request)
    assert read_status(client) == 200
    return request.target


def test_a_path_is_matched_and_forwarded_as_it_is_meant(start_with, server):
    gateway = start_with({"path": "/a/b"})
    cases = {"/a/b": "/a/b", "/a/b/": "/a/b/", "/a/b/c?x": "/a/b/c?x", "/a/x/../b": "/a/b",
             "/a/%62": "/a/%62", "/a/./b": "/a/b", "//a///b//": "//a///b//", "/../a/b": "/a/b",
             "/a/b/c/..": "/a/b/", "/x/%2e%2E/a/b": "/a/b", "/a/bc": 404, "/a": 404,
             "/a/b/../c": 404, "/A/b": 404, "/a/b/%2e%2e/c": 404, "/a//b../c": 404,
             "/a%2fb": 404, "/a/b%2fc": 404, "/a/b;c": 404}
    with connect(gateway.http_port) as client:
        for target, expected in cases.items():
            if expected == 404:
                ask(client, target)
                assert read_status(client) == 404, target
            else:
                assert passes(client, server, target) == expected


# What is asked for, and what the server gets while /admin is forbidden; None: nothing, 403.
AROUND_ADMIN = {
    "/admin": None, "/admin/": None, "/admin/x": None, "/admin?x": None,
    "//admin": None, "/x/../admin": None, "///admin//x": None, "/%61dmin": None,
    "/./admin": None, "/%2e%2e/admin": None, "/;/../admin": None, "/admin//..//..": None,
    "http://x.test//admin": None, "http://x.test/x/../admin": None,
    "/admin/..": "/", "/admin/../": "/", "/admin/x/../..": "/", "/admin/%2e%2e": "/",
    "/admin/.%2E/x": "/x", "/x//..//../admin": "/x/admin", "/admin/../administer": "/administer",
    "/admin/..//x": "//x", "http://x.test/admin/..?q": "/?q", "/..": "/",
    "/adminx": "/adminx", "/x/admin": "/x/admin", "/x?/admin": "/x?/admin",
    "/x?/../admin": "/x?/../admin",
}


@pytest.mark.parametrize("more", ["", HANDSHAKE], ids=["request", "handshake"])
def test_what_one_route_forbids_does_not_get_through_another(start_with, server, more):
    gateway = start_with({"path": "/admin", "answer": {"status": 403}}, {"path": "/"})
    with connect(gateway.http_port) as client:
        for target, expected in AROUND_ADMIN.items():
            if expected is None:
                ask(client, target, more)
                assert read_status(client) == 403, target
            else:
                assert passes(client, server, target, more) == expected
    assert server.is_quiet()


@pytest.mark.parametrize("target", ["/a%00b", "/..;x", "/admin/..;/x", "/a/.%2e;x", "/%2e;/admin",
                                    "/a/..%3bx/../b", "http://x.test/.;/admin"])
def test_a_path_that_cannot_be_resolved_is_refused(start_with, upstream, target):
    gateway = start_with({"path": "/"}, {"path": "/a", "strip_prefix": True})
    with connect(gateway.http_port) as client:
        ask(client, target)
        assert read_status(client) == 400
        assert client.read_to_end() == b""
    assert upstream.saw_nothing()


ESCAPED = ["/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/%2e%2e%2fadmin", "/admin%2f..%2f", "/a/..%5Cx"]


def test_escaped_slashes_are_data_where_they_are_kept(start_with, server):
    gateway = start_with({"path": "/admin", "answer": {"status": 403}},
                         {"path": "/", "escaped_slashes": "keep"})
    with connect(gateway.http_port) as client:
        for target in [*ESCAPED, "/a?b%2f"]:
            assert passes(client, server, target) == target


@pytest.mark.parametrize("target", ESCAPED)
def test_escaped_slashes_are_refused_where_the_route_says_so(start_with, server, target):
    gateway = start_with({"path": "/", "escaped_slashes": "refuse"}, {"path": "/kept"})
    with connect(gateway.http_port) as client:
        for kept in ("/kept/a%2fb", "/a%252f?%2f"):
            assert passes(client, server, kept) == kept
        assert passes(client, server, "/x%2fy/../z") == "/z"
        ask(client, target)
        assert read_status(client) == 400
        assert client.read_to_end() == b""
    assert server.is_quiet()


# The route's path, taken off: (sent, what the server gets).

STRIPPED = {
    "exact": ("/api", "/"),
    "exact-with-slash": ("/api/", "/"),
    "below": ("/api/a/b", "/a/b"),
    "query": ("/api/a?b=/api", "/a?b=/api"),
    "exact-with-query": ("/api?t=1", "/?t=1"),
    "rest-is-kept-as-it-was-sent": ("/api/%61%2F//x/?%62", "/%61%2F//x/?%62"),
    "again": ("/api/api", "/api"),
    "other-spelling": ("/%61pi/x?y", "/x?y"),
    "other-spelling-exact": ("/%61pi", "/"),
    "empty-segments-before": ("///api/x", "/x"),
    "empty-segments-behind": ("//api//x//", "//x//"),
    "dots-before": ("/./api/x", "/x"),
    "dots-behind": ("/v/../api/x", "/x"),
    "dots-at-the-end": ("/api/x/..", "/"),
    "out-and-in-again": ("/api/../api/x", "/x"),
    "from-another": ("/apis/../api/x", "/x"),
    "far-out-and-in-again": ("/api/y/../../api/x", "/x"),
    "escaped-slash": ("/api/..%2fadmin", "/..%2fadmin"),
    "absolute-form": ("http://x.test/api/x?y", "/x?y"),
}


@pytest.mark.parametrize("name", STRIPPED)
def test_the_path_of_the_route_is_taken_off(start_with, server, name):
    sent, expected = STRIPPED[name]
    gateway = start_with({"path": "/api", "strip_prefix": True})
    with connect(gateway.http_port) as client:
        assert passes(client, server, sent) == expected
        assert passes(client, server, sent, HANDSHAKE) == expected


@pytest.mark.parametrize("sent", ["/apiary", "/api../admin", "/api/../admin", "/api/%2e%2e/admin",
                                  "/api%2fx", "/api;x/y", "/"])
def test_only_whole_segments_of_the_path_are_taken_off(start_with, upstream, sent):
    gateway = start_with({"path": "/api", "strip_prefix": True})
    with connect(gateway.http_port) as client:
        ask(client, sent)
        assert read_status(client) == 404
    assert upstream.saw_nothing()


@pytest.mark.parametrize("target", ["/", "/x?y", "/api", "//x"])
def test_there_is_nothing_to_take_off_of_any_path(start_with, server, target):
    gateway = start_with({"path": "/", "strip_prefix": True})
    with connect(gateway.http_port) as client:
        assert passes(client, server, target) == target


def test_a_whole_server_is_asked_as_a_whole(start_with, server):
    gateway = start_with({"path": "/", "strip_prefix": True})
    with connect(gateway.http_port) as client:
        for target in ("*", "http://x.test"):
            client.send(f"OPTIONS {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())
            request = server.read_request()
            server.answer(request)
            assert (read_status(client), request.target) == (200, "*")
