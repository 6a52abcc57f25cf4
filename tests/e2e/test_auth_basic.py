"""[route.auth.basic]: users and passwords of a file as htpasswd makes it."""

import base64

import pytest

from support import tokens
from support.checking import run as run_gateway
from support.frames import TEXT, frame, read_frame, upgrade_request, upgrade_response
from support.gateway import FEW, Config
from support.passwords import BCRYPT, PASSWORD, SHA256, SHA512, SLOW, SLOWEST, credentials
from support.streams import connect

CHALLENGE = 'Basic realm="gateway", charset="UTF-8"'
VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)


@pytest.fixture
def site(start_gateway, tmp_path, raw_port):
    def start(users=f"alice:{BCRYPT}\n", variant=FEW[0], route=None, **basic):
        (tmp_path / "htpasswd").write_text(users)
        config = Config({"raw": raw_port},
                        [{"name": "raw", "path": "/", "pool": "raw", **(route or {}),
                          "auth": {"basic": {"users": "htpasswd", **basic}}},
                         {"name": "open", "path": "/open", "answer": {"body": "x"}}])
        return start_gateway(config, variant)
    return start


def get(fields="", target="/x"):
    return f"GET {target} HTTP/1.1\r\nHost: raw.test\r\n{fields}\r\n".encode()


def status_of(gateway, fields="", target="/x"):
    with connect(gateway.http_port) as client:
        client.send(get(fields, target))
        head, _ = client.read_response()
        if head.status == 401:
            assert head.get("WWW-Authenticate") == CHALLENGE
        return head.status


def pass_through(gateway, serving, fields):
    with connect(gateway.http_port) as client:
        client.send(get(fields))
        received = serving.read_request()
        serving.answer(received)
        assert client.read_response()[0].status == 200
    return received.seen


@VARIANTS
def test_a_user_of_the_file_passes_with_the_password(site, upstream, log_of, variant, server):
    gateway = site(f"# who may\n\nalice:{BCRYPT}\r\nbob:{SHA256}\ncarol:{SHA512}:more\n", variant,
                   user_header="X-User")
    log = log_of(gateway)
    for user in ("alice", "bob", "carol"):
        for scheme in ("Basic", "bASIC"):
            seen = pass_through(gateway, server, credentials(user, PASSWORD, scheme)
                                + "X-User: root\r\nX_User: root\r\n")
            ours = [line for line in seen.lines if line.startswith("X")]
            assert ours == [f"X-User: {user}"]
        for password in ("", "open sesam", "open sesame ", "Open sesame", PASSWORD + "x"):
            assert status_of(gateway, credentials(user, password)) == 401
    log.wait("status=401", "end=unauthorized", 'cause="user and password are not right"')
    count = len(upstream.streams)
    for user in ("dave", "", "Alice", "alice ", "alice:x", BCRYPT):
        assert status_of(gateway, credentials(user, PASSWORD)) == 401
        assert status_of(gateway, credentials(user, BCRYPT)) == 401
    assert len(upstream.streams) == count


def test_credentials_that_are_none_are_refused(site, upstream, server):
    gateway = site()
    good = credentials("alice", PASSWORD)
    coded = base64.b64encode(b"alice:open sesame").decode()
    for fields, status in [("", 401), ("Authorization: Basic\r\n", 401),
                           ("Authorization: Basic \r\n", 401), (f"Authorization: {coded}\r\n", 401),
                           (f"Authorization: Bearer {coded}\r\n", 401),
                           (f"Authorization: Basic {coded}=\r\n", 401),
                           (f"Authorization: Basic {coded[:-1]}\r\n", 401),
                           (f"Authorization: Basic !{coded}\r\n", 401),
                           (f"Authorization: Basic {coded} {coded}\r\n", 401),
                           (f"Authorization: Basic {coded},\r\n", 401),
                           (credentials("alice", PASSWORD + "\0"), 401),
                           (credentials("alice", "\n" + PASSWORD), 401),
                           (credentials("alice\0", PASSWORD), 401),
                           ("Authorization: Basic YWxpY2U=\r\n", 401),
                           (credentials("alice", "x" * 5000), 401),
                           (good + good, 400), (good + "Authorization: Bearer x\r\n", 400),
                           (f"Proxy-{good}", 401), (f"X-{good}", 401)]:
        with connect(gateway.http_port) as client:
            client.send(get(fields))
            head, _ = client.read_response()
            assert (head.status, head.get("WWW-Authenticate")) == (status, CHALLENGE), fields
    assert upstream.saw_nothing()
    pass_through(gateway, server, good)


def test_no_shard_waits_for_a_password(site):
    gateway = site(f"alice:{SLOWEST}\n")
    clients = [connect(gateway.http_port) for _ in range(20)]
    for number, client in enumerate(clients):
        client.send(get(credentials("alice", f"wrong {number}")))
    assert status_of(gateway, target="/open") == 200
    assert not all(client.wait_readable(0) for client in clients)
    for client in clients:
        client.reset()
    gateway.wait_for_descriptors()


def test_what_was_right_is_remembered_and_what_was_wrong_is_not(site, server):
    gateway = site(f"alice:{SLOW}\n")
    start = cpu_seconds(gateway)
    pass_through(gateway, server, credentials("alice", PASSWORD))
    once = cpu_seconds(gateway) - start
    start = cpu_seconds(gateway)
    for _ in range(20):
        pass_through(gateway, server, credentials("alice", PASSWORD))
    assert cpu_seconds(gateway) - start < 5 * once
    assert status_of(gateway, credentials("alice", "wrong")) == 401
    assert status_of(gateway, credentials("alice", "wrong")) == 401


