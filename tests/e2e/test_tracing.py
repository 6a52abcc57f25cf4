"""[tracing]: spans of requests and WebSockets, at a collector that takes nothing but OTLP's JSON."""

import re
import signal

import pytest

from support.certificates import make_certificate
from support.checking import check_text
from support.collector import Collector
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame, upgrade_request
from support.gateway import FEW, Config
from support.metrics import scrape
from support.reloading import Reloading
from support.streams import connect
from support.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
BROUGHT = f"00-{TRACE}-{PARENT}-01"
FAST = {"interval": "100ms"}


@pytest.fixture
def collector():
    with Collector() as one:
        yield one


@pytest.fixture
def site(start_gateway, echo, raw_port, collector, log_of, tmp_path):
    def start(defaults=None, top=None, log=None, level="debug", raw=None, **tracing):
        config = Config({"echo": echo.port, "raw": raw or raw_port},
                        [{"name": "echo", "path": "/", "pool": "echo"},
                         {"name": "raw", "path": "/", "host": "raw.test", "pool": "raw"},
                         {"name": "off", "path": "/", "host": "off.test", "pool": "echo", "trace": "off"},
                         {"name": "says", "path": "/", "host": "says.test", "answer": {"body": "x"}}],
                        defaults=defaults or {"trace": "create"}, top=top, log=log, level=level,
                        control={"socket": str(tmp_path / "control.sock")},
                        tracing={"endpoint": collector.url, **FAST, **tracing})
        gateway = start_gateway(config, FEW[1])
        return gateway, log_of(gateway)
    return start


def ask(gateway, fields="", host="localhost", target="/headers", secure=False):
    """What the server gets: {name in lower case: [values]}."""
    with connect(gateway.https_port if secure else gateway.http_port, secure) as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
        head, body = client.read_response()
    seen = {"status": head.status}
    for line in body.decode().split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        seen.setdefault(name.lower(), []).append(value)
    return seen


def test_a_request_is_a_span_that_says_what_its_line_says(site, collector):
    gateway, log = site({"trace": "create", "request_id": "create"}, log={"headers": ["User-Agent", "X-Mine"]})
    seen = ask(gateway, "User-Agent: me\r\nX-Mine: 7\r\n", target="/headers?a=1&token=s3cret", secure=True)
    version, trace, parent, flags = seen["traceparent"][0].split("-")
    span, = collector.wait(gateway__route="echo")
    assert (version, flags, span.trace, span.id, span.parent) == ("00", "01", trace, parent, None)
    assert (span.name, span.kind, span.status) == ("GET echo", 2, {})
    assert span["http.request.method"] == "GET" and span["http.response.status_code"] == 200
    assert (span["url.path"], span["url.query"]) == ("/headers", "a=1&token=***")
    assert (span["server.address"], span["client.address"]) == ("localhost", "127.0.0.1")
    assert span["url.scheme"] == "https"
    assert (span["user_agent.original"], span["http.request.header.x-mine"]) == ("me", ["7"])
    assert span["gateway.upstream"] == f"127.0.0.1:{gateway.config.pools['echo']}"
    assert span["gateway.request_id"] == seen["x-request-id"][0]
    assert span["http.response.body.size"] > 0 and span["gateway.end"] == "done"
    assert span.resource["service.name"] == "gateway" and span.resource["process.pid"] == gateway.process.pid
    line = log.wait(f" trace_id={trace} span_id={span.id} status=200")
    assert f" id={span['gateway.connection']} " in line
    (path, head), = collector.heads
    assert path == "/v1/traces" and head["Host"] == f"127.0.0.1:{collector.port}"


def test_a_trace_goes_on_from_the_client_to_the_server(site, collector):
    gateway, _ = site()
    seen = ask(gateway, f"Traceparent: {BROUGHT}\r\ntracestate: a=1\r\n")
    span, = collector.wait()
    assert (span.trace, span.parent) == (TRACE, PARENT)
    assert seen["traceparent"] == [f"00-{TRACE}-{span.id}-01"] and seen["tracestate"] == ["a=1"]
    assert span.id != PARENT


@pytest.mark.parametrize("brought", [f"00-{TRACE}-{PARENT}-00", f"cc-{TRACE}-{PARENT}-02-later"])
def test_who_is_not_sampled_passes_as_he_came(site, collector, brought):
    gateway, log = site()
    seen = ask(gateway, f"traceparent: {brought}\r\n")
    assert seen["traceparent"] == [brought]
    assert "span_id" not in log.wait(f"trace_id={TRACE}")
    ask(gateway, target="/headers?last")
    collector.wait(1)


def test_what_comes_from_a_later_version_goes_on_as_the_first(site, collector):
    gateway, _ = site()
    seen = ask(gateway, f"traceparent: cc-{TRACE}-{PARENT}-09-later\r\n")
    span, = collector.wait()
    assert seen["traceparent"] == [f"00-{TRACE}-{span.id}-01"] and span.parent == PARENT
    # That the trace's id is random is what Level 2 adds to the flags.
    assert ask(gateway, f"traceparent: 00-{TRACE}-{PARENT}-ff\r\n")["traceparent"][0].endswith("-03")


