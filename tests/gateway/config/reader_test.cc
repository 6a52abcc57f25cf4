// What a good configuration reads as: defaults, and every key.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

MATCHER_P2(IsHeader, name, value, "") {
  return arg.name == name && arg.value == value;
}

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
  EXPECT_EQ(config->timeouts.keep_alive_idle, 75s);
  EXPECT_EQ(config->limits.header_bytes, 32u * 1024);
  EXPECT_EQ(config->limits.header_fields, 128u);
  EXPECT_EQ(config->limits.target_bytes, 8u * 1024);
  EXPECT_EQ(config->limits.requests, 0u);
  EXPECT_THAT(config->trusted_proxies.networks, IsEmpty());
  EXPECT_FALSE(config->trusted_proxies.unix_sockets);
  EXPECT_EQ(config->via, "gateway");
  EXPECT_EQ(config->log.targets.file, "stderr");
  EXPECT_EQ(config->log.level, LogLevel::info);
  EXPECT_EQ(config->log.buffer_bytes, 256u * 1024);
  EXPECT_FALSE(config->log.websocket_open);
  EXPECT_EQ(config->log.websocket_every.count(), 0);
  EXPECT_EQ(config->control.socket, "");
}

TEST(ConfigReader, TakesEveryKey) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->shards, 3u);
  EXPECT_TRUE(config->trusted_proxies.contain(*literal_address({"10.1.1.1", 1})));
  EXPECT_TRUE(config->trusted_proxies.contain(*literal_address({"::1", 1})));
  EXPECT_FALSE(config->trusted_proxies.contain(*literal_address({"::2", 1})));
  EXPECT_TRUE(config->trusted_proxies.unix_sockets);
  EXPECT_EQ(config->via, "edge");
  EXPECT_EQ(config->timeouts.request_header, 2500ms);
  EXPECT_EQ(config->timeouts.keep_alive_idle, 3s);
  EXPECT_EQ(config->limits.header_bytes, 16u * 1024);
  EXPECT_EQ(config->limits.header_fields, 64u);
  EXPECT_EQ(config->limits.target_bytes, 4u * 1024);
  EXPECT_EQ(config->limits.requests, 1000u);
  EXPECT_EQ(config->log.targets.file, "/tmp/gateway.log");
  EXPECT_EQ(config->log.level, LogLevel::debug);
  EXPECT_EQ(config->log.buffer_bytes, 1u << 20);
  EXPECT_TRUE(config->log.websocket_open);
  EXPECT_EQ(config->log.websocket_every, std::chrono::minutes(5));
  EXPECT_EQ(config->control.socket, "/etc/gateway/run/control.sock");
}

TEST(ConfigReader, TakesEveryKeyOfListeners) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->listeners.size(), 3u);
  EXPECT_EQ(config->listeners[0].address.text(), "0.0.0.0:80");
  EXPECT_EQ(config->listeners[0].redirect_port, 8443);
  EXPECT_EQ(config->listeners[1].address.text(), "[::1]:8443");
  EXPECT_EQ(config->listeners[1].place.line, 15u);
  EXPECT_FALSE(config->listeners[1].redirect_port);
  EXPECT_TRUE(config->listeners[1].tls.value().self_signed);
  EXPECT_EQ(config->listeners[2].address.text(), "unix:/etc/gateway/run/gateway.sock");
  EXPECT_EQ(config->listeners[2].unix_file.mode, 0660u);
  EXPECT_EQ(config->listeners[2].unix_file.owner, 0u);
  EXPECT_EQ(config->listeners[2].unix_file.group, getgrnam("daemon")->gr_gid);
}

