// Whom a pool chooses: by weight, zone, backup and arrival, and whom the client knows already.
#include "gateway/upstream/upstream_pool.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/upstream/balance/stable_hash.hh"
#include "tests/gateway/upstream/upstreams_stand.hh"

namespace {

using gateway::ServerWish;
using gateway::UpstreamPool;
using gateway::balance::kNobody;
using gateway::config::Balance;
using Pool = uring::Held<UpstreamPool>;
using Places = std::vector<std::size_t>;

class UpstreamPoolTest : public UpstreamsStand {
 protected:
  struct Server {
    std::string text;
    std::uint32_t weight = 1;
    bool backup = false;
    std::string zone = {};
  };

  Pool make(const std::vector<Server>& servers, const Pool& previous = {}) {
    return make(servers, previous, upstreams_);
  }
  Pool make(const std::vector<Server>& servers, const Pool& previous,
            gateway::Upstreams& upstreams) {
    gateway::config::Config config;
    config.zone = zone_;
    config.secret = secret_;
    gateway::config::Pool pool;
    pool.name = name_;
    pool.balance = settings_;
    pool.health = health_;
    for (const Server& server : servers) {
      pool.servers.push_back({.text = server.text,
                              .host = "localhost",
                              .addresses = {*gateway::config::literal_address({"10.0.0.1", 80})},
                              .weight = server.weight,
                              .backup = server.backup,
                              .zone = server.zone});
    }
    config.pools.push_back(std::move(pool));
    const auto generation =
        std::make_shared<const gateway::config::Generation>(++number_, std::move(config));
    auto made = upstreams.make_pool(generation, 0, nullptr, previous.get());
    EXPECT_TRUE(made.has_value());
    return std::move(*made);
  }
  static Places turns(const Pool& pool, std::size_t count, const ServerWish& wish = {}) {
    Places places;
    for (; count > 0; --count) places.push_back(pool->choose(wish));
    return places;
  }
  static ServerWish key(const std::string& text) {
    return {.key = gateway::balance::stable_hash(text)};
  }

