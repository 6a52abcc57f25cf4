"""Socket activation: listening sockets that whoever started the gateway has opened."""

import os
import re
import socket

import pytest

from support.gateway import Config, Variant
from support.streams import Stream, connect

REQUEST = b"GET /bytes?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def config(echo):
    return Config({"app": {"servers": echo.port, "keep_alive_idle": "50ms"}}, [{"pool": "app"}])


@pytest.fixture
def open_socket():
    """open_socket(port): one that listens, before the gateway and after it."""
    opened = []

    def open_one(address, family=socket.AF_INET):
        one = socket.socket(family)
        opened.append(one)
        if family == socket.AF_INET:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            address = ("127.0.0.1", address)
        one.bind(address)
        one.listen()
        return one

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def activate(start_gateway):
    """activate(config, sockets): a gateway that finds these from descriptor 3 on."""
    def start(config, sockets, variant=Variant(2), pid="$$"):
        moves = " ".join(f"{3 + index}<&{100 + index}" for index in range(len(sockets)))
        for index, one in enumerate(sockets):
            os.dup2(one.fileno(), 100 + index, inheritable=True)
        try:
            script = f'exec {moves}; LISTEN_PID={pid} LISTEN_FDS={len(sockets)} exec "$@"'
            return start_gateway(config, variant, started_by=["bash", "-c", script, "bash"],
                                 pass_fds=[100 + index for index in range(len(sockets))])
        finally:
            for index in range(len(sockets)):
                os.close(100 + index)
    return start


def request(client):
    client.send(REQUEST)
    assert client.read_response()[0].status == 200


def test_one_socket_serves_for_all_shards(activate, open_socket, config, log_of):
    gateway = activate(config, [open_socket(config.http_port)])
    log = log_of(gateway)
    for _ in range(10):
        with connect(config.http_port) as client:
            request(client)
    with connect(config.https_port, True) as client:
        request(client)
    log.wait_many(11, "request id=", "status=200")
    shards = set(re.findall(r"info (shard=\d) request id=", gateway.log()))
    assert shards == {"shard=0", "shard=1"}


def test_who_came_before_the_start_is_served(activate, open_socket, config):
    listening = open_socket(config.http_port)
    with connect(config.http_port) as early:
        early.send(REQUEST)
        activate(config, [listening])
        assert early.read_response()[0].status == 200


def test_who_comes_between_two_gateways_is_served_by_the_next(activate, open_socket, config):
    listening = open_socket(config.http_port)
    activate(config, [listening]).finish()
    with connect(config.http_port) as client:
        client.send(REQUEST)
        activate(config, [listening])
        assert client.read_response()[0].status == 200


@pytest.mark.parametrize("sockets, shards", [(3, 1), (3, 2), (2, 2), (2, 3)])
def test_any_number_of_sockets_goes_with_any_number_of_shards(activate, open_socket, config,
                                                              sockets, shards):
    gateway = activate(config, [open_socket(config.http_port) for _ in range(sockets)],
                       Variant(shards))
    # The kernel spreads them over the sockets by their ports.
    clients = [connect(config.http_port) for _ in range(40)]
    for client in clients:
        request(client)
    for client in clients:
        client.close()
    gateway.wait_for_descriptors()


def test_a_unix_sockets_file_stays_with_whoever_made_it(activate, open_socket, config, tmp_path):
    path = tmp_path / "s"
    config.listeners = [{"address": f"unix:{path}"}]
    gateway = activate(config, [open_socket(str(path), socket.AF_UNIX)])
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(path))
        request(Stream(plain))
    gateway.finish()
    assert path.is_socket()


def test_what_has_no_listener_is_closed_with_a_warning(activate, open_socket, config, tmp_path):
    other = open_socket(0)
    port = other.getsockname()[1]
    with open(tmp_path / "file", "w", encoding="ascii") as file:
        gateway = activate(config, [other, file, open_socket(config.http_port)])
    log = gateway.log()
    assert f" warning main a socket at 127.0.0.1:{port} was inherited (LISTEN_FDS), and no " \
           "[[listen]] has that address: closing it\n" in log
    assert " warning main descriptor 4 was inherited (LISTEN_FDS), and is no listening stream " \
           "socket: closing it\n" in log
    with connect(config.http_port) as client:
        request(client)


def test_what_is_for_another_process_is_not_touched(activate, open_socket, config):
    """So the address is taken."""
    with pytest.raises(AssertionError, match="in use"):
        activate(config, [open_socket(config.http_port)], pid="1")
