"""The proxies side by side: how each is started, which process of it does the work, and how its
configuration is checked. Each gets ports of its own before the one backend.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from comparison import configurations
from comparison.programs import CompareError, Program, accepts, free_port

GATEWAY, NGINX_SMALL, NGINX_LARGE, HAPROXY = "gateway", "nginx-4k", "nginx-16k", "haproxy"
NGINX = (NGINX_SMALL, NGINX_LARGE)
TITLES = {GATEWAY: "gateway", NGINX_SMALL: "nginx (4k)", NGINX_LARGE: "nginx (16k)",
          HAPROXY: "HAProxy"}
NAMES = tuple(TITLES)
PROGRAMS = {GATEWAY: "gateway", NGINX_SMALL: "nginx", NGINX_LARGE: "nginx", HAPROXY: "haproxy"}


@dataclass(frozen=True)
class Binaries:
    gateway: Path
    nginx: Path | None
    haproxy: Path | None

    def of(self, name):
        return {GATEWAY: self.gateway, HAPROXY: self.haproxy}.get(name, self.nginx)


def make_certificate(folder):
    """ECDSA with P-256, for localhost: (chain, key, both in one file)."""
    chain, key, both = folder / "site.pem", folder / "site.key", folder / "site-both.pem"
    openssl = shutil.which("openssl")
    if openssl is None:
        raise CompareError("no openssl here: run tools/bootstrap --units")
    done = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", chain], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CompareError(f"openssl made no certificate: {done.stderr.strip()}")
    both.write_bytes(chain.read_bytes() + key.read_bytes())
    return chain, key, both


def left_out_of(nginx):
    """The modules with temporary files that this build of nginx has not: their directives would be
    errors."""
    done = subprocess.run([nginx, "-V"], capture_output=True, text=True, timeout=20, check=False)
    return {kind for kind in configurations.OPTIONAL_TEMPORARY
            if f"--without-http_{kind}_module" in done.stdout + done.stderr}


def write_configuration(name, binary, site):
    """The file's path."""
    if name in NGINX:
        text = configurations.nginx(site, {NGINX_SMALL: "4k", NGINX_LARGE: "16k"}[name],
                                    left_out_of(binary))
    else:
        text = {GATEWAY: configurations.gateway, HAPROXY: configurations.haproxy}[name](site)
    file = site.folder / f"{name}.conf"
    file.write_text(text, encoding="utf-8")
    return file


def check_command(name, binary, file):
    if name == GATEWAY:
        return [binary, "-t", "-c", file]
    if name == HAPROXY:
        return [binary, "-c", "-f", file]
    return [binary, "-t", "-c", file, "-p", file.parent]


def start_command(name, binary, file):
    if name == GATEWAY:
        return [binary, "-c", file]
    if name == HAPROXY:
        return [binary, "-db", "-f", file]
    return [binary, "-c", file, "-p", file.parent]


def first_child(pid):
    """None as long as there is none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else None


class Proxy:
    """One that runs. `pid` is the process that does the work: of nginx, its worker, which outlives
    a master that is killed. So that is asked to end, and the worker is held by a file descriptor
    of its own."""

    def __init__(self, name, binary, site, cpus):
        self.name = name
        self.site = site
        file = write_configuration(name, binary, site)
        self.program = Program(
            name, start_command(name, binary, file), site.folder, cpus,
            with_parent=signal.SIGTERM if name in NGINX else signal.SIGKILL)
        self.worker = None
        with self.program.stopped_on_failure():
            self.program.wait_for(lambda: accepts(site.tls_port), "accepts nobody")
            self.pid = self.program.pid
            if name in NGINX:
                self.pid = self.program.wait_for(lambda: first_child(self.program.pid),
                                                 "has no worker")
                self.worker = os.pidfd_open(self.pid)

    def url(self, scheme, path):
        port = self.site.tls_port if scheme in ("wss", "https") else self.site.plain_port
        return f"{scheme}://127.0.0.1:{port}{path}"

    def stop(self):
        self.program.stop()
        if self.worker is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.worker, signal.SIGKILL)
            os.close(self.worker)
            self.worker = None


def site_of(folder, backend_port, certificate, descriptors):
    chain, key, both = certificate
    return configurations.Site(folder, free_port(), free_port(), backend_port, chain, key, both,
                               descriptors)
