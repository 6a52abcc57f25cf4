"""Real applications behind the gateway, and real clients in front of it: pages, uploads, downloads,
server-sent events and long polling, over connections that are kept."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from support.application import COMMANDS, NODE, Application
from support.browser import CHROMIUM, Browser
from support.gateway import Config
from support.relay import run
from support.streams import connect
from support.waiting import DEADLINE, wait_until

FETCH = Path(__file__).with_name("clients") / "fetch.js"
SIZES = [0, 1, 16_384, 1_000_000]
REQUESTS = 200
FRAMINGS = {"length": [], "chunked": ["-H", "Transfer-Encoding: chunked"]}
# HTTP/1.0 has no chunked coding: an application that speaks it need not get such a body.
UPLOADS = [(kind, framing) for kind in COMMANDS for framing in FRAMINGS
           if (kind, framing) != ("python-1.0", "chunked")]


@pytest.fixture(params=COMMANDS)
def app(request, tmp_path):
    if request.param == "node" and NODE is None:
        pytest.skip("needs Node")
    application = Application(request.param, tmp_path)
    yield application
    application.kill()


@pytest.fixture
def front(start_gateway, app):
    return start_gateway(Config({"app": app.port}, [{"pool": "app"}]))


@pytest.fixture(params=["http", "https"])
def base(request, front):
    port = front.http_port if request.param == "http" else front.https_port
    return f"{request.param}://127.0.0.1:{port}"


@pytest.fixture(params=["plain", "tls"])
def listener(request, front):
    """A raw client, which sees each event when it comes."""
    secure = request.param == "tls"
    with connect(front.https_port if secure else front.http_port, secure) as stream:
        yield stream


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("path", ["download", "stream"])
def test_downloads_arrive_whole(curl, base, path):
    for size in SIZES:
        assert curl(f"{base}/{path}?n={size}").stdout == b"d" * size


@pytest.mark.parametrize("app,framing", UPLOADS, indirect=["app"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_uploads_arrive_whole(curl, base, method, framing):
    for size in SIZES:
        data = b"u" * size
        answer = curl("-X", method, *FRAMINGS[framing], "--data-binary", "@-", f"{base}/upload",
                      data=data).stdout
        assert json.loads(answer) == {"bytes": size, "sha256": sha256(data)}


@pytest.mark.parametrize("app", ["node", "python-1.1"], indirect=True)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_upload_begins_when_the_application_asks_for_it(curl, base, framing):
    data = b"u" * 100_000
    answer = curl("-X", "POST", *FRAMINGS[framing], "-H", "Expect: 100-continue",
                  "--expect100-timeout", 600, "--data-binary", "@-", f"{base}/upload",
                  data=data).stdout
    assert json.loads(answer) == {"bytes": len(data), "sha256": sha256(data)}


def test_curl_uses_one_connection_for_many_urls(curl, base):
    paths = ["/page", "/download?n=1000", "/stream?n=1000", "/nothing", "/download?n=3"]
    done = curl("--verbose", *[part for path in paths for part in ("-o", "/dev/null", base + path)])
    told = done.stderr.decode()
    assert told.count("Re-using existing") == len(paths) - 1, told
    assert told.count("Connected to 127.0.0.1") == 1


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_nodes_fetch_uses_its_connections_for_many_requests(base):
    """It may open a second one while it has not seen yet that the first is free again."""
    done = subprocess.run([NODE, FETCH, base, str(REQUESTS)], capture_output=True, text=True,
                          timeout=2 * DEADLINE, check=False,
                          env=os.environ | {"NODE_TLS_REJECT_UNAUTHORIZED": "0"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["connections"] in (1, 2)


def open_events(listener):
    listener.send(b"GET /events HTTP/1.1\r\nHost: x.test\r\nAccept: text/event-stream\r\n\r\n")
    head = listener.read_head()
    assert (head.status, head.get("Content-Type")) == (200, "text/event-stream")
    assert head.get("Transfer-Encoding") == "chunked"


def read_event(listener):
    """The bytes of as many chunks as one event takes."""
    event = b""
    while not event.endswith(b"\n\n"):
        piece = listener.read_chunk()
        assert piece, "the stream ended"
        event += piece
    return event


def test_each_event_arrives_before_the_next_is_sent(app, listener):
    open_events(listener)
    for number in range(20):
        app.publish(f"event {number}")
        assert read_event(listener) == b"data: event %d\n\n" % number


def listen_once(app, listener):
    open_events(listener)
    app.wait_for_state(listeners=1)
    app.publish("one")
    assert read_event(listener) == b"data: one\n\n"


def test_the_application_learns_that_a_listener_was_cut_off(app, listener):
    listen_once(app, listener)
    listener.reset()
    app.wait_for_state(listeners=0)


def test_the_application_learns_that_a_listener_left(app, listener):
    """A FIN alone may still be a client that listens on; what comes then tells."""
    listen_once(app, listener)
    listener.close()

    def has_left():
        app.publish("more")
        return app.state()["listeners"] == 0
    wait_until(has_left, "the application to see that the listener left")


def test_long_polls_are_answered_one_after_the_other(app, listener):
    for number in range(5):
        listener.send(b"GET /poll HTTP/1.1\r\nHost: x.test\r\n\r\n")
        app.wait_for_state(polls=1)
        app.publish(f"news {number}")
        head, body = listener.read_response()
        assert (head.status, body) == (200, b"news %d" % number)
        assert head.get("Connection") is None


def test_the_application_learns_that_a_poll_was_given_up(app, listener):
    listener.send(b"GET /poll HTTP/1.1\r\nHost: x.test\r\n\r\n")
    app.wait_for_state(polls=1)
    listener.reset()
    app.wait_for_state(polls=0)


@pytest.fixture
def browser():
    chromium = Browser()
    yield chromium
    chromium.close()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_uses_the_application(app, front, browser):
    async def use():
        async with browser as page:
            await page.open(f"https://localhost:{front.https_port}/page")
            await page.wait_for("typeof download === 'function'")
            for size in SIZES:
                assert await page.evaluate(f"download({size})") == size
                assert await page.evaluate(f"upload({size})") == {"bytes": size,
                                                                  "sha256": sha256(bytes(size))}
            assert await page.evaluate("listen()")
            for number in range(3):
                app.publish(f"event {number}")
                await page.wait_for(f"events[{number}] === 'event {number}'")
            for number in range(3):
                await page.evaluate("poll()")
                app.wait_for_state(polls=1)
                app.publish(f"news {number}")
                await page.wait_for(f"polled === 'news {number}'")
            await page.evaluate("source.close()")
            app.wait_for_state(listeners=0)
    run(use())
