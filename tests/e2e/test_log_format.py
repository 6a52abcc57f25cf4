"""[log] format, fields and headers: each line of JSON is one, and says what the line of text says."""

import json
import re

import pytest

from support.checking import check_text
from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import FEW, Config
from support.relay import open_relay
from support.reloading import ask
from support.streams import connect
from support.waiting import wait_until

ALWAYS = ["time", "level", "source", "msg"]
# Of a request that a server has answered, in their order.
REQUEST = ["id", "n", "client", "request", "route", "upstream", "status", "request_bytes",
           "response_bytes", "ms", "resends", "end", "by", "cause"]


@pytest.fixture
def site(start_gateway, echo, raw_port, log_of):
    def start(log, variant=FEW[1], **options):
        config = Config({"echo": echo.port, "raw": raw_port},
                        [{"name": "echo", "path": "/", "host": "localhost", "pool": "echo"},
                         {"name": "raw", "path": "/", "host": "raw.test", "pool": "raw"}],
                        log=log, level="debug", **options)
        gateway = start_gateway(config, variant)
        return gateway, log_of(gateway)
    return start


def get(client):
    client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.read_response()[0].status == 200


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def told_in(gateway, log, event, **fields):
    """The first object that has all these."""
    def found():
        for one in objects(log.text()):
            if one["msg"] == event and fields.items() <= one.items():
                return one
        return None
    return wait_until(found, lambda: f"{event} with {fields} in:\n{log.text()}")


def test_a_request_is_an_object(site):
    gateway, log = site({"format": "json"})
    with connect(gateway.http_port) as client:
        client.send(b"GET /bytes?n=7&Token=x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.read_response()[0].status == 200
        port = client.socket.getsockname()[1]
    line = told_in(gateway, log, "request", status=200)
    assert list(line) == ALWAYS + REQUEST
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert (line["level"], line["client"], line["n"]) == ("info", f"127.0.0.1:{port}", 1)
    assert re.fullmatch(r"shard=\d", line["source"])
    assert line["request"] == "GET localhost /bytes?n=7&Token=***"
    assert (line["response_bytes"], line["route"], line["cause"]) == (7, "echo", "")
    assert isinstance(line["ms"], int) and isinstance(line["id"], int)


def test_what_there_is_not_is_null(site):
    gateway, log = site({"format": "json"})
    with connect(gateway.http_port) as client:
        assert ask(client, "/", "nobody.test")[0] == 404
    line = told_in(gateway, log, "request", status=404)
    assert line["route"] is None and line["upstream"] is None


def test_a_websocket_is_an_object_when_it_opens_in_between_and_at_its_end(site, upstream):
    gateway, log = site({"format": "json", "websocket_open": True, "websocket_every": "1s"})
    with connect(gateway.http_port) as client:
        server = open_relay(client, upstream).upstream
        opened = told_in(gateway, log, "websocket-opened", route="raw")
        client.send(frame(TEXT, b"hello"))
        read_frame(server)
        so_far = told_in(gateway, log, "websocket-so-far", client_bytes=5)
        client.send(frame(CLOSE, close_payload(4001, 'b\xffye "x" \u2028')))
        read_frame(server)
        server.send(frame(CLOSE, close_payload(4001), masked=False))
        line = told_in(gateway, log, "websocket", code=4001)
    assert opened["id"] == so_far["id"] == line["id"]
    assert line["reason"] == 'b\xffye "x" \u2028'
    numbers = {key for key, value in line.items() if isinstance(value, int)}
    assert {"client_frames", "client_messages", "client_wire_bytes", "to_client_wire_bytes", "code",
            "upstream_pushed_back_ms", "ms", "n"} <= numbers
    assert (line["client_messages"], line["client_bytes"], line["end"], line["by"]) == (
        1, 5, "done", "client")


HOSTILE = [
    b"GET /\xff\xfe\"\\\x01?access_token=s3cret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00\x01\x02\x03\r\n\r\n",
    b"GET /%FF%00?code=s3cret&x=\"},{\"a\":\" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /" + b"\x80" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xc3\xbc\r\nX: \xe2\x80\xa8\r\n\r\n",
    b"{\"a\": 1}\r\n\r\n",
]


def test_whatever_strangers_send_each_line_is_an_object(site):
    gateway, log = site({"format": "json", "headers": ["User-Agent"]})
    for data in HOSTILE:
        with connect(gateway.http_port) as client:
            client.send(data)
            client.read_to_end() if b"%FF" not in data else client.read_response()
    with connect(gateway.http_port) as client:
        client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\xc3\xbc\"\r\n\r\n")
        assert client.read_response()[0].status == 200
    line = told_in(gateway, log, "request", status=200)
    assert line["header_user_agent"] == "\ufffd\xfc\""
    wait_until(lambda: len([one for one in objects(log.text()) if one["msg"] == "request"])
               == len(HOSTILE) + 1, "a line of each")
    gateway.finish()
    text = gateway.log()
    assert "s3cret" not in text
    everything = objects(text)
    assert all(list(one)[:4] == ALWAYS for one in everything)
    assert {"ready", "stopped", "served"} <= {one["msg"] for one in everything}
    assert all(isinstance(one["requests"], int) for one in everything if one["msg"] == "served")


