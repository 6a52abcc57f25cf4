"""Sticky pools: the gateway's cookie names the server that a client has had."""

import re

import pytest

from support.checking import run
from support.frames import upgrade_request
from support.gateway import FEW, Config, Variant
from support.reloading import Reloading
from support.streams import connect
from test_balance_choice import table

NAME = "gateway"
COOKIE = re.compile(r"gateway=([0-9a-f]{32}); Path=/; HttpOnly; SameSite=Lax")


@pytest.fixture
def start(start_gateway, named, tmp_path):
    """start(count, keys of the pool): the gateway before so many servers."""
    def begin(count=3, variant=Variant(2), top=None, **keys):
        servers = named(count)
        pool = {"servers": list(servers.ports), "sticky": True, **keys}
        gateway = start_gateway(Config({"app": pool}, [{"pool": "app"}], top=top,
                                       control={"socket": str(tmp_path / "control.sock")}), variant)
        return gateway, servers
    return begin


def ask(gateway, cookie=None, fields="", secure=False):
    """Who answers, and what Set-Cookie says; over a connection of its own."""
    port = gateway.https_port if secure else gateway.http_port
    if cookie is not None:
        fields += f"Cookie: {cookie}\r\n"
    with connect(port, secure) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: x.test\r\n{fields}\r\n".encode())
        head, body = client.read_response()
    assert head.status == 200, head
    return int(body), head.get("Set-Cookie")


def token_of(line):
    return COOKIE.fullmatch(line)[1]


def learn(gateway, servers):
    """The token of each server."""
    tokens = {}
    while len(tokens) < len(servers.all):
        server, line = ask(gateway)
        tokens[server] = token_of(line)
    assert len(set(tokens.values())) == len(tokens)
    return tokens


@pytest.mark.parametrize("variant", FEW, ids=str)
def test_a_client_stays_with_its_server_and_gets_one_cookie(start, variant):
    gateway, servers = start(variant=variant)
    for server, token in learn(gateway, servers).items():
        for _ in range(4):
            assert ask(gateway, f"{NAME}={token}") == (server, None)
        seen = servers.all[server].heads[-1].lower()
        assert "cookie" not in seen and "gateway=" not in seen, "it is no server's affair"
        assert str(servers.ports[server]) not in token


def test_it_is_set_on_the_101_too(start):
    gateway, servers = start()
    tokens = learn(gateway, servers)
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/", "x.test"))
        head = client.read_head()
        assert head.status == 101
        assert token_of(head.get("Set-Cookie")) in tokens.values()
    with connect(gateway.http_port) as client:
        client.send(upgrade_request("/", "x.test", more=f"Cookie: a=1; {NAME}={tokens[1]}\r\n"))
        head = client.read_head()
        assert (head.status, head.get("Set-Cookie")) == (101, None)
    assert "Cookie: a=1\r\n" in servers.all[1].heads[-1]


@pytest.mark.parametrize("cookies,passed", [
    ("a=1; {own}; b=2", "a=1; b=2"),
    ("{own}", None),
    ("{own}; {own}", None),
    ("gateway=wrong; {own}", None),
    ("gateway=; {own}; x", "x"),
    ("gateway; {own}", "gateway"),
    ("a=\"x; {own}; y\"", "a=\"x; y\""),
    ("Gateway=1; {own}", "Gateway=1"),
    ("xgateway=1;  {own} ;;  c = 3", "xgateway=1; c = 3"),
    ("gateway=\"{token}\"", None),
    ("gateway=a; gateway=b; gateway=c; {own}", None),
])
def test_only_the_gateways_cookie_is_taken_away(start, cookies, passed):
    gateway, servers = start(2)
    token = learn(gateway, servers)[1]
    text = cookies.replace("{own}", f"{NAME}={token}").replace("{token}", token)
    assert ask(gateway, text) == (1, None)
    head = servers.all[1].heads[-1]
    lines = re.findall(r"^Cookie: (.*)\r$", head, re.MULTILINE)
    assert lines == ([] if passed is None else [passed])


def test_not_all_cookies_are_looked_at(start):
    gateway, servers = start(2)
    token = learn(gateway, servers)[1]
    answers = [ask(gateway, 600 * "gateway=x; " + f"{NAME}={token}") for _ in range(4)]
    assert {server for server, _ in answers} == {0, 1}
    assert all(line is not None for _, line in answers)
    assert "gateway=" not in servers.all[1].heads[-1]


def test_cookies_of_several_lines(start):
    gateway, servers = start(2)
    token = learn(gateway, servers)[1]
    assert ask(gateway, "b=2", f"Cookie: a=1\r\nCookie: {NAME}={token}\r\n") == (1, None)
    lines = re.findall(r"^Cookie: (.*)\r$", servers.all[1].heads[-1], re.MULTILINE)
    assert lines == ["a=1", "b=2"]


