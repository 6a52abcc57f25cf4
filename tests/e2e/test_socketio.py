"""Socket.IO, as npm has it, before two servers that know nothing of each other's sessions: a client polls
first, and then upgrades to a WebSocket, and both have to reach the server that has its session."""

import signal

import pytest

from support.gateway import Config, Variant
from support.socketio import SocketIoClient, SocketIoServer, needs_socketio

pytestmark = needs_socketio

RECONNECTS = 100
UNKNOWN = "Session ID unknown"


@pytest.fixture
def programs():
    """What is added is ended."""
    started = []
    yield started
    for program in started:
        program.kill()


@pytest.fixture
def servers(tmp_path, programs):
    for number in range(2):
        programs.append(SocketIoServer(tmp_path, f"server-{number}"))
    return list(programs)


@pytest.fixture
def start(start_gateway, tmp_path, programs, servers):
    """start(pool keys): the gateway, and a function that starts clients of it."""
    def begin(**keys):
        ports = [server.port for server in servers]
        gateway = start_gateway(Config({"chat": {"servers": ports, **keys}}, [{"pool": "chat"}]),
                                Variant(2))

        def client(times, **options):
            name = f"client-{len(programs)}"
            url = f"http://127.0.0.1:{gateway.http_port}"
            programs.append(SocketIoClient(tmp_path, name, url, times, **options))
            return programs[-1]
        return client
    return begin


def test_a_hundred_reconnects_poll_upgrade_and_stay_with_their_server(start, servers):
    rounds = start(sticky=True)(RECONNECTS).all_rounds()
    assert [one["failures"] for one in rounds if one["failures"]] == []
    assert all(one["upgraded"] for one in rounds)
    assert {one["server"] for one in rounds} == {server.port for server in servers}


def test_a_hash_of_what_the_client_sends_does_it_too(start):
    rounds = start(balance="hash", hash="address")(10).all_rounds()
    assert [one["failures"] for one in rounds if one["failures"]] == []
    assert len({one["server"] for one in rounds}) == 1


def test_nobody_is_unknown_where_a_server_is_killed_and_comes_back(start, servers, tmp_path, programs):
    connect = start(sticky=True, ejection={"in_a_row": "off"})
    clients = [connect(2, stays=True) for _ in range(8)]
    for client in clients:
        client.wait_for(lambda: client.rounds(), "its first round")
    first = servers[0]
    theirs = [client for client in clients if client.rounds()[0]["server"] == first.port]
    assert theirs, "each server has its share"
    first.stop(signal.SIGKILL)
    again = [client.all_rounds() for client in theirs]
    assert all(rounds[1]["server"] == servers[1].port for rounds in again)
    programs.append(SocketIoServer(tmp_path, "server-again", first.port))
    after = connect(10).all_rounds()
    assert {one["server"] for one in after} == {server.port for server in servers}
    for rounds in (*again, after):
        assert UNKNOWN not in str(rounds)
