"""What [[listen]] and [pool] say of TCP, on the gateway's own sockets, as ss(8) shows them."""

import re
import shutil
import subprocess

import pytest

from support.gateway import FEW, Config
from support.ports import free_port
from support.relay import open_relay
from support.streams import connect

SS = shutil.which("ss")
pytestmark = pytest.mark.skipif(SS is None, reason="there is no ss")
VARIANTS = pytest.mark.parametrize("variant", FEW, ids=str)


def keep_alive_timer(local, remote):
    """Seconds until the first probe, of the one connection between these ports; None: there is none."""
    told = subprocess.run([SS, "-tnoH", "state", "established", f"( sport = :{local} and dport = :{remote} )"],
                          capture_output=True, text=True, check=True).stdout
    assert len(told.splitlines()) == 1, told
    timer = re.search(r"timer:\(keepalive,(?:(\d+)min)?(?:([\d.]+)sec)?,0\)", told)
    return timer and int(timer[1] or 0) * 60 + float(timer[2] or 0)


@VARIANTS
def test_connections_have_the_options_of_their_listener_and_their_pool(start_reloading, upstream, raw_port,
                                                                       variant):
    port = free_port()
    listener = {"address": f"127.0.0.1:{port}", "tcp_keepalive": {"idle": "300s"}}
    pool = {"servers": raw_port, "tcp_keepalive": {"idle": "600s"}}
    config = Config({"raw": pool}, [{"path": "/", "pool": "raw"}], listeners=[listener])
    gateway, reload = start_reloading(config, variant)

    def timers(open_at):
        with connect(open_at) as client:
            relay = open_relay(client, upstream)
            server_side = relay.upstream.socket.getpeername()[1]
            return keep_alive_timer(open_at, client.local_port), keep_alive_timer(server_side, raw_port)

    of_client, of_server = timers(port)
    assert 200 < of_client <= 300 and 500 < of_server <= 600
    assert timers(gateway.http_port)[0] is None, "another listener says nothing of it"
    with connect(port) as client:
        kept = open_relay(client, upstream)
        listener["tcp_keepalive"] = "off"
        pool["tcp_keepalive"] = {"idle": "900s"}
        assert "pool raw changed" in reload()
        of_client, of_server = timers(port)
        assert of_client is None and 800 < of_server <= 900
        # What was there before keeps what it has.
        assert keep_alive_timer(port, client.local_port) <= 300
        assert keep_alive_timer(kept.upstream.socket.getpeername()[1], raw_port) <= 600
