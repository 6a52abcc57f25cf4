// The way back from a configuration to TOML.
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

TEST(ConfigPrinter, PrintsWhatItReads) {
  for (const std::string& text : {complete(), std::string(kEveryKey)}) {
    const auto config = read(text);
    ASSERT_TRUE(config);
    const std::string printed = to_toml(*config);
    auto again = read(printed);
    ASSERT_TRUE(again) << printed << again.error().front().text();
    // What is not shown.
    again->secret = config->secret;
    if (config->tracing) again->tracing->header_names = config->tracing->header_names;
    EXPECT_EQ(to_toml(*again), printed);
  }
}

TEST(ConfigPrinter, PrintsEveryDefault) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(to_toml(*config), R"(shards = "auto"
seccomp = "on"
via = "gateway"

[[listen]]
address = "127.0.0.1:8080"
tcp_user_timeout = "off"
tcp_keepalive = "off"
tcp_notsent_lowat = "off"
connections = "off"

[pool.app]
servers = ["127.0.0.1:9001"]
balance = "round-robin"
slow_start = "off"
sticky = false
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
retry_budget = { share = "20%", per_second = 10 }
[pool.app.ejection]
in_a_row = 3
rate = "off"
window = "10s"
requests_min = 20
status = ["502-504"]
time = "10s"
time_max = "5m"
share_max = "50%"

[[route]]
name = "route-1"
path = "/"
escaped_slashes = "keep"
pool = "app"
strip_prefix = false

[resolver]
timeout = "2s"
tries = 2
ttl_min = "1s"
ttl_max = "5m"

[defaults]
request_id = "off"
trace = "off"

[defaults.timeouts]
request_body_idle = "1m"
connect = "5s"
upstream_response = "1m"
response_idle = "5m"
websocket_idle = "10m"

[defaults.limits]
body = "off"
connections = "off"
response_header_count = 512

[defaults.websocket]
upstream_lost = 1011
validate = "full"
frame_max = "off"
message_max = "off"
ping = "off"
pong_timeout = "10s"
lifetime = "off"
lifetime_jitter = "off"
message_time = "off"
burst = "1s"
lifetime_code = 1001
ping_to = "client"
messages_per_second = "off"
control_frames_per_second = "off"
bytes_per_second = "off"
over_limit = "delay"
slow_consumer = "off"
origins = []
subprotocols = []
compression = "pass"
compress_min = "64B"
compression_level = 1
context_takeover = false
compression_ratio_max = 200

[timeouts]
tls_handshake = "10s"
request_header = "15s"
keep_alive_idle = "75s"

[limits]
header = "32KiB"
header_count = 128
target = "8KiB"
requests_per_connection = "off"
compression_memory = "64MiB"
connections = "off"
addresses = 65536
table_full = "refuse"
handshakes_waiting = 1024
memory_max = "auto"
[limits.address]
connections = "off"
connections_per_second = "off"
handshakes_per_second = "off"
requests_per_second = "off"
burst = "1s"

[drain]
delay = "0s"
over = "30s"
close_code = 1001
close_reason = "the gateway is stopping"
order = "random"
hard_stop = "1m"

[reload]
orphans = "keep"

[upgrade]
patience = "1m"

[log]
file = "stderr"
access_file = "off"
format = "text"
fields = []
headers = []
syslog_facility = "daemon"
syslog_socket = "/dev/log"
journald_socket = "/run/systemd/journal/socket"
tls_keys = "off"
level = "info"
buffer = "256KiB"
websocket_open = false
websocket_every = "off"
redact = ["access_token", "api_key", "apikey", "auth", "client_secret", "code", "id_token", "jwt", "key", "password", "refresh_token", "secret", "sig", "signature", "token"]

[control]
socket = "off"
state = "off"

[admin]
address = "off"
hosts = []
capture_payload = false
)");
}

// Each key in a comment shows its default.
TEST(ConfigPrinter, AgreesWithTheDefaultsOfTheShippedConfiguration) {
  const auto shipped = read_file(SHIPPED_CONFIG, resolve_for_test);
  ASSERT_TRUE(shipped) << shipped.error().front().text();
  const std::regex commented("^# ([a-z_]+ = .*)$");
  std::ifstream file(SHIPPED_CONFIG);
  std::string text;
  size_t keys = 0;
  for (std::string line; std::getline(file, line);) {
    std::smatch key;
    const bool is_key = std::regex_match(line, key, commented);
    text += (is_key ? key[1].str() : line) + "\n";
    keys += is_key;
  }
  EXPECT_EQ(keys, 94u);
  const auto spelt_out = read(text);
  ASSERT_TRUE(spelt_out) << spelt_out.error().front().text();
  EXPECT_EQ(to_toml(*spelt_out), to_toml(*shipped));
}

}  // namespace
}  // namespace gateway::config
