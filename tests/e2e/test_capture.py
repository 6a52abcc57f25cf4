"""A capture of one WebSocket: the headers of its frames, as JSON lines and as pcapng."""

import json
import struct
import threading

import pytest

from support.admin import TOKEN, TWO_SHARDS, admin_config, admin_of
from support.frames import BINARY, CLOSE, PING, TEXT, close_payload, frame, read_frame
from support.gateway import FEW
from support.relay import open_echo
from support.streams import connect
from support.waiting import wait_until


@pytest.fixture
def start(start_gateway, tmp_path, echo):
    def begin(variant=TWO_SHARDS, route=None, **admin):
        config = admin_config(tmp_path, {"echo": echo.port}, [{"name": "chat", "pool": "echo", **(route or {})}],
                              admin=admin)
        gateway = start_gateway(config, variant)
        return gateway, admin_of(gateway)
    return begin


class Capture:
    """One that runs: its answer's head is there, so the frames from here on are in it."""

    def __init__(self, admin, number, **body):
        self.manager = admin.connect()
        self.stream = self.manager.__enter__()
        text = json.dumps(body).encode()
        self.stream.send(admin.head("POST", f"/connections/{number}/capture", token=TOKEN, body=text) + text)
        self.head = self.stream.read_head()

    def read(self):
        body = self.stream.read_body(self.head)
        self.manager.__exit__(None, None, None)
        return body

    def lines(self):
        return [json.loads(line) for line in self.read().splitlines()]


def only_id(admin):
    row, = admin.connections("kind=websocket")["connections"]
    return row["id"]


def say(websocket, opcode, payload):
    websocket.send(frame(opcode, payload))
    return read_frame(websocket)


def close(websocket):
    websocket.send(frame(CLOSE, close_payload(1000, "enough")))
    assert read_frame(websocket).opcode == CLOSE


def told(line):
    return line["from"], line["opcode"], line["fin"], line["rsv"], line["masked"], line["bytes"]


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_each_frame_has_a_line_until_the_end(start, variant):
    gateway, admin = start(variant)
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        say(websocket, TEXT, b"before")
        capture = Capture(admin, only_id(admin), **{"for": "1m"})
        assert (capture.head.status, capture.head.get("Content-Type")) == (200, "application/x-ndjson")
        say(websocket, TEXT, b"secret words")
        say(websocket, BINARY, b"y" * 70000)
        websocket.send(frame(TEXT, b"in ", fin=False) + frame(0, b"two"))
        while not read_frame(websocket).fin:
            pass
        close(websocket)
        lines = capture.lines()
    times = [line.pop("time") for line in lines]
    assert times == sorted(times)
    from_client = [told(line) for line in lines if line["from"] == "client"]
    assert from_client == [("client", "text", True, 0, True, 12), ("client", "binary", True, 0, True, 70000),
                           ("client", "text", False, 0, True, 3), ("client", "continuation", True, 0, True, 3),
                           ("client", "close", True, 0, True, 8)]
    from_upstream = [line for line in lines if line["from"] == "upstream"]
    assert sum(line["bytes"] for line in from_upstream if line["opcode"] != "close") == 12 + 70000 + 6
    assert not any(line["masked"] for line in from_upstream)
    assert all("payload" not in line for line in lines)


def test_it_begins_with_a_frame_in_the_middle_of_one(start):
    gateway, admin = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        whole = frame(BINARY, b"z" * 1000) + frame(TEXT, b"next")
        websocket.send(whole[:500])
        wait_until(lambda: admin.get(f"/connections/{only_id(admin)}")["from_client"]["wire_bytes_from"] >= 500,
                   "the first half")
        capture = Capture(admin, only_id(admin))
        websocket.send(whole[500:])
        assert read_frame(websocket).payload == b"z" * 1000
        assert read_frame(websocket).payload == b"next"
        close(websocket)
        lines = capture.lines()
    assert [told(line)[1:] for line in lines if line["from"] == "client"][0] == ("text", True, 0, True, 4)


def test_payload_is_there_only_where_it_may_be(start):
    gateway, admin = start(capture_payload=True)
    with connect(gateway.https_port, True) as websocket:
        open_echo(websocket)
        capture = Capture(admin, only_id(admin))
        say(websocket, TEXT, "käme".encode())
        say(websocket, BINARY, b"\xff\x00" * 4000)
        close(websocket)
        lines = capture.lines()
    text = next(line for line in lines if line["from"] == "client" and line["opcode"] == "text")
    assert (text["payload"], text["payload_whole"]) == ("käme", True)
    binary = next(line for line in lines if line["from"] == "client" and line["opcode"] == "binary")
    assert binary["payload_whole"] is False and len(binary["payload"]) <= 4096


