// Comparison: the same load with another seed is noise, a slower one is not.
#include "tools/load/report/compare.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/tools/load/sample.hh"

namespace load::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Difference& of(const Differences& differences, Compared figure) {
  return *differences[static_cast<std::size_t>(figure)];
}

TEST(Compare, TakesAnotherSeedForNoise) {
  const auto found = compare(sample::run({.seed = 1}), sample::run({.seed = 2}));
  ASSERT_TRUE(found) << found.error();
  for (const auto& difference : *found) {
    ASSERT_TRUE(difference);
    EXPECT_FALSE(difference->beyond_noise);
    EXPECT_LT(difference->change_low, difference->change_high);
  }
}

TEST(Compare, SeesAQuarterMoreLatencyAndNothingElse) {
  const auto found = compare(sample::run({.seed = 1}), sample::run({.seed = 2, .slowness = 1.25}));
  ASSERT_TRUE(found) << found.error();
  const Difference& p50 = of(*found, Compared::kP50);
  EXPECT_TRUE(p50.beyond_noise);
  EXPECT_NEAR(p50.change, 0.25, 0.03);
  EXPECT_GT(p50.change_low, 0.0);
  EXPECT_FALSE(of(*found, Compared::kRate).beyond_noise);
  EXPECT_FALSE(of(*found, Compared::kCpuPerMessage).beyond_noise);
  EXPECT_THAT(differences_text(*found),
              AllOf(HasSubstr("RTT p50"), HasSubstr("worse"), HasSubstr("no more than noise")));
}

// Intervals of a tenth of a second, each like the one before: what a run on a shared machine has.
Result drifting(std::mt19937_64& random, double rate) {
  constexpr double kMemory = 0.5;
  std::normal_distribution<double> normal(0, 0.05);
  Result result;
  result.phases = {{.name = "hold", .length = std::chrono::seconds(10)}};
  double drift = normal(random);
  for (int i = 0; i < 100; ++i) {
    drift = kMemory * drift + std::sqrt(1 - kMemory * kMemory) * normal(random);
    Interval one{.begin = i * std::chrono::milliseconds(100),
                 .length = std::chrono::milliseconds(100)};
    one.counts.received = static_cast<std::uint64_t>(rate / 10 * (1 + drift));
    result.intervals.push_back(std::move(one));
  }
  return result;
}

TEST(Compare, SeldomTakesNoiseForADifference) {
  std::mt19937_64 random(7);
  int alarms = 0;
  int seen = 0;
  for (int i = 0; i < 100; ++i) {
    const Result first = drifting(random, 100'000);
    alarms += of(*compare(first, drifting(random, 100'000)), Compared::kRate).beyond_noise ? 1 : 0;
    seen += of(*compare(first, drifting(random, 110'000)), Compared::kRate).beyond_noise ? 1 : 0;
  }
  EXPECT_LE(alarms, 4);
  EXPECT_GE(seen, 98);
}

TEST(Compare, TakesWhatIsTooSmallToMatterForNone) {
  Result runs[2];
  for (const bool is_second : {false, true}) {
    Result& run = runs[is_second];
    run.phases = {{.name = "hold", .length = std::chrono::seconds(10)}};
    for (int i = 0; i < 100; ++i) {
      Interval one{.begin = i * std::chrono::milliseconds(100),
                   .length = std::chrono::milliseconds(100)};
      one.counts.received = is_second ? 10'010 : 10'000;
      run.intervals.push_back(std::move(one));
    }
  }
  EXPECT_FALSE(of(*compare(runs[0], runs[1]), Compared::kRate).beyond_noise);
}

TEST(Compare, SaysWhatOfTheLoadWasNotTheSame) {
  const Result first = sample::run();
  EXPECT_EQ(unlike_text(first, first), "");
  Result second = first;
  second.open_max = 999;
  second.targets = {"ws://other/"};
  second.phases[1].rate_wanted = 5000;
  second.interrupted = true;
  EXPECT_THAT(unlike_text(first, second),
              AllOf(HasSubstr("the same target: wss://gateway.example/echo and ws://other/."),
                    HasSubstr("the same connections: 1,000 and 999."),
                    HasSubstr("the same rate to keep: 4,000 /s and 5,000 /s."),
                    HasSubstr("the second run was interrupted.")));
}

TEST(Compare, SaysTheSameTwice) {
  const Result first = sample::run({.seed = 1, .seconds = 30});
  const Result second = sample::run({.seed = 2, .seconds = 30});
  EXPECT_EQ(differences_text(*compare(first, second)), differences_text(*compare(first, second)));
}

TEST(Compare, LeavesOutWhatOneOfThemDidNotMeasure) {
  Result second = sample::run({.seed = 2});
  for (Interval& one : second.intervals) one.watched_cpu_seconds = 0;
  const auto found = compare(sample::run(), second);
  EXPECT_FALSE((*found)[static_cast<std::size_t>(Compared::kCpuPerMessage)]);
  EXPECT_THAT(differences_text(*found), testing::Not(HasSubstr("CPU/message")));
}

TEST(Compare, WantsEnoughIntervals) {
  Result second = sample::run();
  second.intervals.resize(13);  // 10 of them are of the ramp
  const auto found = compare(sample::run(), second);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error(), HasSubstr("the second run has 3 measured intervals"));
  EXPECT_FALSE(compare(Result(), Result()));
}

}  // namespace
}  // namespace load::report
