"""Attacks by fields that are meant for one hop, by names that mimic others, and by upgrades."""

from support.attacks import (CHUNKED_LINE, CLOSED, EITHER, HOST, HOST_LINE, SMUGGLED,
                             SMUGGLED_SEEN, Attack, answered, chunk, get, passed, post, refused,
                             seen_chunked, seen_get, seen_length)
from support.frames import KEY
from support.serving import Seen


def dropped(*lines):
    return passed(get("".join(f"{line}\r\n" for line in lines)), seen_get())


def kept(*lines):
    return passed(get("".join(f"{line}\r\n" for line in lines)), seen_get(*lines))


HOPS = {
    "hop-close": passed(get("Connection: close\r\n"), seen_get(), then=CLOSED),
    "hop-close-and-keep-alive": passed(get("Connection: keep-alive\r\nConnection: close\r\n"),
                                       seen_get(), then=CLOSED),
    "hop-close-in-a-list": passed(get("Connection: x, ,CLOSE,\r\n"), seen_get(), then=CLOSED),
    "hop-close-forwarded-for": passed(get("Connection: close, X-Forwarded-For\r\n"), seen_get(),
                                      then=CLOSED),
    "hop-keep-alive": dropped("Connection: keep-alive", "Keep-Alive: timeout=5"),
    "hop-forwarded-for": dropped("Connection: X-Forwarded-For", "X-Forwarded-For: 10.9.8.7"),
    "hop-forwarded-for-absent": dropped("Connection: X-Forwarded-For"),
    "hop-all-of-ours": dropped("Connection: X-Forwarded-Proto, X-Forwarded-Host, Forwarded, Via, "
                               "X-Forwarded-Port"),
    "hop-host": dropped("Connection: Host"),
    "hop-content-length": passed(post("Connection: Content-Length\r\nContent-Length: 5\r\n",
                                      "hello"), seen_length("hello")),
    "hop-transfer-encoding": passed(
        post(f"Connection: transfer-encoding\r\n{CHUNKED_LINE}\r\n", chunk("abc") + "0\r\n\r\n"),
        seen_chunked("abc")),
    "hop-named": dropped("Connection: X-Secret,x-other", "X-Secret: 1", "X-Other: 2"),
    "hop-named-later": dropped("X-Secret: 1", "Connection: x-secret"),
    "hop-authorization-named": dropped("Connection: Authorization", "Authorization: Basic eDp5"),
    "hop-cookie-kept": kept("Cookie: a=b", "Authorization: Basic eDp5"),
    "hop-proxy-connection": dropped("Proxy-Connection: close"),
    "hop-te": passed(get("TE: trailers, chunked\r\nConnection: TE\r\n"),
                     seen_get("TE: trailers", "Connection: TE")),
    "hop-te-of-codings": dropped("TE: chunked, gzip;q=0.5", "Connection: TE"),
    "hop-trailer": dropped("Trailer: X-Secret"),
    "hop-upgrade-unnamed": dropped("Upgrade: websocket"),
    "hop-control-byte": refused(get("Connection: close\0\r\n")),
    "hop-too-many": refused(get(f"Connection: {', '.join(['x'] * 65)}\r\n")),
    "hop-expect-nonsense": answered(get("Expect: 200-ok\r\n"), 417),
    "hop-expect-with-body": passed(
        post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
        seen_length("hello", "Expect: 100-continue")),
}

