// A configuration with every key that there is.
#pragma once

#include <string_view>

namespace gateway::config {

inline constexpr std::string_view kEveryKey = R"(
shards = 3
seccomp = "off"
pid_file = "run/gateway.pid"
trusted_proxies = ["10.0.0.0/8", "unix", "::1"]
via = "edge"
zone = "east"
secret = "only the gateways know it"

[[listen]]
address = "0.0.0.0:80"
redirect = "https"

[[listen]]
address = "[::1]:8443"
certificates = "self-signed"
tcp_user_timeout = "30s"
tcp_keepalive = { idle = "1m", interval = "5s", probes = 4 }
tcp_notsent_lowat = "16KiB"
connections = 500
allow = ["10.0.0.0/8", "2001:db8::/32"]
deny = "10.1.2.3"
proxy_protocol = { from = ["10.1.0.0/16", "unix"], timeout = "4s" }

[[listen]]
address = "unix:run/gateway.sock"
mode = "0660"
owner = "root:daemon"

[pool.app]
servers = [{ address = "known.test:9001", resolve = "one" }, "[::1]:9002"]
balance = "least-connections"
rebalance = { rate = "50/s", code = 4012 }
keep_alive_idle = "off"
keep_alive_age = "5m"
keep_alive_connections = 7
tcp_user_timeout = "20s"
tcp_keepalive = { idle = "2m" }
tcp_notsent_lowat = "1MiB"
proxy_protocol = "v2"
source = ["127.0.0.2", "::1"]
connections_max = 100
upgrades_max = 20
websockets_share = "80%"
queue = { length = 7, time = "3s" }
hold = "10s"
drain_on = [503, "520-522"]
drain_time = "1m"
fallback = "all"
retry_after = "off"
retry_budget = { share = "30%", per_second = 4 }
[pool.app.ejection]
in_a_row = 7
rate = "60%"
window = "20s"
requests_min = 9
status = [500, "502-504"]
time = "4s"
time_max = "8m"
share_max = "40%"
[pool.app.health]
type = "http"
path = "/health?a=\\"
method = "GET"
host = "app.internal"
status = "200-299"
body = "fine \"and\""
every = "2s"
timeout = "1s"
fall = 5
rise = 4
port = 9100
initially = "down"

[pool."a.b"]
servers = { address = "127.0.0.1:1", weight = 3, backup = true, zone = "west", connections_max = 3 }
balance = "hash"
hash = "cookie:session"
hash_load = 150
slow_start = "30s"
sticky = { cookie = "edge", same_site = "strict", max_age = "1h" }
retry_budget = "off"
ejection = { in_a_row = "off" }
health = { type = "websocket", path = "/ws", echo = "are you there" }

[pool.local]
servers = ["unix:run/app.sock", "unix:/run/app.sock"]
[pool.local.tls]
name = "app.internal"
verify = false

[[route]]
name = "chat"
host = ["Chat.Example.com", "*.example.org", "[::1]"]
path = "/ws/"
escaped_slashes = "refuse"
methods = ["GET", "TRACE"]
allow = "192.0.2.0/24"
deny = ["192.0.2.1", "::1"]
pool = "app"
strip_prefix = true
upgrades = ["tcp", "SPDY/3.1"]
body_max = "10MiB"
[route.request_headers]
set = { Host = "app.internal:80", "X-Set" = "" }
add = { "X-Add" = ["one", "two"], "X-More" = "three" }
remove = "X-Remove"
[route.response_headers]
remove = ["Server", "X-Powered-By"]
[route.timeouts]
request_body_idle = "11s"
connect = "12s"
upstream_response = "13s"
response_idle = "14s"
websocket_idle = "15s"
[route.limits]
response_header_count = 16
connections = 100
[route.websocket]
upstream_lost = 4001
validate = "headers"
frame_max = "64KiB"
message_max = "1MiB"
ping = "25s"
pong_timeout = "5s"
lifetime = "12h"
lifetime_jitter = "1h"
message_time = "1m"
burst = "2s"
lifetime_code = 4002
ping_to = "both"
messages_per_second = 100
control_frames_per_second = 10
bytes_per_second = "1MiB"
over_limit = "close"
slow_consumer = { grace = "20s", close = 4008 }
origins = ["https://Chat.example.com:443", "http://*.example.org:8080", "null", "none"]
subprotocols = "chat.v2"
compression = "terminate"
compress_min = "1KiB"
compression_level = 9
context_takeover = true
compression_ratio_max = "off"
[route.auth]
pool = "local"
path = "/may?by=gateway"
copy = ["X-User", "X-Groups"]
timeout = "3s"

[[route]]
host = "one.example"
pool = "a.b"
timeouts = { connect = "1h", response_idle = "2s" }
limits = { body = "off" }
[route.websocket]
upstream_lost = "cut"
message_max = "off"
slow_consumer = "off"
origins = []
subprotocols = []

[[route]]
path = "/health"
[route.answer]
status = 503
stopping_status = 599
body = "down \"for\" now\n"
type = "text/html"

[[route]]
path = "/old"
[route.redirect]
to = "https://{host}/new{target}"
status = 302
[route.response_headers]
set = { "X-A" = "b" }

[resolver]
servers = ["10.0.0.2", "[2001:db8::2]:5353"]
timeout = "1s"
tries = 3
ttl_min = "2s"
ttl_max = "1m"

[defaults]
request_id = "keep"
trace = "create"
[defaults.timeouts]
request_body_idle = "2s"
connect = "1h"
upstream_response = "24h"
response_idle = "4s"
websocket_idle = "off"

[defaults.limits]
body = "1GiB"
response_header_count = 300
connections = 1000

[defaults.websocket]
upstream_lost = 1012
validate = "off"
frame_max = "2KiB"
message_max = "2GiB"
ping = "1h"
messages_per_second = 7
slow_consumer = { grace = "1m" }
lifetime_code = 1012
origins = "app://localhost"
subprotocols = ["graphql-ws", "mqtt"]
compression = "off"
compression_ratio_max = 1032

[timeouts]
tls_handshake = "1s"
request_header = "2500ms"
keep_alive_idle = "3s"

[limits]
header = "16KiB"
header_count = 64
target = "4KiB"
requests_per_connection = 1000
compression_memory = "1GiB"
connections = 10000
addresses = 1024
table_full = "allow"
handshakes_waiting = 512
memory_max = "512MiB"
[limits.address]
connections = 20
connections_per_second = 30
handshakes_per_second = 10
requests_per_second = 50
burst = "3s"

[drain]
delay = "3s"
over = "2h"
close_code = 4321
close_reason = "käme wieder"
order = "oldest"
hard_stop = "3h"

[reload]
orphans = "drain"

[upgrade]
patience = "5m"

[log]
file = "/tmp/gateway.log"
access_file = "/tmp/access.log"
format = "json"
fields = ["client", "request", "client_ping_us"]
headers = ["User-Agent", "X-App.Version"]
syslog_facility = "local3"
syslog_socket = "run/log"
journald_socket = "/run/journal"
tls_keys = "/tmp/gateway.keys"
level = "debug"
buffer = "1MiB"
websocket_open = true
websocket_every = "5m"
redact = ["key", "ticket"]

[control]
socket = "run/control.sock"
state = "run/state"

[admin]
address = "unix:run/admin.sock"
mode = "0600"
certificates = "self-signed"
hosts = ["Gateway.internal", "admin.test"]
capture_payload = true

[tracing]
endpoint = "http://127.0.0.1:4318/v1/traces?team=a"
headers = { X-Key = "a secret" }
sample = "0.5%"
parent = "trusted"
service = "edge"
interval = "2s"
timeout = "3s"
queue = 1000
)";

}  // namespace gateway::config
