// The way back from a configuration that has every key.
#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

TEST(ConfigPrinter, PrintsEveryKeyThatItTakes) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config);
  EXPECT_EQ(to_toml(*config), R"(shards = 3
pid_file = "/etc/gateway/run/gateway.pid"
seccomp = "off"
zone = "east"
# secret = what the file says: it is not shown
trusted_proxies = ["10.0.0.0/8", "::1", "unix"]
via = "edge"

[[listen]]
address = "0.0.0.0:80"
redirect = "https:8443"
tcp_user_timeout = "off"
tcp_keepalive = "off"
tcp_notsent_lowat = "off"
connections = "off"

[[listen]]
address = "[::1]:8443"
tcp_user_timeout = "30s"
tcp_keepalive = { idle = "1m", interval = "5s", probes = 4 }
tcp_notsent_lowat = "16KiB"
connections = 500
allow = ["10.0.0.0/8", "2001:db8::/32"]
deny = ["10.1.2.3"]
proxy_protocol = { from = ["10.1.0.0/16", "unix"], timeout = "4s" }
certificates = "self-signed"

[[listen]]
address = "unix:/etc/gateway/run/gateway.sock"
mode = "0660"
owner = "root:daemon"
connections = "off"

[pool."a.b"]
servers = [{ address = "127.0.0.1:1", weight = 3, backup = true, zone = "west", connections_max = 3 }]
balance = "hash"
hash = "cookie:session"
hash_load = 150
slow_start = "30s"
sticky = { cookie = "edge", same_site = "strict", max_age = "1h" }
rebalance = "off"
keep_alive_idle = "1m"
keep_alive_age = "1h"
keep_alive_connections = 128
tcp_user_timeout = "off"
tcp_keepalive = "off"
tcp_notsent_lowat = "256KiB"
proxy_protocol = "off"
connections_max = "off"
upgrades_max = "off"
websockets_share = "100%"
hold = "off"
drain_on = []
drain_time = "30s"
fallback = "none"
retry_after = "5s"
retry_budget = "off"
[pool."a.b".ejection]
in_a_row = "off"
rate = "off"
window = "10s"
requests_min = 20
status = ["502-504"]
time = "10s"
time_max = "5m"
share_max = "50%"
[pool."a.b".health]
type = "websocket"
path = "/ws"
echo = "are you there"
every = "5s"
timeout = "2s"
fall = 3
rise = 2
initially = "up"

[pool.app]
servers = [{ address = "known.test:9001", resolve = "one" }, "[::1]:9002"]
balance = "least-connections"
slow_start = "off"
sticky = false
rebalance = { rate = "50/s", code = 4012 }
keep_alive_idle = "off"
keep_alive_age = "5m"
keep_alive_connections = 7
tcp_user_timeout = "20s"
tcp_keepalive = { idle = "2m", interval = "10s", probes = 3 }
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
status = ["200-299"]
body = "fine \"and\""
every = "2s"
timeout = "1s"
fall = 5
rise = 4
port = 9100
initially = "down"

[pool.local]
servers = ["unix:/etc/gateway/run/app.sock", "unix:/run/app.sock"]
balance = "round-robin"
slow_start = "off"
sticky = false
rebalance = "off"
keep_alive_idle = "1m"
keep_alive_age = "1h"
keep_alive_connections = 128
proxy_protocol = "off"
connections_max = "off"
upgrades_max = "off"
websockets_share = "100%"
hold = "off"
drain_on = []
drain_time = "30s"
fallback = "none"
retry_after = "5s"
retry_budget = { share = "20%", per_second = 10 }
[pool.local.ejection]
in_a_row = 3
rate = "off"
window = "10s"
requests_min = 20
status = ["502-504"]
time = "10s"
time_max = "5m"
share_max = "50%"
[pool.local.tls]
name = "app.internal"
verify = false

[[route]]
name = "chat"
host = ["chat.example.com", "*.example.org", "[::1]"]
path = "/ws"
escaped_slashes = "refuse"
allow = ["192.0.2.0/24"]
deny = ["192.0.2.1", "::1"]
methods = ["GET", "TRACE"]
pool = "app"
strip_prefix = true
upgrades = ["tcp", "SPDY/3.1"]
[route.request_headers]
set = { "Host" = "app.internal:80", "X-Set" = "" }
add = { "X-Add" = ["one", "two"], "X-More" = "three" }
remove = ["X-Remove"]
[route.response_headers]
remove = ["Server", "X-Powered-By"]
[route.timeouts]
request_body_idle = "11s"
connect = "12s"
upstream_response = "13s"
response_idle = "14s"
websocket_idle = "15s"
[route.limits]
body = "10MiB"
connections = 100
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
origins = ["https://chat.example.com", "http://*.example.org:8080", "null", "none"]
subprotocols = ["chat.v2"]
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
name = "route-2"
host = ["one.example"]
path = "/"
escaped_slashes = "keep"
pool = "a.b"
strip_prefix = false
[route.timeouts]
response_idle = "2s"
[route.limits]
body = "off"
[route.websocket]
upstream_lost = "cut"
message_max = "off"
slow_consumer = "off"
origins = []
subprotocols = []

[[route]]
name = "route-3"
path = "/health"
escaped_slashes = "keep"
[route.answer]
status = 503
body = "down \"for\" now\u000A"
type = "text/html"
stopping_status = 599

[[route]]
name = "route-4"
path = "/old"
escaped_slashes = "keep"
[route.redirect]
status = 302
to = "https://{host}/new{target}"
[route.response_headers]
set = { "X-A" = "b" }

[resolver]
servers = ["10.0.0.2:53", "[2001:db8::2]:5353"]
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
connections = 1000
response_header_count = 300

[defaults.websocket]
upstream_lost = 1012
validate = "off"
frame_max = "2KiB"
message_max = "2GiB"
ping = "1h"
pong_timeout = "10s"
lifetime = "off"
lifetime_jitter = "off"
message_time = "off"
burst = "1s"
lifetime_code = 1012
ping_to = "client"
messages_per_second = 7
control_frames_per_second = "off"
bytes_per_second = "off"
over_limit = "delay"
slow_consumer = { grace = "1m", close = 1013 }
origins = ["app://localhost"]
subprotocols = ["graphql-ws", "mqtt"]
compression = "off"
compress_min = "64B"
compression_level = 1
context_takeover = false
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
syslog_socket = "/etc/gateway/run/log"
journald_socket = "/run/journal"
tls_keys = "/tmp/gateway.keys"
level = "debug"
buffer = "1MiB"
websocket_open = true
websocket_every = "5m"
redact = ["key", "ticket"]

[control]
socket = "/etc/gateway/run/control.sock"
state = "/etc/gateway/run/state"

[admin]
address = "unix:/etc/gateway/run/admin.sock"
mode = "0600"
hosts = ["gateway.internal", "admin.test"]
capture_payload = true
certificates = "self-signed"

[tracing]
endpoint = "http://127.0.0.1:4318/v1/traces?team=a"
sample = "0.5%"
parent = "trusted"
service = "edge"
# headers: "X-Key" = what the file says: it is not shown
interval = "2s"
timeout = "3s"
queue = 1000
)");
}

}  // namespace
}  // namespace gateway::config
