"""Attacks on where a body ends, by Content-Length and Transfer-Encoding in all their disguises."""

from support.attacks import (CHUNKED_LINE, HOST, HOST_LINE, SMUGGLED, SMUGGLED_SEEN, chunk, get,
                             passed, post, refused, seen_chunked, seen_get, seen_length)
from support.serving import Seen

LENGTH_5 = "Content-Length: 5\r\n"
CHUNKED = CHUNKED_LINE + "\r\n"
END = "0\r\n\r\n"

BOTH_FRAMINGS = {
    "cl-te": refused(post(f"Content-Length: {len(END + SMUGGLED)}\r\n{CHUNKED}", END + SMUGGLED)),
    "te-cl": refused(post(f"{CHUNKED}Content-Length: 4\r\n", chunk(SMUGGLED) + END)),
    "cl-te-upper-case": refused(post("CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n", END)),
    "cl-0-te": refused(post(f"Content-Length: 0\r\n{CHUNKED}", chunk("abc") + END)),
    "te-cl-0": refused(post(f"{CHUNKED}Content-Length: 0\r\n", END + SMUGGLED)),
    "cl-te-of-get": refused(get(f"{LENGTH_5}{CHUNKED}") + END),
    "cl-te-far-apart": refused(post(LENGTH_5 + "X: y\r\n" * 50 + CHUNKED, END)),
    "cl-te-identity": refused(post(f"{LENGTH_5}Transfer-Encoding: identity\r\n", "hello")),
    "cl-te-gzip": refused(post(f"{LENGTH_5}Transfer-Encoding: gzip\r\n", "hello")),
    "cl-te-empty": refused(post(f"{LENGTH_5}Transfer-Encoding:\r\n", "hello")),
    "cl-cl-te": refused(post(f"{LENGTH_5}{LENGTH_5}{CHUNKED}", END)),
    "te-cl-te": refused(post(f"{CHUNKED}{LENGTH_5}{CHUNKED}", END)),
    "te-in-1.0": refused(f"POST /attack HTTP/1.0\r\n{HOST}{CHUNKED}\r\n{END}"),
    "te-cl-in-1.0": refused(f"POST /attack HTTP/1.0\r\n{HOST}{CHUNKED}{LENGTH_5}\r\n{END}"),
}


def te_refused(value, status=400):
    return refused(post(f"Transfer-Encoding:{value}\r\n", chunk("abc") + END), status)


def te_line_refused(line):
    return refused(post(f"{line}\r\n", chunk("abc") + END))


def te_valid(line):
    return passed(post(f"{line}\r\n", chunk("abc") + END), seen_chunked("abc"))


