// What is said of WebSockets that are closed one by one while the gateway goes on.
#include "gateway/process/closing_watch.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/log/ring.hh"
#include "tests/uring/simulation.hh"

namespace {

using namespace std::chrono_literals;
using gateway::ClosingWatch;
using Lines = std::vector<std::string>;

class ClosingWatchTest : public testing::Test {
 protected:
  void begin(const char* name, std::chrono::milliseconds over) {
    watch_.begin(
        name, over, [this] { return left_; }, "finished");
  }
  Lines lines_after(std::chrono::milliseconds time) {
    const auto until = simulation_.loop.now() + time;
    EXPECT_TRUE(simulation_.turn_until([&] { return simulation_.loop.now() >= until; }));
    Lines lines;
    log_.drain([&](const gateway::LogRing::Record& record) { lines.emplace_back(record.text); });
    return lines;
  }
  bool is_at_rest() { return !simulation_.loop.timers().until_next(simulation_.loop.now()); }

  Simulation simulation_{1};
  gateway::LogRing log_{"main", 1 << 16};
  ClosingWatch watch_{simulation_.loop, gateway::Log(log_, gateway::LogLevel::info)};
  std::optional<ClosingWatch::Left> left_{{.websockets = 97}};
};

TEST_F(ClosingWatchTest, SaysEveryFewSecondsWhatRemainsAndThatNobodyDoes) {
  begin("drain: chat", 8s);
  EXPECT_EQ(lines_after(4500ms), Lines{});
  EXPECT_EQ(lines_after(1500ms), Lines{"drain: chat: 97 websockets remain, 3 s left"});
  left_ = ClosingWatch::Left{.websockets = 1, .requests = 2};
  EXPECT_EQ(lines_after(5s), Lines{"drain: chat: 1 websocket and 2 requests remain"});
  left_ = ClosingWatch::Left{};
  EXPECT_EQ(lines_after(1500ms), Lines{"drain: chat: finished"});
  EXPECT_TRUE(is_at_rest());
  EXPECT_EQ(lines_after(20s), Lines{});
}

TEST_F(ClosingWatchTest, SaysNothingOfWhomNobodyClosesAnyMore) {
  begin("one", 1h);
  begin("other", 1h);
  watch_.end("one");
  EXPECT_EQ(lines_after(6s), Lines{"other: 97 websockets remain, 3595 s left"});
  left_.reset();
  EXPECT_EQ(lines_after(6s), Lines{});
  EXPECT_TRUE(is_at_rest());
}

TEST_F(ClosingWatchTest, GoesByTheLastOneOfAName) {
  begin("one", 1h);
  begin("one", 10s);
  int seen = 0;
  watch_.for_each([&](const std::string& name, ClosingWatch::Left left, std::uint64_t seconds) {
    EXPECT_EQ(name, "one");
    EXPECT_EQ(left.websockets, 97u);
    EXPECT_EQ(seconds, 10u);
    ++seen;
  });
  EXPECT_EQ(seen, 1);
  watch_.stop();
  EXPECT_TRUE(is_at_rest());
  begin("two", 10s);
  EXPECT_EQ(lines_after(6s), Lines{}) << "the gateway stops: who comes late is told of no more";
}

}  // namespace
