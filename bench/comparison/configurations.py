"""What each proxy is given to read: what its own documentation advises for one worker or thread.

For all alike: WebSocket upgrades pass, connections to the backend are kept, there is no access log,
TLS 1.3 with AES-128-GCM and the same certificate, sessions are resumed by tickets, and no timeout
ends what is measured. Texts alone; see proxies.py for who is started with them.
"""

from dataclasses import dataclass
from pathlib import Path

# Kept towards the backend.
KEPT = 256
# Modules of nginx which may be left out of it; each has a folder for temporary files.
OPTIONAL_TEMPORARY = ("fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Site:
    folder: Path
    plain_port: int
    tls_port: int
    backend_port: int
    chain: Path
    key: Path
    both: Path         # chain and key in one file, as HAProxy wants them
    descriptors: int   # that a process may have open


def gateway(site):
    return f"""\
shards = 1

[log]
level = "error"

[[listen]]
address = "127.0.0.1:{site.plain_port}"

[[listen]]
address = "127.0.0.1:{site.tls_port}"
certificates = [{{ chain = "{site.chain}", key = "{site.key}" }}]

[pool.backend]
servers = ["127.0.0.1:{site.backend_port}"]
keep_alive_connections = {KEPT}

[[route]]
pool = "backend"

[defaults.timeouts]
websocket_idle = "1h"

[timeouts]
keep_alive_idle = "1h"
"""


def nginx(site, buffers, left_out=()):
    """`buffers` is "4k" or "16k", of what it proxies and of TLS records; `left_out` are those of
    OPTIONAL_TEMPORARY that it has not."""
    # Where less than a sixteenth of this table is free nginx closes who shakes hands, so it is
    # larger than what nginx may open.
    connections = site.descriptors * 16 // 15
    return f"""\
worker_processes 1;
worker_rlimit_nofile {site.descriptors};
daemon off;
user root;
pid {site.folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
{_temporary_paths(site.folder, left_out)}
  map $http_upgrade $connection_upgrade {{
    default upgrade;
    '' '';
  }}
  upstream backend {{
    server 127.0.0.1:{site.backend_port};
    keepalive {KEPT};
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  ssl_certificate {site.chain};
  ssl_certificate_key {site.key};
  ssl_protocols TLSv1.3;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  ssl_session_cache shared:sessions:10m;
  ssl_session_tickets on;
  ssl_buffer_size {buffers};
  server {{
    listen 127.0.0.1:{site.plain_port} backlog=4096;
    listen 127.0.0.1:{site.tls_port} ssl backlog=4096;
    location / {{
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffer_size {buffers};
      proxy_buffers 8 {buffers};
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }}
  }}
}}
"""


def _temporary_paths(folder, left_out):
    return "\n".join(f"  {kind}_temp_path {folder}/nginx-{kind};"
                     for kind in ("client_body", "proxy", *OPTIONAL_TEMPORARY)
                     if kind not in left_out)


def haproxy(site):
    return f"""\
global
  nbthread 1
  maxconn {(site.descriptors - 200) // 2}
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  tune.ssl.cachesize 20000

defaults
  mode http
  no log
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  timeout http-keep-alive 1h
  timeout http-request 1h

frontend entrance
  bind 127.0.0.1:{site.plain_port} backlog 4096
  bind 127.0.0.1:{site.tls_port} ssl crt {site.both} backlog 4096
  maxconn {(site.descriptors - 200) // 2}
  default_backend backend

backend backend
  server one 127.0.0.1:{site.backend_port} pool-max-conn {KEPT} maxconn 0
"""
