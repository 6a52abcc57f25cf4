// What [[listen]] and [pool.NAME] say of TCP.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using std::chrono::seconds;

std::string listening(const std::string& lines, const std::string& address = "127.0.0.1:8080") {
  return "[[listen]]\naddress = \"" + address + "\"\n" + lines +
         "\n[pool.app]\nservers = \"127.0.0.1:9001\"\n[[route]]\npool = \"app\"\n";
}
std::string pooling(const std::string& lines, const std::string& server = "127.0.0.1:9001") {
  return "[pool.app]\nservers = \"" + server + "\"\n" + lines +
         "\n[[listen]]\naddress = \"127.0.0.1:8080\"\n[[route]]\npool = \"app\"\n";
}

TEST(ConfigTcp, IsTheSystemsAffairUnlessItIsSaid) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listeners.front().tcp, uring::TcpOptions{});
  EXPECT_EQ(config->pools.front().tcp, uring::TcpOptions{.unsent_bytes = uring::kUnsentBytes});
}

TEST(ConfigTcp, IsReadOfListenersAndPools) {
  const std::string lines =
      "tcp_user_timeout = \"1500ms\"\ntcp_notsent_lowat = \"1B\"\n"
      "tcp_keepalive = { idle = \"32767s\", interval = \"1s\", probes = 127 }";
  const uring::TcpOptions all = {
      .user_timeout = std::chrono::milliseconds(1500),
      .keep_alive = {.idle = seconds(32767), .interval = seconds(1), .probes = 127},
      .unsent_bytes = 1};
  const auto listener = read(listening(lines));
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->listeners.front().tcp, all);
  const auto pool = read(pooling(lines));
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->pools.front().tcp, all);
}

TEST(ConfigTcp, IsCheckedKeyByKey) {
  const std::string wrong_type =
      "3:17: error: 'tcp_keepalive' must be { idle = \"60s\", interval = \"10s\", probes = 3 } or "
      "\"off\", not ";
  expect_each({
      {"off", listening("tcp_user_timeout = \"off\"\ntcp_keepalive = \"off\"\n"
                        "tcp_notsent_lowat = \"off\"")},
      {"a number", listening("tcp_user_timeout = 5"),
       "3:20: error: 'tcp_user_timeout' must be a duration in quotes, such as \"30s\" or \"off\", "
       "not an integer"},
      {"too long", listening("tcp_user_timeout = \"25h\""),
       "3:20: error: 'tcp_user_timeout' must be between 1ms and 24h or \"off\", not 25h"},
      {"a time alone", listening("tcp_keepalive = \"60s\""), wrong_type + "a string"},
      {"true", listening("tcp_keepalive = true"), wrong_type + "true or false"},
      {"never idle", listening("tcp_keepalive = { probes = 3 }"),
       "3:17: error: 'tcp_keepalive' needs 'idle', such as idle = \"60s\""},
      {"half a second", listening("tcp_keepalive = { idle = \"1500ms\" }"),
       "3:26: error: 'idle' must be whole seconds"},
      {"more than the kernel takes", listening("tcp_keepalive = { idle = \"32768s\" }"),
       "3:26: error: 'idle' must be between 1s and 32767s, not 32768s"},
      {"no interval", listening("tcp_keepalive = { idle = \"1s\", interval = \"999ms\" }"),
       "3:43: error: 'interval' must be between 1s and 32767s, not 999ms"},
      {"many probes", listening("tcp_keepalive = { idle = \"1s\", probes = 128 }"),
       "3:41: error: 'probes' must be between 1 and 127, not 128"},
      {"much unsent", listening("tcp_notsent_lowat = \"2GiB\""),
       "3:21: error: 'tcp_notsent_lowat' must be between 1B and 1GiB or \"off\", not 2GiB"},
      {"of a pool it is not off", pooling("tcp_notsent_lowat = \"off\""),
       "3:21: error: 'off' is not a size: write a whole number and B, KiB, MiB or GiB, such as "
       "\"64KiB\""},
      {"over a Unix socket", listening("tcp_user_timeout = \"1s\"", "unix:/run/gateway.sock"),
       "3:20: error: 'tcp_user_timeout' is for TCP, not for Unix sockets"},
      {"to a Unix socket", pooling("tcp_keepalive = { idle = \"1s\" }", "unix:/run/app.sock"),
       "3:17: error: 'tcp_keepalive' is for TCP, not for Unix sockets"},
  });
}

}  // namespace
}  // namespace gateway::config