MIMICS = {
    "mimic-forwarded-prefix": dropped("X-Forwarded-Prefix: /x"),
    "mimic-forwarded-ssl": dropped("X_Forwarded-Ssl: on"),
    "mimic-original-url": dropped("X-Original-URL: /admin"),
    "mimic-original-underscores": dropped("X_Original_Host: evil.test"),
    "mimic-dots": dropped("X.Real.IP: 10.9.8.7"),
    "mimic-client-ip": dropped("Client-IP: 10.9.8.7"),
    "mimic-hop-underscore": dropped("Proxy_Authorization: Basic eDp5"),
    "mimic-rewrite-url": dropped("X-Rewrite-URL: /admin"),
    "httpoxy": dropped("Proxy: http://evil.test/"),
    "mimic-forwarded-for": dropped("X-Forwarded-For: 10.9.8.7"),
    "mimic-forwarded-for-twice": dropped("X-Forwarded-For: 10.9.8.7", "x-forwarded-for: 10.1.1.1"),
    "mimic-forwarded-proto": dropped("X-Forwarded-Proto: gopher"),
    "mimic-forwarded-host": dropped("x-FORWARDED-host: evil.test"),
    "mimic-forwarded-port": dropped("X-Forwarded-Port: 1"),
    "mimic-forwarded": dropped("Forwarded: for=10.9.8.7;host=evil.test"),
    "mimic-real-ip": dropped("X-Real-IP: 10.9.8.7"),
    "mimic-underscores": dropped("X_Forwarded_For: 10.9.8.7"),
    "mimic-underscores-lower-case": dropped("x_forwarded_proto: gopher"),
    "mimic-one-underscore": dropped("X-Forwarded_For: 10.9.8.7"),
    "mimic-underscore-host": dropped("X_Forwarded_Host: evil.test"),
    "mimic-underscore-real-ip": dropped("X_Real_IP: 10.9.8.7"),
    "mimic-client-certificate": dropped("X-Client-Cert-Subject: CN=admin"),
    "mimic-client-certificate-underscores": dropped("X_Client_Cert_San: DNS:admin.test"),
    "mimic-client-certificate-dots": dropped("x.client-cert.fingerprint: 00"),
    "mimic-client-certificate-bare": dropped("X-CLIENT-CERT: x"),
    "mimic-client-certificate-of-rfc-9440": dropped("Client-Cert: :AAAA:"),
    "mimic-client-certificate-of-others": dropped("X-SSL-Client-Verify: SUCCESS",
                                                  "ssl-client-subject-dn: CN=admin"),
    "mimic-underscore-length-of-post": passed(
        post("CONTENT_LENGTH: 0\r\nContent-Length: 5\r\n", "hello"), seen_length("hello")),
    "mimic-other-underscore": kept("X_Custom: 1"),
}

