// Orders to drain servers: marked at once, and told to the shards one after the other.
#include "gateway/process/server_drains.hh"

#include <gtest/gtest.h>

#include <vector>

#include "gateway/log/render.hh"
#include "gateway/log/ring.hh"

namespace {

using gateway::ClosingPlan;
using gateway::DrainOrder;
using gateway::Order;
using gateway::Report;
using gateway::ReviewOrder;
using gateway::ServerDrains;

class ServerDrainsTest : public testing::Test {
 protected:
  static constexpr unsigned kShards = 2;

  ServerDrainsTest() {
    for (const char* name : {"chat", "app"}) {
      gateway::config::Pool pool;
      pool.name = name;
      for (const char* server : {"10.0.0.1:1", "10.0.0.2:1"}) pool.servers.push_back({server});
      config_.pools.push_back(pool);
    }
  }

  void all_report(std::size_t closing = 0) {
    for (unsigned shard = 0; shard < kShards; ++shard) {
      drains_.reported({.kind = Report::Kind::kCarriedOut, .closing = closing});
    }
  }
  bool is_drained(const std::string& pool, const std::string& server) {
    return drains_.is_drained(pool, server);
  }
  // These are all that the pool has.
  void come(const std::string& pool, const std::vector<std::string>& servers) {
    std::vector<gateway::config::Server> now;
    for (const std::string& server : servers) now.push_back({server});
    drains_.note_come(pool, servers, now);
  }
  std::string last_line() {
    std::string line;
    log_.drain([&](const gateway::LogRing::Record& record) { line = gateway::text_of(record); });
    return line;
  }

  gateway::Registry registry_;
  gateway::LogRing log_{"main", 1 << 16};
  gateway::config::Config config_;
  std::vector<Order> told_;
  ServerDrains drains_{registry_, gateway::Log(log_, gateway::LogLevel::info), kShards,
                       [this](const Order& order) { told_.push_back(order); }};
};

TEST_F(ServerDrainsTest, MarksAServerAndTellsTheShards) {
  std::size_t websockets = 0;
  const ClosingPlan plan{
      .over = std::chrono::minutes(10), .close_code = 1012, .close_reason = "elsewhere"};
  ASSERT_TRUE(
      drains_.drain(config_, {"chat", "10.0.0.2:1"}, plan,
                    [&](std::optional<std::size_t> count) { websockets = count.value_or(0); }));
  EXPECT_TRUE(is_drained("chat", "10.0.0.2:1"));
  EXPECT_FALSE(is_drained("chat", "10.0.0.1:1"));
  EXPECT_FALSE(is_drained("app", "10.0.0.2:1"));
  ASSERT_EQ(told_.size(), 1u);
  const auto& order = std::get<DrainOrder>(told_[0]);
  EXPECT_EQ(order.name, "chat/10.0.0.2:1");
  EXPECT_EQ(order.websockets.plan.reason, gateway::Reason::kDraining);
  EXPECT_EQ(order.websockets.plan.close_code, 1012);
  ASSERT_EQ(order.servers.size(), 1u);
  EXPECT_EQ(order.servers[0], registry_.server("chat", "10.0.0.2:1"));
  all_report(21);
  EXPECT_EQ(websockets, 42u);
  EXPECT_EQ(last_line(), "drain: drains chat/10.0.0.2:1, over=10m websockets=42");
}

TEST_F(ServerDrainsTest, MarksAWholePool) {
  ASSERT_TRUE(drains_.drain(config_, {"app", ""}, {}));
  EXPECT_TRUE(is_drained("app", "10.0.0.1:1"));
  EXPECT_TRUE(is_drained("app", "10.0.0.2:1"));
  EXPECT_FALSE(is_drained("chat", "10.0.0.1:1"));
  ASSERT_TRUE(drains_.undrain(config_, {"app", "10.0.0.1:1"}));
  EXPECT_FALSE(is_drained("app", "10.0.0.1:1"));
  EXPECT_TRUE(is_drained("app", "10.0.0.2:1"));
}

TEST_F(ServerDrainsTest, MeansByANameAlsoThoseThatComeLater) {
  config_.pools[1].servers = {{"app.test:1"}, {"app.test:1/8"}};
  come("app", {"app.test:1/7"});
  EXPECT_FALSE(is_drained("app", "app.test:1/7")) << "nothing is";
  ASSERT_TRUE(drains_.drain(config_, {"app", "app.test:1"}, {}));
  for (const char* const pool : {"app", "chat"}) come(pool, {"app.test:1/9", "app.test:1/10"});
  for (const char* const text : {"app.test:1/9", "app.test:1/10"}) {
    EXPECT_TRUE(registry_.server("app", text)->draining());
    EXPECT_TRUE(is_drained("app", text));
    EXPECT_FALSE(is_drained("chat", text));
  }
  ASSERT_TRUE(drains_.undrain(config_, {"app", "app.test:1/9"}));
  come("app", {"app.test:1/11"});
  EXPECT_TRUE(is_drained("app", "app.test:1/11")) << "the name is drained still";
  ASSERT_TRUE(drains_.undrain(config_, {"app", "app.test:1"}));
  come("app", {"app.test:1/12"});
  EXPECT_FALSE(is_drained("app", "app.test:1/12"));
  ASSERT_TRUE(drains_.drain(config_, {"app", "app.test:1/8"}, {}));
  come("app", {"app.test:1/13"});
  EXPECT_FALSE(is_drained("app", "app.test:1/13")) << "one address is no name";
}

TEST_F(ServerDrainsTest, RemembersNoMoreOfANameThanThereAre) {
  config_.pools[1].servers = {{"app.test:1/8"}};
  ASSERT_TRUE(drains_.drain(config_, {"app", "app.test:1"}, {}));
  for (std::size_t count = 0; count < 2 * ServerDrains::kDrainedMax; ++count) {
    const std::string text = "app.test:1/" + std::to_string(count);
    come("app", {text});
    ASSERT_TRUE(is_drained("app", text));
  }
}

TEST_F(ServerDrainsTest, SendsOneOrderAtATime) {
  int done = 0;
  ASSERT_TRUE(drains_.drain(config_, {"app", ""}, {}));
  ASSERT_TRUE(drains_.undrain(config_, {"app", ""}, [&](std::optional<std::size_t>) { ++done; }));
  ASSERT_TRUE(drains_.drain(config_, {"chat", ""}, {}));
  EXPECT_EQ(told_.size(), 1u);
  all_report();
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<ReviewOrder>(told_[1]));
  EXPECT_EQ(done, 0);
  all_report();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(told_.size(), 3u);
  all_report();
  EXPECT_EQ(told_.size(), 3u);
}

