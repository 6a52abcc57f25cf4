// The search for the highest rate, with trials whose outcome is known.
#include "tools/load/find.hh"

#include <gtest/gtest.h>

#include <vector>

namespace load {
namespace {

using namespace std::chrono_literals;

// A target whose RTT is 1 ms up to its capacity, and 1 s above it.
struct Target {
  double capacity;
  std::vector<double> tried{};
  std::uint64_t unsent = 0;

  std::expected<Result, std::string> operator()(double rate) {
    tried.push_back(rate);
    Result result;
    result.phases.emplace_back().name = "hold";
    Phase& phase = result.phases.back();
    phase.length = 1s;
    phase.counts.sent = phase.counts.received = 100;
    phase.counts.unsent = unsent;
    phase.timings[static_cast<std::size_t>(Timing::kRtt)].add(rate <= capacity ? 1ms : 1s);
    return result;
  }
};

double found(Target& target, double first = 1000) {
  const auto objective = gates::parse("rtt.p99<20ms");
  EXPECT_TRUE(objective);
  const auto result = find_rate(*objective, first, std::ref(target));
  EXPECT_TRUE(result);
  EXPECT_TRUE(result->found_rate);
  return result->found_rate.value_or(-1);
}

TEST(Find, ComesWithinFivePercentFromAbove) {
  for (const double capacity : {1.0, 3.0, 999.0, 1000.0, 12'345.0, 3e6}) {
    Target target{capacity};
    const double rate = found(target);
    EXPECT_LE(rate, capacity);
    EXPECT_GE(rate, capacity / 1.05 - 1e-9) << capacity;
    EXPECT_LT(target.tried.size(), 24u) << capacity;
  }
}

TEST(Find, EndsWhereNothingIsGoodOrEverythingIs) {
  Target never{0};
  EXPECT_EQ(found(never), 0);
  EXPECT_EQ(never.tried.back(), kFindRateMin);
  Target always{1e12};
  EXPECT_EQ(found(always), kFindRateMax);
}

TEST(Find, TakesNoRateAtWhichMessagesDidNotGo) {
  Target target{1e12};
  target.unsent = 10;
  EXPECT_EQ(found(target), 0);
}

// Where the generator cannot go faster, nobody knows what the target could.
TEST(Find, SaysWhenItWasTheGeneratorThatHeldNoMore) {
  const auto objective = gates::parse("rtt.p99<20ms");
  ASSERT_TRUE(objective);
  for (const bool generator : {true, false}) {
    Target target{generator ? 1e12 : 2000};
    const auto result = find_rate(*objective, 1000, [&](double rate) {
      auto trial = target(rate);
      if (generator && rate > 2000) trial->generator.limits.emplace_back("busy");
      return trial;
    });
    ASSERT_TRUE(result);
    EXPECT_NEAR(result->found_rate.value_or(-1), 2000, 100);
    EXPECT_EQ(result->generator.limits.empty(), !generator);
  }
}

TEST(Find, SaysNothingOfARateWhereTheFirstTrialWasInterrupted) {
  const auto objective = gates::parse("rtt.p99<20ms");
  ASSERT_TRUE(objective);
  Target target{1e12};
  const auto result = find_rate(*objective, 1, [&](double rate) {
    auto trial = target(rate);
    trial->interrupted = true;
    return trial;
  });
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->interrupted);
  EXPECT_FALSE(result->found_rate);
}

TEST(Find, EndsWhenItIsInterruptedAndPassesErrorsOn) {
  const auto objective = gates::parse("rtt.p99<20ms");
  ASSERT_TRUE(objective);
  Target target{1e12};
  const auto interrupted = find_rate(*objective, 1, [&](double rate) {
    auto result = target(rate);
    result->interrupted = rate > 4;
    return result;
  });
  ASSERT_TRUE(interrupted);
  EXPECT_EQ(interrupted->found_rate, 4);
  EXPECT_TRUE(interrupted->interrupted);
  const auto failed = find_rate(*objective, 1, [](double) -> std::expected<Result, std::string> {
    return std::unexpected("no ring");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), "no ring");
}

}  // namespace
}  // namespace load