def test_lines_of_the_start_and_the_end_have_fields(site, upstream):
    gateway, log = site({"format": "json"})
    shards, = [one for one in objects(gateway.log()) if one["msg"] == "shards"]
    assert list(shards) == ALWAYS + ["shards", "receive", "open_files_max", "config"]
    assert isinstance(shards["shards"], int) and shards["config"] == str(gateway.file)
    route, = [one for one in objects(gateway.log()) if one["msg"] == "route" and one["route"] == "raw"]
    assert (route["path"], route["pool"]) == ("/", "raw")
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream).upstream
        relay.send(frame(CLOSE, close_payload(1000), masked=False))
        read_frame(client)
        client.send(frame(CLOSE, close_payload(1000)))
    told_in(gateway, log, "websocket")
    gateway.finish()
    everything = objects(gateway.log())
    ended = next(one for one in everything if one["msg"] == "ended")
    assert (ended["websockets"], ended["done"]) == (1, 1)
    drained = next(one for one in everything if one["msg"] == "drain" and "cut" in one)
    assert list(drained) == ALWAYS + ["requests_finished", "websockets_closed", "websockets_closed_by_peers",
                                      "cut"]


def test_failures_and_their_throttle_are_objects(site):
    gateway, log = site({"format": "json"}, variant=FEW[0])
    for _ in range(15):  # nobody listens at raw_port
        with connect(gateway.http_port) as client:
            assert ask(client, "/?secret=x", "raw.test")[0] == 502
    failed = told_in(gateway, log, "failed", route="raw")
    assert (failed["level"], failed["by"], failed["n"]) == ("warning", "upstream", 1)
    gateway.finish()
    out = [one for one in objects(gateway.log()) if one["msg"] == "left out" and "raw" not in one]
    assert any(isinstance(one["lines"], int) and one["cause"].startswith(failed["end"])
               for one in out), out


def test_the_lines_have_the_fields_that_are_asked_for(site):
    gateway, log = site({"fields": ["status", "request"], "headers": ["User-Agent", "Referer"]})
    with connect(gateway.http_port) as client:
        client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\"b\r\n"
                    b"REFERER: https://a.test/?code=s3cret&b=1\r\nUser-Agent: c\r\n\r\n")
        assert client.read_response()[0].status == 200
    line = log.wait(" request request=")
    assert line.split(" info ")[1].split(" ", 1)[1] == (
        'request request="GET localhost /bytes?n=1" status=200 header_user_agent="a\\"b, c" '
        'header_referer="https://a.test/?code=***&b=1"')


