"""[route.auth.jwt]: who is let in by a token, what the server learns of it, and when a WebSocket ends
with it. PyJWT makes the tokens."""

import json
import time

import pytest

from support import tokens
from support.checking import run as run_gateway
from support.frames import (TEXT, frame, read_frame, read_until_close, upgrade_request,
                            upgrade_response)
from support.gateway import FEW, Config
from support.relay import open_relay
from support.serving import Serving
from support.streams import connect
from support.tokens import SECRET, Signer, claims, forge, sign

INVALID = 'Bearer error="invalid_token", error_description="{}"'
NOT_ALLOWED = "the algorithm of the token is not allowed here"


@pytest.fixture
def site(start_gateway, tmp_path, raw_port):
    """A gateway before the upstream, with a secret unless `jwt` names keys."""
    (tmp_path / "secret").write_text(SECRET + "\n")

    def start(jwt=None, variant=FEW[0], route=None, routes=(), **auth):
        jwt = {"secret": "secret", **(jwt or {})} if "keys" not in (jwt or {}) else jwt
        config = Config({"raw": raw_port},
                        [{"name": "raw", "path": "/", "pool": "raw", **(route or {}),
                          "auth": {"jwt": jwt, **auth}}, *routes])
        return start_gateway(config, variant)
    return start


def request(token=None, fields="", target="/x", method="GET", scheme="Bearer"):
    line = f"Authorization: {scheme} {token}\r\n" if token is not None else ""
    return f"{method} {target} HTTP/1.1\r\nHost: raw.test\r\n{line}{fields}\r\n".encode()


def ask_for(gateway, *arguments, **options):
    with connect(gateway.http_port) as client:
        client.send(request(*arguments, **options))
        return client.read_response()[0]


def pass_through(gateway, serving, data):
    """What the upstream gets of it."""
    with connect(gateway.http_port) as client:
        client.send(data)
        received = serving.read_request()
        serving.answer(received)
        assert client.read_response()[0].status == 200
    return received.seen


@pytest.mark.parametrize("form", ["pem", "jwks"])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_tokens_of_each_algorithm_pass_and_others_do_not(site, upstream, tmp_path, algorithm, form, server):
    signer, stranger = Signer(algorithm), Signer(algorithm)
    keys = tmp_path / "keys"
    if form == "pem":
        keys.write_bytes(signer.public_pem())
    else:
        keys.write_text(json.dumps({"keys": [Signer("RS256").jwk("old"), signer.jwk("new")]}))
    gateway = site({"keys": "keys", "claims": {"sub": "X-User"}})
    seen = pass_through(gateway, server, request(signer.sign(claims(), kid="new")))
    assert "X-User: alice" in seen.lines
    for token, why in [(stranger.sign(claims(), kid="new"), "the signature of the token is not valid"),
                       (signer.sign(claims(-60), kid="new"), "the token has expired"),
                       # The public key, which everybody has, as a secret.
                       (forge({"alg": "HS256", "kid": "new"}, claims(), signer.public_pem()),
                        NOT_ALLOWED),
                       (forge({"alg": "none"}, claims()).rpartition(".")[0] + ".", NOT_ALLOWED)]:
        head = ask_for(gateway, token)
        assert (head.status, head.get("WWW-Authenticate")) == (401, INVALID.format(why)), why
    assert len(upstream.streams) == 1


