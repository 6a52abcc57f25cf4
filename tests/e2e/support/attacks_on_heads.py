"""Attacks on the head: line ends, names, values, request lines, hosts and targets."""

from support.attacks import (CLOSED, HOST, HOST_LINE, OPEN, SMUGGLED, answered, get, passed,
                             refused, seen_get)
from support.serving import Seen

START = "GET /attack HTTP/1.1"


def line_refused(line):
    return refused(get(f"{line}\r\n"))


def field_kept(line, seen=None):
    return passed(get(f"{line}\r\n"), seen_get(seen or line))


LINE_ENDS = {
    "lf-everywhere": refused(get("X: y\r\n").replace("\r\n", "\n")),
    "lf-after-request-line": refused(f"{START}\n{HOST}\r\n"),
    "lf-after-field": refused(f"{START}\r\nHost: raw.test\n\r\n"),
    "lf-ends-the-head": refused(f"{START}\r\n{HOST}\n"),
    "lf-lf-ends-the-head": refused(f"{START}\r\nHost: raw.test\n\n"),
    "cr-everywhere": refused(get("X: y\r\n").replace("\r\n", "\r")),
    "cr-ends-the-head": refused(f"{START}\r\n{HOST}\rX: y\r\n\r\n"),
    "cr-cr-lf": refused(f"{START}\r\n{HOST}\r\r\n"),
    "lf-cr": refused(f"{START}\n\r{HOST}\n\r"),
    "lf-in-value": line_refused("X: a\nb"),
    "lf-injects-a-head": line_refused(f"X: a\n\n{SMUGGLED}"),
    "cr-in-value": line_refused("X: a\rb"),
    "cr-in-name": line_refused("X\r: a"),
    "cr-in-target": refused("GET /at\rtack HTTP/1.1\r\n" + HOST + "\r\n"),
    "lf-first": refused("\n" + get()),
    "cr-first": refused("\r" + get()),
    "space-first": refused(" " + get()),
    "crlf-first": passed("\r\n" + get(), seen_get()),
    "crlf-twice-first": passed("\r\n\r\n" + get(), seen_get()),
    "crlf-thrice-first": refused("\r\n\r\n\r\n" + get()),
    "folded": line_refused("X: a\r\n b"),
    "folded-by-tab": line_refused("X: a\r\n\tb"),
    "folded-host": refused(f"{START}\r\nHost: raw\r\n .test\r\n\r\n"),
    "folded-to-nothing": line_refused("X: a\r\n "),
    "folded-request-line": refused(f"{START}\r\n {HOST}\r\n"),
}

NAMES_AND_VALUES = {
    "name-space-before-colon": line_refused("X : a"),
    "name-tab-before-colon": line_refused("X\t: a"),
    "name-space-inside": line_refused("X y: a"),
    "name-leading-space": refused(f"{START}\r\n X: a\r\n{HOST}\r\n"),
    "name-empty": line_refused(": a"),
    "name-only-space": line_refused(" : a"),
    "name-no-colon": line_refused("nonsense"),
    "name-nul": line_refused("X\0y: a"),
    "name-delete": line_refused("X\x7f: a"),
    "name-high-byte": line_refused("X\xe4: a"),
    **{f"name-with-{byte:02x}": line_refused(f"X{chr(byte)}y: a") for byte in b'"(),/;<=>?@[]\\{}'},
    "value-nul": line_refused("X: a\0b"),
    "value-escape": line_refused("X: a\x1bb"),
    "value-vt": line_refused("X: \x0ba"),
    "value-delete": line_refused("X: a\x7f"),
    "value-start-of-heading": line_refused("X: \x01"),
    "value-escaped-crlf": field_kept("X: a%0d%0aTransfer-Encoding: chunked"),
    "value-backslashes": field_kept("X: a\\r\\nHost: evil.test"),
    "value-unicode-crlf": field_kept("X: \xe5\x98\x8a\xe5\x98\x8d"),
    "value-high-bytes": field_kept("X: \xff\x80"),
    "value-tab-inside": field_kept("X: a\tb"),
    "value-colons": field_kept("X: : a : b"),
    "value-trimmed": field_kept("X:\t a \t", "X: a"),
    "fields-too-many": refused(get("X: y\r\n" * 200), 431),
    "head-too-large": refused(get(f"X: {'y' * 40_000}\r\n"), 431),
}


def host_refused(value):
    return refused(f"{START}\r\nHost:{value}\r\n\r\n")


def absolute(target, seen_target, host="nobody.test", seen_host="raw.test"):
    return passed(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n",
                  seen_get(target=seen_target, host=seen_host))


def absolute_refused(target):
    return refused(f"GET {target} HTTP/1.1\r\n{HOST}\r\n")


