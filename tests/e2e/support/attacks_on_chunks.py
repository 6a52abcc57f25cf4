"""Attacks on the chunked coding: sizes, extensions, line ends, trailers."""

from support.attacks import (CHUNKED_LINE, SMUGGLED, SMUGGLED_SEEN, chunk, cut, passed, post,
                             seen_chunked)

CHUNKED = CHUNKED_LINE + "\r\n"
END = "0\r\n\r\n"
HEAD = seen_chunked("")


def bad_size(line):
    """`line` is taken for the size of the second chunk."""
    return cut(post(CHUNKED, f"{chunk('abc')}{line}hello\r\n{END}"), HEAD, "abc")


def bad_end(text):
    """`text` stands where the last chunk ought to be."""
    return cut(post(CHUNKED, chunk("abc") + text), HEAD, "abc")


def bad_trailer(line):
    return cut(post(CHUNKED, f"{chunk('abc')}0\r\n{line}\r\n\r\n"), HEAD, "abc")


def good(body, data, trailers=()):
    return passed(post(CHUNKED, body), seen_chunked(data, trailers=trailers))


SIZES = {
    "chunk-minus": bad_size("-5\r\n"),
    "chunk-plus": bad_size("+5\r\n"),
    "chunk-0x": bad_size("0x5\r\n"),
    "chunk-0X": bad_size("0X5\r\n"),
    "chunk-leading-space": bad_size(" 5\r\n"),
    "chunk-leading-tab": bad_size("\t5\r\n"),
    "chunk-trailing-space": bad_size("5 \r\n"),
    "chunk-trailing-tab": bad_size("5\t\r\n"),
    "chunk-space-inside": bad_size("0 5\r\n"),
    "chunk-underscore": bad_size("0_5\r\n"),
    "chunk-not-hexadecimal": bad_size("5g\r\n"),
    "chunk-no-size": bad_size("\r\n"),
    "chunk-extension-alone": bad_size(";a=b\r\n"),
    "chunk-quoted-size": bad_size('"5"\r\n'),
    "chunk-list": bad_size("5,5\r\n"),
    "chunk-nul": bad_size("5\x00\r\n"),
    "chunk-vt": bad_size("\x0b5\r\n"),
    "chunk-high-byte": bad_size("5\xff\r\n"),
    "chunk-2^63": bad_size("8000000000000000\r\n"),
    "chunk-2^64-1": bad_size("ffffffffffffffff\r\n"),
    "chunk-2^64+5": bad_size("10000000000000005\r\n"),
    "chunk-2^68+5": bad_size("100000000000000005\r\n"),
    "chunk-too-many-zeros": bad_size("0" * 40 + "5\r\n"),
    "chunk-bare-lf": bad_size("5\n"),
    "chunk-bare-cr": bad_size("5\r"),
    "chunk-cr-cr-lf": bad_size("5\r\r\n"),
    "chunk-lf-cr": bad_size("5\n\r"),
    "chunk-extension-bare-lf": bad_size("5;a\n"),
    "chunk-extension-lf-inside": bad_size("5;a\nb\r\n"),
    "chunk-extension-bare-cr": bad_size("5;a\rb\r\n"),
    "chunk-extension-nul": bad_size("5;a=\x00\r\n"),
    "chunk-extension-control": bad_size('5;a="\x1b"\r\n'),
    "chunk-space-before-extension": bad_size("5 ;a=b\r\n"),
    "chunk-extensions-too-large": bad_size(f"5;a={'x' * 17_000}\r\n"),
    "chunk-size-at-once-wrong": cut(post(CHUNKED, "zz\r\n"), HEAD),
    "chunk-lf-for-all": cut(post(CHUNKED, "5\nhello\n0\n\n"), HEAD),
}

