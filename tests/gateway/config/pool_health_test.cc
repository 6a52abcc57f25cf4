// What [pool.NAME] says of servers that fail and of requests that wait.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string with(const std::string& lines) {
  return pool("servers = \"127.0.0.1:9001\"\n" + lines);
}

const PoolHealth& health_of(const std::expected<Config, Errors>& config) {
  return config->pools.front().health;
}

TEST(ConfigPoolHealth, EjectsAndBoundsRetriesUnlessItSaysOtherwise) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  const PoolHealth& health = health_of(config);
  EXPECT_EQ(health, PoolHealth{});
  EXPECT_TRUE(health.ejection.is_on());
  EXPECT_TRUE(health.retry_budget.is_on);
  EXPECT_FALSE(health.check);
  EXPECT_EQ(health.queue.length, 0u);
}

TEST(ConfigPoolHealth, IsReadWhole) {
  const auto config = read(
      with("drain_on = 503\nhold = \"10s\"\nqueue = { length = 5 }\nconnections_max = 9\n"
           "health = { type = \"http\", status = [200, \"301-302\"], every = \"1s\", port = 80 }\n"
           "[pool.app.ejection]\nin_a_row = \"off\"\nrate = \"25%\"\ntime = \"10m\"\n"));
  ASSERT_TRUE(config);
  const PoolHealth& health = health_of(config);
  EXPECT_EQ(health.drain_on, (StatusRanges{{503, 503}}));
  EXPECT_EQ(health.hold, seconds(10));
  EXPECT_EQ(health.queue, (Queue{.length = 5, .time = seconds(5)}));
  EXPECT_EQ(health.connections_max, 9u);
  ASSERT_TRUE(health.check);
  EXPECT_EQ(health.check->status, (StatusRanges{{200, 200}, {301, 302}}));
  EXPECT_EQ(health.check->every, milliseconds(1000));
  EXPECT_EQ(health.check->port, 80u);
  EXPECT_EQ(health.ejection.in_a_row, 0u);
  EXPECT_EQ(health.ejection.rate, 25u);
  EXPECT_EQ(health.ejection.time_max, seconds(600)) << "no less than the first time";
}

TEST(ConfigPoolHealth, TakesAServersOwnLimit) {
  const auto config =
      read(pool("servers = [{ address = \"127.0.0.1:1\", connections_max = 2 }, \"127.0.0.1:3\"]"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->pools.front().servers[0].connections_max, 2u);
  EXPECT_EQ(config->pools.front().servers[1].connections_max, 0u);
}

TEST(ConfigPoolHealth, IsCheckedKeyByKey) {
  const std::string statuses =
      " must be a status from 200 to 599 or a range of them, such as 503 or \"200-399\", or a list "
      "of these, not ";
  expect_each({
      {"an interim status", with("drain_on = [100]"),
       "3:13: error: 'drain_on'" + statuses + "an integer"},
      {"a range backwards", with("drain_on = \"503-500\""),
       "3:12: error: 'drain_on'" + statuses + "a string"},
      {"more than all", with("websockets_share = \"101%\""),
       "3:20: error: 'websockets_share' must be a share in quotes, such as \"50%\", from 1% to "
       "100%, not '101%'"},
      {"no percent", with("websockets_share = \"10\""),
       "3:20: error: 'websockets_share' must be a share in quotes, such as \"50%\", from 1% to "
       "100%, not '10'"},
      {"a budget of a word", with("retry_budget = \"20%\""),
       "3:16: error: 'retry_budget' must be a table such as { share = \"20%\", per_second = 10 } "
       "or \"off\", not a string"},
      {"an echo over http", with("[pool.app.health]\necho = \"a\""),
       "4:8: error: 'echo' is for checks of type \"websocket\", not \"http\""},
      {"a path over tcp", with("[pool.app.health]\ntype = \"tcp\"\npath = \"/a\""),
       "5:8: error: 'path' is for checks of type \"http\" and \"websocket\", not \"tcp\""},
      {"a path that ends the line", with("[pool.app.health]\npath = \"/a\\r\\nX: y\""),
       "4:8: error: 'path' must not have control characters"},
      {"a path with a space", with("[pool.app.health]\npath = \"/a b\""),
       "4:8: error: 'path' must be a path such as \"/health\", without spaces, at most 1024 bytes"},
      {"a body of HEAD", with("[pool.app.health]\nmethod = \"HEAD\"\nbody = \"a\""),
       "5:8: error: 'body' needs method = \"GET\": HEAD has none"},
      {"nothing passes", with("[pool.app.health]\nstatus = []"),
       "4:10: error: 'status' needs at least one status that passes"},
      {"TLS without TLS", with("[pool.app.health]\ntype = \"tls\""),
       "4:8: error: type = \"tls\" needs TLS to the servers: add a table [pool.app.tls]"},
      {"a port of a Unix socket", pool("servers = \"unix:/a\"\n[pool.app.health]\nport = 80"),
       "4:8: error: 'port' needs servers with a port: one of this pool is a Unix socket"},
      {"a time that shrinks", with("[pool.app.ejection]\ntime = \"10s\"\ntime_max = \"5s\""),
       "5:12: error: 'time_max' must be no less than 'time'"},
      {"a key from elsewhere", with("[pool.app.ejection]\nfall = 3"),
       "4:1: error: unknown key 'fall' in [pool.app.ejection]"},
  });
}

TEST(ConfigPoolHealth, TellsAllErrorsAtOnce) {
  EXPECT_EQ(errors_of(with("hold = 5\n[pool.app.health]\nfall = 0\nrise = 0")).size(), 3u);
}

}  // namespace
}  // namespace gateway::config
