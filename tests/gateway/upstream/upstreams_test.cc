// What goes on of a pool's servers when the next generation of the configuration has them, too.
#include "gateway/upstream/upstreams.hh"

#include <gtest/gtest.h>

#include <list>
#include <vector>

#include "gateway/config/generation.hh"
#include "tests/gateway/upstream/upstreams_stand.hh"
#include "tests/simulation/certificate.hh"

namespace {

using gateway::UpstreamPool;
using Pool = uring::Held<UpstreamPool>;
using gateway::config::PoolTls;

class UpstreamsTest : public UpstreamsStand {
 protected:
  struct Server {
    std::string text;
    std::uint16_t port = 80;
  };

  static std::vector<gateway::config::Server> list_of(const std::vector<Server>& servers) {
    std::vector<gateway::config::Server> list;
    for (const Server& server : servers) {
      const auto address = gateway::config::literal_address({"10.0.0.1", server.port});
      list.push_back({.text = server.text, .host = "localhost", .addresses = {*address}});
    }
    return list;
  }

  Pool replace(const Pool& pool, const std::vector<Server>& servers) {
    return upstreams_.replace_servers(
        *pool, std::make_shared<const std::vector<gateway::config::Server>>(list_of(servers)));
  }

  Pool make(const std::vector<Server>& servers, std::optional<PoolTls> tls = {},
            const Pool& previous = {}, const std::string& name = "app") {
    gateway::config::Pool pool;
    pool.name = name;
    pool.balance.by = balance_;
    pool.tls = std::move(tls);
    pool.servers = list_of(servers);
    gateway::config::Config config;
    config.pools.push_back(std::move(pool));
    const auto generation =
        std::make_shared<const gateway::config::Generation>(++number_, std::move(config));
    auto made = upstreams_.make_pool(generation, 0, nullptr, previous.get());
    EXPECT_TRUE(made.has_value()) << made.error();
    if (previous) upstreams_.succeed(*previous, **made);
    return std::move(*made);
  }

