"""What a case of request smuggling consists of. Each attack is sent with a victim's request right
behind it; a case says what the client gets, and what the upstream sees, to the byte.

SCHEME in an attack stands for the scheme that the client speaks.
"""

from dataclasses import dataclass

from support.serving import Seen

HOST = "Host: raw.test\r\n"
HOST_LINE = "Host: raw.test"
CHUNKED_LINE = "Transfer-Encoding: chunked"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: raw.test\r\n\r\n"
VICTIM = "GET /victim HTTP/1.1\r\nHost: raw.test\r\nX-Victim: 1\r\nConnection: close\r\n\r\n"
VICTIM_SEEN = Seen("GET /victim HTTP/1.1", (HOST_LINE, "X-Victim: 1"))
SMUGGLED_SEEN = Seen("GET /smuggled HTTP/1.1", (HOST_LINE,))

OPEN = "open"        # the connection stays, and the victim is served
CLOSED = "closed"    # nothing behind the attack is ever read as a request
EITHER = "either"    # as the answer's Connection field says


@dataclass(frozen=True)
class Attack:
    sent: str
    statuses: tuple          # of the answers to it
    then: str                # OPEN, CLOSED or EITHER
    seen: tuple = ()         # the requests that the upstream gets and answers
    answer: str = None       # what the upstream says to the first of them; None: 200
    cut_body: str = None     # the upstream gets no more than the head in `seen` and this data

    def bytes_for(self, secure):
        scheme = "https" if secure else "http"
        return self.sent.replace("SCHEME://", f"{scheme}://").encode("latin-1")


def refused(sent, status=400):
    """A head that cannot be trusted: one answer, nothing reaches the upstream."""
    return Attack(sent, (status,), CLOSED)


def answered(sent, status, then=EITHER):
    """A request that is well-formed, and still is not passed on."""
    return Attack(sent, (status,), then)


def passed(sent, *seen, answer=None, statuses=None, then=OPEN):
    return Attack(sent, statuses or (200,) * len(seen), then, seen, answer)


def cut(sent, head, data=""):
    """A good head with a bad body: the upstream gets `data` at most, and never its end."""
    return Attack(sent, (400,), CLOSED, (head,), cut_body=data)


def post(fields, body=""):
    return f"POST /attack HTTP/1.1\r\n{HOST}{fields}\r\n{body}"


def get(fields="", target="/attack"):
    return f"GET {target} HTTP/1.1\r\n{HOST}{fields}\r\n"


def seen_get(*lines, target="/attack", host="raw.test"):
    return Seen(f"GET {target} HTTP/1.1", (f"Host: {host}", *lines))


def seen_length(body, *lines, method="POST"):
    return Seen(f"{method} /attack HTTP/1.1",
                (HOST_LINE, *lines, f"Content-Length: {len(body)}"), body)


def seen_chunked(body, *lines, trailers=(), method="POST"):
    return Seen(f"{method} /attack HTTP/1.1", (HOST_LINE, *lines, CHUNKED_LINE), body, trailers)


def chunk(data, extension=""):
    return f"{len(data):x}{extension}\r\n{data}\r\n"
