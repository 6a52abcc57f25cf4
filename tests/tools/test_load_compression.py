"""gateway-load --compress: permessage-deflate with servers that keep their context and ones that do not, that
decline, that answer what was not offered, and whose messages become too large."""

import os
import re
import socket
import struct
import subprocess
import time
import zlib

import faulty_server
import pytest
from faulty_server import FaultyServer
from measured import run_measured
from raw_server import RawServer
from test_load import FAILED, LIMITED, PASSED, QUICK, UNREACHABLE, USAGE, held, load, over_all, run
from test_load_messages import FAULTS, NUMBERED, SCENARIO, assert_counted_exactly
from websockets.exceptions import NegotiationError
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

FAIR = (PASSED, LIMITED)
SERIOUS = ("lost", "duplicated", "reordered", "unexpected", "unanswered")
NO_CONTEXT = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"
MEMORY_MAX_KIB = 100 * 1024
GATEWAY = """
shards = 1
[[listen]]
address = "unix:{folder}/gateway"
[pool.echo]
servers = ["{echo}"]
[[route]]
pool = "echo"
websocket = {{ compression = "terminate", context_takeover = {keeps}, compress_min = "1B" }}
"""


class KeepsItsContext(ServerPerMessageDeflateFactory):
    """Declines each offer that would have it forget what it has said."""

    def process_request_params(self, params, accepted_extensions):
        if ("server_no_context_takeover", None) in params:
            raise NegotiationError("it keeps its context")
        return super().process_request_params(params, accepted_extensions)


async def echo_all(server, connection):
    async for message in connection:
        server.received += 1
        await connection.send(message)


def head_of(connection):
    """The fields that the client sent, in each version of websockets."""
    return connection.request.headers if hasattr(connection, "request") else connection.request_headers


async def note_extensions(server, connection):
    server.names.append(head_of(connection)["Sec-WebSocket-Extensions"])
    await echo_all(server, connection)


def assert_all_compressed(result, connections):
    assert result["compress"] is True and result["errors"] == {}
    assert over_all(result, "compressed") == over_all(result, "opened") == connections
    assert {name: over_all(result, name) for name in SERIOUS} == dict.fromkeys(SERIOUS, 0)
    assert over_all(result, "received") > 0


@pytest.fixture(name="terminating", params=["false", "true"], ids=["forgets", "keeps"])
def start_terminating(request, echo, tmp_path):
    """The gateway, which compresses for gateway-echo."""
    file = tmp_path / "gateway.conf"
    file.write_text(GATEWAY.format(folder=tmp_path, echo=echo.address, keeps=request.param), encoding="utf-8")
    with open(tmp_path / "log", "wb") as log:
        gateway = subprocess.Popen([os.environ["GATEWAY"], "-c", file], stdout=log, stderr=log)
    path = tmp_path / "gateway"
    deadline = time.monotonic() + 30
    while not answers(path):
        assert gateway.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.01)
    yield f"unix:{path}:/echo"
    gateway.terminate()
    assert gateway.wait(30) == 0, (tmp_path / "log").read_text()


def answers(path):
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


@pytest.mark.parametrize("messages", [
    ["--size", 0], ["--size", 16, "--text"], ["--size", 64, "--text"], ["--size", "20..70k", "--text"],
    ["--size", 300_000], ["--message", NUMBERED],
], ids=["empty", "small", "text", "drawn", "large", "template"])
def test_the_gateway_compresses_for_a_server(terminating, messages):
    result = run(terminating, "--compress", "--connections", 5, "--in-flight", 4, *messages, *QUICK,
                 statuses=FAIR)
    assert_all_compressed(result, 5)
    counts = held(result)["counts"]
    if "--text" in messages and 16 not in messages:
        assert 0 < counts["received_wire_bytes"] < counts["received_bytes"]
        assert 0 < counts["sent_wire_bytes"] < counts["sent_bytes"]


@pytest.mark.parametrize("factory", [ServerPerMessageDeflateFactory(), KeepsItsContext()],
                         ids=["forgets", "keeps"])
@pytest.mark.parametrize("messages", [
    ["--size", "24..9k"], ["--size", "70000", "--text"], ["--message", NUMBERED],
], ids=["sizes", "large", "template"])
@pytest.mark.parametrize("fault, done, counted", FAULTS)
def test_faults_are_counted_exactly(factory, fault, done, counted, messages):
    with FaultyServer(getattr(faulty_server, fault), extensions=[factory]) as server:
        result = run(server.url, "--compress", "--connections", 3, "--in-flight", 8, "--duration", "0.5",
                     "--warm-up", "0", *messages)
    assert_counted_exactly(result, server, done, counted)
    assert over_all(result, "compressed") == over_all(result, "opened") == 3