def blocks_of(data):
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert length % 4 == 0 and struct.unpack_from("<I", data, length - 4)[0] == length
        yield kind, data[8:length - 4]
        data = data[length:]


def test_pcapng_has_a_packet_for_each_frame(start):
    gateway, admin = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        capture = Capture(admin, only_id(admin), format="pcapng")
        assert capture.head.get("Content-Type") == "application/x-pcapng"
        say(websocket, TEXT, b"x" * 300)
        close(websocket)
        section, interface, *packets = blocks_of(capture.read())
    assert section[0] == 0x0A0D0D0A and section[1][:4] == b"\x4d\x3c\x2b\x1a"
    assert interface[0] == 1 and struct.unpack_from("<H", interface[1])[0] == 252
    assert len(packets) == 4 and all(kind == 6 for kind, _ in packets)
    _, _, _, captured, original = struct.unpack_from("<IIIII", packets[0][1])
    data = packets[0][1][20:20 + captured]
    assert data.startswith(b"\x00\x0c\x00\x0cwebsocket\0\0\0\0\0\0\0")
    header = data[20:]
    assert header[:4] == b"\x81\xfe" + (300).to_bytes(2, "big") and original == 20 + len(header) + 300


def test_its_time_ends_it_and_nothing_else_is_changed(start):
    gateway, admin = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        capture = Capture(admin, only_id(admin), **{"for": "100ms"})
        assert capture.lines() == []
        assert say(websocket, TEXT, b"on it goes").payload == b"on it goes"


def test_who_leaves_ends_it_and_a_second_one_takes_over(start):
    gateway, admin = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        first = Capture(admin, only_id(admin), **{"for": "5m"})
        say(websocket, TEXT, b"one")
        second = Capture(admin, only_id(admin), **{"for": "5m"})
        assert {line["bytes"] for line in first.lines()} == {3}
        say(websocket, TEXT, b"four")
        second.stream.close()
        for _ in range(3):
            say(websocket, TEXT, b"nobody looks")
        close(websocket)


def test_what_comes_faster_than_it_is_taken_is_counted(start):
    gateway, admin = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        capture = Capture(admin, only_id(admin), **{"for": "5m"})
        # In one turn of the loop each way, or nearly: more than can wait.
        count = 20000
        reader = threading.Thread(target=lambda: [read_frame(websocket) for _ in range(count)])
        reader.start()
        websocket.send(frame(TEXT, b"x") * count)
        reader.join()
        close(websocket)
        lines = capture.lines()
    lost = sum(line.get("lost", 0) for line in lines)
    frames = [line for line in lines if "opcode" in line]
    assert len(frames) + lost == 2 * count + 2
    assert lost > 0


@pytest.mark.parametrize("body, status, says", [
    ({"for": "soon"}, 400, "for: "), ({"for": "11m"}, 400, "for: "), ({"format": "pcap"}, 400, "format: "),
    ({"for": 10}, 400, "for: "), ({"nonsense": 1}, 400, "nonsense")])
def test_bad_ones_are_refused(start, body, status, says):
    gateway, admin = start()
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        number = only_id(admin)
        answer = admin.post(f"/connections/{number}/capture", body)
        assert answer.status == status and says in answer.error()
        assert admin.post(f"/connections/{number}/capture", token="x" * 20).status == 401
        assert admin.post("/connections/4711/capture").status == 404
        with connect(gateway.http_port, False):
            wait_until(lambda: admin.connections("kind=idle")["connections"], "an idle one")
            idle = admin.connections("kind=idle")["connections"][0]["id"]
            assert admin.post(f"/connections/{idle}/capture").status == 409


def test_control_frames_are_seen_too(start):
    gateway, admin = start(route={"websocket": {"ping": "1s"}})
    with connect(gateway.http_port, False) as websocket:
        open_echo(websocket)
        capture = Capture(admin, only_id(admin))
        websocket.send(frame(PING, b"hello"))
        while read_frame(websocket).opcode != 10:
            pass
        close(websocket)
        assert ("client", "ping", True, 0, True, 5) in [told(line) for line in capture.lines()]
