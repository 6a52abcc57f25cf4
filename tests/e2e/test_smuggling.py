"""Request smuggling: whatever a client sends, the gateway and the upstream agree on where each
request ends. A victim's request is pipelined behind every attack; it is either never read, or
reaches the upstream as it was sent, with nothing before or behind it, and gets its own answer."""

import pytest

from support import attacks_on_chunks, attacks_on_framing, attacks_on_heads, attacks_on_hops
from support.attacks import CLOSED, EITHER, OPEN, VICTIM, VICTIM_SEEN
from support.serving import CHUNK_SIZE, Serving, check_own_fields, split_head

PARTS = [attacks_on_framing.CASES, attacks_on_chunks.CASES, attacks_on_heads.CASES,
         attacks_on_hops.CASES]
CASES = {name: case for part in PARTS for name, case in part.items()}
CUT = [name for name, case in CASES.items() if case.cut_body is not None]
WHOLE = [name for name, case in CASES.items() if case.cut_body is None]


def test_no_name_of_a_case_stands_for_two():
    assert len(CASES) == sum(len(part) for part in PARTS) >= 170


def expect_request(server, client, expected, via):
    request = server.read_request()
    assert request.seen == expected
    check_own_fields(request, client, via)
    return request


def serve(server, client, case):
    """Takes what belongs to the attack, and answers it."""
    via = "1.0 gateway" if " HTTP/1.0\r\n" in case.sent else "1.1 gateway"
    answer = case.answer.encode() if case.answer else None
    for expected in case.seen:
        request = expect_request(server, client, expected, via)
        server.answer(request, answer)
        answer, via = None, "1.1 gateway"


def read_answer(client, method="GET"):
    """The status, the body, and whether the connection closes behind it."""
    head = client.read_head()
    body = b"" if method == "HEAD" else client.read_body(head)
    closes = "close" in [option.strip() for option in (head.get("Connection") or "").split(",")]
    return head.status, body, closes


def read_answers(client, case):
    """All answers to the attack; only the last one may close."""
    method = case.sent.lstrip().split(" ")[0]
    for number, status in enumerate(case.statuses):
        got, body, closes = read_answer(client, method if number == 0 else "GET")
        assert got == status, body
        if got == 200 and case.answer is None and number < len(case.seen) and method != "HEAD":
            assert body.decode("latin-1") == case.seen[number].first_line.split(" ")[1]
        assert not closes or number == len(case.statuses) - 1
    return closes


@pytest.mark.parametrize("name", WHOLE)
def test_nobody_takes_the_victims_place(client, upstream, name):
    case = CASES[name]
    server = Serving(upstream)
    client.send(case.bytes_for(client.secure) + VICTIM.encode())
    serve(server, client, case)
    closes = read_answers(client, case)
    assert closes == (case.then == CLOSED) or case.then == EITHER
    if not closes:
        request = expect_request(server, client, VICTIM_SEEN, "1.1 gateway")
        server.answer(request)
        assert read_answer(client) == (200, b"/victim", True)
    assert client.read_ending() == (b"", "end")
    if case.seen or not closes:
        assert server.is_quiet()
    else:
        assert upstream.saw_nothing()


def read_cut_body(rest):
    """The data of chunks in their plainest form, however far they came; never a last one."""
    body = b""
    while b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        assert CHUNK_SIZE.fullmatch(line + b"\r\n"), line
        size = int(line, 16)
        body += rest[:size]
        assert b"\r\n".startswith(rest[size:size + 2])
        rest = rest[size + 2:]
    return body


def check_cut(stream, case):
    received, _ = stream.read_ending()
    if not received:
        return  # the body was seen to be bad before its head was passed on
    head, _, rest = received.partition(b"\r\n\r\n")
    lines, own = split_head(head + b"\r\n\r\n")
    assert (lines[0], tuple(lines[1:])) == (case.seen[0].first_line, case.seen[0].lines)
    assert len(own) == 6, own
    assert case.cut_body.encode().startswith(read_cut_body(rest))


@pytest.mark.parametrize("name", CUT)
def test_a_body_that_breaks_its_framing_never_ends(client, upstream, name):
    case = CASES[name]
    client.send(case.bytes_for(client.secure) + VICTIM.encode())
    status, _, closes = read_answer(client)
    assert (status, closes) == (400, True)
    assert client.read_ending() == (b"", "end")
    if not upstream.saw_nothing():
        check_cut(upstream.accept(), case)
        assert Serving(upstream).is_quiet()


@pytest.mark.parametrize("name", ["cl-te", "te-valid-mixed-case", "cl-2^64+5", "ws-refused-403"])
def test_single_bytes_are_read_like_a_whole(client, upstream, name):
    case = CASES[name]
    server = Serving(upstream)
    attack = case.bytes_for(client.secure)
    for position in range(len(attack)):
        client.send(attack[position:position + 1])
    serve(server, client, case)
    assert read_answers(client, case) == (case.then == CLOSED)
    if case.then == OPEN:
        client.send(VICTIM.encode())
        server.answer(expect_request(server, client, VICTIM_SEEN, "1.1 gateway"))
        assert read_answer(client) == (200, b"/victim", True)
    assert client.read_ending() == (b"", "end")
