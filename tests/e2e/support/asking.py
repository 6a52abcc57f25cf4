"""What tests need to ask a server whether a request may pass, and to play it (conftest.py)."""

from support.streams import connect

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REFUSALS = {
    "302": (b"HTTP/1.1 302 Found\r\nLocation: https://login.test/?to=x\r\nSet-Cookie: a=1\r\n"
            b"Set-Cookie: b=2\r\nContent-Length: 0\r\n\r\n", b""),
    "401": (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
            b"Content-Type: text/html\r\nContent-Length: 9\r\n\r\n<b>no</b>", b"<b>no</b>"),
    "chunked": (b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                b"abc"),
    "until close": (b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nthe rest", b"the rest"),
    "500": (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", b""),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", b""),
}


def client_of(gateway, secure=False):
    return connect(gateway.https_port if secure else gateway.http_port, secure)


def get(fields="", target="/x", method="GET"):
    return f"{method} {target} HTTP/1.1\r\nHost: raw.test\r\n{fields}\r\n".encode()


def own(request):
    return dict(line.split(": ", 1) for line in request.own)
