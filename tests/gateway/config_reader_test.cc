// What a good configuration reads as: defaults, every key, and the way back to TOML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/gateway/config_text.hh"

namespace gateway::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kEveryKey = R"(
shards = 3

[[listen]]
address = "0.0.0.0:80"

[[listen]]
address = "[::1]:8443"
certificates = "self-signed"

[pool.app]
servers = ["known.test:9001", "[::1]:9002"]

[pool."a.b"]
servers = "127.0.0.1:1"

[[route]]
name = "chat"
host = ["Chat.Example.com", "*.example.org", "[::1]"]
path = "/ws/"
pool = "app"

[[route]]
host = "one.example"
pool = "a.b"

[timeouts]
tls_handshake = "1s"
request_header = "2500ms"
connect = "1h"
upstream_response = "24h"
websocket_idle = "off"

[log]
file = "/gateway.log"
level = "debug"
buffer = "1MiB"
)";

TEST(ConfigReader, FillsInTheDefaults) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->file, "/etc/gateway/test.conf");
  EXPECT_EQ(config->shards, 0u);
  EXPECT_FALSE(config->listeners.at(0).tls);
  EXPECT_EQ(config->routes.at(0).name, "route-1");
  EXPECT_THAT(config->routes.at(0).hosts, IsEmpty());
  EXPECT_EQ(config->routes.at(0).path, "/");
  EXPECT_EQ(config->timeouts.tls_handshake, 10s);
  EXPECT_EQ(config->timeouts.request_header, 15s);
  EXPECT_EQ(config->timeouts.connect, 5s);
  EXPECT_EQ(config->timeouts.upstream_response, 60s);
  EXPECT_EQ(config->timeouts.websocket_idle, 10min);
  EXPECT_EQ(config->log.file, "stderr");
  EXPECT_EQ(config->log.level, LogLevel::info);
  EXPECT_EQ(config->log.buffer_bytes, 256u * 1024);
}

TEST(ConfigReader, TakesEveryKey) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->shards, 3u);
  ASSERT_EQ(config->listeners.size(), 2u);
  EXPECT_EQ(config->listeners[0].address.text(), "0.0.0.0:80");
  EXPECT_EQ(config->listeners[1].address.text(), "[::1]:8443");
  EXPECT_EQ(config->listeners[1].place.line, 8u);
  EXPECT_TRUE(config->listeners[1].tls.value().self_signed);
  ASSERT_EQ(config->routes.size(), 2u);
  EXPECT_EQ(config->routes[0].name, "chat");
  EXPECT_THAT(config->routes[0].hosts, ElementsAre("chat.example.com", "*.example.org", "[::1]"));
  EXPECT_EQ(config->routes[0].path, "/ws");
  EXPECT_EQ(config->pools.at(config->routes[0].pool).name, "app");
  EXPECT_EQ(config->routes[1].name, "route-2");
  EXPECT_EQ(config->pools.at(config->routes[1].pool).name, "a.b");
  EXPECT_EQ(config->timeouts.request_header, 2500ms);
  EXPECT_EQ(config->timeouts.upstream_response, 24h);
  EXPECT_EQ(config->timeouts.websocket_idle, 0ms);
  EXPECT_EQ(config->log.file, "/gateway.log");
  EXPECT_EQ(config->log.level, LogLevel::debug);
  EXPECT_EQ(config->log.buffer_bytes, 1u << 20);
}

TEST(ConfigReader, ResolvesEachServerToAllItsAddresses) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config);
  const Pool& pool = config->pools.at(config->routes[0].pool);
  ASSERT_EQ(pool.servers.size(), 2u);
  EXPECT_EQ(pool.servers[0].text, "known.test:9001");
  ASSERT_EQ(pool.servers[0].addresses.size(), 2u);
  EXPECT_EQ(pool.servers[0].addresses[0].text(), "[::1]:9001");
  EXPECT_EQ(pool.servers[0].addresses[1].text(), "127.0.0.1:9001");
  ASSERT_EQ(pool.servers[1].addresses.size(), 1u);
  EXPECT_EQ(pool.servers[1].addresses[0].text(), "[::1]:9002");
}

TEST(ConfigReader, PrintsWhatItReads) {
  for (const std::string& text : {complete(), std::string(kEveryKey)}) {
    const auto config = read(text);
    ASSERT_TRUE(config);
    const std::string printed = to_toml(*config);
    const auto again = read(printed);
    ASSERT_TRUE(again) << printed << again.error().front().text();
    EXPECT_EQ(to_toml(*again), printed);
  }
}

TEST(ConfigReader, PrintsEveryDefault) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(to_toml(*config), R"(shards = "auto"

[[listen]]
address = "127.0.0.1:8080"

[pool.app]
servers = ["127.0.0.1:9001"]

[[route]]
name = "route-1"
path = "/"
pool = "app"

[timeouts]
tls_handshake = "10s"
request_header = "15s"
connect = "5s"
upstream_response = "1m"
websocket_idle = "10m"

[log]
file = "stderr"
level = "info"
buffer = "256KiB"
)");
}

TEST(ConfigReader, PrintsEveryKeyThatItTakes) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config);
  const std::string printed = to_toml(*config);
  for (const char* line :
       {"shards = 3\n", "address = \"[::1]:8443\"\ncertificates = \"self-signed\"\n",
        "[pool.\"a.b\"]\nservers = [\"127.0.0.1:1\"]\n",
        "servers = [\"known.test:9001\", \"[::1]:9002\"]\n",
        "name = \"chat\"\nhost = [\"chat.example.com\", \"*.example.org\", \"[::1]\"]\n",
        "path = \"/ws\"\n", "request_header = \"2500ms\"\n", "websocket_idle = \"off\"\n",
        "file = \"/gateway.log\"\nlevel = \"debug\"\nbuffer = \"1MiB\"\n"}) {
    EXPECT_THAT(printed, testing::HasSubstr(line));
  }
}

TEST(ConfigReader, ReadsTheShippedConfiguration) {
  const auto config = read_file(SHIPPED_CONFIG, resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->listeners.size(), 2u);
  EXPECT_EQ(config->listeners[0].address.text(), "127.0.0.1:8080");
  EXPECT_FALSE(config->listeners[0].tls);
  EXPECT_EQ(config->listeners[1].address.text(), "127.0.0.1:8443");
  EXPECT_TRUE(config->listeners[1].tls.value().self_signed);
  EXPECT_EQ(config->pools.at(0).servers.at(0).text, "127.0.0.1:9001");
}

TEST(ConfigReader, StartsAtLeastOneShard) {
  Config config;
  EXPECT_GE(shard_count(config), 1u);
  config.shards = 7;
  EXPECT_EQ(shard_count(config), 7u);
}

}  // namespace
}  // namespace gateway::config