HOSTS = {
    "host-absent": refused(f"{START}\r\n\r\n"),
    "host-twice": refused(f"{START}\r\n{HOST}{HOST}\r\n"),
    "host-twice-different": refused(f"{START}\r\n{HOST}Host: evil.test\r\n\r\n"),
    "host-twice-other-case": refused(f"{START}\r\n{HOST}X: y\r\nhOST: evil.test\r\n\r\n"),
    "host-empty": host_refused(""),
    "host-space-inside": host_refused(" raw.test evil.test"),
    "host-list": host_refused(" raw.test, evil.test"),
    "host-path": host_refused(" raw.test/x"),
    "host-query": host_refused(" raw.test?x"),
    "host-fragment": host_refused(" raw.test#x"),
    "host-backslash": host_refused(" raw.test\\x"),
    "host-user": host_refused(" me@raw.test"),
    "host-scheme": host_refused(" http://raw.test"),
    "host-port-word": host_refused(" raw.test:http"),
    "host-port-too-high": host_refused(" raw.test:65616"),
    "host-port-zero": host_refused(" raw.test:0"),
    "host-port-twice": host_refused(" raw.test:80:81"),
    "host-percent": host_refused(" raw%2etest"),
    "host-nul": host_refused(" raw.test\0evil"),
    "host-high-byte": host_refused(" raw.test\xe9"),
    "host-bracket": host_refused(" [::1"),
    "host-bare-ipv6": host_refused(" ::1"),
    "host-two-dots": host_refused(" raw..test"),
    "host-leading-dot": host_refused(" .raw.test"),
    "host-space-before-colon": refused(f"{START}\r\nHost : raw.test\r\n\r\n"),
    "host-leading-space": refused(f"{START}\r\nX: y\r\n Host: raw.test\r\n\r\n"),
    "host-of-nobody": answered(f"{START}\r\nHost: nobody.test\r\n\r\n", 404, OPEN),
    "absolute-overrides-host": absolute("SCHEME://raw.test/attack", "/attack"),
    "absolute-with-query": absolute("SCHEME://raw.test/attack?a=/../b", "/attack?a=/../b"),
    "absolute-with-dot-segments": absolute("SCHEME://raw.test/../a//../b?/..", "/a/b?/.."),
    "absolute-without-path": absolute("SCHEME://raw.test", "/"),
    "absolute-query-without-path": absolute("SCHEME://raw.test?x", "/?x"),
    "absolute-of-nobody": answered(f"GET SCHEME://nobody.test/attack HTTP/1.1\r\n{HOST}\r\n", 404,
                                   OPEN),
    "absolute-without-host": refused("GET SCHEME://raw.test/attack HTTP/1.1\r\n\r\n"),
    "absolute-two-hosts": refused(
        f"GET SCHEME://raw.test/attack HTTP/1.1\r\n{HOST}{HOST}\r\n"),
    "absolute-bad-host": refused("GET SCHEME://raw.test/attack HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "absolute-user": absolute_refused("SCHEME://me@raw.test/attack"),
    "absolute-user-and-port": absolute_refused("SCHEME://raw.test:80@evil.test/attack"),
    "absolute-backslash": absolute_refused("SCHEME://raw.test\\@evil.test/attack"),
    "absolute-no-host": absolute_refused("SCHEME:///attack"),
    "absolute-one-slash": absolute_refused("http:/raw.test/attack"),
    "absolute-ftp": absolute_refused("ftp://raw.test/attack"),
    "absolute-gopher": absolute_refused("gopher://raw.test/attack"),
    "absolute-javascript": absolute_refused("javascript:alert(1)"),
}


def request_line_refused(line, status=400):
    return refused(f"{line}\r\n{HOST}\r\n", status)


def target_kept(target):
    return passed(get(target=target), seen_get(target=target))


def target_resolved(target, seen):
    return passed(get(target=target), seen_get(target=seen))


REQUEST_LINES = {
    "line-two-spaces": request_line_refused("GET  /attack HTTP/1.1"),
    "line-two-spaces-later": request_line_refused("GET /attack  HTTP/1.1"),
    "line-tabs": request_line_refused("GET\t/attack\tHTTP/1.1"),
    "line-vt": request_line_refused("GET\x0b/attack HTTP/1.1"),
    "line-trailing-space": request_line_refused("GET /attack HTTP/1.1 "),
    "line-trailing-nul": request_line_refused("GET /attack HTTP/1.1\0"),
    "line-twice": request_line_refused("GET /attack HTTP/1.1 GET /smuggled HTTP/1.1"),
    "line-no-target": request_line_refused("GET HTTP/1.1"),
    "line-no-method": request_line_refused(" /attack HTTP/1.1"),
    "line-http-0.9": refused("GET /attack\r\n"),
    "line-http-0.9-with-head": request_line_refused("GET /attack"),
    "line-1.2": request_line_refused("GET /attack HTTP/1.2", 505),
    "line-2.0": request_line_refused("GET /attack HTTP/2.0", 505),
    "line-0.9": request_line_refused("GET /attack HTTP/0.9", 505),
    "line-9.9": request_line_refused("GET /attack HTTP/9.9", 505),
    "line-1.10": request_line_refused("GET /attack HTTP/1.10"),
    "line-01.1": request_line_refused("GET /attack HTTP/01.1"),
    "line-1": request_line_refused("GET /attack HTTP/1"),
    "line-plus": request_line_refused("GET /attack HTTP/+1.1"),
    "line-comma": request_line_refused("GET /attack HTTP/1,1"),
    "line-space-in-version": request_line_refused("GET /attack HTTP/1. 1"),
    "line-lower-case": request_line_refused("GET /attack http/1.1"),
    "line-https": request_line_refused("GET /attack HTTPS/1.1"),
    "line-icy": request_line_refused("GET /attack ICY/1.1"),
    "line-preface-of-http-2": refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
                                      505),
    "line-response": request_line_refused("HTTP/1.1 200 OK"),
    "method-parenthesis": request_line_refused("G(T /attack HTTP/1.1"),
    "method-nul": request_line_refused("GET\0 /attack HTTP/1.1"),
    "method-high-byte": request_line_refused("G\xcbT /attack HTTP/1.1"),
    "method-too-long": request_line_refused("X" * 65 + " /attack HTTP/1.1", 501),
    "method-lower-case": passed(get().replace("GET", "get"),
                                Seen("get /attack HTTP/1.1", (HOST_LINE,))),
    "method-own": passed(get().replace("GET", "FROB-1!"),
                         Seen("FROB-1! /attack HTTP/1.1", (HOST_LINE,))),
    "method-connect": answered(f"CONNECT raw.test:443 HTTP/1.1\r\n{HOST}\r\n", 405),
    "method-connect-path": request_line_refused("CONNECT /attack HTTP/1.1"),
    "method-connect-absolute": request_line_refused("CONNECT http://raw.test:80/ HTTP/1.1"),
    "target-star": request_line_refused("GET * HTTP/1.1"),
    "target-star-of-options": passed(f"OPTIONS * HTTP/1.1\r\n{HOST}\r\n",
                                     Seen("OPTIONS * HTTP/1.1", (HOST_LINE,))),
    "target-relative": request_line_refused("GET attack HTTP/1.1"),
    "target-dots": request_line_refused("GET ../attack HTTP/1.1"),
    "target-query-alone": request_line_refused("GET ?x HTTP/1.1"),
    "target-fragment": request_line_refused("GET /attack#x HTTP/1.1"),
    "target-control": request_line_refused("GET /at\x01tack HTTP/1.1"),
    "target-nul": request_line_refused("GET /at\0tack HTTP/1.1"),
    "target-delete": request_line_refused("GET /at\x7ftack HTTP/1.1"),
    "target-high-byte": request_line_refused("GET /\xe4 HTTP/1.1"),
    "target-lf": request_line_refused("GET /at\ntack HTTP/1.1"),
    "target-bad-escape": request_line_refused("GET /%zz HTTP/1.1"),
    "target-half-an-escape": request_line_refused("GET /%2 HTTP/1.1"),
    "target-escaped-nul": answered(get(target="/a%00b"), 400, CLOSED),
    "target-too-long": request_line_refused(f"GET /{'x' * 9000} HTTP/1.1", 414),
    "target-crlf-escaped": target_kept("/a%0d%0aX:%20y"),
    "target-head-escaped": target_kept("/attack?x=%20HTTP/1.1%0d%0aHost:%20evil%0d%0a%0d%0a"),
    "target-crlf-escaped-twice": target_kept("/a%250d%250aX:%20y"),
    "target-unicode-crlf": target_kept("/%E5%98%8A%E5%98%8DX:%20y"),
    "target-dot-segments": target_resolved("/a/../../b/%2e%2e//c%2f?/../", "//c%2f?/../"),
    "target-dot-segments-at-the-end": target_resolved("/attack/x/../%2E", "/attack/"),
    "target-dot-segment-with-a-parameter": answered(get(target="/a/.%2e;x"), 400, CLOSED),
    "target-two-slashes": target_kept("//evil.test/attack"),
    "target-slash-escaped": target_kept("/a%2Fb%5cc"),
    "target-url-inside": target_kept("/http://evil.test/"),
    "target-at": target_kept("/@evil.test"),
}

CASES = LINE_ENDS | NAMES_AND_VALUES | HOSTS | REQUEST_LINES