ENDS = {
    "chunk-shorter-than-said": cut(post(CHUNKED, "5\r\nabc\r\n0\r\n\r\n"), HEAD, "abc\r\n"),
    "chunk-longer-than-said": cut(post(CHUNKED, "3\r\nabcde\r\n0\r\n\r\n"), HEAD, "abc"),
    "chunk-no-crlf-behind-data": cut(post(CHUNKED, "3\r\nabc0\r\n\r\n"), HEAD, "abc"),
    "chunk-lf-behind-data": cut(post(CHUNKED, "3\r\nabc\n0\r\n\r\n"), HEAD, "abc"),
    "chunk-cr-behind-data": cut(post(CHUNKED, "3\r\nabc\r0\r\n\r\n"), HEAD, "abc"),
    "chunk-space-behind-data": cut(post(CHUNKED, "3\r\nabc \r\n0\r\n\r\n"), HEAD, "abc"),
    "last-chunk-lf-lf": bad_end("0\n\n"),
    "last-chunk-crlf-lf": bad_end("0\r\n\n"),
    "last-chunk-lf-crlf": bad_end("0\n\r\n"),
    "last-chunk-cr-alone": bad_end("0\r\n\rX"),
    "last-chunk-space": bad_end("0 \r\n\r\n"),
    "last-chunk-minus": bad_end("-0\r\n\r\n"),
    "last-chunk-0x0": bad_end("0x0\r\n\r\n"),
    "last-chunk-missing": bad_end(""),
    "last-chunk-extension-lf": bad_end("0;a\n\r\n"),
    "trailer-space-before-colon": bad_trailer("X : y"),
    "trailer-no-colon": bad_trailer("nonsense"),
    "trailer-empty-name": bad_trailer(": y"),
    "trailer-folded": bad_trailer("X: y\r\n z"),
    "trailer-leading-space": bad_trailer(" X: y"),
    "trailer-bare-lf": bad_trailer("X: y\nZ: a"),
    "trailer-bare-cr": bad_trailer("X: y\rZ: a"),
    "trailer-nul": bad_trailer("X: \x00"),
    "trailer-bad-name": bad_trailer("X(y): z"),
    "trailer-too-large": bad_trailer(f"X: {'y' * 9000}"),
    "trailers-too-many": bad_trailer("\r\n".join(["X: y"] * 65)),
}

VALID = {
    "chunk-valid-upper-case": good(f"A\r\n0123456789\r\n{END}", "0123456789"),
    "chunk-valid-lower-case": good(f"a\r\n0123456789\r\n{END}", "0123456789"),
    "chunk-valid-leading-zeros": good(f"0000000000000005\r\nhello\r\n{END}", "hello"),
    "chunk-valid-extension": good(chunk("hello", ";a=b") + "0;last\r\n\r\n", "hello"),
    "chunk-valid-quoted-extension": good(chunk("hello", ';a="b;\\"c"') + END, "hello"),
    "chunk-valid-empty-extension": good(chunk("hello", ";") + END, "hello"),
    "chunk-extension-looks-like-a-size": good(chunk("hello", ";ff") + END, "hello"),
    "chunk-valid-zeros-at-the-end": good(chunk("hello") + "0000\r\n\r\n", "hello"),
    "chunk-valid-no-data": good(END, ""),
    "chunk-data-looks-like-a-request": good(chunk(SMUGGLED) + END, SMUGGLED),
    "chunk-data-looks-like-an-end": good(chunk("\r\n" + END) + END, "\r\n" + END),
    "chunk-request-behind-the-end": passed(post(CHUNKED, chunk("hello") + END) + SMUGGLED,
                                           seen_chunked("hello"), SMUGGLED_SEEN),
    "trailer-valid": good(f"{chunk('abc')}0\r\nX-Check: 1\r\n\r\n", "abc", ("X-Check: 1",)),
    "trailer-content-length": good(f"{chunk('abc')}0\r\nContent-Length: 99\r\n\r\n", "abc"),
    "trailer-transfer-encoding": good(
        f"{chunk('abc')}0\r\nTransfer-Encoding: chunked\r\nX-Check: 1\r\n\r\n", "abc",
        ("X-Check: 1",)),
    "trailer-host": good(f"{chunk('abc')}0\r\nHost: evil.test\r\n\r\n", "abc"),
    "trailer-forwarded-for": good(
        f"{chunk('abc')}0\r\nX-Forwarded-For: 10.9.8.7\r\nForwarded: for=10.9.8.7\r\n\r\n", "abc"),
    "trailer-underscores": good(
        f"{chunk('abc')}0\r\nContent_Length: 99\r\nX_Forwarded_For: 10.9.8.7\r\n\r\n", "abc"),
    "trailer-named-by-connection": passed(
        post(f"Connection: X-Secret\r\n{CHUNKED}",
             f"{chunk('abc')}0\r\nx-secret: 1\r\nX-Check: 1\r\n\r\n"),
        seen_chunked("abc", trailers=("X-Check: 1",))),
    "trailer-connection": good(f"{chunk('abc')}0\r\nConnection: close\r\n\r\n", "abc"),
}

CASES = SIZES | ENDS | VALID