  gateway::config::BalanceSettings settings_;
  gateway::config::PoolHealth health_;
  std::string name_ = "app";
  std::string zone_;
  std::string secret_ = "0123456789abcdef";
};

TEST_F(UpstreamPoolTest, GoesByWeight) {
  const Pool pool = make({{"a:1", 3}, {"b:1", 1}, {"c:1", 0}});
  EXPECT_EQ(turns(pool, 8), (Places{0, 0, 1, 0, 0, 0, 1, 0}));
}

TEST_F(UpstreamPoolTest, TakesBackupsOnlyWhereNobodyElseTakesAnything) {
  const Pool pool = make({{"a:1"}, {"b:1", 1, true}, {"c:1", 0}});
  EXPECT_EQ(turns(pool, 3), (Places{0, 0, 0}));
  pool->server(0).state().set_draining(true);
  EXPECT_EQ(turns(pool, 2), (Places{1, 1})) << "a weight of 0 takes nothing";
  pool->server(1).state().set_draining(true);
  EXPECT_FALSE(pool->has_takers());
  EXPECT_EQ(pool->choose({}), kNobody);
}

TEST_F(UpstreamPoolTest, StaysInItsZoneWhileSomebodyThereTakesAnything) {
  zone_ = "b";
  const Pool pool = make({{"a:1", 1, false, "a"},
                          {"b:1", 1, false, "b"},
                          {"x:1"},
                          {"bb:1", 1, true, "b"},
                          {"ab:1", 1, true, "a"}});
  EXPECT_EQ(turns(pool, 2), (Places{1, 1}));
  pool->server(1).state().set_draining(true);
  const Places others = turns(pool, 4);
  EXPECT_EQ(std::set(others.begin(), others.end()), (std::set<std::size_t>{0, 2}));
  pool->server(0).state().set_draining(true);
  pool->server(2).state().set_draining(true);
  EXPECT_EQ(turns(pool, 2), (Places{3, 3})) << "a backup of its zone";
  pool->server(3).state().set_draining(true);
  EXPECT_EQ(turns(pool, 2), (Places{4, 4}));
}

TEST_F(UpstreamPoolTest, KnowsNoZonesWhereItHasNone) {
  const Pool pool = make({{"a:1", 1, false, "a"}, {"b:1", 1, false, "b"}});
  EXPECT_EQ(turns(pool, 4), (Places{0, 1, 0, 1}));
}

TEST_F(UpstreamPoolTest, NeverTriesOneTwice) {
  for (const Balance by :
       {Balance::round_robin, Balance::least_connections, Balance::random_of_two, Balance::hash}) {
    settings_.by = by;
    const Pool pool = make({{"a:1"}, {"b:1"}, {"c:1", 0}, {"d:1", 1, true}, {"e:1"}});
    const ServerWish wish = key("anybody");
    for (int again = 0; again < 20; ++again) {
      Places tried{pool->choose(wish)};
      while (tried.size() < 5) {
        const std::size_t next = pool->choose_next(wish, tried);
        if (next == kNobody) break;
        tried.push_back(next);
      }
      const std::set<std::size_t> all(tried.begin(), tried.end());
      EXPECT_EQ(all.size(), tried.size());
      EXPECT_EQ(tried.back(), 3u) << "the backup is the last";
      EXPECT_EQ(all, (std::set<std::size_t>{0, 1, 3, 4}));
    }
  }
}

TEST_F(UpstreamPoolTest, GivesWhoComesItsShareSlowly) {
  settings_.by = Balance::round_robin;
  settings_.slow_start = std::chrono::seconds(30);
  const Pool first = make({{"a:1"}});
  const Pool pool = make({{"a:1"}, {"new:1"}}, first);
  const auto of_new = [&] { return std::ranges::count(turns(pool, 1100), 1u); };
  EXPECT_NEAR(static_cast<double>(of_new()), 100, 5) << "a tenth of the other's";
}

TEST_F(UpstreamPoolTest, LooksAtWhoIsUpThoughItIsFull) {
  health_.connections_max = 1;
  const Pool pool = make({{"a:1"}, {"b:1"}});
  const gateway::ServerSlot full = pool->admit(0, gateway::Purpose::kUpgrade, {});
  ASSERT_TRUE(full);
  EXPECT_FALSE(pool->takes(0));
  EXPECT_EQ(turns(pool, 2), (Places{1, 1}));
  const auto weight = [&](std::size_t at) {
    return pool->look(UpstreamPool::Weights::kWhole)[at].weight;
  };
  EXPECT_EQ(weight(0), weight(1));
  pool->server(0).state().set_draining(true);
  EXPECT_EQ(weight(0), 0u);
}

TEST_F(UpstreamPoolTest, CountsNobodyAmongTheEjectedWhoseTimeIsOver) {
  health_.ejection.in_a_row = 1;
  health_.ejection.time = std::chrono::seconds(1);
  health_.ejection.share_max = 25;
  const Pool pool = make({{"a:1"}, {"b:1"}, {"c:1"}, {"d:1"}});
  const auto fail = [&](std::size_t at) {
    gateway::ServerSlot slot = pool->admit(at, gateway::Purpose::kRequest, std::chrono::seconds(1));
    pool->note_failure(at, slot, "a test");
    return !pool->takes(at);
  };
  EXPECT_TRUE(fail(0));
  EXPECT_FALSE(fail(1)) << "a quarter is ejected";
  ASSERT_TRUE(simulation_.turn_until([&] { return pool->takes(0); }));
  EXPECT_TRUE(fail(1));
}

TEST_F(UpstreamPoolTest, GivesAllOfThemTheirSharesAtTheStart) {
  settings_.slow_start = std::chrono::seconds(30);
  const Pool pool = make({{"a:1"}, {"b:1"}});
  EXPECT_EQ(turns(pool, 4), (Places{0, 1, 0, 1}));
}

TEST_F(UpstreamPoolTest, StartsSlowlyWithWhoIsDrainedNoMore) {
  settings_.slow_start = std::chrono::seconds(30);
  const Pool pool = make({{"a:1"}, {"b:1"}});
  pool->server(1).state().set_draining(true);
  pool->server(1).state().set_draining(false);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(turns(pool, 1100), 1u)), 100, 5);
  pool->server(0).state().set_draining(false);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(turns(pool, 1100), 1u)), 100, 5)
      << "who was not drained has not come";
}

