"""Ways in: Unix sockets, listeners that send clients to https, and proxies in front that are
believed."""

import os
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.frames import TEXT, frame, read_frame
from support.gateway import ALL, FEW, Config, Variant
from support.ports import free_port
from support.relay import open_relay
from support.serving import forwarded_pairs
from support.streams import Stream, connect
from support.waiting import DEADLINE

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def start_with(start_gateway, raw_port):
    def start(variant=Variant(1), **options):
        return start_gateway(Config({"raw": raw_port}, [{"pool": "raw"}], **options), variant)
    return start


@pytest.fixture
def path(tmp_path):
    return tmp_path / "in.sock"


def connect_unix(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(DEADLINE)
    connection.connect(str(path))
    return Stream(connection)


def exchange(client, server, more="", host="x.test"):
    client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
    request = server.read_request()
    server.answer(request, FINE)
    head, body = client.read_response()
    assert (head.status, body) == (200, b"ok")
    return request, head


def told(request):
    """What the gateway told of the client, by the names in lower case."""
    fields = {}
    for line in request.own:
        name, value = line.split(": ", 1)
        assert name.lower() not in fields, request.own
        fields[name.lower()] = value
    return fields


# Unix sockets.

@pytest.mark.parametrize("variant", ALL, ids=str)
def test_a_unix_socket_is_served(start_with, server, path, variant):
    start_with(variant, listeners=[{"address": f"unix:{path}"}])
    for _ in range(4):
        with connect_unix(path) as client:
            for _ in range(2):
                exchange(client, server)


def test_curl_comes_through_a_unix_socket(start_gateway, echo, curl, path):
    start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                         listeners=[{"address": f"unix:{path}"}]), Variant(2))
    for size in (0, 5, 300_000):
        done = curl("--unix-socket", path, f"http://x.test/bytes?n={size}")
        assert len(done.stdout) == size


def test_both_shards_serve_a_unix_socket(start_with, server, path, log_of):
    """Clients that are held open on the one do not keep others from being served."""
    gateway = start_with(Variant(2), listeners=[{"address": f"unix:{path}"}])
    log = log_of(gateway)
    clients = [connect_unix(path) for _ in range(40)]
    for client in clients:
        exchange(client, server)
    lines = log.wait_many(len(clients), "request", "status=200")
    for client in clients:
        client.close()
    shards = {shard_of(line) for line in lines}
    assert len(shards) == 2, shards


def shard_of(line):
    """What the log says of it, before the words of the line itself."""
    return line.split(" request ")[0].split("shard=")[-1].split()[0]


def test_a_websocket_through_a_unix_socket(start_with, upstream, path):
    start_with(listeners=[{"address": f"unix:{path}"}])
    with connect_unix(path) as client:
        relay = open_relay(client, upstream, "x.test")
        client.send(frame(TEXT, b"there"))
        assert read_frame(relay.upstream).payload == b"there"
        relay.upstream.send(frame(TEXT, b"back", masked=False))
        assert read_frame(client).payload == b"back"


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("mode", ["0600", "0660", "0666"])
def test_the_mode_of_a_unix_socket_is_the_configured_one(start_with, path, mode):
    start_with(listeners=[{"address": f"unix:{path}", "mode": mode}])
    assert mode_of(path) == int(mode, 8)


def test_the_mode_of_a_unix_socket_is_else_what_the_umask_says(start_with, path):
    before = os.umask(0o027)
    try:
        start_with(listeners=[{"address": f"unix:{path}"}])
    finally:
        os.umask(before)
    assert mode_of(path) == 0o750


def test_the_file_is_gone_after_the_stop(start_with, path):
    gateway = start_with(listeners=[{"address": f"unix:{path}"}])
    assert path.exists()
    gateway.finish()
    assert not path.exists()


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_killed_gateway_is_replaced_at_once(start_with, start_gateway, server, path, variant):
    """The kernel ends what a process had in a ring a little later than the process: until then
    its sockets accept."""
    gateway = start_with(variant, listeners=[{"address": f"unix:{path}"}])
    for _ in range(5):
        gateway.process.kill()
        gateway = start_gateway(gateway.config, variant)
        with connect_unix(path) as client:
            exchange(client, server)
        with connect(gateway.http_port) as client:
            exchange(client, server)


