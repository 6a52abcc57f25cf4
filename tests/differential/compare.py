"""Whatever the gateway's parser accepts, h11 and Node's llhttp accept, too, and see the same:
method, target, fields in their order, body, and where the next request begins. That the gateway
refuses more than they do is no error. The exceptions are listed below, each with its reason.

    compare.py READER [SEED [CASES]]    READER: the executable of reader.cc
"""

import json
import os
import random
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from generator import Requests

try:
    import h11
except ImportError:
    print("needs python3-h11: skipped")
    sys.exit(77)

CASES = 50_000
BATCH = 2_000
SKIPPED_LINES = b"\r\n"
HEAD_BYTES_MAX = 64 * 1024
NODE = ["node", "--no-deprecation", str(Path(__file__).with_name("llhttp.js"))]
STOPPED = "stopped"  # where an upgrade was asked for, Node keeps the error's name to itself
FRAMING_ERRORS = ("HPE_INVALID_CONTENT_LENGTH", "HPE_INVALID_TRANSFER_ENCODING", STOPPED)
TAB_BEHIND_FRAMING = re.compile(
    rb"\r\n(content-length:[ \t]*[0-9]+|transfer-encoding:[ \t]*chunked) *\t[ \t]*\r\n",
    re.IGNORECASE)
FRAMING_IN_TRAILERS = re.compile(
    rb"\r\n\r\n.*\r\n(content-length|transfer-encoding):", re.IGNORECASE | re.DOTALL)
H11_OF_FRAMING = ("h11 refuses: bad Content-Length",
                  "h11 refuses: conflicting Content-Length headers",
                  "h11 refuses: multiple Transfer-Encoding headers",
                  "h11 refuses: Only Transfer-Encoding: chunked is supported")
EXTENSION = re.compile(rb"[0-9a-f];[^\r\n]*\r\n", re.IGNORECASE)
COMPARED_MIN = 0.2  # of all cases: fewer would mean that the generator makes nothing but rubbish


class Difference(Exception):
    pass


def frame(data, *numbers):
    return b"".join(number.to_bytes(4, "big") for number in (len(data), *numbers)) + data


def text(digits):
    return bytes.fromhex(digits)