@pytest.mark.parametrize("value", ["", "x", "0" * 32, "0" * 6000, "127.0.0.1:80", "../../etc", "%00",
                                   "\xff" * 32, "=" * 100, ";" * 1000])
def test_a_cookie_that_names_nobody_is_replaced(start, value):
    gateway, servers = start(2)
    tokens = learn(gateway, servers)
    port = gateway.http_port
    with connect(port) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: x.test\r\nCookie: {NAME}={value}\r\n\r\n".encode("latin-1"))
        head, body = client.read_response()
    assert token_of(head.get("Set-Cookie")) == tokens[int(body)]
    assert "gateway=" not in servers.all[int(body)].heads[-1]


def test_attributes_say_what_is_so(start):
    gateway, _ = start(sticky={"cookie": "edge", "same_site": "strict", "max_age": "1h"},
                       top={"trusted_proxies": ["127.0.0.1"]})
    plain = ask(gateway)[1]
    assert re.fullmatch(r"edge=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600", plain)
    secure = plain.replace("; Max-Age", "; Secure; Max-Age").split("=", 1)[1][32:]
    assert ask(gateway, secure=True)[1].endswith(secure)
    for fields, is_secure in [("X-Forwarded-Proto: https\r\n", True), ("X-Forwarded-Proto: HTTPS\r\n", True),
                              ("X-Forwarded-Proto: http\r\n", False), ("", False)]:
        assert ("; Secure" in ask(gateway, fields=fields)[1]) == is_secure, fields


def test_strangers_make_nothing_secure(start):
    gateway, _ = start()
    assert "Secure" not in ask(gateway, fields="X-Forwarded-Proto: https\r\n")[1]


def test_a_server_that_does_not_answer_has_a_successor_and_the_cookie_names_it(start):
    gateway, servers = start(2)
    tokens = learn(gateway, servers)
    servers.kill(0)
    server, line = ask(gateway, f"{NAME}={tokens[0]}")
    assert (server, token_of(line)) == (1, tokens[1])
    servers.start_again(0)
    assert ask(gateway, f"{NAME}={tokens[1]}") == (1, None), "nobody is moved back"
    assert ask(gateway, f"{NAME}={tokens[0]}") == (0, None)


def test_a_drained_server_gets_not_even_those_that_it_knows(start):
    gateway, servers = start(2)
    tokens = learn(gateway, servers)
    done = run("drain", f"app/127.0.0.1:{servers.ports[0]}", "-c", gateway.file)
    assert done.returncode == 0, done
    server, line = ask(gateway, f"{NAME}={tokens[0]}")
    assert (server, token_of(line)) == (1, tokens[1])


def test_a_weight_of_0_keeps_those_who_know_it(start_gateway, named):
    servers = named(2)
    secret = {"secret": "that several gateways have"}
    config = Config({"app": {"servers": servers.ports, "sticky": True}}, [{"pool": "app"}], top=secret)
    tokens = learn(start_gateway(config), servers)
    off = [table(servers.ports[0], weight=0), table(servers.ports[1])]
    other = start_gateway(Config({"app": {"servers": off, "sticky": True}}, [{"pool": "app"}],
                                 top=secret))
    assert ask(other, f"{NAME}={tokens[0]}") == (0, None)
    assert {ask(other)[0] for _ in range(6)} == {1}


def test_reloads_keep_the_key_and_others_do_not_have_it(start, start_gateway, log_of):
    gateway, servers = start(2)
    tokens = learn(gateway, servers)
    reload = Reloading(gateway, log_of(gateway))
    gateway.config.pools["app"]["servers"].reverse()
    gateway.config.timeouts["keep_alive_idle"] = "30s"
    reload()
    for server, token in tokens.items():
        assert ask(gateway, f"{NAME}={token}") == (server, None)
    stranger = start_gateway(Config({"app": {"servers": servers.ports, "sticky": True}}, [{"pool": "app"}]))
    assert ask(stranger, f"{NAME}={tokens[0]}")[1] is not None


def test_a_servers_own_cookie_of_that_name_gives_way(start):
    gateway, servers = start(1)
    servers.all[0].answer_fields = "Set-Cookie: gateway=mine; Path=/\r\nSet-Cookie: other=1\r\n"
    with connect(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        head, _ = client.read_response()
        lines = head.all("Set-Cookie")
        assert lines[0] == "other=1"
        token = token_of(lines[1])
        client.send(f"GET / HTTP/1.1\r\nHost: x.test\r\nCookie: gateway={token}\r\n\r\n".encode())
        head, _ = client.read_response()
        assert head.all("Set-Cookie") == ["other=1"]