PROTOCOL = (f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13")
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade")
FORBIDDEN = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
FINE = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED_ANSWER = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
SWITCH = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
BAD_SWITCH = SWITCH.replace("s3pPLMBi", "AAAAAAAA")


def handshake(*lines, body=""):
    return get("".join(f"{line}\r\n" for line in lines)) + body


GOOD_HANDSHAKE = handshake(*UPGRADE, *PROTOCOL)
SEEN_HANDSHAKE = seen_get(*PROTOCOL, *UPGRADE)


def upgrade_refused(sent, status=400):
    return answered(sent, status)


UPGRADES = {
    "ws-refused-403": passed(GOOD_HANDSHAKE, SEEN_HANDSHAKE, answer=FORBIDDEN, statuses=(403,)),
    "ws-refused-200": passed(GOOD_HANDSHAKE, SEEN_HANDSHAKE, answer=FINE, statuses=(200,)),
    "ws-refused-chunked": passed(GOOD_HANDSHAKE, SEEN_HANDSHAKE, answer=CHUNKED_ANSWER,
                                 statuses=(503,)),
    "ws-refused-smuggled": passed(GOOD_HANDSHAKE + SMUGGLED, SEEN_HANDSHAKE, SMUGGLED_SEEN,
                                  answer=FORBIDDEN, statuses=(403, 200)),
    "ws-refused-200-smuggled": passed(GOOD_HANDSHAKE + SMUGGLED, SEEN_HANDSHAKE, SMUGGLED_SEEN,
                                      answer=FINE, statuses=(200, 200)),
    "ws-switch-with-a-bad-key": passed(GOOD_HANDSHAKE, SEEN_HANDSHAKE, answer=BAD_SWITCH,
                                       statuses=(502,), then=EITHER),
    "ws-switch-unasked": passed(get(), seen_get(), answer=SWITCH, statuses=(502,), then=EITHER),
    "ws-switch-to-a-post": passed(post("Content-Length: 5\r\n", "hello"), seen_length("hello"),
                                  answer=SWITCH, statuses=(502,), then=EITHER),
    "ws-version-8": upgrade_refused(handshake(*UPGRADE, PROTOCOL[0], "Sec-WebSocket-Version: 8"),
                                    426),
    "ws-version-777": upgrade_refused(
        handshake(*UPGRADE, PROTOCOL[0], "Sec-WebSocket-Version: 777"), 426),
    "ws-version-twice": upgrade_refused(handshake(*UPGRADE, *PROTOCOL, PROTOCOL[1])),
    "ws-version-absent": upgrade_refused(handshake(*UPGRADE, PROTOCOL[0])),
    "ws-key-absent": upgrade_refused(handshake(*UPGRADE, PROTOCOL[1])),
    "ws-key-short": upgrade_refused(handshake(*UPGRADE, "Sec-WebSocket-Key: abc", PROTOCOL[1])),
    "ws-key-twice": upgrade_refused(handshake(*UPGRADE, PROTOCOL[0], *PROTOCOL)),
    "ws-of-post": upgrade_refused(GOOD_HANDSHAKE.replace("GET", "POST")),
    "ws-with-length": upgrade_refused(
        handshake(*UPGRADE, *PROTOCOL, f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED)),
    "ws-with-chunks": upgrade_refused(
        handshake(*UPGRADE, *PROTOCOL, CHUNKED_LINE, body=chunk(SMUGGLED) + "0\r\n\r\n")),
    "ws-with-both-framings": refused(
        handshake(*UPGRADE, *PROTOCOL, CHUNKED_LINE, "Content-Length: 5", body="0\r\n\r\n")),
    "ws-length-0": passed(handshake(*UPGRADE, *PROTOCOL, "Content-Length: 0"),
                          seen_get(*PROTOCOL, "Content-Length: 0", *UPGRADE),
                          answer=FORBIDDEN, statuses=(403,)),
    "ws-not-in-connection": passed(handshake("Upgrade: websocket", *PROTOCOL),
                                   seen_get(*PROTOCOL)),
    "ws-connection-alone": passed(handshake("Connection: Upgrade", *PROTOCOL),
                                  seen_get(*PROTOCOL)),
    "ws-and-close": passed(handshake("Upgrade: websocket", "Connection: close, Upgrade",
                                     *PROTOCOL),
                           SEEN_HANDSHAKE, answer=FORBIDDEN, statuses=(403,), then=CLOSED),
    "ws-in-1.0": Attack(GOOD_HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"), (200,), CLOSED,
                        (seen_get(*PROTOCOL),)),
    "h2c": dropped("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings",
                   "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    "h2c-unnamed-settings": kept("HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    "h2c-with-body": passed(post("Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 5\r\n",
                                 "hello"), seen_length("hello")),
    "h2c-and-websocket": passed(handshake("Upgrade: h2c, websocket", "Connection: Upgrade",
                                          *PROTOCOL),
                                SEEN_HANDSHAKE, answer=FORBIDDEN, statuses=(403,)),
    "h2c-behind-a-request": passed(get() + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", seen_get(),
                                   statuses=(200, 505), then=CLOSED),
    "upgrade-to-tls": dropped("Upgrade: TLS/1.0", "Connection: Upgrade"),
    "upgrade-to-http-1.1": dropped("Upgrade: HTTP/1.1", "Connection: Upgrade"),
}

IN_1_0 = {
    "old-closes": Attack(f"GET /attack HTTP/1.0\r\n{HOST}\r\n", (200,), CLOSED, (seen_get(),)),
    "old-without-host": Attack("GET SCHEME://raw.test/attack HTTP/1.0\r\n\r\n", (200,), CLOSED,
                               (seen_get(),)),
    "old-close-wins": Attack(
        f"GET /attack HTTP/1.0\r\n{HOST}Connection: keep-alive, close\r\n\r\n", (200,), CLOSED,
        (seen_get(),)),
    "old-keeps-alive": passed(f"GET /attack HTTP/1.0\r\n{HOST}Connection: keep-alive\r\n\r\n",
                              seen_get()),
    "old-post": passed(f"POST /attack HTTP/1.0\r\n{HOST}Connection: Keep-Alive\r\n"
                       "Content-Length: 5\r\n\r\nhello" + SMUGGLED,
                       seen_length("hello"), SMUGGLED_SEEN),
    "old-post-without-length": passed(
        f"POST /attack HTTP/1.0\r\n{HOST}Connection: keep-alive\r\n\r\n" + SMUGGLED,
        Seen("POST /attack HTTP/1.1", (HOST_LINE,)), SMUGGLED_SEEN),
}

CASES = HOPS | MIMICS | UPGRADES | IN_1_0
