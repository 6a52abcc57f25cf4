"""Fixtures: the gateway in front of the echo backend and of upstreams that tests play themselves.

`gateway` is shared by the whole run, once for each variant (threads, form of receiving). After each
test that used it, it must be alive and have given back every descriptor: so nothing leaks after any
kind of ending. Tests that need their own configuration start one with `start_gateway`.

    GATEWAY_BUILD=build python3 -m pytest tests/e2e

GATEWAY_VARIANTS=4-shard-multishot,4-shard-oneshot runs it with these alone.
"""

import asyncio
import datetime
import re
import subprocess

import pytest

from support.admin import TWO_SHARDS, admin_config, admin_of
from support.admin_stand_in import StandIn
from support.browser import Browser
from support.certificates import Authority
from support.checking import run as run_gateway
from support.dashboard import Dashboard
from support.gateway import (ALL, BUILD, DOWN_HOST, ECHO, FEW, GATEWAY, LOAD, RAW_HOST, Config, Echo,
                             Gateway, Variant)
from support.named import NamedServers
from support.ports import free_port
from support.reloading import Reloading
from support.serving import Serving
from support.streams import Upstream, connect
from support.upgrading import Held, Upgrading, place
from support.waiting import DEADLINE, wait_until

# The core of the relay is tested in every combination, the rest in FEW.
every_variant = pytest.mark.parametrize("gateway", ALL, indirect=True, scope="session", ids=str)


def pytest_configure(config):
    for program in (GATEWAY, ECHO, LOAD):
        if not program.exists():
            pytest.exit(f"{program} is missing: build it, or set GATEWAY_BUILD (now {BUILD})", 2)


@pytest.fixture(scope="session")
def echo(tmp_path_factory):
    backend = Echo(tmp_path_factory.mktemp("echo"))
    yield backend
    backend.stop()


@pytest.fixture(scope="session")
def raw_port():
    return free_port()


@pytest.fixture(scope="session", params=FEW, ids=str)
def gateway(request, tmp_path_factory, echo, raw_port):
    config = Config(
        # The echo backend stays, and so would connections to it: few tests would find their descriptors.
        pools={"echo": {"servers": echo.port, "keep_alive_idle": "50ms"}, "raw": raw_port,
               "down": free_port()},
        routes=[{"name": "echo", "path": "/", "host": ["localhost", "127.0.0.1", "other.test"],
                 "pool": "echo"},
                {"name": "raw", "path": "/", "host": RAW_HOST, "pool": "raw"},
                {"name": "down", "path": "/", "host": DOWN_HOST, "pool": "down"}],
        timeouts={"request_header": "10s"})
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), config, request.param)
    yield gateway
    try:
        gateway.finish()
    finally:
        gateway.kill()


@pytest.fixture(autouse=True)
def settled(request):
    """After each test, the shared gateway is as it was before."""
    shared = request.getfixturevalue("gateway") if "gateway" in request.fixturenames else None
    yield
    if shared is not None:
        shared.wait_for_descriptors()
        shared.check_faults()


@pytest.fixture
def start_gateway(tmp_path):
    """start_gateway(config, variant): one of the test's own, stopped in order after it."""
    started = []

    def start(config, *variant, folder=tmp_path, **options):
        started.append(Gateway(folder, config, *variant, name=f"gateway-{len(started)}",
                               **options))
        return started[-1]

    yield start
    try:
        for gateway in started:
            if gateway.process.poll() is None:
                gateway.finish()
            gateway.check_faults()
    finally:
        for gateway in started:
            gateway.kill()


@pytest.fixture
def start_echo(tmp_path):
    """Backends of the test's own, which may kill them."""
    started = []

    def start(**options):
        started.append(Echo(tmp_path, name=f"echo-{len(started)}", **options))
        return started[-1]

    yield start
    for backend in started:
        backend.kill()


@pytest.fixture
def upstream(raw_port):
    server = Upstream(raw_port)
    yield server
    server.close()


@pytest.fixture
def server(upstream):
    """The upstream as one that serves requests, as they come."""
    return Serving(upstream)


@pytest.fixture
def guard():
    """The server that is asked whether a request may pass."""
    server = Upstream(free_port())
    yield Serving(server)
    server.close()


@pytest.fixture
def start_guarded(start_gateway, raw_port, guard):
    def start(variant=FEW[0], route=None, port=None, timeouts=None, top=None, **auth):
        url = f"http://127.0.0.1:{port or guard.upstream.port}/check?by=gateway"
        config = Config({"raw": raw_port},
                        [{"name": "raw", "path": "/", "pool": "raw", **(route or {}),
                          "auth": {"request": url, **auth}}],
                        defaults={"timeouts": timeouts or {}}, top=top)
        return start_gateway(config, variant)
    return start


@pytest.fixture(params=["plain", "tls"])
def client(request, gateway):
    """A raw client of the shared gateway: over http, then the same over https."""
    secure = request.param == "tls"
    stream = connect(gateway.https_port if secure else gateway.http_port, secure)
    stream.secure = secure
    yield stream
    stream.close()


