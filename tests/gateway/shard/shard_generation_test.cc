// What a shard makes of a generation, a step at a time, and what it shares with the one before.
#include "gateway/shard/shard_generation.hh"

#include <gtest/gtest.h>

#include "gateway/config/network.hh"
#include "proto/tls/self_signed.hh"
#include "tests/gateway/upstream/upstreams_stand.hh"

namespace {

using gateway::ShardGeneration;
using gateway::config::Listener;
using Shared = uring::Held<ShardGeneration>;

class ShardGenerationTest : public UpstreamsStand {
 protected:
  // Listeners, by the certificates that they have; none: plain text. All ask clients for one if
  // there is a check.
  Shared load(const std::vector<std::vector<tls::Pem>>& listeners, const Shared& previous = {},
              const std::optional<tls::ClientCheck>& check = {},
              const std::vector<gateway::config::NamePolicy>& policies = {}) {
    gateway::config::Config config;
    for (const std::vector<tls::Pem>& pems : listeners) {
      const auto port = static_cast<std::uint16_t>(8000 + config.listeners.size());
      Listener listener{.address = *gateway::config::literal_address({"127.0.0.1", port})};
      if (!pems.empty()) listener.tls = {.self_signed = true, .pems = pems};
      if (listener.tls && check) listener.tls->clients = {.ca_path = "ca.pem", .check = *check};
      if (listener.tls) listener.tls->policies = policies;
      config.listeners.push_back(std::move(listener));
    }
    auto made = Shared::make(
        std::make_shared<const gateway::config::Generation>(++number_, std::move(config)),
        std::vector<gateway::PoolServers>{}, previous);
    for (steps_ = 1; made->load_next({tickets_, records_, upstreams_, counters_, live_});
         ++steps_) {
    }
    return made;
  }
  static tls::Pem pem() { return tls::make_self_signed().value(); }

  tls::TicketKeys tickets_;
  gateway::limits::LiveCounts live_;
  int steps_ = 0;
};

TEST_F(ShardGenerationTest, LoadsOneCertificateAStep) {
  const Shared made = load({{pem(), pem(), pem()}, {}, {pem()}});
  EXPECT_EQ(steps_, 5);
  EXPECT_EQ(made->contexts_of(0)->size(), 3u);
  EXPECT_EQ(made->contexts_of(1), nullptr);
  EXPECT_EQ(made->contexts_of(2)->size(), 1u);
}

TEST_F(ShardGenerationTest, SharesTheCertificatesOfAListenerThatHasTheSameOnes) {
  const std::vector<tls::Pem> pems = {pem(), pem()};
  const std::vector<tls::Pem> other = {pem()};
  const Shared first = load({pems, other, pems});
  EXPECT_EQ(steps_, 4);
  EXPECT_EQ(first->contexts_of(2), first->contexts_of(0));
  // At another place, too.
  const Shared second = load({other, {}, pems}, first);
  EXPECT_EQ(steps_, 3);
  EXPECT_EQ(second->contexts_of(0), first->contexts_of(1));
  EXPECT_EQ(second->contexts_of(2), first->contexts_of(0));
}

TEST_F(ShardGenerationTest, SharesNothingBetweenListenersThatCheckClientsOtherwise) {
  const std::vector<tls::Pem> pems = {pem(), pem()};
  const std::string ca = pem().chain;
  const std::optional<tls::ClientCheck> checks[] = {
      {}, {{.ca = ca}}, {{.ca = ca, .required = false}}, {{.ca = pem().chain}}};
  for (const auto& before : checks) {
    for (const auto& after : checks) {
      const Shared first = load({pems}, {}, before);
      EXPECT_EQ(steps_, before ? 3 : 2) << "the CAs are a step";
      const Shared second = load({pems}, first, after);
      EXPECT_EQ(second->contexts_of(0) == first->contexts_of(0), before == after);
      EXPECT_EQ(second->contexts_of(0)->shares(*first->contexts_of(0), 0), before == after);
      const Shared third = load({{pems[1], pem()}}, first, after);
      EXPECT_EQ(steps_, after && before != after ? 3 : 2);
      EXPECT_EQ(third->contexts_of(0)->shares(*first->contexts_of(0), 1), before == after);
    }
  }
}

TEST_F(ShardGenerationTest, MakesWhatNamesWithTermsOfTheirOwnNeedAndNotTwice) {
  const std::vector<tls::Pem> pems = {pem(), pem()};
  const gateway::config::ClientCertificates asks{.ca_path = "ca.pem", .check = {.ca = pem().chain}};
  const std::vector<gateway::config::NamePolicy> policies = {
      {.names = {"a.test"}, .clients = asks},
      {.names = {"b.test"}, .clients = {}},
      {.names = {"c.test"}, .clients = asks}};
  const Shared first = load({pems}, {}, {}, policies);
  EXPECT_EQ(steps_, 3 + 2 + 1 + 2) << "the CAs are a step, and the third has what the first has";
  const Shared second = load({pems}, first, {}, policies);
  EXPECT_EQ(steps_, 1 + 1 + 1 + 2);
  EXPECT_NE(second->contexts_of(0), first->contexts_of(0)) << "its names are its own";
  EXPECT_TRUE(second->contexts_of(0)->shares(*first->contexts_of(0), 0));
  EXPECT_TRUE(second->contexts_of(0)->shares(*first->contexts_of(0), 1));
  const Shared without = load({pems}, second);
  EXPECT_NE(without->contexts_of(0), second->contexts_of(0)) << "it has no names";
  EXPECT_TRUE(without->contexts_of(0)->shares(*first->contexts_of(0), 0));
}

TEST_F(ShardGenerationTest, MakesOnlyTheCertificatesThatAreNew) {
  const std::vector<tls::Pem> pems = {pem(), pem(), pem()};
  const Shared first = load({pems});
  std::vector<tls::Pem> renewed = {pems[2], pem(), pems[0]};
  const Shared second = load({renewed}, first);
  EXPECT_NE(second->contexts_of(0), first->contexts_of(0));
  EXPECT_EQ(second->contexts_of(0)->size(), 3u);
  EXPECT_TRUE(second->contexts_of(0)->shares(*first->contexts_of(0), 0));
  EXPECT_FALSE(second->contexts_of(0)->shares(*first->contexts_of(0), 1));
  EXPECT_TRUE(second->contexts_of(0)->shares(*first->contexts_of(0), 2));
  // Nothing is left of one that nobody has had since.
  const Shared third = load({{renewed[1]}}, second);
  const Shared fourth = load({renewed}, third);
  EXPECT_FALSE(fourth->contexts_of(0)->shares(*first->contexts_of(0), 0));
  EXPECT_TRUE(fourth->contexts_of(0)->shares(*second->contexts_of(0), 1));
}

}  // namespace