def come_as_soon_as_it_listens(path, count):
    """Clients of a gateway that starts, each with a request."""
    clients = []
    deadline = time.monotonic() + DEADLINE
    while len(clients) < count and time.monotonic() < deadline:
        try:
            client = connect_unix(path)
        except (FileNotFoundError, ConnectionRefusedError, PermissionError):
            continue
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        clients.append(client)
    return clients


class UnixOnly(Config):
    """One listener, without certificates: nothing keeps the first shard from accepting at once."""

    def __init__(self, path):
        super().__init__({}, [])
        self.path = path

    def text(self):
        return (f'[[listen]]\naddress = "unix:{self.path}"\n[[route]]\n'
                '[route.answer]\nstatus = 204\n')


def test_clients_that_come_before_all_shards_run_are_served(start_gateway, tmp_path):
    """The first shard accepts, and hands over to others that are not there yet."""
    shards = 8 if os.geteuid() else 64  # others than root may lock memory for about 20
    with ThreadPoolExecutor(1) as thread:
        for count in range(5):
            path = tmp_path / f"{count}.sock"
            coming = thread.submit(come_as_soon_as_it_listens, path, 2 * shards)
            gateway = start_gateway(UnixOnly(path), Variant(shards))
            for client in coming.result():
                assert client.read_head().status == 204
                client.close()
            gateway.finish()


def start_refused(start_with, path):
    """What a gateway says that cannot start there."""
    with pytest.raises(AssertionError) as failure:
        start_with(listeners=[{"address": f"unix:{path}"}])
    return str(failure.value)


def test_a_socket_that_somebody_serves_is_left_to_him(start_with, path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        said = start_refused(start_with, path)
        assert "ended by itself with 1" in said and "another process" in said
        connect_unix(path).close()


def test_a_file_that_is_no_socket_is_left_alone(start_with, path):
    path.write_text("precious")
    said = start_refused(start_with, path)
    assert "ended by itself with 1" in said and "no socket" in said
    assert path.read_text() == "precious"


# To https.

def test_a_listener_may_send_everybody_to_https(start_with, upstream):
    plain = free_port()
    gateway = start_with(listeners=[{"address": f"127.0.0.1:{plain}", "redirect": "https"}])
    with connect(plain) as client:
        for method in ("GET", "HEAD", "POST"):
            client.send(f"{method} /a/../b?c=%20d HTTP/1.1\r\nHost: x.test:80\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
            head = client.read_head()
            if method != "HEAD":
                client.read_body(head)
            assert head.status == 308
            assert head.get("Location") == f"https://x.test:{gateway.https_port}/b?c=%20d"
    assert upstream.saw_nothing()


def test_curl_follows_to_https(start_gateway, echo, curl):
    plain = free_port()
    start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                         listeners=[{"address": f"127.0.0.1:{plain}", "redirect": "https"}]))
    done = curl("-L", f"http://127.0.0.1:{plain}/bytes?n=7", "-w", "%{scheme} %{num_redirects}")
    assert done.stdout[7:].lower() == b"https 1"  # in capitals before curl 8


@pytest.mark.parametrize("port,expected", [("443", "https://x.test/a"),
                                           ("8443", "https://x.test:8443/a")])
def test_the_port_of_https_may_be_told(start_with, port, expected):
    plain = free_port()
    start_with(listeners=[{"address": f"127.0.0.1:{plain}", "redirect": f"https:{port}"}])
    with connect(plain) as client:
        client.send(b"GET /a HTTP/1.1\r\nHost: x.test\r\n\r\n")
        assert client.read_response()[0].get("Location") == expected


def test_a_request_without_a_host_cannot_be_sent_to_https(start_with):
    plain = free_port()
    start_with(listeners=[{"address": f"127.0.0.1:{plain}", "redirect": "https"}])
    with connect(plain) as client:
        client.send(b"GET /a HTTP/1.0\r\n\r\n")
        head, _ = client.read_response()
        assert head.status == 400 and head.get("Location") is None


