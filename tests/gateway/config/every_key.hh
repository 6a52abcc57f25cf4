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

[[listen]]
address = "0.0.0.0:80"
redirect = "https"

[[listen]]
address = "[::1]:8443"
certificates = "self-signed"
tcp_user_timeout = "30s"
tcp_keepalive = { idle = "1m", interval = "5s", probes = 4 }
tcp_notsent_lowat = "16KiB"

[[listen]]
address = "unix:run/gateway.sock"
mode = "0660"
owner = "root:daemon"

[pool.app]
servers = ["known.test:9001", "[::1]:9002"]
balance = "least-connections"
keep_alive_idle = "off"
keep_alive_age = "5m"
keep_alive_connections = 7
tcp_user_timeout = "20s"
tcp_keepalive = { idle = "2m" }
tcp_notsent_lowat = "1MiB"

[pool."a.b"]
servers = "127.0.0.1:1"

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
pool = "app"
strip_prefix = true
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

[defaults.timeouts]
request_body_idle = "2s"
connect = "1h"
upstream_response = "24h"
response_idle = "4s"
websocket_idle = "off"

[defaults.limits]
body = "1GiB"
response_header_count = 300

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
level = "debug"
buffer = "1MiB"
websocket_open = true
websocket_every = "5m"

[control]
socket = "run/control.sock"
)";

}  // namespace gateway::config
