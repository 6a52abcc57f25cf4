// Which servers an entry stands for.
#include "gateway/config/server_entry.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/told_servers.hh"

namespace {

using namespace gateway::config;
using testing::ElementsAre;

ServerEntry entry(const std::string& text) {
  auto made = entry_from(text, "/etc/gateway");
  EXPECT_TRUE(made) << made.error();
  return *std::move(made);
}

Target target(std::initializer_list<const char*> addresses, const std::string& host = "app.test") {
  Target target{.host = host};
  for (const char* const address : addresses)
    target.addresses.push_back(*literal_address({address, 1}));
  return target;
}

std::vector<std::string> texts(const std::vector<Server>& servers) {
  std::vector<std::string> texts;
  for (const Server& server : servers) {
    std::string text = server.text + " at";
    for (const Address& address : server.addresses) text += " " + address.text();
    texts.push_back(text);
  }
  return texts;
}

TEST(ServerEntry, IsItsServerWhereItHasNoName) {
  EXPECT_THAT(texts(servers_of(entry("10.0.0.7:9001"), {})),
              ElementsAre("10.0.0.7:9001 at 10.0.0.7:9001"));
  EXPECT_THAT(texts(servers_of(entry("unix:run/s"), {})),
              ElementsAre("unix:/etc/gateway/run/s at unix:/etc/gateway/run/s"));
}

TEST(ServerEntry, IsAServerAtEachAddressOfItsName) {
  EXPECT_THAT(texts(servers_of(entry("app.test:9001"),
                               {{target({"10.0.0.7", "2001:db8::7", "10.0.0.8"})}})),
              ElementsAre("app.test:9001/10.0.0.7 at 10.0.0.7:9001",
                          "app.test:9001/2001:db8::7 at [2001:db8::7]:9001",
                          "app.test:9001/10.0.0.8 at 10.0.0.8:9001"));
  EXPECT_THAT(texts(servers_of(entry("app.test:9001"), {{target({"10.0.0.7"})}})),
              ElementsAre("app.test:9001/10.0.0.7 at 10.0.0.7:9001"))
      << "it is the same one, however many there are beside it";
}

TEST(ServerEntry, IsOneServerAtOneAddressOfEachFamily) {
  EXPECT_THAT(texts(servers_of(entry("app.test:9001"), {{target({"10.0.0.7", "::7"})}})),
              ElementsAre("app.test:9001 at 10.0.0.7:9001 [::7]:9001"));
}

TEST(ServerEntry, StaysWhatItIsCalledWhileItIsThere) {
  const ServerEntry app = entry("app.test:1");
  std::vector<Server> now;
  const auto then = [&](std::initializer_list<const char*> addresses) {
    now = servers_of(app, {{target(addresses)}}, now);
    return texts(now);
  };
  EXPECT_THAT(then({"10.0.0.7", "::7"}), ElementsAre("app.test:1 at 10.0.0.7:1 [::7]:1"));
  EXPECT_THAT(then({"10.0.0.7", "::7", "10.0.0.8"}),
              ElementsAre("app.test:1 at 10.0.0.7:1 [::7]:1", "app.test:1/10.0.0.8 at 10.0.0.8:1"));
  EXPECT_THAT(then({"::7", "10.0.0.8"}),
              ElementsAre("app.test:1 at [::7]:1", "app.test:1/10.0.0.8 at 10.0.0.8:1"))
      << "two that were two";
  EXPECT_THAT(then({"::7"}), ElementsAre("app.test:1 at [::7]:1"));
  EXPECT_THAT(then({"10.0.0.9", "::7"}), ElementsAre("app.test:1 at 10.0.0.9:1 [::7]:1"));
  EXPECT_THAT(then({"10.0.1.1", "::8"}), ElementsAre("app.test:1 at 10.0.1.1:1 [::8]:1"));
  EXPECT_THAT(then({"10.0.1.2"}), ElementsAre("app.test:1/10.0.1.2 at 10.0.1.2:1"));
  EXPECT_THAT(then({"10.0.1.2", "::9"}),
              ElementsAre("app.test:1/10.0.1.2 at 10.0.1.2:1", "app.test:1/::9 at [::9]:1"));
}

TEST(ServerEntry, IsOneAtEachAddressWhereItIsNotToBeOneAnyMore) {
  ServerEntry app = entry("app.test:1");
  app.is_one = true;
  const Found found{{target({"10.0.0.7", "10.0.0.8"})}};
  const std::vector<Server> before = servers_of(app, found);
  app.is_one = false;
  EXPECT_EQ(servers_of(app, found, before).size(), 2u);
}

TEST(ServerEntry, IsPrintedWithAllThatMakesItAnother) {
  const ServerEntry app = entry("app.test:1");
  std::vector<ServerEntry> others(6, app);
  others[0].server.weight = 2;
  others[1].server.backup = true;
  others[2].server.zone = "b";
  others[3].server.connections_max = 5;
  others[4].is_one = true;
  others[5].server.text = "app.test:2";
  for (const ServerEntry& other : others) {
    EXPECT_FALSE(is_same_entry(app, other));
    EXPECT_NE(print_entries({app}), print_entries({other}));
  }
  EXPECT_EQ(print_entries({app}), print_entries({app}));
}

TEST(ServerEntry, FitsWhereTheFileWouldTakeIt) {
  const ServerEntry socket = entry("unix:/run/app");
  Pool pool;
  pool.name = "app";
  EXPECT_TRUE(fits(socket, pool));
  pool.health.check.emplace();
  EXPECT_TRUE(fits(socket, pool));
  pool.health.check->port = 9000;
  EXPECT_TRUE(fits(entry("10.0.0.7:1"), pool));
  ASSERT_FALSE(fits(socket, pool));
  EXPECT_EQ(
      fits(socket, pool).error(),
      "'port' in [pool.app.health] needs servers with a port: 'unix:/run/app' is a Unix socket");
  pool.health.check.reset();
  pool.tls = PoolTls{.name = "app.internal", .verify = true};
  EXPECT_TRUE(fits(socket, pool));
  pool.tls->name.clear();
  EXPECT_FALSE(fits(socket, pool));
  pool.tls->verify = false;
  EXPECT_TRUE(fits(socket, pool));
}

TEST(ServerEntry, IsOneServerWhereItIsToBe) {
  ServerEntry one = entry("app.test:9001");
  one.is_one = true;
  EXPECT_THAT(texts(servers_of(one, {{target({"10.0.0.7", "10.0.0.8", "::7"})}})),
              ElementsAre("app.test:9001 at 10.0.0.7:9001 [::7]:9001 10.0.0.8:9001"));
}

TEST(ServerEntry, HasThePortsWeightsAndPrioritiesOfServices) {
  Target heavy = target({"10.0.0.7"}, "a.test");
  heavy.port = 1001;
  heavy.weight = 60000;
  heavy.priority = 10;
  Target light = target({"10.0.0.8"}, "b.test");
  light.port = 1002;
  light.weight = 0;
  light.priority = 10;
  Target spare = target({"10.0.0.9", "::9"}, "c.test");
  spare.port = 1003;
  spare.weight = 30000;
  spare.priority = 20;
  const auto servers = servers_of(entry("srv:_app._tcp.test"), {{spare, heavy, light}});
  EXPECT_THAT(texts(servers), ElementsAre("c.test:1003 at 10.0.0.9:1003 [::9]:1003",
                                          "a.test:1001/10.0.0.7 at 10.0.0.7:1001",
                                          "b.test:1002/10.0.0.8 at 10.0.0.8:1002"));
  EXPECT_EQ(servers[0].host, "c.test");
  EXPECT_TRUE(servers[0].backup);
  EXPECT_FALSE(servers[1].backup || servers[2].backup);
  EXPECT_EQ(servers[0].weight, 50u);
  EXPECT_EQ(servers[1].weight, 100u);
  EXPECT_EQ(servers[2].weight, 1u) << "little, but not nothing";
}

TEST(ServerEntry, TakesTheFirstPriorityThatHasAnAddress) {
  Target first = target({}, "a.test");
  Target second = target({"10.0.0.8"}, "b.test");
  second.priority = 1;
  const auto servers = servers_of(entry("srv:_app._tcp.test"), {{first, second}});
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_FALSE(servers[0].backup);
}

TEST(ServerEntry, MakesEachTextOneServerAndNoMoreThanThereMayBe) {
  ServerEntry one = entry("app.test:9001");
  one.found = {{target({"10.0.0.7", "10.0.0.8"})}};
  ServerEntry same = entry("srv:_app._tcp.test");
  Target service = target({"10.0.0.8"});
  service.port = 9001;
  same.found = {{service}};
  EXPECT_EQ(servers_of(std::vector{one, same}).size(), 2u);

  ServerEntry many = entry("srv:_many._tcp.test");
  for (int host = 0; host < 64; ++host) {
    Target target{.host = std::to_string(host) + ".test", .port = 1};
    for (int last = 1; last <= 64; ++last)
      target.addresses.push_back(*literal_address({"10.0.0." + std::to_string(last), 1}));
    many.found.targets.push_back(target);
  }
  EXPECT_EQ(servers_of(std::vector{many}).size(), kServersMax);
}

TEST(ServerEntry, OfThisMachineIsLookedUpOnce) {
  ServerEntry local = entry("localhost:9001");
  const Resolve resolve([](const HostPort&) {
    return Resolve::Addresses(
        std::vector{*literal_address({"127.0.0.1", 1}), *literal_address({"127.0.0.2", 1})});
  });
  ASSERT_TRUE(resolve_entry(local, resolve, {}));
  EXPECT_FALSE(local.question);
  EXPECT_THAT(texts(servers_of(local, {})),
              ElementsAre("localhost:9001 at 127.0.0.1:9001 127.0.0.2:9001"));
}

}  // namespace