DISGUISED_CODINGS = {
    "te-xchunked": te_refused(" xchunked"),
    "te-chunkedx": te_refused(" chunkedx"),
    "te-x-chunked": te_refused(" x-chunked"),
    "te-quoted": te_refused(' "chunked"'),
    "te-single-quoted": te_refused(" 'chunked'"),
    "te-parameter": te_refused(" chunked;q=1"),
    "te-parameter-spaced": te_refused(" chunked ; a=b"),
    "te-vt-before": te_refused(" \x0bchunked"),
    "te-vt-after": te_refused(" chunked\x0b"),
    "te-ff-before": te_refused(" \x0cchunked"),
    "te-nul-before": te_refused(" \x00chunked"),
    "te-nul-after": te_refused(" chunked\x00"),
    "te-nul-inside": te_refused(" chun\x00ked"),
    "te-backspace": te_refused(" chunkedd\x08"),
    "te-nbsp-before": te_refused(" \xa0chunked"),
    "te-nbsp-after": te_refused(" chunked\xa0"),
    "te-nel-after": te_refused(" chunked\x85"),
    "te-high-byte": te_refused(" chu\xffnked"),
    "te-kelvin-sign": te_refused(" chun\xe2\x84\xaaed"),
    "te-cr-after": te_refused(" chunked\r"),
    "te-cr-before": te_refused("\rchunked"),
    "te-colon": te_refused(": chunked"),
    "te-brackets": te_refused(" [chunked]"),
    "te-space-inside": te_refused(" chunked identity"),
    "te-chunked-identity": te_refused(" chunked, identity"),
    "te-chunked-chunked": te_refused(" chunked, chunked"),
    "te-chunked-gzip": te_refused(" chunked, gzip"),
    "te-leading-comma": te_refused(" , chunked"),
    "te-trailing-comma": te_refused(" chunked,"),
    "te-trailing-commas": te_refused(" chunked , ,"),
    "te-empty": te_refused(""),
    "te-identity": te_refused(" identity", 501),
    "te-identity-chunked": te_refused(" identity, chunked", 501),
    "te-gzip-chunked": te_refused(" gzip, chunked", 501),
    "te-gzip": te_refused(" gzip", 501),
    "te-cow": te_refused(" cow", 501),
    "te-line-cow-chunked": te_refused(" cow\r\nTransfer-Encoding: chunked", 501),
    "te-line-chunked-cow": te_refused(" chunked\r\nTransfer-Encoding: cow"),
    "te-line-chunked-chunked": te_refused(" chunked\r\nTransfer-Encoding: chunked"),
    "te-line-chunked-identity": te_refused(" chunked\r\ntransfer-encoding: identity"),
    "te-line-chunked-empty": te_refused(" chunked\r\nTransfer-Encoding:"),
    "te-folded": te_refused("\r\n chunked"),
    "te-folded-by-tab": te_refused("\r\n\tchunked"),
    "te-folded-later": te_refused(" chunked\r\n , identity"),
    "te-space-before-colon": te_line_refused("Transfer-Encoding : chunked"),
    "te-tab-before-colon": te_line_refused("Transfer-Encoding\t: chunked"),
    "te-vt-before-colon": te_line_refused("Transfer-Encoding\x0b: chunked"),
    "te-nul-before-colon": te_line_refused("Transfer-Encoding\x00: chunked"),
    "te-nbsp-before-colon": te_line_refused("Transfer-Encoding\xa0: chunked"),
    "te-cr-before-colon": te_line_refused("Transfer-Encoding\r: chunked"),
    "te-no-colon": te_line_refused("Transfer-Encoding chunked"),
    "te-space-in-name": te_line_refused("Transfer Encoding: chunked"),
    "te-leading-space": te_line_refused(" Transfer-Encoding: chunked"),
    "te-leading-tab": te_line_refused("\tTransfer-Encoding: chunked"),
    "te-behind-lf": te_line_refused("X: y\nTransfer-Encoding: chunked"),
    "te-behind-cr": te_line_refused("X: y\rTransfer-Encoding: chunked"),
    "te-leading-lf": te_line_refused("\nTransfer-Encoding: chunked"),
    "te-cr-cr-lf": te_line_refused("Transfer-Encoding: chunked\r"),
    "te-valid-mixed-case": te_valid("tRaNsFeR-eNcOdInG: ChUnKeD"),
    "te-valid-upper-case": te_valid("TRANSFER-ENCODING: CHUNKED"),
    "te-valid-no-space": te_valid("Transfer-Encoding:chunked"),
    "te-valid-tabs": te_valid("Transfer-Encoding:\t \tchunked \t"),
    "te-valid-of-get": passed(get(CHUNKED) + chunk("abc") + END,
                              seen_chunked("abc", method="GET")),
    "te-underscore": passed(post(f"Transfer_Encoding: chunked\r\n{LENGTH_5}", "hello"),
                            seen_length("hello")),
    "te-underscore-alone": passed(post("Transfer_Encoding: chunked\r\n") + SMUGGLED,
                                  Seen("POST /attack HTTP/1.1", (HOST_LINE,)), SMUGGLED_SEEN),
    "te-other-name": passed(post(f"X-Transfer-Encoding: chunked\r\n{LENGTH_5}", "hello"),
                            seen_length("hello", "X-Transfer-Encoding: chunked")),
    "te-content-encoding": passed(post(f"Content-Encoding: chunked\r\n{LENGTH_5}", "hello"),
                                  seen_length("hello", "Content-Encoding: chunked")),
    "te-te": passed(post(f"TE: chunked\r\n{LENGTH_5}", "hello"), seen_length("hello")),
}


def cl_refused(value, body="hello"):
    return refused(post(f"Content-Length:{value}\r\n", body + SMUGGLED))


def cl_valid(line):
    return passed(post(f"{line}\r\n", "hello"), seen_length("hello"))