  gateway::config::Balance balance_ = gateway::config::Balance::round_robin;
};

const PoolTls kTrust{.name = "localhost", .ca = simulation::kCertificate, .verify = true};

TEST_F(UpstreamsTest, AsksNobodyOfAServerThatIsBackForWhatWasWantedBefore) {
  const Pool first = make({{"one:80"}, {"two:80"}});
  const auto state = registry_.server("app", "two:80");
  state->to_ask = 5;
  const Pool second = replace(first, {{"one:80"}});
  EXPECT_EQ(state->to_ask, 5u);
  const Pool third = replace(second, {{"one:80"}, {"two:80"}});
  EXPECT_EQ(state->to_ask, 0u);
}

TEST_F(UpstreamsTest, KnowsTheNewestPoolOfALine) {
  const Pool first = make({{"one:80"}});
  EXPECT_EQ(first->line().newest(), first.get());
  Pool second = replace(first, {{"two:80"}});
  EXPECT_EQ(&first->line(), &second->line());
  EXPECT_EQ(first->line().newest(), second.get());
  const Pool again = make({{"three:80"}});
  EXPECT_EQ(&first->line(), &again->line()) << "a generation between has not had it";
  EXPECT_EQ(first->line().newest(), again.get());
  { const Pool last = replace(again, {{"four:80"}}); }
  EXPECT_EQ(first->line().newest(), nullptr) << "it is gone";
}

TEST_F(UpstreamsTest, GoesOnWithTheServersThatAPoolOfTheNextGenerationHasToo) {
  const Pool first = make({{"one:80"}, {"two:80"}});
  first->server(1).note_version(0);
  first->choose({});
  const Pool second = make({{"new:80"}, {"two:80"}}, {}, first);
  EXPECT_EQ(&second->server(1), &first->server(1));
  EXPECT_TRUE(second->server(1).speaks_only_1_0());
  EXPECT_NE(&second->server(0), &first->server(0));
  EXPECT_EQ(second->choose({}), 1u) << "whose turn it was";
}

TEST_F(UpstreamsTest, GoesOnWithTheServersThatAListInItsPlaceHasToo) {
  const Pool first = make({{"one:443"}, {"two:443"}}, kTrust);
  const Pool second = replace(first, {{"two:443"}, {"three:443"}});
  EXPECT_EQ(second->size(), 2u);
  EXPECT_EQ(&second->server(0), &first->server(1));
  EXPECT_EQ(second->config_of(1).text, "three:443");
  EXPECT_EQ(second->tls(), first->tls());
  EXPECT_EQ(&second->config(), &first->config());
}

TEST_F(UpstreamsTest, CountsOnWhateverElseIsNew) {
  const Pool first = make({{"one:80"}});
  first->server(0).state().begin();
  const Pool second = make({{"one:80"}}, kTrust, first);
  EXPECT_EQ(second->server(0).state().count(), 1u);
  EXPECT_EQ(&second->server(0).traffic(), &first->server(0).traffic());
  first->server(0).state().end();
}

TEST_F(UpstreamsTest, GoesOnUnderTheSameTrust) {
  const Pool first = make({{"one:443"}}, kTrust);
  const Pool second = make({{"one:443"}}, kTrust, first);
  EXPECT_EQ(&second->server(0), &first->server(0));
  EXPECT_NE(second->tls(), first->tls()) << "its contexts are its own";
}

// Neither a connection nor a ticket that another trust has let in.
TEST_F(UpstreamsTest, BeginsAnewUnderAnotherTrust) {
  const PoolTls unverified{.name = "localhost", .verify = false};
  const PoolTls other_name{.name = "other", .ca = kTrust.ca};
  const PoolTls other_ca{.name = "localhost", .ca = kTrust.ca + kTrust.ca};
  struct Change {
    const char* name;
    std::optional<PoolTls> from;
    std::optional<PoolTls> to;
  };
  for (const Change& change :
       {Change{"verified at last", unverified, kTrust}, Change{"another name", kTrust, other_name},
        Change{"another CA", kTrust, other_ca}, Change{"TLS at last", std::nullopt, kTrust},
        Change{"no TLS any more", kTrust, std::nullopt}}) {
    const Pool first = make({{"one:443"}}, change.from);
    const Pool second = make({{"one:443"}}, change.to, first);
    EXPECT_NE(&second->server(0), &first->server(0)) << change.name;
  }
}

// One that stands, without a server: nobody says anything on it.
class KeptUpstreamsTest : public UpstreamsTest {
 protected:
  gateway::UpstreamConnection& connect(const Pool& pool) {
    gateway::UpstreamConnection& connection = upstreams_.open(*pool, 0);
    connection.link().adopt(simulation_.kernel.open_stream(peers_.emplace_back()));
    return connection;
  }
  void keep(gateway::UpstreamConnection& connection) {
    upstreams_.keep(connection, {}, gateway::Upstreams::Reuse::kAtOnce);
    simulation_.loop.turn(std::chrono::milliseconds(1));
  }
  // Gives it back.
  bool keeps_any(const Pool& pool) {
    gateway::UpstreamConnection* const kept = upstreams_.take_kept(*pool, 0);
    if (kept != nullptr) keep(*kept);
    return kept != nullptr;
  }
  void TearDown() override {
    closing_ = upstreams_.close_all();
    closing_.start();
    upstreams_.cut();
    EXPECT_TRUE(simulation_.turn_until([&] { return closing_.done(); }));
  }

