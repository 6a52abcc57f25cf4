"""A server that is asked whether a request may pass, and does not answer as it should, or not at
all; its connections, which are kept; and clients that leave meanwhile."""

import pytest

from support.asking import FINE, REFUSALS, client_of, get
from support.gateway import FEW, Config
from support.ports import free_port
from support.upstreams import full_server

VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)


@pytest.fixture
def site(start_guarded):
    return start_guarded


@VARIANTS
def test_its_connection_is_kept_and_one_that_has_gone_is_dialled_anew(site, guard, server, variant):
    gateway = site(variant)
    used = []
    with client_of(gateway) as client:
        for _ in range(3):
            client.send(get())
            asked = guard.read_request()
            guard.answer(asked, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                b"2\r\nok\r\n0\r\n\r\n")
            used.append(asked.stream)
            server.answer(server.read_request(), FINE)
            assert client.read_head().status == 200
        assert used[0] is used[1] is used[2]
        with gateway.paused():
            client.send(get())
            used[0].close()
            guard.open.remove(used[0])
        asked = guard.read_request()
        guard.answer(asked, FINE)
        server.answer(server.read_request(), FINE)
        assert client.read_head().status == 200


STALE = {
    "farewell": b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "rest": b"rest of an earlier answer\r\n\r\n",
}


@pytest.mark.parametrize("name", STALE)
def test_what_a_kept_connection_says_of_itself_is_no_answer(site, guard, server, name):
    gateway = site()
    with client_of(gateway) as client:
        for said in (FINE, STALE[name]):
            client.send(get())
            asked = guard.read_request()
            asked.stream.send(said)
            if said is FINE:
                server.answer(server.read_request(), FINE)
                assert client.read_head().status == 200
        again = guard.read_request()
        assert again.stream is not asked.stream
        # On a new connection it is an answer.
        again.stream.send(STALE[name])
        assert client.read_head().status == {"farewell": 408, "rest": 502}[name]
    assert server.is_quiet()


def test_the_body_of_a_204_is_never_the_next_answer(site, guard, server):
    gateway = site()
    with client_of(gateway) as client:
        client.send(get())
        asked = guard.read_request()
        guard.answer(asked, b"HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n")
        server.answer(server.read_request(), FINE)
        assert client.read_head().status == 200
        assert asked.stream.read_ending()[0] == b""
        client.send(get())
        again = guard.read_request()
        assert again.stream is not asked.stream
        guard.answer(again, REFUSALS["401"][0])
        assert client.read_response()[0].status == 401


def test_a_long_answer_that_lets_pass_is_not_read_to_its_end(site, guard, server):
    gateway = site()
    with client_of(gateway) as client:
        client.send(get())
        asked = guard.read_request()
        asked.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000)
        server.answer(server.read_request(), FINE)
        assert client.read_head().status == 200


FAILURES = {
    "no HTTP": (b"what\r\n\r\n", 502, "bad-response"),
    "101": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 502,
            "bad-response"),
    "interims without an end": (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10, 502, "bad-response"),
    "a head that is too large": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, 502, "bad-response"),
    "too many fields": (b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 600 + b"\r\n", 502, "bad-response"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 502,
                    "bad-response"),
    "an end in the head": (b"HTTP/1.1 200 OK\r\n", 502, "upstream-left"),
    "an end at once": (b"", 502, "upstream-left"),
    "an end in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", 502, "upstream-left"),
    "a bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 502,
                    "bad-response"),
}


@VARIANTS
def test_every_failure_refuses(site, guard, server, log_of, variant):
    gateway = site(variant)
    log = log_of(gateway)
    for name, (answer, status, word) in FAILURES.items():
        with client_of(gateway) as client:
            client.send(get(target="/" + name.replace(" ", "-")))
            asked = guard.read_request()
            asked.stream.send(answer)
            if name.startswith("an end"):
                asked.stream.finish()
            assert client.read_response()[0].status == status, name
            guard.open.remove(asked.stream)
            asked.stream.close()
        log.wait(name.replace(" ", "-"), f"status={status}", f"end={word}", "by=upstream")
    assert server.is_quiet()


def test_a_server_that_is_down_or_late_refuses(site, guard, server, log_of, raw_port):
    gateway = site(port=free_port())
    with client_of(gateway) as client:
        client.send(get())
        assert client.read_response()[0].status == 502
    with full_server() as port:
        gateway = site(port=port, timeouts={"connect": "300ms"})
        with client_of(gateway) as client:
            client.send(get())
            assert client.read_response()[0].status == 504
    gateway = site(timeout="300ms")
    log = log_of(gateway)
    for sent in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx"):
        with client_of(gateway) as client:
            client.send(get())
            guard.read_request().stream.send(sent)
            assert client.read_response()[0].status == 504, sent
    log.wait("status=504", "the server that is asked for permission did not answer in time")
    assert server.is_quiet()


def test_a_server_of_https_has_to_prove_its_name(start_gateway, raw_port, server, log_of):
    """It is the gateway itself, with a certificate that nobody has signed."""
    config = Config({"raw": raw_port}, [{"name": "raw", "path": "/", "pool": "raw"},
                                        {"name": "check", "path": "/check", "answer": {}}])
    config.routes[0]["auth"] = {"request": f"https://127.0.0.1:{config.https_port}/check"}
    gateway = start_gateway(config)
    with client_of(gateway) as client:
        client.send(get())
        assert client.read_response()[0].status == 502
    log_of(gateway).wait("status=502", "route=raw", "certificate")
    assert server.is_quiet()


@VARIANTS
@pytest.mark.parametrize("upload", [False, True], ids=["whole", "upload"])
def test_a_client_that_leaves_ends_the_question(site, guard, server, log_of, variant, upload):
    gateway = site(variant, timeout="1h")
    log = log_of(gateway)
    client = client_of(gateway)
    client.send(get("Content-Length: 10\r\n" if upload else "", method="POST"))
    asked = guard.read_request()
    client.reset()
    assert asked.stream.read_ending()[0] == b""
    log.wait("request", "end=client-reset", "by=client")
    gateway.wait_for_descriptors()
    assert server.is_quiet()