def test_headers_push_nothing_else_out_of_a_line(site):
    names = [f"X-Long-{number}" for number in range(8)]
    gateway, log = site({"headers": names})
    lines = "".join(name + ": " + "\xff" * 600 + "\r\n" for name in names)
    with connect(gateway.http_port) as client:
        client.send(f"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode("latin-1"))
        assert client.read_response()[0].status == 200
    line = log.wait(" request id=", " status=200 ", " end=done by=nobody cause=\"\" header_x_long_0=")
    assert len(line) < 8300


def test_a_header_that_comes_again_and_again_is_told_once(site):
    gateway, log = site({"headers": ["X-Many"]})
    with connect(gateway.http_port) as client:
        client.send(b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: " + b"y" * 500 + b"\r\n" +
                    b"X-Many: z\r\n" * 60 + b"\r\n")
        assert client.read_response()[0].status == 200
    line = log.wait(" request id=", " header_x_many=")
    assert len(line.partition(" header_x_many=")[2]) < 520


def test_text_is_as_it_was(site):
    gateway, log = site({})
    with connect(gateway.http_port) as client:
        get(client)
        get(client)
    line = log.wait(" request id=", " n=2 ")
    assert re.search(r' info shard=\d request id=\d+ n=2 client=127\.0\.0\.1:\d+ '
                     r'request="GET localhost /bytes\?n=1" route=echo upstream=127\.0\.0\.1:\d+ '
                     r'status=200 request_bytes=0 response_bytes=1 ms=\d+ resends=0 end=done '
                     r'by=nobody cause=""$', line)


def test_a_reload_changes_the_form_between_two_lines(start_reloading, echo):
    config = Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}])
    gateway, reloading = start_reloading(config)
    with connect(gateway.http_port) as client:
        get(client)
        config.log = {"format": "json", "fields": ["status"]}
        reloading.write()
        reloading.signal()
        changed = wait_until(lambda: [line for line in gateway.log().splitlines()
                                      if "log.format changed" in line], "the reload")
        assert json.loads(changed[0])["msg"].startswith("reload: generation 2: log.format changed, "
                                                        "log.fields changed")
        get(client)
        line = wait_until(lambda: [line for line in gateway.log().splitlines()
                                   if '"msg":"request"' in line], "an object")[0]
        assert list(json.loads(line)) == ALWAYS + ["status"]
        config.log = {}
        reloading.write()
        reloading.signal()
        reloading.log.wait(" main reload: generation 3")
    forms = [line.startswith("{") for line in gateway.log().splitlines()]
    first = forms.index(True)
    last = len(forms) - forms[::-1].index(True)
    assert all(forms[first:last]), "one form behind the other"


@pytest.mark.parametrize("key, value, words", [
    ("format", '"jsn"', "did you mean 'json'?"),
    ("fields", '["statsu"]', "no line of a request or a WebSocket has a field 'statsu'; did you mean 'status'?"),
    ("fields", '["ms", "ms"]', "'ms' is given twice"),
    ("headers", '["Cookie"]', "'Cookie' is a secret, which belongs in no log"),
    ("headers", '["a b"]', "'a b' must be the name of a header of requests"),
    ("headers", '["X-A", "x_a"]', "'x_a' is given twice"),
    ("headers", str([f"X-{n}" for n in range(9)]).replace("'", '"'), "'headers' may have 8 names, not 9"),
    ("syslog_facility", '"mail"', "'syslog_facility' must be"),
    ("access_file", '"stderr"', "'access_file' is where 'file' leads already: leave it out"),
    ("journald_socket", f'"{"x" * 200}"', "x' "),
])
def test_errors_name_the_key_and_the_cure(tmp_path, echo, key, value, words):
    config = Config({"echo": echo.port}, [{"pool": "echo"}])
    text = config.text() + f"{key} = {value}\n"
    line = len(text.splitlines())
    done = check_text(tmp_path, text)
    assert done.returncode == 1
    assert re.search(rf":{line}:\d+: error: ", done.stderr), done.stderr
    assert words in done.stderr
