"""Fields on their way through: what is kept, what is replaced, what is meant for one hop only."""

from conftest import RAW_HOST

HOP_BY_HOP = {
    "Keep-Alive": "timeout=5", "Proxy-Connection": "keep-alive", "TE": "gzip",
    "X-Private": "1", "X-Also-Private": "2",
}


def exchange(client, upstream, request_fields="", response_fields="", request_line=None):
    """One request: what the upstream got, and what the client."""
    request_line = request_line or "GET /path?query=1&x=%2F HTTP/1.1"
    client.send(f"{request_line}\r\nHost: {RAW_HOST}\r\n{request_fields}\r\n".encode())
    server = upstream.accept()
    request = server.read_head()
    server.send(f"HTTP/1.1 200 Very Well\r\nContent-Length: 2\r\n{response_fields}\r\nok".encode())
    response = client.read_head()
    assert client.read_exactly(2) == b"ok"
    return request, response


def lines(fields):
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items())


def test_the_request_line_and_the_host_are_kept(client, upstream):
    request, _ = exchange(client, upstream)
    assert request.first_line == "GET /path?query=1&x=%2F HTTP/1.1"
    assert request.get("Host") == RAW_HOST


def test_the_host_keeps_its_port_and_its_case(client, upstream):
    client.send(b"GET / HTTP/1.1\r\nhOsT: RAW.Test:8443\r\n\r\n")
    server = upstream.accept()
    assert server.read_head().get("Host") == "RAW.Test:8443"
    server.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert client.read_head().status == 204


def test_the_upstream_learns_who_asked_and_how(client, upstream):
    request, _ = exchange(client, upstream)
    assert request.get("X-Forwarded-For") == "127.0.0.1"
    assert request.get("X-Forwarded-Proto") == ("https" if client.secure else "http")
    assert request.get("X-Forwarded-Host") == RAW_HOST


def test_what_the_client_says_of_itself_is_not_believed(client, upstream):
    claims = {"X-Forwarded-For": "10.9.8.7", "x-forwarded-proto": "gopher",
              "X-FORWARDED-HOST": "evil.test", "Forwarded": "for=10.9.8.7"}
    request, _ = exchange(client, upstream, lines(claims))
    assert request.get("X-Forwarded-For") == "127.0.0.1"
    assert request.get("X-Forwarded-Proto") in ("http", "https")
    assert request.get("X-Forwarded-Host") == RAW_HOST
    values = " ".join(value for _, value in request.fields)
    assert "10.9.8.7" not in values and "gopher" not in values and "evil" not in values


def test_fields_for_one_hop_are_not_passed_to_the_upstream(client, upstream):
    fields = HOP_BY_HOP | {"Connection": "keep-alive, X-Private, te , x-also-private",
                           "Upgrade": "h2c", "X-Public": "yes"}
    request, _ = exchange(client, upstream, lines(fields))
    for name in [*HOP_BY_HOP, "Upgrade"]:
        assert request.get(name) is None, name
    assert request.get("X-Public") == "yes"
    assert "private" not in (request.get("Connection") or "").lower()


def test_fields_for_one_hop_are_not_passed_to_the_client(client, upstream):
    fields = HOP_BY_HOP | {"Connection": "X-Private, x-also-private", "X-Public": "yes"}
    _, response = exchange(client, upstream, response_fields=lines(fields))
    for name in HOP_BY_HOP:
        assert response.get(name) is None, name
    assert response.get("X-Public") == "yes"
    assert response.get("Connection") is None


def test_trailers_for_one_hop_are_not_passed_to_the_client(client, upstream):
    """However late they come behind the head that names them."""
    client.send(f"GET / HTTP/1.1\r\nHost: {RAW_HOST}\r\n\r\n".encode())
    server = upstream.accept()
    server.read_head()
    server.send(b"HTTP/1.1 200 OK\r\nConnection: X-Private\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert client.read_head().status == 200
    server.send(b"2\r\nok\r\n")
    assert client.read_chunk() == b"ok"
    server.send(b"0\r\nX-Private: 1\r\nX-Public: 2\r\n\r\n")
    assert client.read_until(b"\r\n\r\n") == b"0\r\nX-Public: 2\r\n\r\n"


def test_fields_that_end_the_message_cannot_be_named_away(client, upstream):
    client.send(f"POST / HTTP/1.1\r\nHost: {RAW_HOST}\r\nConnection: content-length, host\r\n"
                "Content-Length: 5\r\n\r\nhello".encode())
    server = upstream.accept()
    head, body = server.read_response()
    assert (head.get("Host"), body) == (RAW_HOST, b"hello")
    server.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert client.read_head().status == 204


def test_other_fields_keep_their_order_their_case_and_their_number(client, upstream):
    fields = "X-One: 1\r\nCookie: a=1\r\nx-TWO: 2\r\nCookie: b=2\r\nX-Empty:\r\n"
    request, response = exchange(client, upstream, fields, fields.replace("Cookie", "Set-Cookie"))
    names = ("X-One", "Cookie", "x-TWO", "X-Empty", "Set-Cookie")
    assert [pair for pair in request.fields if pair[0] in names] == [
        ("X-One", "1"), ("Cookie", "a=1"), ("x-TWO", "2"), ("Cookie", "b=2"), ("X-Empty", "")]
    assert [pair for pair in response.fields if pair[0] in names] == [
        ("X-One", "1"), ("Set-Cookie", "a=1"), ("x-TWO", "2"), ("Set-Cookie", "b=2"),
        ("X-Empty", "")]


def test_the_response_keeps_its_status_line(client, upstream):
    _, response = exchange(client, upstream)
    assert response.first_line == "HTTP/1.1 200 Very Well"


def test_an_absolute_target_goes_on_in_origin_form(client, upstream):
    request, _ = exchange(client, upstream,
                          request_line=f"GET http://{RAW_HOST}/path?q HTTP/1.1")
    assert request.first_line == "GET /path?q HTTP/1.1"
    assert request.get("Host") == RAW_HOST


def test_a_large_cookie_passes(client, upstream):
    cookie = "session=" + "x" * 20_000
    request, _ = exchange(client, upstream, f"Cookie: {cookie}\r\n")
    assert request.get("Cookie") == cookie
