"""Random requests: from a grammar that knows the corners of HTTP/1.1, and then bent where a reader
decides about framing."""

METHODS = [b"GET", b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH",
           b"TRACE", b"CONNECT", b"get", b"PRI", b"FROB", b"M-SEARCH", b"GE T", b"P\x00ST"]
TARGETS = [b"/", b"/a", b"/a/b?c=d", b"/%2e%2e/x", b"/a%0d%0aX:y", b"//h/x", b"/?", b"*",
           b"http://h.test/x", b"http://h.test", b"https://h.test:8443/?q", b"HTTP://h.test/",
           b"h.test:443", b"/a b", b"/\xe4", b"/a#b", b"/{|}^\"<>\\`", b"/~:@!$&'()*+,;=", b"",
           b"/" + b"x" * 300]
VERSIONS = [b"HTTP/1.1"] * 12 + [b"HTTP/1.0"] * 3 + [b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b""]
HOSTS = [b"Host: h.test"] * 12 + [b"host:h.test:80", b"HOST: \th.test \t", b"Host: [::1]:80",
                                  b"Host:", b"Host: a b", b"X: no-host"]
LENGTH_NAMES = [b"Content-Length"] * 6 + [b"content-length", b"CONTENT-LENGTH", b"Content-length ",
                                          b"Content_Length"]
CODINGS = [b"chunked"] * 8 + [b"Chunked", b"CHUNKED", b"chunked ", b"\tchunked", b"identity",
                              b"gzip, chunked", b"chunked, chunked", b",chunked", b"chunked,",
                              b"xchunked", b"\"chunked\"", b"chunked;q=1", b""]
OTHERS = [b"X: y", b"x-EMPTY:", b"X:  a  b\t", b"X:\ta\tb", b"Cookie: a=b; c=\"d\"",
          b"Connection: close", b"Connection: keep-alive, X", b"Connection: Upgrade",
          b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue", b"TE: trailers",
          b"X-High: \xff\x80\xe4", b"!#$%&'*+-.^_`|~: z", b"X : y", b" X: y", b"X: y\r\n z",
          b"X(y): z", b": z", b"nonsense", b"X: \x00", b"X: \x0b", b"X: \x7f", b"Trailer: X",
          b"X: " + b"y" * 500]
EXTENSIONS = [b""] * 12 + [b";a", b";a=b", b";a=\"b;c\"", b";a=b;c=d", b";", b";a b", b" ;a", b" "]
TRAILERS = [b"X: y", b"x-check:\t1 ", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X : y",
            b" X: y", b"Host: evil", b"nonsense"]
BYTES = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b",", b";", b"0", b"1", b"5", b"f",
         b"-", b"+", b"x", b"_", b"\"", b"\\", b"\x00", b"\x01", b"\x0b", b"\x0c", b"\x7f", b"\x85",
         b"\xa0", b"\xff"]
BORDERS = b"\r\n: \t,;/0123456789"


class Requests:
    """random: a random.Random; each call of make() gives another request with what follows it."""

    def __init__(self, random):
        self.random = random

    def make(self):
        data = self.whole()
        if self.random.random() < 0.5:
            for _ in range(self.random.choice([1, 1, 1, 2, 3])):
                data = self.bend(data)
        return data

    def pick(self, choices, plain=None):
        """Mostly the first of them, so that most requests are good ones."""
        if plain is None:
            plain = 0.5
        return choices[0] if self.random.random() < plain else self.random.choice(choices)

    def whole(self):
        body, framing = self.body()
        fields = [self.pick(HOSTS, 0.8), *framing]
        for _ in range(self.random.choice([0, 0, 1, 1, 2, 3, 40])):
            fields.append(self.pick(OTHERS, 0.6))
        self.random.shuffle(fields)
        line = b" ".join([self.pick(METHODS, 0.3), self.pick(TARGETS, 0.4),
                          self.pick(VERSIONS, 0.6)])
        before = self.pick([b"", b"\r\n", b"\r\n\r\n", b"\n"], 0.9)
        head = b"".join(part + b"\r\n" for part in [line, *fields])
        return before + head + b"\r\n" + body + self.pick([b"", b"GET /next HTTP/1.1\r\n", b"\r\n"])

    def body(self):
        kind = self.random.random()
        if kind < 0.3:
            return b"", []
        if kind < 0.55:
            return self.body_of_length()
        framing = [b"Transfer-Encoding: " + self.pick(CODINGS, 0.8)]
        if self.random.random() < 0.05:
            framing.append(b"Content-Length: 5")
        return self.chunks(), framing

    def body_of_length(self):
        data = self.data()
        size = b"%d" % len(data)
        size = self.pick([size, b"0" + size, b"+" + size, size + b" ", size + b"," + size,
                          b"0x" + size, size + b"\t", b"18446744073709551616"], 0.8)
        framing = [self.pick(LENGTH_NAMES, 0.8) + b": " + size]
        if self.random.random() < 0.05:
            framing *= 2
        return data, framing

    def data(self):
        size = self.random.choice([0, 1, 5, 15, 16, 17, 255, 256])
        return bytes(self.random.choice(b"abc\r\n0;: \x00\xff") for _ in range(size))

    def chunks(self):
        text = b""
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            data = self.data() or b"z"
            size = self.pick([b"%x" % len(data), b"%X" % len(data), b"000%x" % len(data)])
            text += size + self.pick(EXTENSIONS, 0.7) + b"\r\n" + data + b"\r\n"
        text += self.pick([b"0", b"00", b"0;a=b", b"0 "], 0.9) + b"\r\n"
        if self.random.random() < 0.2:
            text += self.pick(TRAILERS) + b"\r\n"
        return text + b"\r\n"

    def bend(self, data):
        """One change, mostly at a byte that separates something."""
        if not data:
            return data
        borders = [at for at, byte in enumerate(data) if byte in BORDERS]
        at = self.random.randrange(len(data))
        if borders and self.random.random() < 0.8:
            at = self.random.choice(borders) + self.random.choice([0, 0, 1])
        extra = self.random.choice(BYTES)
        kind = self.random.randrange(5)
        if kind == 0:
            return data[:at] + extra + data[at:]
        if kind == 1:
            return data[:at] + data[at + 1:]
        if kind == 2:
            return data[:at] + extra + data[at + 1:]
        if kind == 3:
            return data[:at] + data[at:at + 1].swapcase() + data[at + 1:]
        lines = data.split(b"\r\n")
        lines.insert(self.random.randrange(len(lines)), self.random.choice(lines))
        return b"\r\n".join(lines)