BAD = {
    "expired": (lambda: sign(claims(-31)), "the token has expired"),
    "endless": (lambda: sign({"sub": "alice"}), "the token has no time of expiry"),
    "not yet": (lambda: sign(claims(nbf=int(time.time()) + 90)), "the token is not valid yet"),
    "from the future": (lambda: sign(claims(iat=int(time.time()) + 90)),
                        "the token was issued in the future"),
    "other secret": (lambda: sign(secret="another" * 8), "the signature of the token is not valid"),
    "none": (lambda: forge({"alg": "none"}, claims()), NOT_ALLOWED),
    "None": (lambda: forge({"alg": "None"}, claims()), NOT_ALLOWED),
    "other algorithm": (lambda: forge({"alg": "HS512"}, claims()), NOT_ALLOWED),
    "RS256 on a secret": (lambda: forge({"alg": "RS256"}, claims()), NOT_ALLOWED),
    "no algorithm": (lambda: forge({"typ": "JWT"}, claims()), "the token names no algorithm"),
    "crit": (lambda: forge({"alg": "HS256", "crit": ["b64"], "b64": False}, claims()),
             "the token has critical extensions"),
    "broken base64": (lambda: "!" + sign(), "the header of the token is invalid"),
    "padded": (lambda: sign() + "=", "the signature of the token is invalid"),
    "two parts": (lambda: sign().rpartition(".")[0], "the token has not three parts"),
    "five parts": (lambda: sign() + ".a.b", "the token has not three parts"),
    "empty": (lambda: "", "the token has not three parts"),
    "no signature": (lambda: sign().rpartition(".")[0] + ".", "the signature of the token is not valid"),
    "too large": (lambda: "a" * 16385, "the token is larger than 16 KiB"),
    "claims twice": (lambda: forge({"alg": "HS256"}, b'{"exp":9999999999,"sub":"a","sub":"b"}'),
                     "the claims of the token are invalid"),
    "no UTF-8": (lambda: forge({"alg": "HS256"}, b'{"exp":9999999999,"sub":"\xff"}'),
                 "the claims of the token are invalid"),
    "deep": (lambda: forge({"alg": "HS256"}, b'{"a":' * 1000), "the claims of the token are invalid"),
    "text for a time": (lambda: sign({"exp": "9999999999"}), "a time in the token is no number"),
    "other issuer": (lambda: sign(claims(iss="https://evil.test", aud="chat")),
                     "the token is of another issuer"),
    "no issuer": (lambda: sign(claims(aud="chat")), "the token is of another issuer"),
    "other audience": (lambda: sign(claims(iss="https://a.test", aud=["x", "chat2"])),
                       "the token is for another audience"),
    "a line in a claim": (lambda: sign(claims(iss="https://a.test", aud="chat",
                                              name="x\r\nX-Admin: 1")),
                          "a claim of the token cannot be the value of a header"),
    "lists that could be others": (lambda: sign(claims(iss="https://a.test", aud="chat",
                                                       name=["a,b"])),
                                   "a claim of the token cannot be the value of a header"),
}


def test_each_bad_token_is_told_what_is_wrong_with_it(site, upstream, log_of, server):
    gateway = site({"issuer": "https://a.test", "audience": ["chat"], "leeway": "30s",
                    "claims": {"name": "X-Name"}})
    log = log_of(gateway)
    good = claims(iss="https://a.test", aud="chat")
    for name, (make, why) in BAD.items():
        head = ask_for(gateway, make())
        assert (head.status, head.get("WWW-Authenticate")) == (401, INVALID.format(why)), name
        log.wait("status=401", "end=unauthorized", "by=client", f'cause="{why}"')
    assert upstream.saw_nothing()
    pass_through(gateway, server, request(sign(good)))
    pass_through(gateway, server, request(sign({**good, "exp": int(time.time()) - 25})))
    pass_through(gateway, server, request(sign(good), scheme="bEARER"))


def test_a_request_has_one_token(site, upstream, server):
    gateway = site({"from": ["bearer", "cookie:session", "query:access_token"]})
    one, other = sign(), sign(claims(601))
    for fields, target in [(f"Authorization: Bearer {one}\r\nAuthorization: Bearer {other}\r\n", "/"),
                           (f"Authorization: Bearer {one}\r\nAuthorization: Bearer {one}\r\n", "/"),
                           (f"Authorization: Bearer {one}\r\nAuthorization: Basic eDp5\r\n", "/"),
                           (f"Authorization: Bearer {one}\r\nCookie: session={other}\r\n", "/"),
                           (f"Cookie: session={one}; session={other}\r\n", "/"),
                           (f"Cookie: session={one}\r\nCookie: a=b;session={other}\r\n", "/"),
                           ("", f"/?access_token={one}&access_token={other}"),
                           ("", f"/?access_token={one}&access%5Ftoken={other}"),
                           (f"Cookie: session={one}\r\n", f"/?access_token={other}")]:
        head = ask_for(gateway, None, fields, target)
        assert head.status == 400, fields
        assert head.get("WWW-Authenticate") == (
            'Bearer error="invalid_request", error_description="the request has more than one token"')
    for fields, target in [("", "/"), ("Authorization: Basic eDp5\r\n", "/"),
                           (f"Authorization: {one}\r\n", "/"), (f"X-Token: {one}\r\n", "/"),
                           (f"Cookie: other={one}; Session={one}; xsession={one}\r\n", "/"),
                           ("", f"/?ACCESS_TOKEN={one}&token={one}&x=access_token={one}"),
                           ("", f"/access_token={one}")]:
        head = ask_for(gateway, None, fields, target)
        assert (head.status, head.get("WWW-Authenticate")) == (401, "Bearer"), (fields, target)
    assert upstream.saw_nothing()
    for fields, target in [(f"Authorization: Bearer   {one}\r\n", "/"),
                           (f"Cookie: a=b; session={one}\r\n", "/"),
                           (f'Cookie: session="{one}"\r\n', "/"),
                           ("", f"/x?a=b&access_token={one}"), ("", f"/?access%5ftoken={one}"),
                           (f"Authorization: Bearer {one}\r\nCookie: session={one}\r\n", "/")]:
        seen = pass_through(gateway, server, request(None, fields, target))
        assert seen.first_line == f"GET {target} HTTP/1.1"