  std::list<SimulatedKernel::Stream> peers_;
  uring::Task<> closing_;
};

TEST_F(KeptUpstreamsTest, GoesOnWithWhatIsKept) {
  const Pool first = make({{"one:80"}});
  keep(connect(first));
  const Pool second = make({{"one:80"}}, {}, first);
  EXPECT_TRUE(keeps_any(second));
}

TEST_F(KeptUpstreamsTest, GivesUpNothingThatIsBorrowed) {
  const Pool pool = make({{"one:80"}});
  keep(connect(pool));
  gateway::UpstreamConnection* const borrowed = upstreams_.take_kept(*pool, 0);
  ASSERT_NE(borrowed, nullptr);
  const auto kept_until = simulation_.loop.now() + pool->config().keep_alive.idle;
  EXPECT_TRUE(simulation_.turn_until([&] { return simulation_.loop.now() > kept_until; }));
  simulation_.loop.turn(std::chrono::milliseconds(50));
  EXPECT_EQ(borrowed->link().end(), uring::LinkEnd::kNone);
  keep(*borrowed);
  EXPECT_TRUE(keeps_any(pool));
}

TEST_F(KeptUpstreamsTest, ClosesWhatWasNeverToBeKept) {
  const Pool pool = make({{"one:80"}});
  gateway::UpstreamConnection& connection = connect(pool);
  connection.never_keep();
  upstreams_.close(connection, gateway::Farewell::kPolite);
  EXPECT_FALSE(keeps_any(pool));
}

TEST_F(KeptUpstreamsTest, KeepsNothingToWhereTheServerWas) {
  const Pool first = make({{"one:80", 1001}});
  keep(connect(first));
  gateway::UpstreamConnection& borrowed = connect(first);
  const Pool second = make({{"one:80", 1002}}, {}, first);
  EXPECT_EQ(&second->server(0), &first->server(0));
  EXPECT_FALSE(keeps_any(second)) << "what was kept";
  keep(borrowed);
  EXPECT_FALSE(keeps_any(second)) << "what was borrowed then";
  keep(connect(first));
  EXPECT_FALSE(keeps_any(second)) << "what an earlier generation opens later";
  keep(connect(second));
  EXPECT_TRUE(keeps_any(second));
}

TEST_F(KeptUpstreamsTest, KeepsNothingToAServerThatAListInItsPlaceDoesNotHave) {
  Pool pool = make({{"one:80"}, {"two:80"}});
  keep(connect(pool));
  const Pool earlier = pool;
  pool = replace(pool, {{"one:80"}});
  EXPECT_TRUE(keeps_any(pool));
  pool = replace(pool, {{"two:80"}});
  EXPECT_TRUE(keeps_any(earlier)) << "somebody who dials has it still";
}

TEST_F(UpstreamsTest, KnowsServersOfThePoolOfThatNameAlone) {
  const Pool first = make({{"one:80"}});
  const Pool other = make({{"one:80"}}, {}, {}, "other");
  EXPECT_NE(&other->server(0), &first->server(0));
  EXPECT_NE(&other->server(0).state(), &first->server(0).state());
  EXPECT_EQ(registry_.size(), 2u);
}

// Whose turn it would be.
TEST_F(UpstreamsTest, ChoosesNobodyWhoIsDrained) {
  const Pool pool = make({{"one:80"}, {"two:80"}, {"three:80"}});
  const Pool later = make({{"one:80"}, {"two:80"}, {"three:80"}}, {}, pool);
  pool->server(1).state().set_draining(true);
  std::vector<std::size_t> chosen;
  for (const Pool& either : {pool, later}) {
    EXPECT_TRUE(either->has_takers());
    for (int turn = 0; turn < 3; ++turn) chosen.push_back(either->choose({}));
  }
  EXPECT_EQ(chosen, (std::vector<std::size_t>{0, 2, 0, 2, 0, 2}));
  pool->server(0).state().set_draining(true);
  EXPECT_EQ(pool->choose({}), 2u);
  pool->server(2).state().set_draining(true);
  EXPECT_FALSE(pool->has_takers());
  pool->server(1).state().set_draining(false);
  EXPECT_TRUE(pool->has_takers());
  EXPECT_EQ(pool->choose({}), 1u);
}

TEST_F(UpstreamsTest, ChoosesTheLeastBusyOfThoseWhoAreNotDrained) {
  balance_ = gateway::config::Balance::least_connections;
  const Pool pool = make({{"one:80"}, {"two:80"}, {"three:80"}});
  pool->server(0).state().begin();
  pool->server(2).state().begin();
  pool->server(2).state().begin();
  pool->server(1).state().set_draining(true);
  for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(pool->choose({}), 0u);
}

TEST_F(KeptUpstreamsTest, KeepsNothingToAServerThatIsDrained) {
  const Pool pool = make({{"one:80"}});
  keep(connect(pool));
  gateway::UpstreamConnection& borrowed = connect(pool);
  pool->server(0).state().set_draining(true);
  upstreams_.give_up_drained();
  EXPECT_FALSE(keeps_any(pool)) << "what was kept";
  keep(borrowed);
  EXPECT_FALSE(keeps_any(pool)) << "what was borrowed then";
  pool->server(0).state().set_draining(false);
  keep(connect(pool));
  EXPECT_TRUE(keeps_any(pool));
}

TEST_F(UpstreamsTest, LetsGoOfWhatNoGenerationHas) {
  {
    const Pool first = make({{"one:80"}, {"two:80"}});
    const Pool second = make({{"one:80"}}, {}, first);
    EXPECT_EQ(registry_.size(), 2u);
  }
  EXPECT_EQ(registry_.size(), 0u);
}

}  // namespace