def test_routes_have_traces_or_not(site, collector):
    gateway, _ = site()
    ask(gateway, host="off.test")
    ask(gateway, host="says.test", target="/own")
    span, = collector.wait(gateway__route="says")
    assert span["http.response.status_code"] == 200 and "gateway.upstream" not in span.attributes
    ask(gateway, target="/%zz")  # which is refused before there is a route
    ask(gateway, target="/headers?last")
    collector.wait(1, url__query="last")
    assert "off" not in {span["gateway.route"] for span in collector.spans if "gateway.route" in span.attributes}


def test_only_what_is_passed_is_traced_where_none_is_made(site, collector):
    gateway, _ = site({"trace": "pass"})
    assert "traceparent" not in ask(gateway)
    ask(gateway, f"traceparent: {BROUGHT}\r\n")
    span, = collector.wait()
    assert span.trace == TRACE


def test_a_share_is_sampled_and_the_others_say_so(site, collector):
    gateway, log = site(sample="50%")
    parents = [ask(gateway)["traceparent"][0] for _ in range(60)]
    sampled = {parent.split("-")[1] for parent in parents if parent.endswith("-01")}
    assert 0 < len(sampled) < 60
    # By the last 7 bytes of the id.
    assert sampled == {parent.split("-")[1] for parent in parents if int(parent.split("-")[1][18:], 16) >= 1 << 55}
    assert {span.trace for span in collector.wait(len(sampled))} == sampled
    assert len(log.lines("span_id=")) == len(sampled)


def test_none_is_sampled_but_who_says_so(site, collector):
    gateway, _ = site(sample="0%")
    assert ask(gateway)["traceparent"][0].endswith("-00")
    ask(gateway, f"traceparent: {BROUGHT}\r\n")
    assert collector.wait(1)[0].trace == TRACE


@pytest.mark.parametrize("trusted", [False, True], ids=["stranger", "trusted"])
def test_strangers_decide_nothing_where_that_is_said(site, collector, trusted):
    gateway, _ = site(sample="0%", parent="trusted",
                      top={"trusted_proxies": ["127.0.0.0/8"] if trusted else ["192.0.2.0/24"]})
    seen = ask(gateway, f"traceparent: {BROUGHT}\r\ntracestate: a=1\r\n")
    assert (TRACE in seen["traceparent"][0]) is trusted and ("tracestate" in seen) is trusted
    if trusted:
        assert collector.wait(1)[0].trace == TRACE
    else:
        assert seen["traceparent"][0].endswith("-00")
        gateway.stop()
        assert not collector.spans


def test_a_websocket_is_two_spans(site, collector):
    """Its handshake, once it is open, and its life, once that is over, whether or not there are such lines."""
    gateway, log = site(log={"websocket_open": False})
    with connect(gateway.https_port, True) as client:
        client.send(upgrade_request("/echo", more=f"traceparent: {BROUGHT}\r\n"))
        assert client.read_head().status == 101
        opened, = collector.wait(1)
        assert (opened.name, opened.kind, opened.parent) == ("GET echo", 2, PARENT)
        assert opened["http.response.status_code"] == 101
        for _ in range(3):
            client.send(frame(TEXT, b"hello"))
            read_frame(client)
        client.send(frame(CLOSE, close_payload(4321, "bye")))
        assert read_frame(client).opcode == CLOSE
    life, = collector.wait(1, gateway__code=4321)
    assert (life.name, life.kind, life.trace, life.parent) == ("websocket echo", 1, TRACE, opened.id)
    assert life.id not in (opened.id, PARENT) and life.end >= opened.end
    assert (life["gateway.client_messages"], life["gateway.upstream_messages"]) == (3, 3)
    assert (life["gateway.client_bytes"], life["gateway.by"], life["gateway.reason"]) == (15, "client", "bye")
    line = log.wait(" websocket id=")
    assert f" span_id={opened.id} " in line and not log.lines("websocket-opened")