def test_the_log_never_has_a_token(site, server, log_of):
    gateway = site({"from": ["query:ticket", "query:access_token"]})
    log = log_of(gateway)
    token = sign()
    pass_through(gateway, server, request(None, target=f"/x?a=1&ticket={token}&b=2"))
    log.wait('request="GET raw.test /x?a=1&ticket=***&b=2"', "status=200")
    ask_for(gateway, None, target=f"/?t%69cket=x{token}")
    log.wait("?t%69cket=***", "status=401")
    with connect(gateway.http_port) as client:
        client.send(f"GET /?access_token={token} HTTP/1.1\r\nbad field\r\n\r\n".encode())
        assert client.read_response()[0].status == 400
    log.wait("access_token=*** HTTP/1.1", "status=400")
    assert token.split(".")[2] not in log.text()


def test_claims_become_headers_that_no_client_can_send(site, server):
    gateway = site({"claims": {"sub": "X-User", "/realm_access/roles": "X-Roles", "n": "X-Number",
                               "missing": "X-Missing"}})
    token = sign(claims(n=1.5, realm_access={"roles": ["a", "b"]}))
    hostile = ("X-User: root\r\nx-user: root\r\nX_User: root\r\nX.User: root\r\nX-Missing: root\r\n"
               "x_missing: root\r\nX-Roles: root\r\nConnection: X-User\r\n")
    seen = pass_through(gateway, server, request(token, hostile))
    ours = [line for line in seen.lines if "root" in line or line.startswith("X-")]
    assert sorted(ours) == ["X-Number: 1.5", "X-Roles: a,b", "X-User: alice"]
    chunked = ("Transfer-Encoding: chunked\r\nTrailer: X-User, X-Fine\r\n")
    data = request(token, chunked, method="POST") + (
        b"1\r\nx\r\n0\r\nX-User: root\r\nX_User: root\r\nX-Missing: root\r\nX-Fine: 1\r\n\r\n")
    seen = pass_through(gateway, server, data)
    assert seen.trailers == ("X-Fine: 1",)
    assert "Trailer: X-Fine" in seen.lines and "X-User: alice" in seen.lines


def test_a_claim_that_is_required_must_have_one_of_the_values(site, upstream, log_of, server):
    gateway = site({"require": {"role": ["admin", "owner"], "/a/b": "x"}})
    log = log_of(gateway)
    why = "a claim of the token is not as is required here"
    for more in [{}, {"role": "admin"}, {"role": "admin", "a": {"b": "y"}}, {"role": "user", "a": {"b": "x"}},
                 {"role": "Admin", "a": {"b": "x"}}, {"role": {"admin": 1}, "a": {"b": "x"}},
                 {"role": "admin", "a.b": "x"}, {"role": "admin", "/a/b": "x"}]:
        head = ask_for(gateway, sign(claims(**more)))
        assert (head.status, head.get("WWW-Authenticate")) == (
            403, f'Bearer error="insufficient_scope", error_description="{why}"'), more
    log.wait("status=403", "end=forbidden", f'cause="{why}"')
    assert upstream.saw_nothing()
    for role in ("admin", ["user", "owner"]):
        pass_through(gateway, server, request(sign(claims(role=role, a={"b": ["x"]}))))


def test_the_connection_goes_on_behind_a_refusal(site, upstream):
    gateway = site()
    serving = Serving(upstream)
    with connect(gateway.http_port) as client:
        for _ in range(3):
            client.send(request())
            head, body = client.read_response()
            assert (head.status, head.get("Connection")) == (401, None)
            assert b"there is no token" in body
        client.send(request(sign()) + request())
        serving.answer(serving.read_request())
        assert client.read_response()[0].status == 200
        assert client.read_response()[0].status == 401


@pytest.mark.parametrize("variant", FEW, ids=str)
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_websocket_ends_with_its_token(site, upstream, log_of, variant, secure):
    gateway = site({"close_at_expiry": 4401, "leeway": "off", "from": ["query:access_token"]}, variant)
    log = log_of(gateway)
    port = gateway.https_port if secure else gateway.http_port
    with connect(port, secure) as client, connect(port, secure) as long:
        streams = []
        for peer, seconds in ((client, 10), (long, 600)):
            peer.send(upgrade_request(f"/ws?access_token={sign(claims(seconds))}", "raw.test"))
            streams.append(accept_websocket(upstream))
            assert peer.read_head().status == 101
        client.send(frame(TEXT, b"mine"))
        assert read_frame(streams[0]).payload == b"mine"
        close = read_until_close(client)[-1]
        assert (close.close_code, close.close_reason) == (4401, "the client's token has expired")
        assert read_until_close(streams[0])[-1].close_code == 4401
        long.send(frame(TEXT, b"still"))
        assert read_frame(streams[1]).payload == b"still"
    line = log.wait("websocket", "end=token-expired", "by=gateway", "code=4401")
    assert "access_token=***" in line


