"""A body under way to each side at once, and answers to requests that are not whole yet."""

import pytest

from conftest import RAW_HOST
from support.gateway import Config, Variant
from support.streams import connect

HOST = f"Host: {RAW_HOST}\r\n"
CHUNKED_RESPONSE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def begin_both_ways(client, upstream):
    """A body under way to each side; the server's stream."""
    client.send(f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                .encode())
    stream = upstream.accept()
    stream.read_until(b"3\r\nabc\r\n")
    stream.send(CHUNKED_RESPONSE + b"2\r\nok\r\n")
    assert client.read_head().status == 200
    assert client.read_chunk() == b"ok"
    return stream


def test_the_trailers_of_a_request_are_not_those_of_its_response(client, upstream):
    stream = begin_both_ways(client, upstream)
    client.send(b"0\r\nX-Up: secret\r\n\r\n")
    assert stream.read_until(b"\r\n\r\n") == b"0\r\nX-Up: secret\r\n\r\n"
    stream.send(b"0\r\n\r\n")
    assert client.read_until(b"\r\n\r\n") == b"0\r\n\r\n"


def test_the_trailers_of_a_response_are_not_those_of_its_request(client, upstream):
    stream = begin_both_ways(client, upstream)
    stream.send(b"3\r\nend\r\n0\r\nX-Down: secret\r\nX-Also: mo")
    assert client.read_chunk() == b"end", "so what is behind it has arrived, too"
    client.send(b"0\r\n\r\n")
    assert stream.read_until(b"\r\n\r\n") == b"0\r\n\r\n"
    stream.send(b"re\r\n\r\n")
    assert client.read_until(b"\r\n\r\n") == \
        b"0\r\nX-Down: secret\r\nX-Also: more\r\n\r\n"


OWN_ANSWERS = {"answer": {"answer": {"body": "own"}},
               "redirect": {"redirect": {"to": "/elsewhere", "status": 307}}}


@pytest.mark.parametrize("name", OWN_ANSWERS)
@pytest.mark.parametrize("framing", ["Content-Length: 10\r\n\r\nhalf",
                                     "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
                         ids=["length", "chunked"])
def test_an_own_answer_before_the_end_of_the_upload_says_that_it_is_the_last(start_gateway, name,
                                                                             framing):
    gateway = start_gateway(Config({"none": 1}, [{"path": "/", **OWN_ANSWERS[name]}]), Variant(1))
    with connect(gateway.http_port) as client:
        client.send(f"POST / HTTP/1.1\r\n{HOST}{framing}".encode())
        head, _ = client.read_response()
        assert (head.status, head.get("Connection")) == ({"answer": 200, "redirect": 307}[name],
                                                         "close")
        client.send(f"GET /victim HTTP/1.1\r\n{HOST}\r\n".encode())
        assert client.read_ending() == (b"", "end")
