"""What `gateway pools` says, and configurations with names in their pools."""

import json

from support.checking import run
from support.gateway import Config, pairs
from support.streams import connect


class NamesConfig(Config):
    """One pool, app, behind all paths, and a name server."""

    def __init__(self, servers, folder, name_server=None, control=None, resolver=None, pool=None,
                 **options):
        control = {"socket": str(folder / "control.sock"), **(control or {})}
        super().__init__({"app": {"servers": servers, **(pool or {})}}, [{"name": "app", "pool": "app"}],
                         control=control, **options)
        self.resolver = {**({"servers": [name_server.text]} if name_server else {}),
                         "timeout": "2s", "tries": 1, **(resolver or {})}

    def text(self):
        return super().text() + "\n".join(["[resolver]", *pairs(self.resolver)]) + "\n"


def pools_of(gateway):
    done = run("pools", "--json", "-c", gateway.file)
    assert (done.returncode, done.stderr) == (0, ""), done
    return {pool["name"]: pool["servers"] for pool in json.loads(done.stdout)["pools"]}


def servers_of(gateway, state="up", pool="app"):
    return [one["server"] for one in pools_of(gateway)[pool] if one["state"] == state]


def order(gateway, *words):
    """What it says; it has to be done."""
    done = run(*words, "-c", gateway.file)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def asks(gateway, count=8):
    """Who answers so many requests."""
    answers = []
    for _ in range(count):
        with connect(gateway.http_port, False) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            head, body = client.read_response()[:2]
            assert head.status == 200, head
            answers.append(body.decode())
    return answers
