"""A collector of OpenTelemetry's spans: OTLP/HTTP with JSON bodies. It takes nothing that is not exactly in the
form of ExportTraceServiceRequest (opentelemetry-proto 1.x, JSON mapping)."""

import http.server
import json
import re
import socketserver
import ssl
import threading

from support.ports import free_port
from support.waiting import wait_until

VALUES = {"stringValue": str, "intValue": str, "boolValue": bool, "arrayValue": dict}


class Span:
    def __init__(self, span, resource):
        assert set(span) <= {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano",
                             "endTimeUnixNano", "attributes", "status"}, span
        assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"]) and int(span["traceId"], 16)
        assert re.fullmatch(r"[0-9a-f]{16}", span["spanId"]) and int(span["spanId"], 16)
        self.trace, self.id = span["traceId"], span["spanId"]
        self.parent = span.get("parentSpanId")
        assert self.parent is None or re.fullmatch(r"[0-9a-f]{16}", self.parent)
        self.name, self.kind = span["name"], span["kind"]
        assert self.kind in range(6) and span["startTimeUnixNano"].isdigit() and span["endTimeUnixNano"].isdigit()
        self.start, self.end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert self.start <= self.end
        self.attributes = attributes_from(span["attributes"])
        self.status = span.get("status", {})
        assert set(self.status) <= {"code", "message"}
        self.resource = resource

    def __getitem__(self, name):
        return self.attributes[name]


def attributes_from(entries):
    attributes = {}
    for entry in entries:
        assert set(entry) == {"key", "value"} and len(entry["value"]) == 1, entry
        (kind, value), = entry["value"].items()
        assert isinstance(value, VALUES[kind]) and entry["key"] not in attributes, entry
        if kind == "intValue":
            value = int(value)
        if kind == "arrayValue":
            value = [each["stringValue"] for each in value["values"]]
        attributes[entry["key"]] = value
    return attributes


def spans_of(body):
    assert set(body) == {"resourceSpans"}
    for one in body["resourceSpans"]:
        resource = attributes_from(one["resource"]["attributes"])
        for scope in one["scopeSpans"]:
            assert set(scope) == {"scope", "spans"} and set(scope["scope"]) == {"name", "version"}
            yield from (Span(span, resource) for span in scope["spans"])


class Collector:
    """`answers`: statuses of the next exports, or functions that play them; then 200 with "{}"."""

    def __init__(self, port=None, certificate=None):
        self.port = port or free_port()
        self.spans, self.faults, self.heads, self.answers = [], [], [], []
        self.let_go = threading.Event()
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.collector = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def close(self):
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        assert not self.faults, self.faults

    def wait(self, count=1, **attributes):
        """The spans with these attributes (dots as __), once there are so many."""
        wanted = {name.replace("__", "."): value for name, value in attributes.items()}

        def found():
            spans = [span for span in list(self.spans)
                     if all(span.attributes.get(name) == value for name, value in wanted.items())]
            return spans if len(spans) >= count else None
        spans = wait_until(found, lambda: f"{count} spans with {wanted} among "
                                          f"{[(span.name, span.attributes) for span in self.spans]}; {self.faults}")
        assert len(spans) == count, [(span.name, span.attributes) for span in spans]
        return spans


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # who cuts a connection is part of a test


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        collector = self.server.collector
        body = self.rfile.read(int(self.headers["Content-Length"]))
        collector.heads.append((self.path, dict(self.headers.items())))
        answer = collector.answers.pop(0) if collector.answers else 200
        if callable(answer):
            return answer(self)
        if answer == 200:
            try:
                assert self.headers["Content-Type"] == "application/json"
                collector.spans += spans_of(json.loads(body))
            except Exception as fault:  # it is the test's, not this thread's
                collector.faults.append(repr(fault))
        return self.say(answer, b"{}" if answer == 200 else b"")

    def say(self, status, body, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass
