// One call for all that changes together, when it has come to rest; in virtual time.
#include "gateway/process/stillness.hh"

#include <gtest/gtest.h>

#include "tests/uring/simulation.hh"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StillnessTest : public testing::Test {
 protected:
  // Disturbs it every so often, for so long.
  void disturb_every(milliseconds interval, milliseconds time) {
    const auto until = simulation_.loop.now() + time;
    while (simulation_.loop.now() < until) {
      stillness_.disturb();
      pass(interval);
    }
  }
  void pass(milliseconds time) {
    const auto until = simulation_.loop.now() + time;
    while (simulation_.loop.now() < until) {
      simulation_.loop.turn(std::min(
          milliseconds(10), std::chrono::ceil<milliseconds>(until - simulation_.loop.now())));
    }
  }

  Simulation simulation_{1, {.calm = true}};
  unsigned calls_ = 0;
  Stillness stillness_{simulation_.loop, [this] { ++calls_; }};
};

TEST_F(StillnessTest, CallsOnceAfterTheLastOfABurst) {
  disturb_every(milliseconds(100), seconds(5));
  pass(milliseconds(800));
  EXPECT_EQ(calls_, 0u);
  pass(milliseconds(300));
  EXPECT_EQ(calls_, 1u);
  pass(seconds(60));
  EXPECT_EQ(calls_, 1u);
}

TEST_F(StillnessTest, CallsNowAndThenWhereNothingComesToRest) {
  disturb_every(milliseconds(100), seconds(29));
  EXPECT_EQ(calls_, 0u);
  disturb_every(milliseconds(100), seconds(92));
  EXPECT_EQ(calls_, 4u);
}

TEST_F(StillnessTest, WaitsAgainAfterACall) {
  stillness_.disturb();
  pass(milliseconds(1'100));
  stillness_.disturb();
  pass(milliseconds(900));
  EXPECT_EQ(calls_, 1u);
  pass(milliseconds(200));
  EXPECT_EQ(calls_, 2u);
}

TEST_F(StillnessTest, ForgetsWhatItWaitsFor) {
  stillness_.disturb();
  stillness_.forget();
  pass(seconds(60));
  EXPECT_EQ(calls_, 0u);
}

}  // namespace
}  // namespace gateway