TEST(ConfigReader, TakesEveryKeyOfRoutes) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->routes.size(), 4u);
  const Route& chat = config->routes[0];
  EXPECT_EQ(chat.name, "chat");
  EXPECT_THAT(chat.hosts, ElementsAre("chat.example.com", "*.example.org", "[::1]"));
  EXPECT_EQ(chat.path, "/ws");
  EXPECT_EQ(config->pools.at(chat.pool).name, "app");
  EXPECT_THAT(chat.methods, ElementsAre("GET", "TRACE"));
  EXPECT_TRUE(config->routes[1].methods.empty());
  EXPECT_TRUE(chat.strip_prefix);
  EXPECT_EQ(chat.limits.body_bytes, 10u << 20);
  EXPECT_FALSE(chat.answer || chat.redirect);
  EXPECT_THAT(chat.request_headers.set,
              ElementsAre(IsHeader("Host", "app.internal:80"), IsHeader("X-Set", "")));
  EXPECT_THAT(
      chat.request_headers.add,
      ElementsAre(IsHeader("X-Add", "one"), IsHeader("X-Add", "two"), IsHeader("X-More", "three")));
  EXPECT_THAT(chat.request_headers.remove, ElementsAre("X-Remove"));
  EXPECT_THAT(chat.response_headers.remove, ElementsAre("Server", "X-Powered-By"));
  EXPECT_EQ(config->routes[1].name, "route-2");
  EXPECT_EQ(config->pools.at(config->routes[1].pool).name, "a.b");
  EXPECT_EQ(config->routes[1].limits.body_bytes, 0u);
  EXPECT_EQ(config->routes[2].answer.value().status, 503);
  EXPECT_EQ(config->routes[2].answer->body, "down \"for\" now\n");
  EXPECT_EQ(config->routes[2].answer->type, "text/html");
  EXPECT_EQ(config->routes[3].redirect.value().status, 302);
  EXPECT_EQ(config->routes[3].redirect->to, "https://{host}/new{target}");
  EXPECT_EQ(config->match("", "/old/x"), &config->routes[3]);
}

TEST(ConfigReader, TakesEveryKeyOfPools) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->pools.size(), 4u);  // that of [tracing] is one
  const Pool& dotted = config->pools[0];
  EXPECT_EQ(dotted.name, "a.b");
  EXPECT_EQ(dotted.balance.by, Balance::hash);
  EXPECT_EQ(dotted.keep_alive.idle, 60s);
  EXPECT_EQ(dotted.keep_alive.age, 1h);
  EXPECT_EQ(dotted.keep_alive.count, 128u);
  EXPECT_FALSE(dotted.tls);
  const Pool& app = config->pools[1];
  EXPECT_EQ(app.balance.by, Balance::least_connections);
  EXPECT_EQ(app.keep_alive.idle, 0s);
  EXPECT_EQ(app.keep_alive.age, 5min);
  EXPECT_EQ(app.keep_alive.count, 7u);
  const Pool& local = config->pools[2];
  EXPECT_EQ(local.servers.at(0).text, "unix:/etc/gateway/run/app.sock");
  EXPECT_EQ(local.servers[0].addresses.at(0).text(), local.servers[0].text);
  EXPECT_EQ(local.servers[0].host, "");
  EXPECT_EQ(local.servers.at(1).text, "unix:/run/app.sock");
  EXPECT_EQ(local.tls.value().name, "app.internal");
  EXPECT_EQ(local.tls->ca_path, "");
  EXPECT_FALSE(local.tls->verify);
}

TEST(ConfigReader, KeepsTheTargetWithinTheHeader) {
  const auto config = read("[limits]\nheader = \"2KiB\"\n" + complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.target_bytes, 2048u);
}

TEST(ConfigReader, RedirectsToTheFirstPortWithCertificates) {
  struct Redirection {
    const char* redirect;
    const char* other;
    std::uint16_t port;
  };
  const std::vector<Redirection> redirections = {
      {"https", "", 443},
      {"https", "[[listen]]\naddress = \"unix:/s\"\ncertificates = \"self-signed\"\n", 443},
      {"https", "[[listen]]\naddress = \"[::1]:5\"\ncertificates = \"self-signed\"\n", 5},
      {"https:99", "[[listen]]\naddress = \"[::1]:5\"\ncertificates = \"self-signed\"\n", 99},
  };
  for (const Redirection& one : redirections) {
    const auto config = read(listen("address = \"[::1]:80\"\nredirect = \"" +
                                    std::string(one.redirect) + "\"\n" + one.other));
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->listeners.at(0).redirect_port, one.port) << one.redirect << one.other;
  }
}

TEST(ConfigReader, ResolvesEachServerToAllItsAddresses) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config);
  const Pool& pool = config->pools.at(config->routes[0].pool);
  ASSERT_EQ(pool.servers.size(), 2u);
  EXPECT_EQ(pool.servers[0].text, "known.test:9001");
  EXPECT_EQ(pool.servers[0].host, "known.test");
  EXPECT_EQ(pool.servers[1].host, "::1");
  ASSERT_EQ(pool.servers[0].addresses.size(), 2u);
  EXPECT_EQ(pool.servers[0].addresses[0].text(), "[::1]:9001");
  EXPECT_EQ(pool.servers[0].addresses[1].text(), "127.0.0.1:9001");
  ASSERT_EQ(pool.servers[1].addresses.size(), 1u);
  EXPECT_EQ(pool.servers[1].addresses[0].text(), "[::1]:9002");
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