LENGTHS = {
    "cl-plus": cl_refused(" +5"),
    "cl-minus": cl_refused(" -5"),
    "cl-minus-zero": cl_refused(" -0", ""),
    "cl-hexadecimal": cl_refused(" 0x5"),
    "cl-hexadecimal-digit": cl_refused(" a"),
    "cl-underscore": cl_refused(" 0_5"),
    "cl-space-inside": cl_refused(" 0 5"),
    "cl-tab-inside": cl_refused(" 0\t5"),
    "cl-list": cl_refused(" 5, 6"),
    "cl-list-equal": cl_refused(" 5, 5"),
    "cl-list-tight": cl_refused(" 5,5"),
    "cl-leading-comma": cl_refused(" ,5"),
    "cl-trailing-comma": cl_refused(" 5,"),
    "cl-semicolon": cl_refused(" 5;"),
    "cl-fraction": cl_refused(" 5.0"),
    "cl-exponent": cl_refused(" 5e0"),
    "cl-quoted": cl_refused(' "5"'),
    "cl-empty": cl_refused(""),
    "cl-blank": cl_refused(" \t "),
    "cl-word": cl_refused(" five"),
    "cl-nul": cl_refused(" 5\x00"),
    "cl-vt-before": cl_refused(" \x0b5"),
    "cl-vt-after": cl_refused(" 5\x0b"),
    "cl-nbsp": cl_refused(" 5\xa0"),
    "cl-wide-digit": cl_refused(" \xef\xbc\x95"),
    "cl-arabic-digit": cl_refused(" \xd9\xa5"),
    "cl-cr": cl_refused(" 5\r"),
    "cl-2^63": cl_refused(" 9223372036854775808"),
    "cl-2^64+5": cl_refused(" 18446744073709551621"),
    "cl-2^32-squared-twice": cl_refused(" 340282366920938463463374607431768211461"),
    "cl-nines": cl_refused(" 99999999999999999999"),
    "cl-folded": cl_refused("\r\n 5"),
    "cl-folded-later": cl_refused(" 5\r\n 6"),
    "cl-line-equal": cl_refused(" 5\r\nContent-Length: 5"),
    "cl-line-different": cl_refused(" 5\r\nContent-Length: 6"),
    "cl-line-zero-first": cl_refused(" 0\r\nContent-Length: 5"),
    "cl-line-other-case": cl_refused(" 5\r\ncontent-length: 0"),
    "cl-line-empty": cl_refused(" 5\r\nContent-Length:"),
    "cl-space-before-colon": refused(post("Content-Length : 5\r\n", "hello")),
    "cl-tab-before-colon": refused(post("Content-Length\t: 5\r\n", "hello")),
    "cl-no-colon": refused(post("Content-Length 5\r\n", "hello")),
    "cl-leading-space": refused(post(" Content-Length: 5\r\n", "hello")),
    "cl-behind-lf": refused(post("X: y\nContent-Length: 5\r\n", "hello")),
    "cl-behind-cr": refused(post("X: y\rContent-Length: 5\r\n", "hello")),
    "cl-valid": cl_valid("Content-Length: 5"),
    "cl-valid-no-space": cl_valid("content-length:5"),
    "cl-valid-tabs": cl_valid("CONTENT-LENGTH:\t5 \t"),
    "cl-valid-leading-zeros": cl_valid("Content-Length: 0005"),
    "cl-valid-many-zeros": cl_valid("Content-Length: " + "0" * 30 + "5"),
    "cl-zero": passed(post("Content-Length: 0\r\n") + SMUGGLED, seen_length(""), SMUGGLED_SEEN),
    "cl-absent": passed(post("") + SMUGGLED, Seen("POST /attack HTTP/1.1", (HOST_LINE,)),
                        SMUGGLED_SEEN),
    "cl-shorter-than-what-follows": passed(post(LENGTH_5, "hello" + SMUGGLED),
                                           seen_length("hello"), SMUGGLED_SEEN),
    "cl-body-looks-like-a-request": passed(
        post(f"Content-Length: {len(SMUGGLED)}\r\n", SMUGGLED), seen_length(SMUGGLED)),
    "cl-body-looks-like-chunks": passed(post(LENGTH_5, END), seen_length(END)),
    "cl-of-get": passed(get(f"Content-Length: {len(SMUGGLED)}\r\n") + SMUGGLED,
                        seen_length(SMUGGLED, method="GET")),
    "cl-of-head": passed(post(LENGTH_5, "hello").replace("POST", "HEAD"),
                         seen_length("hello", method="HEAD")),
    "cl-of-delete": passed(post(LENGTH_5, "hello").replace("POST", "DELETE"),
                           seen_length("hello", method="DELETE")),
    "cl-of-options": passed(post(LENGTH_5, "hello").replace("POST", "OPTIONS"),
                            seen_length("hello", method="OPTIONS")),
    "cl-underscore-name": passed(post(f"Content_Length: 99\r\n{LENGTH_5}", "hello"),
                                 seen_length("hello")),
    "cl-underscore-name-alone": passed(get("Content_Length: 99\r\n"), seen_get()),
    "cl-other-name": passed(post(f"ContentLength: 99\r\n{LENGTH_5}", "hello"),
                            seen_length("hello", "ContentLength: 99")),
}

CASES = BOTH_FRAMINGS | DISGUISED_CODINGS | LENGTHS
