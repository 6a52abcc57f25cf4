"""Servers that fail and come back, behind a gateway that looks after them."""

import contextlib

from support.gateway import Config, Variant
from support.reloading import ask
from support.site import Site
from support.streams import connect

FOR_LONG = {"time": "10m", "time_max": "10m"}
FAST = {"every": "100ms", "timeout": "10s", "fall": 2, "rise": 2}


@contextlib.contextmanager
def playing():
    """play(name, ...): servers that answer until the end."""
    played = []

    def play(*names):
        played.extend(Site(name) for name in names)
        return played[-len(names):]

    try:
        yield play
    finally:
        for site in played:
            for delay in site.delays.values():
                delay.set()
            site.stop()


def start(start_gateway, log_of, sites, variant=Variant(2), control=None, **keys):
    ports = [getattr(site, "port", site) for site in sites]
    gateway = start_gateway(Config({"app": {"servers": ports, **keys}}, [{"pool": "app"}],
                                   control=control), variant)
    log = log_of(gateway)
    log.mark = 0  # the first check may have been made before
    return gateway, log


def get(gateway, target="/"):
    with connect(gateway.http_port) as client:
        return ask(client, target)


def field(gateway, name, target="/"):
    with connect(gateway.http_port) as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode())
        head, _ = client.read_response()
        return head.status, head.get(name)


def state_lines(log, word):
    return log.lines("server pool=app", f" state={word}")