def run_lines(command, data):
    done = subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise Difference(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def fields_of(ours):
    """With codings in lower case, as h11 has them."""
    return [(text(name), lower_coding(text(name), text(value))) for name, value in ours["fields"]]


def lower_coding(name, value):
    return value.lower() if name.lower() == b"transfer-encoding" else value


def read_with_h11(data):
    """(method, target, minor version, fields, body, rest) or h11's error."""
    # RFC 9112 section 2.2 wants empty lines in front to be ignored; h11 refuses them.
    while data.startswith(SKIPPED_LINES):
        data = data[len(SKIPPED_LINES):]
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    connection.receive_data(data)
    body = b""
    try:
        request = connection.next_event()
        if request is h11.NEED_DATA:
            return "h11 waits for more of the head"
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError as error:
        return f"h11 refuses: {error}"
    if not isinstance(event, h11.EndOfMessage):
        return "h11 waits for more of the body"
    fields = [(name, value) for name, value in request.headers.raw_items()]
    return (request.method, request.target, int(request.http_version[2:]), fields, bytes(body),
            len(connection.trailing_data[0]))


def has_framing_in_trailers(data):
    return FRAMING_IN_TRAILERS.search(data.lstrip(SKIPPED_LINES)) is not None


def compare_with_h11(data, ours):
    theirs = read_with_h11(data)
    # Like llhttp it reads trailers as if they were in the head.
    if theirs in H11_OF_FRAMING and has_framing_in_trailers(data):
        return
    same = (text(ours["method"]), text(ours["target"]), ours["minor"], fields_of(ours),
            text(ours["body"]), ours["rest"])
    if theirs != same:
        raise Difference(f"h11: {theirs}")


def llhttp_may_refuse(data, error):
    """What llhttp is stricter in, without any doubt about framing."""
    # It knows a fixed list of methods; to us a method is any token (RFC 9110 section 9.1).
    if error == "HPE_INVALID_METHOD":
        return True
    # It wants no tab behind a length or a coding; RFC 9110 section 5.6.3 allows one, and the
    # gateway writes both fields anew.
    if error in FRAMING_ERRORS and TAB_BEHIND_FRAMING.search(data):
        return True
    # It reads trailers like the head's fields; the gateway passes on none about framing.
    if error in FRAMING_ERRORS and has_framing_in_trailers(data):
        return True
    # It reads the grammar of chunk extensions; the gateway drops them unread, up to their CRLF.
    if error in ("HPE_STRICT", STOPPED) or error.startswith("HPE_INVALID_CHUNK"):
        return EXTENSION.search(data) is not None
    return False


def compare_with_llhttp(data, ours, theirs):
    # What follows the head of a CONNECT is a tunnel to it, framing or not, and PRI is nothing but a
    # part of HTTP/2's preface. The gateway refuses the one; to upstreams the other is any method.
    if ours["method"] in (b"CONNECT".hex(), b"PRI".hex()):
        return False
    if "error" in theirs:
        if llhttp_may_refuse(data, theirs["error"]):
            return False
        raise Difference(f"llhttp refuses: {theirs}")
    fields = [(text(name), lower_coding(text(name), text(value)))
              for name, value in theirs["fields"]]
    if (theirs["complete"] != 1 or theirs.get("tooSoon") or fields != fields_of(ours) or
            any(theirs[key] != ours[key] for key in ("method", "target", "minor", "body"))):
        raise Difference(f"llhttp: {theirs}")
    return True


def has_llhttp():
    probe = frame(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27)
    if not shutil.which("node"):
        return False
    done = subprocess.run(NODE, input=probe, capture_output=True, timeout=60, check=False)
    return done.returncode == 0 and b'"complete":1' in done.stdout


def check(case, of_reader):
    if "whole" in of_reader:
        raise Difference("the reading depends on how the bytes arrive")
    if "error" not in of_reader and "more" not in of_reader:
        compare_with_h11(case, of_reader)
        return True
    return False


def judge(case, step, *arguments):
    """Whether there was something to compare; a difference is told with the bytes."""
    try:
        return step(case, *arguments)
    except Difference as difference:
        print(f"the request: {case!r}\nours: {arguments[0]}\n{difference}")
        raise


def run_batch(reader, cases, seed, with_llhttp):
    """How many were accepted and compared with h11, and how many with llhttp."""
    readings = run_lines([reader, str(seed % 2**31)], b"".join(frame(case) for case in cases))
    if len(readings) != len(cases):
        raise Difference(f"{len(readings)} readings of {len(cases)} cases")
    accepted = [(case, ours) for case, ours in zip(cases, readings) if judge(case, check, ours)]
    if not with_llhttp:
        return len(accepted), 0
    framed = b"".join(frame(case, len(case) - ours["rest"]) for case, ours in accepted)
    theirs = run_lines(NODE, framed)
    if len(theirs) != len(accepted):
        raise Difference(f"llhttp gave {len(theirs)} readings of {len(accepted)} cases")
    compared = [judge(case, compare_with_llhttp, ours, one)
                for (case, ours), one in zip(accepted, theirs)]
    return len(accepted), sum(compared)


def main(reader, seed=None, count=CASES):
    if seed is None:
        seed = os.environ.get("GATEWAY_FRESH_SEED", secrets.randbits(32))
    seed = int(seed)
    requests = Requests(random.Random(seed))
    with_llhttp = has_llhttp()
    by_h11 = by_llhttp = 0
    try:
        for begin in range(0, int(count), BATCH):
            cases = [requests.make() for _ in range(min(BATCH, int(count) - begin))]
            accepted, compared = run_batch(reader, cases, seed, with_llhttp)
            by_h11 += accepted
            by_llhttp += compared
    except Difference:
        print(f"to see it again: compare.py {reader} {seed}")
        return 1
    print(f"seed {seed}: of {count} requests {by_h11} were accepted and compared with h11, "
          f"{by_llhttp} with llhttp{'' if with_llhttp else ' (not reachable)'}")
    return 0 if by_h11 >= COMPARED_MIN * int(count) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