@pytest.mark.parametrize("bits", [8, 9, 15])
def test_windows_are_kept_to(bits):
    """Python's zlib reads a message that reaches further back than it was told as an error."""
    factory = ServerPerMessageDeflateFactory(server_max_window_bits=max(bits, 9),
                                             client_max_window_bits=bits)
    for size in 200, 40_000:
        with FaultyServer(echo_all, extensions=[factory]) as server:
            result = run(server.url, "--compress", "--text", "--size", size, *QUICK, statuses=FAIR)
        assert_all_compressed(result, 10)
        # With 8 only what a window holds is compressed: zlib has none of its own that is so small.
        compressed = over_all(result, "sent_wire_bytes") < over_all(result, "sent_bytes")
        assert compressed is (bits > 8 or size <= 256)


def test_what_is_offered_and_asked_for():
    with FaultyServer(note_extensions, compression="deflate") as server:
        assert_all_compressed(run(server.url, "--compress", "--connections", 1, *QUICK), 1)
    offer, = server.names
    assert offer.startswith("permessage-deflate; server_no_context_takeover; client_no_context_takeover")


def test_without_the_option_nothing_is_offered():
    def refuse(_server, peer):
        assert b"extensions" not in peer.read_head().lower()

    with RawServer(refuse) as server:
        run(server.url("ws"), "--connections", 1, *QUICK, statuses=(UNREACHABLE,))
        assert server.accepted >= 1


def test_a_scenario_compresses_its_steps(tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("name\nann\nbob\n", encoding="utf-8")
    scenario = tmp_path / "scenario.toml"
    with FaultyServer(faulty_server.log_in, compression="deflate") as server:
        text = "compress = true\n" + SCENARIO.format(url=server.url, users=users)
        scenario.write_text(text, encoding="utf-8")
        result = run("run", scenario)
    assert_all_compressed(result, 5)
    assert sorted(server.names) == ["ann", "ann", "ann", "bob", "bob"]
    assert over_all(result, "sent") == server.received > 0


def test_what_is_published_is_inflated_for_all():
    with FaultyServer(faulty_server.broadcast, compression="deflate") as server:
        result = run(server.url, "--compress", "--pattern", "publish", "--connections", 12, "--rate", 100,
                     "--message", NUMBERED, "--duration", 1, "--warm-up", 0, statuses=FAIR)
    assert_all_compressed(result, 12)
    counts = held(result)["counts"]
    assert counts["delivered"] == pytest.approx(12 * counts["received"], abs=48)


def test_pushes_are_inflated():
    with FaultyServer(faulty_server.flood, compression="deflate") as server:
        result = run(server.url, "--compress", "--pattern", "push", "--connections", 1, *QUICK, statuses=FAIR)
    counts = held(result)["counts"]
    assert counts["received_bytes"] == 1000 * counts["delivered"] > 0 and result["errors"] == {}
    assert 0 < counts["received_wire_bytes"] < 100 * counts["delivered"]


def test_a_server_that_declines_is_loaded_uncompressed():
    with FaultyServer(echo_all) as server:
        answer = load(server.url, "--compress", "--connections", 4, *QUICK)
        result = run(server.url, "--compress", "--connections", 4, "--fail-if", "compressed>0", *QUICK)
    assert "permessage-deflate: 0 of 4 connections" in answer.stdout
    assert result["errors"] == {} and over_all(result, "compressed") == 0
    counts = held(result)["counts"]
    assert counts["received"] > 0 and counts["received_wire_bytes"] == counts["received_bytes"]


def test_the_table_tells_how_much_smaller_messages_were():
    with FaultyServer(echo_all, compression="deflate") as server:
        answer = load(server.url, "--compress", "--connections", 4, "--size", "8k", "--text", *QUICK)
    told = re.search("^permessage-deflate: 4 of 4 connections, compressed (.*):1 out, (.*):1 in$",
                     answer.stdout, re.MULTILINE)
    assert told and all(1 < float(ratio) < 100 for ratio in told.groups()), answer.stdout


@pytest.mark.parametrize("answer, told", [
    (b"x-compress", "Sec-WebSocket-Extensions was not offered"),
    (b"permessage-bzip2", "Sec-WebSocket-Extensions was not offered"),
    (NO_CONTEXT + b", " + NO_CONTEXT, "an extension is agreed on twice"),
    (NO_CONTEXT + b"; client_no_context_takeover", "permessage-deflate has a bad parameter"),
    (NO_CONTEXT + b"; server_max_window_bits=16", "permessage-deflate has a bad parameter"),
    (NO_CONTEXT + b"; client_max_window_bits=7", "permessage-deflate has a bad parameter"),
    (NO_CONTEXT + b"; client_max_window_bits", "permessage-deflate has a bad parameter"),
    (NO_CONTEXT + b"; level=9", "permessage-deflate has a bad parameter"),
    (NO_CONTEXT + b";", "Sec-WebSocket-Extensions is malformed"),
])
def test_an_answer_to_what_was_not_offered_fails_the_upgrade(answer, told):
    def agree(server, peer):
        peer.upgrade(answer)
        peer.connection.recv(1)

    with RawServer(agree) as server:
        result = run(server.url("ws"), "--compress", "--connections", 2, *QUICK, statuses=(UNREACHABLE,))
    assert result["errors"] == {f"upgrade: status 101, {told}": {
        "count": over_all(result, "failed"), "example": server.url("ws")}}
    assert over_all(result, "opened") == over_all(result, "compressed") == 0


def message(payload, first=0xc1):
    """In a frame of a server's that says it is compressed."""
    size = len(payload)
    if size <= 125:
        return struct.pack("!BB", first, size) + payload
    form, mark = ("!BBH", 126) if size < 1 << 16 else ("!BBQ", 127)
    return struct.pack(form, first, mark, size) + payload


def deflated(data):
    codec = zlib.compressobj(wbits=-15)
    return (codec.compress(data) + codec.flush(zlib.Z_SYNC_FLUSH))[:-4]


def close_code(peer):
    """Of the close frame that comes last; the client's other frames are short."""
    while True:
        header = peer.read(2)
        size = header[1] & 0x7f
        key = peer.read(4)
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(peer.read(size)))
        if header[0] == 0x88:
            return struct.unpack("!H", payload[:2])[0]