def test_failures_of_servers_are_errors_and_clients_are_not(site, collector, upstream):
    gateway, _ = site(raw=upstream.port)
    with connect(gateway.http_port) as client:
        client.send(b"GET /x HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        server = upstream.accept()
        server.read_until(b"\r\n\r\n")
        server.send(b"HTTP/1.1 nonsense\r\n\r\n")
        assert client.read_head().status == 502
    failed, = collector.wait(1, gateway__route="raw")
    assert failed.status["code"] == 2 and failed["error.type"] == failed["gateway.end"] == "bad-response"
    assert failed["gateway.cause"] and failed.status["message"] == failed["gateway.cause"]
    with connect(gateway.http_port) as client:
        client.send(b"GET /y HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        upstream.accept().read_until(b"\r\n\r\n")
    left, = collector.wait(1, url__path="/y")
    assert left.status == {} and "http.response.status_code" not in left.attributes


def test_spans_need_no_line_of_the_log(site, collector):
    gateway, _ = site(level="error")
    ask(gateway, target="/headers?quiet")
    collector.wait(1, url__query="quiet")
    assert "quiet" not in gateway.log_since(0)


def test_nobody_waits_for_a_silent_collector(site, collector):
    """What finds no room is dropped and counted, and a stop takes no longer than it may."""
    gateway, log = site(queue=5, timeout="200ms")
    collector.answers = [lambda handler: collector.let_go.wait()] * 100
    for _ in range(20):
        assert ask(gateway)["status"] == 200
    line = log.wait("main tracing endpoint=", "cause=", "the collector takes no spans")
    assert "not a whole answer in time" in line
    wait_until(lambda: scrape(gateway).sum("gateway_spans_dropped_total", cause="queue") >= 10, "drops")
    told = scrape(gateway)
    assert told.sum("gateway_spans_exported_total") == 0 and told.sum("gateway_span_export_failures_total") >= 1
    assert told.sum("gateway_spans_waiting") <= 10, "those of a batch under way among them"
    assert gateway.stop(signal.SIGTERM, seconds=10) == 0


def test_a_collector_that_comes_back_gets_what_waited(site, collector):
    gateway, log = site()
    collector.answers = [503, 429, 200]
    ask(gateway)
    log.wait("main tracing endpoint=", 'cause="status 503"')
    collector.wait(1)
    log.wait("the collector takes spans again")
    assert len(log.lines("main tracing ")) == 2
    told = scrape(gateway)
    assert told.sum("gateway_spans_exported_total") == 1 and told.sum("gateway_span_export_failures_total") == 2
    assert told.sum("gateway_spans_dropped_total") == 0


def test_what_is_refused_or_rejected_is_counted_and_told(site, collector):
    gateway, log = site()
    collector.answers = [400]
    ask(gateway)
    log.wait('cause="status 400" dropped=1')
    collector.answers = [lambda handler: handler.say(
        200, b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}')]
    ask(gateway)
    log.wait("rejected=1", 'cause="too old"')
    told = scrape(gateway)
    assert told.sum("gateway_spans_dropped_total", cause="collector") == 1
    assert told.sum("gateway_spans_dropped_total", cause="rejected") == 1


def test_the_last_spans_are_exported_at_the_end(site, collector):
    gateway, _ = site(interval="60s")
    for number in range(600):
        ask(gateway, host="says.test", target=f"/{number}")
    assert gateway.stop(signal.SIGTERM, seconds=10) == 0
    assert {span["url.path"] for span in collector.spans} == {f"/{number}" for number in range(600)}
    assert len(collector.heads) == 2, "full batches go at once"


def test_a_reload_brings_another_collector_and_takes_it_away(site, collector, log_of):
    gateway, _ = site(service="one")
    reloading = Reloading(gateway, log_of(gateway))
    ask(gateway)
    collector.wait(1)
    with Collector() as other:
        gateway.config.tracing = {"endpoint": other.url, **FAST, "service": "two",
                                  "headers": {"X-Key": "s3cret"}}
        assert "[tracing] changed" in reloading()
        ask(gateway, target="/headers?two")
        span, = other.wait(1, url__query="two")
        assert span.resource["service.name"] == "two"
        assert other.heads[0][1]["X-Key"] == "s3cret"
        gateway.config.tracing = {}
        reloading()
        # The traceparent that is made is as if there had never been any.
        assert ask(gateway)["traceparent"][0].endswith("-01")
        gateway.stop()
        assert len(other.spans) == 1 and len(collector.spans) == 1
    assert "s3cret" not in gateway.log_since(0)


def test_a_collector_of_https_has_to_prove_its_name(site, tmp_path):
    with Collector(certificate=make_certificate(tmp_path, ["localhost"])) as secure:
        gateway, log = site(endpoint=f"https://localhost:{secure.port}/v1/traces")
        ask(gateway)
        assert "TLS failed" in log.wait("main tracing endpoint=https://localhost")
        assert not secure.heads


def test_spans_do_not_cost_who_comes_with_a_hostile_head(site, collector):
    gateway, _ = site()
    hostile = "/\"\\\x7f<%00>" + "a" * 3000
    with connect(gateway.http_port) as client:
        client.send(f"GET {hostile} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \x01\r\n\r\n".encode("latin-1"))
        client.read_head()
    ask(gateway, "X: " + "\xff" * 100 + "\r\n", target="/headers?\"'<>{}|\\^`" + "b" * 2000)
    span, = collector.wait(1, http__response__status_code=200)
    assert span["url.query"].startswith("\"'<>{}|\\^`bbb")


@pytest.mark.parametrize("text, error", [
    ('sample = "200%"', "'sample' must be a share in quotes"),
    ('endpoint = "127.0.0.1:4318"', "must be an URL, such as \"http://127.0.0.1:4318/v1/traces\""),
    ('sampel = "1%"', "did you mean 'sample'?"),
])
def test_errors_name_the_place(text, error, tmp_path):
    config = Config({"app": 1}, [{"pool": "app"}]).text() + f"[tracing]\n{text}\n"
    done = check_text(tmp_path, config)
    assert done.returncode != 0 and error in done.stderr
    assert re.search(rf":{len(config.splitlines())}:\d+: error: ", done.stderr)
