// The longest turn is told for a window or two, and then forgotten.
#include "uring/longest_turn.hh"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using uring::Clock;
using uring::LongestTurn;

TEST(LongestTurn, IsToldForAWindowOrTwo) {
  const Clock::time_point begin{1000s};
  LongestTurn longest;
  EXPECT_EQ(longest.of_late(begin), 0ns);
  longest.note(begin, 5ms);
  longest.note(begin + 1s, 1ms);
  EXPECT_EQ(longest.of_late(begin + 14s), 5ms);
  EXPECT_EQ(longest.of_late(begin + 16s), 5ms) << "no turn has begun another window";
  longest.note(begin + 16s, 2ms);
  EXPECT_EQ(longest.of_late(begin + 17s), 5ms) << "it was in the window before";
  longest.note(begin + 31s, 1ms);
  EXPECT_EQ(longest.of_late(begin + 32s), 2ms);
}

TEST(LongestTurn, IsForgottenWhereNothingIsDone) {
  const Clock::time_point begin{1000s};
  LongestTurn longest;
  longest.note(begin, 5ms);
  EXPECT_EQ(longest.of_late(begin + 29s), 5ms);
  EXPECT_EQ(longest.of_late(begin + 30s), 0ns);
  longest.note(begin + 100s, 1ms);
  EXPECT_EQ(longest.of_late(begin + 100s), 1ms);
}

}  // namespace
