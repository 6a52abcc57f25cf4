#!/usr/bin/python3
"""Processor time per message beside nginx, with the same certificate, backend and load, one worker
against one shard, in turns; the best of some rounds of each counts."""

import shutil
import tempfile
from pathlib import Path

from common import arguments, finish, site, verdict
from support.certificates import make_certificate
from support.load import run_load
from support.ports import free_port
from support.program import Program
from support.streams import connect
from support.waiting import wait_until

NGINX_CONF = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  map $http_upgrade $connection_upgrade {{
    default upgrade;
    '' '';
  }}
  upstream backend {{
    server 127.0.0.1:{upstream};
    keepalive 200;
    keepalive_requests 1000000;
  }}
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{http};
    listen 127.0.0.1:{https} ssl;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""


class Nginx(Program):
    def __init__(self, folder, upstream, certificate):
        self.http_port, self.https_port = free_port(), free_port()
        file = folder / "nginx.conf"
        file.write_text(NGINX_CONF.format(
            folder=folder, http=self.http_port, https=self.https_port, upstream=upstream,
            chain=certificate[0], key=certificate[1]))
        super().__init__([shutil.which("nginx") or "/usr/sbin/nginx", "-c", file, "-p", folder,
                          "-g", "daemon off;"], folder, "nginx")

        def answers():
            try:
                connect(self.http_port).close()
                return True
            except OSError:
                return False
        self.wait_for(answers, "nginx")

    def worker(self):
        file = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return int(wait_until(file.read_text, "nginx's worker").split()[0])


def measure(server, pid, scheme, in_flight, options):
    return run_load(server, scheme, "--connections", options.connections, "--in-flight", in_flight,
                    "--size", options.size, "--duration", options.seconds, "--cpu-of", pid)


def main():
    options = arguments(__doc__, connections=(100, "to open"), size=(64, "bytes of a message"),
                        seconds=(5, "of each run"), rounds=(3, "of each"))
    with tempfile.TemporaryDirectory(prefix="gateway-compare-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        certificate = make_certificate(folder, ["localhost"])
        with site(options, certificates=[certificate]) as (gateway, echo):
            nginx = Nginx(folder, echo.port, certificate)
            try:
                print(f"{options.connections} connections, {options.size} B, ns of processor time "
                      "a message (messages a second)")
                for scheme in ("ws", "wss"):
                    for in_flight in (1, 32):
                        compare(gateway, nginx, scheme, in_flight, options)
            finally:
                nginx.stop()
    finish()


def compare(gateway, nginx, scheme, in_flight, options):
    best = {}
    for _ in range(options.rounds):
        for label, server, pid in (("gateway", gateway, gateway.pid),
                                   ("nginx", nginx, nginx.worker())):
            result = measure(server, pid, scheme, in_flight, options)
            if label not in best or result.cpu_ns_per_message < best[label].cpu_ns_per_message:
                best[label] = result
    ours, theirs = best["gateway"], best["nginx"]
    ratio = ours.cpu_ns_per_message / theirs.cpu_ns_per_message
    verdict(ratio < 1, f"{scheme}, {in_flight} in flight: gateway "
            f"{ours.cpu_ns_per_message:.0f} ({ours.messages_per_second:.0f}/s), nginx "
            f"{theirs.cpu_ns_per_message:.0f} ({theirs.messages_per_second:.0f}/s), "
            f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
