"""openssl and GnuTLS as peers over TLS 1.3, on either side of the gateway; and the ciphers.

openssl takes a single letter at the beginning of what it reads at once for a command: so what is
typed to it as data begins with no letter but G, H or P, and digits() are bodies that are as good as
any other.
"""

import random
import re

import pytest

from support.ports import free_port
from support.streams import connect
from support.typed import Typed
from support.untaken import Untaken

CIPHERS = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
           "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305"}  # GnuTLS's names
EACH_CIPHER = pytest.mark.parametrize("cipher", CIPHERS)
KEY_UPDATE = rb"(?m)^%s TLS 1\.3, Handshake \[length [0-9a-f]+\], KeyUpdate"
CLOSE_NOTIFY = rb"(?m)^%s TLS 1\.3, Alert \[length 0002\], warning close_notify"
TICKET = rb"(?m)^%s TLS 1\.3, Handshake \[length [0-9a-f]+\], NewSessionTicket"
UPDATED = b"SSL_do_handshake -> 1\n"


def priority(cipher):
    return f"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{CIPHERS[cipher]}"


def digits(size, seed=1):
    return random.Random(seed).randbytes(size // 2 + 1).hex().translate(
        str.maketrans("abcdef", "012345")).encode()[:size]


def post(body, target="/echo", more=""):
    """The whole request, or its beginning: `body` may be the length alone."""
    size, body = (body, b"") if isinstance(body, int) else (len(body), body)
    return (f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n{more}\r\n"
            .encode() + body)


def echo(client, body):
    client.send(post(body))
    head, echoed = client.read_response()
    assert head.status == 200
    assert echoed == body


class Openssl(Typed):
    """With -msg, which is how the messages are counted that are no data."""

    def __init__(self, command, folder, noise):
        self.messages_file = folder / f"{command[0]}.messages"
        self.messages_file.write_bytes(b"")
        super().__init__(["stdbuf", "-oL", "openssl", *command, "-msg", "-msgfile",
                          self.messages_file], folder, command[0], noise)

    def count(self, kind, direction):
        """`direction` is "<<<" for what came, and ">>>" for what it has sent."""
        return len(re.findall(kind % direction.encode(), self.messages_file.read_bytes()))

    def wait_count(self, kind, direction, count):
        self.wait_for(lambda: self.count(kind, direction) >= count,
                      f"{count} of {kind} {direction}")


class OpensslClient(Openssl):
    def __init__(self, port, folder, *options):
        super().__init__(["s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-quiet",
                          "-no_ign_eof", *options], folder, ())

    def update_keys(self, letter):
        """k: its own. K: its own, and it asks for the peer's."""
        before = self.count(KEY_UPDATE, ">>>")
        self.send(letter.encode() + b"\n")
        self.wait_count(KEY_UPDATE, ">>>", before + 1)


class OpensslServer(Openssl):
    """The test reads the requests and types the answers. One connection at a time."""

    def __init__(self, files, folder, *options):
        self.port = free_port()
        super().__init__(["s_server", "-accept", f"127.0.0.1:{self.port}", "-tls1_3", "-cert",
                          files[0], "-key", files[1], *options], folder,
                         (b"Read BLOCK\n", UPDATED))
        self.wait_for(lambda: b"ACCEPT\n" in self.output_file.read_bytes(), "ACCEPT")

    def update_keys(self, letter):
        """The same, until the peer has taken it: a kept connection with bytes that wait would not
        be used."""
        before = self.output_file.read_bytes().count(UPDATED)
        self.send(letter.encode() + b"\n")
        self.wait_for(lambda: self.output_file.read_bytes().count(UPDATED) > before, "an update")
        with Untaken() as untaken:
            self.wait_for(lambda: untaken.from_port(self.port) == 0, "the update to be taken")

    def read_request(self):
        """The target, and the body; what it prints of the connection comes before."""
        text = self.read_until(b"\r\n\r\n").decode("latin-1")
        found = re.search(r"(?:GET|POST) (\S+) HTTP/1\.1\r\n", text)
        size = re.search(r"\r\nContent-Length: (\d+)\r\n", text)
        return found[1], self.read_exactly(int(size[1])) if size else b""

    def answer(self, body):
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class GnutlsClient(Typed):
    """Its handshake is done, and resumed with --resume, when the constructor returns: `facts` is
    what it said of that. Its log is a debugging one, for the messages that are no data."""

    def __init__(self, port, folder, *options):
        super().__init__(["stdbuf", "-oL", "gnutls-cli", "-d", "4", "--insecure", *options,
                          "-p", port, "127.0.0.1"], folder, "gnutls-cli",
                         (b"- Rekey was completed\n",))
        self.facts = self.read_until(b"- Simple Client Mode:\n\n").decode(errors="replace")

    def count(self, words):
        return self.log().count(words)


class GnutlsServer(Typed):
    """Answers each GET with a page of its own, and then it closes."""

    def __init__(self, files, folder, *options):
        self.port = free_port()
        super().__init__(["stdbuf", "-oL", "gnutls-serv", "--http", "--disable-client-cert", "-p",
                          self.port, "--x509certfile", files[0], "--x509keyfile", files[1],
                          *options], folder, "gnutls-serv")
        self.wait_for(lambda: is_listening(self.port), "its port")


def is_listening(port):
    try:
        connect(port).close()
    except OSError:
        return False
    return True