TEST_F(UpstreamPoolTest, CountsWhatAllShardsHaveUnderWay) {
  settings_.by = Balance::least_connections;
  gateway::Upstreams others(links_, records_, registry_, counters_, descriptors_, 1,
                            gateway::Log(log_, gateway::LogLevel::error));
  const std::vector<Server> servers{{"a:1"}, {"b:1"}, {"c:1", 2}};
  const Pool pool = make(servers);
  const Pool of_others = make(servers, {}, others);
  for (int count = 0; count < 200; ++count) {
    UpstreamPool& either = count % 3 == 0 ? *of_others : *pool;
    either.server(either.choose({})).state().begin();
  }
  for (std::size_t at = 0; at < 3; ++at) {
    EXPECT_EQ(pool->server(at).state().count(), at < 2 ? 50u : 100u);
    while (pool->server(at).state().count() > 0) pool->server(at).state().end();
  }
}

TEST_F(UpstreamPoolTest, GoesByTheKeyAndOtherwiseByChance) {
  settings_.by = Balance::hash;
  const Pool pool = make({{"a:1"}, {"b:1"}, {"c:1"}});
  for (const char* const text : {"one", "two", "three"}) {
    const Places places = turns(pool, 5, key(text));
    EXPECT_EQ(std::set(places.begin(), places.end()).size(), 1u) << text;
  }
  const Places places = turns(pool, 200);
  EXPECT_EQ(std::set(places.begin(), places.end()).size(), 3u);
}

TEST_F(UpstreamPoolTest, HasTokensThatNameServersAndTellNothing) {
  settings_.sticky.emplace();
  const Pool pool = make({{"a:1"}, {"b:1"}});
  const Pool turned = make({{"b:1"}, {"a:1"}});
  EXPECT_EQ(pool->token_of(0), turned->token_of(1)) << "of other gateways, in any order";
  EXPECT_EQ(pool->server_of_token(pool->token_of(1)), 1u);
  EXPECT_EQ(pool->token_of(0).find("a:1"), std::string::npos);
  name_ = "other";
  EXPECT_NE(make({{"a:1"}})->token_of(0), pool->token_of(0));
  name_ = "app";
  secret_ = "another key that nobody has";
  const Pool another = make({{"a:1"}});
  EXPECT_NE(another->token_of(0), pool->token_of(0));
  secret_.clear();
  EXPECT_EQ(make({{"a:1"}})->token_of(0), make({{"a:1"}})->token_of(0)) << "made at the start";
  for (const std::string& token :
       {std::string(), std::string("a:1"), std::string(100'000, 'a'), pool->token_of(0) + "0",
        pool->token_of(0).substr(1), another->token_of(0)}) {
    EXPECT_EQ(pool->server_of_token(token), kNobody);
  }
}

TEST_F(UpstreamPoolTest, StaysWithTheServerThatTheClientKnowsWhileThatTakesAnything) {
  zone_ = "z";
  settings_.sticky.emplace();
  const Pool pool = make({{"a:1", 1, false, "z"}, {"off:1", 0}, {"backup:1", 1, true}});
  for (const std::size_t known : {1u, 2u}) {
    EXPECT_EQ(turns(pool, 2, {.stuck_to = known}), (Places{known, known}));
    EXPECT_EQ(pool->choose_next({.stuck_to = known}, Places{known}), 0u) << "it has not answered";
    pool->server(known).state().set_draining(true);
    EXPECT_EQ(pool->choose({.stuck_to = known}), 0u);
  }
}

}  // namespace