def cpu_seconds(gateway):
    with open(f"/proc/{gateway.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_too_many_are_refused_and_those_who_leave_make_room(site, server, log_of):
    gateway = site(f"alice:{SLOWEST}\nbob:{BCRYPT}\n")
    log = log_of(gateway)
    clients = [connect(gateway.http_port) for _ in range(120)]
    for number, client in enumerate(clients):
        client.send(get(credentials("alice", f"wrong {number}")))
    log.wait_many(16, "status=503", "end=auth-busy")
    for client in clients:
        client.reset()
    log.wait("end=client-reset", "by=client", "route=raw")
    gateway.wait_for(lambda: status_of(gateway, credentials("bob", "wrong")) == 401, "room")
    pass_through(gateway, server, credentials("bob", PASSWORD))


def test_a_websocket_is_let_in_by_a_password(site, upstream):
    gateway = site(user_header="X-User")
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/ws", "raw.test", more=credentials("alice", PASSWORD)))
        stream = upstream.accept()
        head = stream.read_head()
        assert head.get("X-User") == "alice"
        stream.send(upgrade_response(head.get("Sec-WebSocket-Key")))
        assert client.read_head().status == 101
        client.send(frame(TEXT, b"mine"))
        assert read_frame(stream).payload == b"mine"
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/ws", "raw.test"))
        assert client.read_response()[0].status == 401
    assert len(upstream.streams) == 1


def test_a_token_beside_it_has_to_pass_too(start_gateway, tmp_path, server, raw_port):
    (tmp_path / "secret").write_text(tokens.SECRET)
    (tmp_path / "htpasswd").write_text(f"alice:{BCRYPT}\n")
    auth = {"jwt": {"secret": "secret", "from": "cookie:t"}, "basic": {"users": "htpasswd"}}
    gateway = start_gateway(Config({"raw": raw_port}, [{"name": "raw", "pool": "raw", "auth": auth}]))
    cookie = f"Cookie: t={tokens.sign()}\r\n"
    with connect(gateway.http_port) as client:
        for fields, challenge in ((credentials("alice", PASSWORD), "Bearer"), (cookie, CHALLENGE)):
            client.send(get(fields))
            head, _ = client.read_response()
            assert (head.status, head.get("WWW-Authenticate")) == (401, challenge)
    pass_through(gateway, server, cookie + credentials("alice", PASSWORD))


def test_a_reload_forgets_who_is_not_in_the_file_any_more(start_reloading, tmp_path, server, raw_port):
    users = tmp_path / "htpasswd"
    users.write_text(f"alice:{BCRYPT}\nbob:{BCRYPT}\n")
    config = Config({"raw": raw_port}, [{"name": "raw", "pool": "raw",
                                         "auth": {"basic": {"users": "htpasswd"}}}])
    gateway, reload = start_reloading(config)
    for user in ("alice", "bob"):
        pass_through(gateway, server, credentials(user, PASSWORD))
    users.write_text(f"bob:{SHA256}\n")
    assert "route raw changed" in reload()
    assert status_of(gateway, credentials("alice", PASSWORD)) == 401
    assert status_of(gateway, credentials("bob", "wrong")) == 401
    pass_through(gateway, server, credentials("bob", PASSWORD))


FAULTS = {
    "": "has no users: make one with htpasswd -B",
    "alice": "has a fault in line 1: it is not USER:PASSWORD",
    ":x": "has a fault in line 1: it is not USER:PASSWORD",
    f"alice:{BCRYPT}\nalice:{BCRYPT}": "has the user 'alice' twice",
    f"# x\nalice:{BCRYPT.replace('$04$', '$31$')}":
        "has a fault in line 2: the password of 'alice' is bcrypt of a cost that is not between 4 and 14",
    "alice:$6$rounds=500001$saltsalt$" + SHA512.rpartition("$")[2]:
        "has a fault in line 1: the password of 'alice' has not between 1000 and 500000 rounds",
}
FORM = ("has a fault in line 1: the password of 'alice' is in none of the forms that are taken, bcrypt and "
        "SHA-crypt ($2y$, $5$, $6$): make it with htpasswd -B")
for bad in ("plain", "", "$apr1$salt$abcdefghijklmnopqrstuv", "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=",
            "abJnggxhB/yWI", "$1$salt$abcdefghijklmnopqrstuv", BCRYPT[:-1], BCRYPT + "x", "$5$salt",
            "$6$rounds=x$salt$x", "$2y$04$"):
    FAULTS[f"alice:{bad}"] = FORM


def test_a_file_that_cannot_be_used_is_told(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text('[[listen]]\naddress = "127.0.0.1:1"\n[[route]]\nanswer = {}\n[route.auth.basic]\n'
                    'users = "htpasswd"\n')
    for text, fault in FAULTS.items():
        (tmp_path / "htpasswd").write_text(text)
        said = run_gateway("-t", "-c", file).stderr.replace(f"{tmp_path}/", "")
        assert f"gateway.conf:6:9: error: file of users 'htpasswd' {fault}\n" in said, said
    file.write_text(file.read_text() + 'realm = "a\\"b"\nuser_header = "Host"\n')
    said = run_gateway("-t", "-c", file).stderr
    assert ":7:9: error: 'realm' must not have quotes" in said
    assert ":8:15: error: 'Host' is written by the gateway itself" in said
