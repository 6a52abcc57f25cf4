"""Whom listeners and routes let in, by address."""

import pytest

from support.checking import run
from support.crowds import ask, come_from, is_reset, refused
from support.gateway import Config, Variant
from support.ports import free_port
from support.reloading import Reloading
from support.waiting import wait_until

OK = (200, None)
WATCHING = ["sh", "-c", 'exec "$@" --watch', "sh"]
ANNA, BOB, CARL = "127.0.1.1", "127.0.1.2", "127.0.2.1"


def says(**more):
    return {"answer": {"body": "hello"}, **more}


@pytest.fixture
def start(start_gateway, tmp_path):
    def begin(listener=None, routes=({},), top=None, folder=None):
        config = Config({}, [says(**route) for route in routes], top=top,
                        listeners=[{"address": f"127.0.0.1:{free_port()}", **(listener or {})}],
                        control={"socket": str(tmp_path / "control.sock")})
        gateway = start_gateway(config, Variant(2))
        gateway.port = int(config.listeners[0]["address"].split(":")[1])
        return gateway
    return begin


def status(address, gateway, target="/", more=""):
    with come_from(address, gateway.port) as client:
        return ask(client, target, more)[0]


def test_a_listener_resets_whom_it_does_not_let_in(start):
    gateway = start({"allow": ["127.0.1.0/24"], "deny": [BOB]})
    assert status(ANNA, gateway) == 200
    assert is_reset(BOB, gateway.port)
    assert is_reset(CARL, gateway.port)
    with come_from(BOB, gateway.http_port) as client:  # another listener's affair
        assert ask(client) == OK
    assert refused(gateway) == {"denied-peer": 2}
    gateway.wait_for(lambda: f"refused client={BOB}" in gateway.log(), "its line")


def test_a_route_answers_403_to_whom_it_does_not_let_in(start):
    gateway = start(routes=[{"path": "/admin", "allow": ["127.0.1.0/24"]},
                            {"path": "/api", "deny": ["127.0.1.0/24"]},
                            {"path": "/"}])
    assert [status(ANNA, gateway, path) for path in ("/admin", "/api", "/")] == [200, 403, 200]
    assert [status(CARL, gateway, path) for path in ("/admin", "/api", "/")] == [403, 200, 200]
    # What a route refuses is no business of whom it does not let in.
    with come_from(CARL, gateway.port) as client:
        client.send(b"TRACE /admin HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read_response()[0].status == 403
        assert ask(client, "/") == OK  # it stays connected
    # Every spelling of the path.
    for spelling in ("/%61dmin", "//admin", "/x/../admin", "/admin/./y"):
        assert status(CARL, gateway, spelling) == 403, spelling
    assert refused(gateway)["denied-client"] == 7


def test_a_route_judges_the_client_behind_trusted_proxies(start):
    gateway = start(routes=[{"path": "/", "deny": ["192.0.2.0/24"]}],
                    top={"trusted_proxies": ["127.0.9.0/24"]})
    via = "X-Forwarded-For: {}\r\n".format
    proxy = "127.0.9.1"
    assert status(proxy, gateway, more=via("192.0.2.7")) == 403
    assert status(proxy, gateway, more=via("192.0.2.7:1234, 127.0.9.2")) == 403
    assert status(proxy, gateway, more=via("192.0.2.7, 198.51.100.1")) == 200
    assert status(proxy, gateway, more="Forwarded: for=192.0.2.7\r\n") == 403
    assert status(proxy, gateway) == 200
    assert status(ANNA, gateway, more=via("192.0.2.7")) == 200  # nobody believes it


def test_a_list_file_is_read_again_at_a_reload(start, tmp_path, log_of):
    (tmp_path / "blocked.txt").write_text(f"# these\n{ANNA}\n127.0.2.0/24 # and these\n")
    gateway = start({"deny": ["file:blocked.txt"]})
    assert is_reset(ANNA, gateway.port) and is_reset(CARL, gateway.port)
    assert status(BOB, gateway) == 200
    (tmp_path / "blocked.txt").write_text(f"{BOB}\n")
    reloading = Reloading(gateway, log_of(gateway))
    reloading.signal()
    assert reloading.ending().startswith(f"generation 2: listener 127.0.0.1:{gateway.port} changed")
    assert is_reset(BOB, gateway.port)
    assert status(ANNA, gateway) == 200
    (tmp_path / "blocked.txt").write_text("127.0.0.1/8\n")
    reloading.signal()
    assert reloading.ending().startswith("failed: 1 error in the configuration")
    assert is_reset(BOB, gateway.port) and status(ANNA, gateway) == 200  # as before


def test_a_list_file_is_watched(start_gateway, tmp_path):
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("")
    port = free_port()
    config = Config({}, [says()], listeners=[{"address": f"127.0.0.1:{port}",
                                              "deny": "file:blocked.txt"}])
    gateway = start_gateway(config, Variant(2), started_by=WATCHING)
    with come_from(ANNA, port) as client:
        assert ask(client) == OK
    blocked.write_text(ANNA + "\n")
    wait_until(lambda: is_reset(ANNA, port), "the change to be seen")
    assert gateway.process.poll() is None


def test_the_check_tells_lines_that_are_no_networks(tmp_path):
    (tmp_path / "blocked.txt").write_text("10.0.0.0/8\n10.0.0.300\n")
    file = tmp_path / "gateway.conf"
    file.write_text('[[listen]]\naddress = "127.0.0.1:8080"\ndeny = "file:blocked.txt"\n'
                    '[[route]]\npath = "/"\n[route.answer]\nbody = "x"\n')
    done = run("-t", "-c", file)
    assert done.returncode == 1
    assert f"gateway.conf:3:8: error: {tmp_path}/blocked.txt:2:1: '10.0.0.300' is no IP" in done.stderr