BOMB = deflated(bytes(65 << 20))


@pytest.mark.parametrize("payload, code, error", [
    (BOMB, 1009, "message too large"),
    (b"\xff" * 100, 1007, "compressed data is not DEFLATE"),
    (BOMB[:1000], 1007, "compressed data is not DEFLATE"),
], ids=["bomb", "noise", "cut"])
def test_a_message_that_cannot_be_inflated_ends_its_connection(payload, code, error):
    codes = []

    def bomb(_server, peer):
        peer.upgrade(NO_CONTEXT)
        peer.connection.sendall(message(payload))
        codes.append(close_code(peer))

    for _ in range(3):  # where the machine has other work, it may be the generator's limit
        codes.clear()
        with RawServer(bomb) as server:
            told, status, peak = run_measured(
                [os.environ["GATEWAY_LOAD"], server.url("ws"), "--compress", "--connections", 2, "--pattern",
                 "push", "--duration", 1, "--warm-up", 0, "--fail-if", f"close.{code}>0", "--fail-if",
                 "closed_by_us!=2", "--fail-if", "errors!=2"])
        if status != LIMITED:
            break
    assert status == FAILED and "no connection was left" in told
    assert "gate " not in told
    assert codes == [code, code] and error in told
    assert 0 < peak < MEMORY_MAX_KIB


def test_a_bomb_in_a_step_fails_it():
    with FaultyServer(faulty_server.replying(bytes(65 << 20)), compression="deflate") as server:
        result = run(server.url, "--compress", "--first", "x", "--connections", 1, *QUICK,
                     statuses=(UNREACHABLE,))
    assert set(result["errors"]) == {"step 1: message too large"}


def test_compressed_messages_without_an_agreement_are_a_violation():
    def send(_server, peer):
        peer.upgrade()
        peer.connection.sendall(message(deflated(b"x")))
        peer.connection.recv(1)

    with RawServer(send) as server:
        result = run(server.url("ws"), "--compress", "--connections", 1, "--pattern", "push", *QUICK,
                     statuses=(FAILED,))
    assert set(result["errors"]) == {"violation: reserved bit set"}


@pytest.mark.parametrize("arguments, told", [
    (["http://127.0.0.1:1/", "--compress"], "--compress: it is for ws:// and wss://"),
    (["ws://127.0.0.1:1/", "--compress", "--header", "sec-websocket-extensions: x"],
     "--compress: it writes the header Sec-WebSocket-Extensions itself"),
])
def test_usage_errors_name_the_option(arguments, told):
    answer = load(*arguments)
    assert (answer.returncode, answer.stdout) == (USAGE, "") and told in answer.stderr