def accept_websocket(upstream):
    stream = upstream.accept()
    head = stream.read_head()
    stream.send(upgrade_response(head.get("Sec-WebSocket-Key")))
    return stream


def test_a_websocket_without_a_token_reaches_no_server(site, upstream):
    gateway = site({"from": ["query:access_token"]})
    for target in ("/ws", "/ws?access_token=x.y.z"):
        with connect(gateway.http_port) as client:
            client.send(upgrade_request(target, "raw.test"))
            head, _ = client.read_response()
            assert (head.status, head.get("Connection")) == (401, "close")
            assert head.get("WWW-Authenticate").startswith("Bearer")
    assert upstream.saw_nothing()


def test_without_close_at_expiry_it_stays_open(site, upstream):
    gateway = site({"leeway": "off"})
    token = sign(claims(10))
    with connect(gateway.http_port) as client:
        relay = open_relay(client, upstream, request_fields=f"Authorization: Bearer {token}\r\n")
        gateway.wait_for(lambda: time.time() > expiry_of(token) + 0.5, "the token's end")
        assert ask_for(gateway, token).status == 401
        client.send(frame(TEXT, b"still"))
        assert read_frame(relay.upstream).payload == b"still"


def expiry_of(token):
    return tokens.jwt.decode(token, options={"verify_signature": False})["exp"]


def test_answers_and_redirects_are_guarded_and_off_takes_the_default_away(start_gateway, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    config = Config({}, [{"name": "a", "path": "/a", "answer": {"body": "secret"}},
                         {"name": "b", "path": "/b", "redirect": {"to": "https://x.test/"}},
                         {"name": "c", "path": "/c", "answer": {"body": "open"}, "auth": "off"}],
                    defaults={"auth": {"jwt": {"secret": "secret"}}})
    gateway = start_gateway(config)
    for target, status in (("/a", 200), ("/b", 308)):
        assert ask_for(gateway, target=target).status == 401
        assert ask_for(gateway, sign(), target=target).status == status
    assert ask_for(gateway, target="/c").status == 200
    printed = run_gateway("-t", "-c", gateway.file).stdout
    assert "[defaults.auth.jwt]" in printed and 'auth = "off"' in printed


def test_a_reload_takes_other_keys(start_reloading, tmp_path, server, raw_port):
    (tmp_path / "secret").write_text("one secret of thirty-two bytes or more")
    config = Config({"raw": raw_port},
                    [{"name": "raw", "pool": "raw", "auth": {"jwt": {"secret": "secret"}}}])
    gateway, reload = start_reloading(config)
    old, new = sign(secret="one secret of thirty-two bytes or more"), sign()
    assert ask_for(gateway, new).status == 401
    pass_through(gateway, server, request(old))
    (tmp_path / "secret").write_text(SECRET)
    assert "route raw changed" in reload()
    assert ask_for(gateway, old).status == 401
    pass_through(gateway, server, request(new))


def test_wrong_keys_are_told_with_their_place(refused, tmp_path):
    (tmp_path / "short").write_text("short")
    (tmp_path / "private.pem").write_text("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
    text = ('[[listen]]\naddress = "127.0.0.1:1"\n[[route]]\nanswer = {}\n[route.auth.jwt]\n'
            'keys = "private.pem"\nsecret = "short"\nfrom = ["header"]\nclose_at_expiry = 1002\n'
            'claims = { sub = "Host" }\nleeway = "11m"\nnothing = 1\n')
    said = refused(text)
    for line in ("6:8: error: key file 'private.pem' has a private key, which only who makes tokens "
                 "should have: name the public one (openssl pkey -pubout)",
                 "7:10: error: key file 'short' has a key that is a secret of less than 32 bytes "
                 "(RFC 7518 section 3.2)",
                 "8:9: error: 'header' must be \"bearer\", \"cookie:NAME\" or \"query:NAME\", with a "
                 "NAME of letters, digits and -_.",
                 "9:19: error: 'close_at_expiry' must be 1000, 1001, 1008, 3000 to 4999 or \"off\", "
                 "not 1002",
                 "10:18: error: 'Host' is written by the gateway itself: take another name",
                 "11:10: error: 'leeway' must be between 1s and 10m or \"off\", not 11m",
                 "12:1: error: unknown key 'nothing' in [route.auth.jwt]"):
        assert f"gateway.conf:{line}\n" in said, said
