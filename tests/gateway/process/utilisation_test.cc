// The share of a processor that each shard has used of late, however often somebody asks.
#include "gateway/process/utilisation.hh"

#include <gtest/gtest.h>

namespace {

using gateway::Utilisation;
using std::chrono::seconds;
using Shares = std::vector<double>;

TEST(Utilisation, IsThatOfTheTimeSinceTheLastLook) {
  const uring::Clock::time_point begin{seconds(100)};
  Utilisation utilisation;
  utilisation.begin(begin);
  EXPECT_EQ(utilisation.look(begin + seconds(10), {5.0, 1.0}), (Shares{0.5, 0.1}));
  EXPECT_EQ(utilisation.look(begin + seconds(20), {5.0, 11.0}), (Shares{0.0, 1.0}));
}

TEST(Utilisation, StaysForAFewSecondsForWhoeverAsksSooner) {
  const uring::Clock::time_point begin{seconds(100)};
  Utilisation utilisation;
  utilisation.begin(begin);
  EXPECT_EQ(utilisation.look(begin + seconds(1), {1.0}), Shares{1.0}) << "there was no other";
  EXPECT_EQ(utilisation.look(begin + seconds(5), {1.0}), Shares{1.0});
  EXPECT_EQ(utilisation.look(begin + seconds(6), {1.0}), Shares{0.0});
}

TEST(Utilisation, NeverLeavesItsRange) {
  Utilisation utilisation;
  const uring::Clock::time_point begin{seconds(100)};
  utilisation.begin(begin);
  EXPECT_EQ(utilisation.look(begin, {1.0}), Shares{0.0});
  EXPECT_EQ(utilisation.look(begin + seconds(10), {100.0}), Shares{1.0});
  EXPECT_TRUE(utilisation.look(begin + seconds(20), {}).empty()) << "the shards have ended";
}

}  // namespace
