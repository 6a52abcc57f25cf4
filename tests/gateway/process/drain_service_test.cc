// What `gateway drain` and `undrain` are answered.
#include "gateway/process/drain_service.hh"

#include <gtest/gtest.h>

#include <vector>

#include "gateway/log/ring.hh"
#include "tests/uring/simulation.hh"

namespace {

using namespace std::chrono_literals;
using gateway::Control;
using gateway::DrainOrder;
using gateway::Order;
using gateway::Report;

class DrainServiceTest : public testing::Test {
 protected:
  DrainServiceTest() {
    gateway::config::Pool pool;
    pool.name = "chat";
    for (const char* server : {"10.0.0.1:1", "10.0.0.2:1"}) pool.servers.push_back({server});
    config_.pools.push_back(pool);
    config_.drain.over = 10min;
    config_.drain.close_code = 4001;
  }

  // "ok: " or "failed: ", and what is said; nothing: it waits.
  std::string answer_to(std::string_view line) {
    answer_.clear();
    service_.obey(line, config_, [this](const Control::Answer& answer) {
      answer_ = (answer.done ? "ok: " : "failed: ") + answer.text;
    });
    return answer_;
  }
  std::string report(std::size_t closing) {
    drains_.reported({.kind = Report::Kind::kCarriedOut, .closing = closing});
    return answer_;
  }
  const gateway::ClosingPlan& plan() { return std::get<DrainOrder>(told_.back()).websockets.plan; }

  Simulation simulation_{1};
  gateway::Registry registry_;
  gateway::LogRing ring_{"main", 1 << 16};
  gateway::Log log_{ring_, gateway::LogLevel::info};
  gateway::config::Config config_;
  std::vector<Order> told_;
  gateway::ClosingWatch watch_{simulation_.loop, log_};
  gateway::ServerDrains drains_{registry_, log_, 1,
                                [this](const Order& order) { told_.push_back(order); }};
  gateway::DrainService service_{drains_, watch_};
  std::string answer_;
};

TEST_F(DrainServiceTest, DrainsAsTheConfigurationSays) {
  EXPECT_EQ(answer_to("drain chat/10.0.0.1:1"), "");
  EXPECT_EQ(plan().over, 10min);
  EXPECT_EQ(plan().close_code, 4001);
  EXPECT_EQ(plan().close_reason, "the server takes no more connections");
  EXPECT_EQ(report(120), "ok: draining chat/10.0.0.1:1: 120 websockets are closed over 10m\n");
  config_.drain.close_reason = "see you";
  answer_to("drain chat/10.0.0.1:1");
  EXPECT_EQ(plan().close_reason, "see you");
}

TEST_F(DrainServiceTest, DrainsAsItIsTold) {
  answer_to("drain chat/10.0.0.1:1\tover=0s\tcode=1012\treason=bye");
  EXPECT_EQ(plan().over, 0s);
  EXPECT_EQ(plan().close_code, 1012);
  EXPECT_EQ(plan().close_reason, "bye");
  EXPECT_EQ(report(1), "ok: draining chat/10.0.0.1:1: 1 websocket is closed at once\n");
}

TEST_F(DrainServiceTest, SaysWhereNobodyIsLeftToAnswer) {
  answer_to("drain chat/10.0.0.2:1");
  report(0);
  answer_to("drain chat/10.0.0.1:1");
  EXPECT_EQ(report(0),
            "ok: draining chat/10.0.0.1:1: 0 websockets are closed over 10m\n"
            "pool chat has no other server: requests for it are answered with 503\n");
}

TEST_F(DrainServiceTest, DrainsNoMore) {
  answer_to("drain chat");
  report(0);
  EXPECT_EQ(answer_to("undrain chat/10.0.0.1:1"), "");
  EXPECT_EQ(report(0), "ok: chat/10.0.0.1:1 is drained no more\n");
  answer_to("undrain chat/10.0.0.1:1");
  EXPECT_EQ(report(0), "ok: chat/10.0.0.1:1 is not drained\n");
  answer_to("undrain chat");
  EXPECT_EQ(report(0), "ok: chat is drained no more\n");
  EXPECT_FALSE(drains_.is_drained("chat", "10.0.0.2:1"));
}

TEST_F(DrainServiceTest, SaysWhatItCannotDo) {
  EXPECT_EQ(answer_to("drain chart"),
            "failed: gateway: error: there is no pool 'chart': the pools are chat\n");
  EXPECT_EQ(answer_to("undrain chat/x"),
            "failed: gateway: error: pool 'chat' has no server 'x': its servers are 10.0.0.1:1, "
            "10.0.0.2:1\n");
  answer_to("drain chat\tover=1d");
  EXPECT_TRUE(answer_.starts_with("failed: gateway: error: --over: '1d' ")) << answer_;
  EXPECT_TRUE(told_.empty());
}

TEST_F(DrainServiceTest, RefusesWhenTheGatewayStops) {
  answer_to("drain chat/10.0.0.1:1");
  std::string second;
  service_.obey("undrain chat", config_,
                [&](const Control::Answer& answer) { second = answer.text; });
  drains_.refuse();
  EXPECT_EQ(second, "gateway: error: refused: the gateway is stopping\n");
  EXPECT_EQ(report(2), "ok: draining chat/10.0.0.1:1: 2 websockets are closed over 10m\n")
      << "the shards had been told";
  EXPECT_EQ(answer_to("drain chat"), "failed: gateway: error: refused: the gateway is stopping\n");
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(DrainServiceTest, WatchesUntilNothingIsLeft) {
  const auto server = registry_.server("chat", "10.0.0.1:1");
  server->begin();
  server->begin();
  server->begin_websocket();
  answer_to("drain chat/10.0.0.1:1");
  report(1);
  int seen = 0;
  const auto count = [&] {
    seen = 0;
    watch_.for_each([&](const std::string& name, gateway::ClosingWatch::Left left, std::uint64_t) {
      EXPECT_EQ(name, "drain: chat/10.0.0.1:1");
      EXPECT_EQ(left.websockets, 1u);
      EXPECT_EQ(left.requests, 1u);
      ++seen;
    });
    return seen;
  };
  EXPECT_EQ(count(), 1);
  answer_to("undrain chat/10.0.0.1:1");
  EXPECT_EQ(count(), 0);
  server->end_websocket();
  server->end();
  server->end();
}

}  // namespace
