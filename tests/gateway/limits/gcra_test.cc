// Rates with bursts, to the nanosecond.
#include "gateway/limits/gcra.hh"

#include <gtest/gtest.h>

namespace gateway::limits {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Flow {
 public:
  explicit Flow(const Rate& rate) : rate_(rate) {}
  bool comes() {
    if (state_.wait(rate_, now_).count() > 0) return false;
    state_.note(rate_, now_);
    return true;
  }
  unsigned come(unsigned many) {
    unsigned in = 0;
    for (unsigned n = 0; n < many; ++n) in += comes() ? 1 : 0;
    return in;
  }
  void pass(Nanoseconds time) { now_ += time; }
  Nanoseconds wait() const { return state_.wait(rate_, now_); }
  bool is_idle() const { return state_.is_idle(now_); }

 private:
  Rate rate_;
  Gcra state_;
  Clock::time_point now_{seconds(1000)};
};

TEST(Gcra, LetsTheBurstInAtOnceAndNoMore) {
  Flow flow(Rate::of(10, seconds(2)));
  EXPECT_EQ(flow.come(100), 20u);
}

TEST(Gcra, LetsOneInForEachInterval) {
  Flow flow(Rate::of(10, milliseconds(1)));
  EXPECT_EQ(flow.come(5), 1u);
  for (unsigned n = 0; n < 50; ++n) {
    flow.pass(milliseconds(99));
    EXPECT_FALSE(flow.comes());
    flow.pass(milliseconds(1));
    EXPECT_TRUE(flow.comes());
  }
}

TEST(Gcra, WhoIsRefusedOwesNothing) {
  Flow flow(Rate::of(10, seconds(1)));
  EXPECT_EQ(flow.come(1'000'000), 10u);
  flow.pass(milliseconds(100));
  EXPECT_EQ(flow.come(10), 1u);
}

TEST(Gcra, TellsHowLongToWait) {
  Flow flow(Rate::of(2, seconds(1)));
  EXPECT_EQ(flow.come(3), 2u);
  EXPECT_EQ(flow.wait(), milliseconds(500));
  flow.pass(milliseconds(400));
  EXPECT_EQ(flow.wait(), milliseconds(100));
  flow.pass(milliseconds(100));
  EXPECT_TRUE(flow.comes());
}

TEST(Gcra, IsIdleWhenItsRateIsWhole) {
  Flow flow(Rate::of(10, seconds(1)));
  EXPECT_TRUE(flow.is_idle());
  flow.come(10);
  flow.pass(milliseconds(999));
  EXPECT_FALSE(flow.is_idle());
  flow.pass(milliseconds(1));
  EXPECT_TRUE(flow.is_idle());
  EXPECT_EQ(flow.come(100), 10u);
}

TEST(Gcra, LetsAnyNumberInWithoutARate) {
  Flow flow(Rate::of(0, seconds(1)));
  EXPECT_EQ(flow.come(1000), 1000u);
  EXPECT_TRUE(flow.is_idle());
}

TEST(Gcra, HasTheLargestRateThatCanBeConfigured) {
  Flow flow(Rate::of(1'000'000'000, std::chrono::hours(1)));
  EXPECT_EQ(flow.come(1000), 1000u);
}

}  // namespace
}  // namespace gateway::limits
