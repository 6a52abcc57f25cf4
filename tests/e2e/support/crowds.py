"""Clients by the dozen, from addresses of their own, and what the gateway knows of them."""

import socket

from support.counting import status_of
from support.frames import TEXT, frame, read_frame, upgrade_request
from support.streams import Stream, TlsStream
from support.waiting import DEADLINE


def come_from(address, port, tls=False):
    """A client whose address is one of 127.0.0.0/8."""
    connection = socket.socket()
    connection.settimeout(DEADLINE)
    connection.bind((address, 0))
    connection.connect(("127.0.0.1", port))
    return TlsStream(connection) if tls else Stream(connection)


def is_reset(address, port, tls=False):
    """Whether whoever comes is cut before anything is said to him."""
    try:
        with come_from(address, port, tls) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return client.read_ending() == (b"", "reset")
    except (ConnectionResetError, BrokenPipeError):
        return True


def ask(client, target="/", more=""):
    """Status and the field Retry-After."""
    client.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
    head, _ = client.read_response()
    return head.status, head.get("Retry-After")


def open_websocket(client, path="/echo", more=""):
    """The status."""
    client.send(upgrade_request(path, more=more))
    head = client.read_head()
    return head.status


def echoes(client, word=b"x"):
    client.send(frame(TEXT, word))
    return read_frame(client).payload == word


def refused(gateway):
    """Of each cause, how many."""
    counts = status_of(gateway)["refused"].split()[1:]
    return {cause: int(count) for cause, count in (one.split("=") for one in counts)}


def addresses(gateway):
    return {key: int(value)
            for key, value in (one.split("=") for one in status_of(gateway)["addresses"].split())}
