// PROXY headers, the addresses that connections to servers come from, and what may be upgraded to.
#include <chrono>

#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;

TEST(ConfigEdges, AreNoneUnlessTheyAreAskedFor) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->listeners.front().proxy_headers);
  EXPECT_EQ(config->pools.front().proxy_header, proxy::Version::kNone);
  EXPECT_TRUE(config->pools.front().sources.empty());
  EXPECT_TRUE(config->routes.front().upgrades.empty());
}

TEST(ConfigEdges, AreRead) {
  const auto config = read(
      "[[listen]]\naddress = \"127.0.0.1:1\"\nproxy_protocol = { from = \"10.0.0.0/8\" }\n"
      "[pool.app]\nservers = \"known.test:1\"\nproxy_protocol = \"v1\"\n"
      "source = [\"10.0.0.5\", \"fd00::5\"]\n"
      "[[route]]\npool = \"app\"\nupgrades = [\"tcp\", \"SPDY/3.1\"]\n");
  ASSERT_TRUE(config) << config.error().front().text();
  const ProxyHeaders& headers = *config->listeners.front().proxy_headers;
  EXPECT_EQ(headers.timeout, std::chrono::seconds(3));
  EXPECT_TRUE(headers.from.contain(*literal_address({"10.1.2.3", 4})));
  EXPECT_FALSE(headers.from.contain(*literal_address({"11.1.2.3", 4})));
  EXPECT_EQ(config->pools.front().proxy_header, proxy::Version::kV1);
  EXPECT_THAT(config->pools.front().sources,
              ElementsAre(*literal_address({"10.0.0.5", 0}), *literal_address({"fd00::5", 0})));
  EXPECT_THAT(config->routes.front().upgrades, ElementsAre("tcp", "SPDY/3.1"));
}

TEST(ConfigEdges, AreCheckedKeyByKey) {
  const std::string address = "address = \"127.0.0.1:1\"\n";
  const std::string server = "servers = \"127.0.0.1:1\"\n";
  const std::string own = " must be an IP address of this machine, such as \"10.0.0.5\"";
  expect_each({
      {"a word", listen(address + "proxy_protocol = \"v2\""),
       "3:18: error: 'proxy_protocol' must be { from = [\"10.0.0.0/8\"], timeout = \"3s\" }, not "
       "a string"},
      {"of nobody", listen(address + "proxy_protocol = { timeout = \"1s\" }"),
       "3:18: error: 'proxy_protocol' needs 'from', whose headers are believed, such as from = "
       "[\"10.0.0.0/8\"]"},
      {"of an empty list", listen(address + "proxy_protocol = { from = [] }"),
       "3:27: error: 'from' must not be an empty list"},
      {"of a name", listen(address + "proxy_protocol = { from = \"lb.test\" }"),
       "3:27: error: 'lb.test' is no IP address or network, such as \"10.0.0.0/8\" or \"::1\""},
      {"another word", pool(server + "proxy_protocol = \"haproxy\""),
       "3:18: error: 'proxy_protocol' must be one of off, v1, v2, not 'haproxy'"},
      {"a network", pool(server + "source = \"10.0.0.0/8\""), "3:10: error: '10.0.0.0/8'" + own},
      {"any address", pool(server + "source = \"0.0.0.0\""), "3:10: error: '0.0.0.0'" + own},
      {"twice", pool(server + "source = [\"10.0.0.5\", \"10.0.0.5\"]"),
       "3:23: error: '10.0.0.5' is given twice"},
      {"another family", pool(server + "source = \"fd00::5\""),
       "3:10: error: none of the addresses in 'source' is of the family of server '127.0.0.1:1', "
       "IPv4: add one"},
      {"to a Unix socket", pool("servers = \"unix:/run/app.sock\"\nsource = \"10.0.0.5\""),
       "3:10: error: 'source' is for TCP, not for Unix sockets"},
      {"no protocol", routes("[[route]]\npool = \"app\"\nupgrades = \"a b\""),
       "3:12: error: 'a b' must be a protocol, such as \"tcp\" or \"SPDY/3.1\""},
      {"no version", routes("[[route]]\npool = \"app\"\nupgrades = \"tcp/\""),
       "3:12: error: 'tcp/' must be a protocol, such as \"tcp\" or \"SPDY/3.1\""},
      {"a WebSocket", routes("[[route]]\npool = \"app\"\nupgrades = \"WebSocket\""),
       "3:12: error: 'WebSocket' passes on all routes, as a WebSocket: leave it out"},
      {"HTTP/2", routes("[[route]]\npool = \"app\"\nupgrades = \"h2c\""),
       "3:12: error: 'h2c' never passes: what is said in it would be judged by nobody"},
      {"in both cases", routes("[[route]]\npool = \"app\"\nupgrades = [\"tcp\", \"TCP\"]"),
       "3:20: error: 'TCP' is given twice"},
      {"without a pool", routes("[[route]]\nupgrades = \"tcp\"\nanswer = { status = 200 }"),
       "2:12: error: 'upgrades' is for routes with a pool"},
  });
}

}  // namespace
}  // namespace gateway::config