def test_a_websocket_is_sent_to_https_as_well(start_with, upstream):
    plain = free_port()
    start_with(listeners=[{"address": f"127.0.0.1:{plain}", "redirect": "https"}])
    with connect(plain) as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: x.test\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert client.read_response()[0].status == 308
    assert upstream.saw_nothing()


# Proxies in front.

CLAIMS = ("X-Forwarded-For: 10.1.1.1\r\nX-Forwarded-For: 10.2.2.2\r\nX-Forwarded-Proto: https\r\n"
          "X-Forwarded-Host: public.test\r\nX-Forwarded-Port: 444\r\n"
          "Forwarded: for=10.1.1.1;proto=https\r\nX-Real-IP: 10.1.1.1\r\n")


@pytest.mark.parametrize("trusted", [["127.0.0.1"], ["10.0.0.0/8", "127.0.0.0/8"]],
                         ids=["address", "network"])
def test_a_trusted_proxy_is_believed_and_added_to(start_with, server, trusted):
    gateway = start_with(top={"trusted_proxies": trusted})
    with connect(gateway.http_port) as client:
        request, _ = exchange(client, server, CLAIMS)
    fields = told(request)
    assert fields["x-forwarded-for"] == "10.1.1.1, 10.2.2.2, 127.0.0.1"
    assert fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-host"] == "public.test"
    assert fields["x-forwarded-port"] == "444"
    first, second = fields["forwarded"].split(", ")
    assert first == "for=10.1.1.1;proto=https"
    assert forwarded_pairs(f"Forwarded: {second}")["for"] == "127.0.0.1"
    assert "X-Real-IP: 10.1.1.1" in request.seen.lines


@pytest.mark.parametrize("trusted", [[], ["127.0.0.2", "::1"], ["unix"]],
                         ids=["nobody", "others", "unix"])
def test_who_is_not_trusted_is_not_believed(start_with, server, trusted):
    gateway = start_with(top={"trusted_proxies": trusted})
    with connect(gateway.http_port) as client:
        request, _ = exchange(client, server, CLAIMS)
    fields = told(request)
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "http"
    assert fields["x-forwarded-host"] == "x.test"
    assert fields["x-forwarded-port"] == str(gateway.http_port)
    assert "10.1.1.1" not in fields["forwarded"]
    assert not any("X-Real-IP" in line for line in request.seen.lines)


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_a_proxy_behind_a_unix_socket(start_with, server, path, trusted):
    """It has no address that could be added."""
    start_with(listeners=[{"address": f"unix:{path}"}],
               top={"trusted_proxies": ["unix"] if trusted else ["127.0.0.1"]})
    with connect_unix(path) as client:
        request, _ = exchange(client, server, CLAIMS)
    fields = told(request)
    assert fields.get("x-forwarded-for") == ("10.1.1.1, 10.2.2.2" if trusted else None)
    assert fields["x-forwarded-proto"] == ("https" if trusted else "http")
    assert fields["x-forwarded-host"] == ("public.test" if trusted else "x.test")
    assert fields.get("x-forwarded-port") == ("444" if trusted else None)
    assert ("10.1.1.1" in fields["forwarded"]) == trusted


def test_a_trusted_proxy_that_says_nothing_is_as_any_client(start_with, server):
    gateway = start_with(top={"trusted_proxies": ["127.0.0.1"]})
    with connect(gateway.https_port, True) as client:
        request, _ = exchange(client, server)
    fields = told(request)
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-host"] == "x.test"


# Via.

@pytest.mark.parametrize("name,expected", [(None, "1.1 gateway"), ("edge-1", "1.1 edge-1"),
                                           ("off", None)])
def test_the_name_in_via(start_with, server, name, expected):
    gateway = start_with(top={} if name is None else {"via": name})
    with connect(gateway.http_port) as client:
        request, response = exchange(client, server)
    assert told(request).get("via") == expected
    assert response.get("Via") == expected


def test_without_a_name_what_others_say_in_via_passes(start_with, server):
    gateway = start_with(top={"via": "off"})
    with connect(gateway.http_port) as client:
        request, _ = exchange(client, server, "Via: 1.1 before\r\n")
    assert told(request)["via"] == "1.1 before"