TEST_F(ServerDrainsTest, SaysWhatThereIsInstead) {
  const auto pool = drains_.drain(config_, {"chart", ""}, {});
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error(), "there is no pool 'chart': the pools are chat, app");
  const auto server = drains_.undrain(config_, {"chat", "10.0.0.3:1"});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(),
            "pool 'chat' has no server '10.0.0.3:1': its servers are 10.0.0.1:1, 10.0.0.2:1");
  EXPECT_TRUE(told_.empty());
}

// A reload may leave it out and take it in again.
TEST_F(ServerDrainsTest, RemembersAServerThatNobodyHolds) {
  ASSERT_TRUE(drains_.drain(config_, {"chat", "10.0.0.1:1"}, {}));
  all_report();
  told_.clear();
  EXPECT_EQ(registry_.size(), 1u);
  EXPECT_TRUE(is_drained("chat", "10.0.0.1:1"));
  ASSERT_TRUE(drains_.undrain(config_, {"chat", "10.0.0.1:1"}));
  all_report();
  told_.clear();
  EXPECT_EQ(registry_.size(), 0u);
}

// Nothing but a restart would forget it otherwise.
TEST_F(ServerDrainsTest, LetsGoOfAServerThatTheConfigurationHasNoMore) {
  ASSERT_TRUE(drains_.drain(config_, {"chat", "10.0.0.1:1"}, {}));
  all_report();
  told_.clear();
  const gateway::config::Config without;
  ASSERT_TRUE(drains_.drain(without, {"chat", "10.0.0.1:1"}, {})) << "it may be hurried";
  all_report();
  told_.clear();
  ASSERT_TRUE(drains_.undrain(without, {"chat", ""}));
  EXPECT_FALSE(is_drained("chat", "10.0.0.1:1"));
  EXPECT_FALSE(drains_.drain(without, {"chat", "10.0.0.1:1"}, {}));
  EXPECT_FALSE(drains_.undrain(without, {"chat", ""}));
  all_report();
  told_.clear();
  EXPECT_EQ(registry_.size(), 0u);
}

TEST_F(ServerDrainsTest, RemembersSoManyAtTheMost) {
  gateway::config::Pool pool;
  pool.name = "many";
  for (std::size_t number = 0; number < ServerDrains::kDrainedMax; ++number) {
    pool.servers.push_back({"10.1.0.1:" + std::to_string(number)});
  }
  config_.pools.push_back(pool);
  ASSERT_TRUE(drains_.drain(config_, {"many", ""}, {}));
  ASSERT_TRUE(drains_.drain(config_, {"many", ""}, {})) << "it takes no more room";
  const auto another = drains_.drain(config_, {"chat", "10.0.0.1:1"}, {});
  ASSERT_FALSE(another);
  EXPECT_TRUE(another.error().starts_with("4096 servers are drained already")) << another.error();
  EXPECT_FALSE(is_drained("chat", "10.0.0.1:1"));
  ASSERT_TRUE(drains_.undrain(config_, {"many", "10.1.0.1:1"}));
  EXPECT_TRUE(drains_.drain(config_, {"chat", "10.0.0.1:1"}, {}));
}

TEST_F(ServerDrainsTest, RefusesWhoComesWhenItStops) {
  std::vector<std::optional<std::size_t>> answers;
  const auto note = [&](std::optional<std::size_t> count) { answers.push_back(count); };
  ASSERT_TRUE(drains_.drain(config_, {"chat", ""}, {}, note));
  ASSERT_TRUE(drains_.drain(config_, {"app", ""}, {}, note));
  drains_.refuse();
  EXPECT_EQ(answers, (std::vector<std::optional<std::size_t>>{std::nullopt}));
  EXPECT_FALSE(drains_.drain(config_, {"app", ""}, {}, note));
  EXPECT_FALSE(drains_.undrain(config_, {"app", ""}, note));
  all_report(1);
  EXPECT_EQ(answers.back(), 2u);
  EXPECT_EQ(told_.size(), 1u);
}

}  // namespace