class LogView:
    """A gateway's log from now on."""

    TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

    def __init__(self, gateway):
        self.gateway = gateway
        self.mark = gateway.log_mark()
        self.began = ""

    def leave_out_what_is_late(self):
        """What a shared gateway logged before now, and writes a moment later, is another test's."""
        now = datetime.datetime.now(datetime.timezone.utc)
        self.began = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
        return self

    def text(self):
        """Whole lines: the last one may be in the middle of being written."""
        written = self.gateway.log_since(self.mark)
        lines = written[:written.rfind("\n") + 1].splitlines(keepends=True)
        return "".join(line for line in lines if not self.is_old(line))

    def is_old(self, line):
        time = self.TIME.match(line)
        return time is not None and time[0] < self.began

    def lines(self, *words):
        return [line for line in self.text().splitlines() if all(word in line for word in words)]

    def wait(self, *words):
        """The first line with all these words."""
        return self.wait_many(1, *words)[0]

    def wait_many(self, count, *words):
        def enough():
            lines = self.lines(*words)
            return lines if len(lines) >= count else None
        return wait_until(enough, lambda: f"{count} log lines with {words} in:\n{self.text()}")


@pytest.fixture
def log(gateway):
    return LogView(gateway).leave_out_what_is_late()


@pytest.fixture
def log_of():
    return LogView


@pytest.fixture
def start_reloading(start_gateway, log_of):
    """A gateway of the test's own, and how to reload it."""
    def start(config, variant=Variant(2)):
        gateway = start_gateway(config, variant)
        return gateway, Reloading(gateway, log_of(gateway))
    return start


@pytest.fixture
def start_upgrading(start_gateway, log_of, tmp_path):
    """A gateway of the test's own whose binary, a copy, can be replaced."""
    started = []

    def start(config, variant=Variant(2), folder=tmp_path, **options):
        binary = folder / "bin" / "gateway"
        binary.parent.mkdir(exist_ok=True)
        place(binary)
        gateway = start_gateway(config, variant, folder=folder, program=binary, **options)
        started.append(Upgrading(gateway, log_of(gateway), binary))
        return started[-1]

    yield start
    try:
        for line in started:
            if line.exit_status(line.pid) is None:
                line.finish()
    finally:
        for line in started:
            line.kill()


@pytest.fixture
def start_holding(start_upgrading, raw_port, upstream):
    """With the upstream behind it, and how a request is held."""
    def start(**options):
        config = Config({"raw": raw_port}, [{"pool": "raw"}],
                        drain={"over": "0s", "hard_stop": "1h"}, **options)
        line = start_upgrading(config)
        return line, lambda: Held(config.https_port, upstream, True)
    return start


@pytest.fixture(scope="session")
def own_ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("own-ca"))


@pytest.fixture(scope="session")
def server_files(own_ca):
    """The chain and the key of a server at 127.0.0.1."""
    return own_ca.issue(["IP:127.0.0.1"])


@pytest.fixture
def start_before_tls(start_gateway, own_ca):
    """start_before_tls(port): a gateway with one pool, whose server there has the server_files."""
    def start(port, variant=Variant(1), **pool):
        table = {"servers": port, "tls": {"ca": str(own_ca.path)}, **pool}
        return start_gateway(Config({"app": table}, [{"pool": "app"}]), variant)
    return start


@pytest.fixture
def curl():
    def run(*arguments, data=None, code=0):
        """Runs curl; `code` is what it must end with (None: judge it yourself)."""
        command = ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*",
                   "--max-time", str(int(DEADLINE)), *map(str, arguments)]
        done = subprocess.run(command, input=data, capture_output=True, timeout=2 * DEADLINE,
                              check=False)
        assert code is None or done.returncode == code, (done.returncode, done.stderr)
        return done
    return run


@pytest.fixture
def refused(tmp_path):
    """What the check and the start say of it, which is the same: without the folder's name."""
    def judge(text):
        file = tmp_path / "gateway.conf"
        file.write_text(text)
        done = {check: run_gateway(*check, "-c", file) for check in (("-t",), ())}
        for one in done.values():
            assert (one.returncode, one.stdout) == (1, ""), one
        assert done["-t",].stderr == done[()].stderr
        return done[()].stderr.replace(f"{tmp_path}/", "")
    return judge


@pytest.fixture
def named():
    """named(count): so many servers that say who they are, until the test ends."""
    started = []

    def start(count):
        started.append(NamedServers(count))
        return started[-1]
    yield start
    for servers in started:
        servers.close()


@pytest.fixture
def start_admin(start_gateway, tmp_path, echo):
    """A gateway with an admin listener and one route, and its client."""
    def start(variant=TWO_SHARDS, pools=None, **more):
        config = admin_config(tmp_path, pools or {"echo": echo.port},
                              [{"name": "chat", "pool": "echo"}], **more)
        gateway = start_gateway(config, variant)
        return gateway, admin_of(gateway)
    return start


@pytest.fixture
def admin():
    """A stand-in for the admin listener, which does what the real one does not do on demand."""
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def on_page(chromium):
    """on_page(url, story): the dashboard at this address, for the coroutine story(page)."""
    def perform(url, story, **view):
        async def play():
            async with Dashboard(chromium, url, **view) as page:
                await story(page)
        # A browser beside builds and other tests takes its time.
        asyncio.run(asyncio.wait_for(play(), 10 * DEADLINE))
    return perform
