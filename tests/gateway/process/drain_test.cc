// The stop, from the signal to the last line.
#include "gateway/process/drain.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/log/render.hh"
#include "gateway/log/ring.hh"
#include "tests/uring/simulation.hh"

namespace {

using namespace std::chrono_literals;
using gateway::Drain;

class DrainTest : public testing::Test, protected gateway::Drained {
 protected:
  void announce() override { note("announced"); }
  void close_doors(const gateway::ClosingPlan& websockets) override {
    plan_ = websockets;
    note("doors");
  }
  void cut() override { note("cut"); }
  gateway::UnderWay remaining() const override { return remaining_; }

  void note(const char* what) { events_.push_back(what + (" " + std::to_string(milliseconds()))); }
  long milliseconds() const { return (simulation_.loop.now() - began_) / 1ms; }
  // What happened, and after how many milliseconds.
  std::vector<std::string> events_after(std::chrono::milliseconds time) {
    EXPECT_TRUE(simulation_.turn_until([&] { return simulation_.loop.now() >= began_ + time; }));
    return events_;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    log_.drain(
        [&](const gateway::LogRing::Record& record) { lines.push_back(gateway::text_of(record)); });
    return lines;
  }

  Simulation simulation_{1};
  gateway::LogRing log_{"main", 1 << 16};
  Drain drain_{simulation_.loop, gateway::Log(log_, gateway::LogLevel::info), *this};
  uring::Clock::time_point began_ = simulation_.loop.now();
  gateway::UnderWay remaining_;
  gateway::ClosingPlan plan_;
  std::vector<std::string> events_;
};

using Events = std::vector<std::string>;

// A timer fires up to a slot late.
void expect_event(const std::string& event, const std::string& name, long at) {
  ASSERT_TRUE(event.starts_with(name + " ")) << event;
  const long came = std::stol(event.substr(name.size()));
  EXPECT_GE(came, at) << event;
  EXPECT_LE(came, at + 20) << event;
}

TEST_F(DrainTest, ClosesTheDoorsAtOnceAndCutsWhatIsLeft) {
  EXPECT_FALSE(drain_.begun());
  drain_.begin({.over = 1s, .hard_stop = 3s});
  EXPECT_TRUE(drain_.begun());
  EXPECT_EQ(events_, Events{"doors 0"});
  const Events events = events_after(4s);
  ASSERT_EQ(events.size(), 2u);
  expect_event(events[1], "cut", 3000);
  EXPECT_NE(lines().back().find("hard_stop is over"), std::string::npos);
}

TEST_F(DrainTest, TellsHowWebSocketsAreToBeClosed) {
  drain_.begin({.delay = 0s,
                .over = 7s,
                .close_code = 4001,
                .close_reason = "bye",
                .order = gateway::config::ClosingOrder::oldest,
                .hard_stop = 30s});
  EXPECT_EQ(plan_.over, 7s);
  EXPECT_EQ(plan_.close_code, 4001);
  EXPECT_EQ(plan_.close_reason, "bye");
  EXPECT_EQ(plan_.order, gateway::config::ClosingOrder::oldest);
  EXPECT_EQ(plan_.reason, gateway::Reason::kStopping);
}

TEST_F(DrainTest, SaysThatItIsToStopBeforeItClosesTheDoors) {
  drain_.begin({.delay = 2s, .over = 1s, .hard_stop = 5s});
  EXPECT_TRUE(drain_.begun());
  EXPECT_EQ(events_after(1900ms), Events{"announced 0"});
  const Events events = events_after(6s);
  ASSERT_EQ(events.size(), 3u);
  expect_event(events[1], "doors", 2000);
  expect_event(events[2], "cut", 5000);
}

TEST_F(DrainTest, CutsAtOnceForWhoHasNoPatience) {
  drain_.begin({.delay = 2s, .over = 1s, .hard_stop = 5s});
  drain_.hurry();
  drain_.hurry();
  EXPECT_EQ(events_after(6s), (Events{"announced 0", "doors 0", "cut 0"}));
}

TEST_F(DrainTest, SaysEveryFewSecondsWhatRemains) {
  remaining_ = {.requests = 1, .websockets = 1234, .connections = 1240};
  drain_.begin({.over = 7s, .hard_stop = 20s});
  events_after(11s);
  const auto said = lines();
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0], "drain: 1234 websockets and 1 request, 5 other connections remain, 2 s left");
  EXPECT_EQ(said[1],
            "drain: 1234 websockets and 1 request, 5 other connections remain, cut in 10 s");
}

TEST_F(DrainTest, SaysAtTheEndWhatBecameOfAll) {
  drain_.begin({});
  drain_.add({.requests = 3, .websockets_by_us = 10, .websockets_by_peers = 2, .cut = 0});
  drain_.add({.requests = 4, .websockets_by_us = 5, .websockets_by_peers = 0, .cut = 0});
  drain_.finish();
  EXPECT_EQ(lines().back(),
            "drain: finished: requests finished=7, websockets closed by us=15, by peers=2, cut=0");
  EXPECT_EQ(drain_.exit_status(), 0);
  EXPECT_EQ(events_after(100s), Events{"doors 0"}) << "nothing comes behind the end";
}

TEST_F(DrainTest, FailsWhereSomethingWasCut) {
  drain_.begin({});
  drain_.add({.cut = 1});
  drain_.finish();
  EXPECT_EQ(drain_.exit_status(), gateway::Drain::kHasCut);
}

}  // namespace
