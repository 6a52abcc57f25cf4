// Comparison: the same load with another seed is noise, a slower one is not.
#include "tools/load/report/compare.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Compare, SeesATenthMoreLatencyAndNothingElse) {
  const auto found = compare(sample::run({.seed = 1}), sample::run({.seed = 2, .slowness = 1.1}));
  ASSERT_TRUE(found) << found.error();
  const Difference& p50 = of(*found, Compared::kP50);
  EXPECT_TRUE(p50.beyond_noise);
  EXPECT_NEAR(p50.change, 0.1, 0.03);
  EXPECT_GT(p50.change_low, 0.0);
  EXPECT_FALSE(of(*found, Compared::kRate).beyond_noise);
  EXPECT_FALSE(of(*found, Compared::kCpuPerMessage).beyond_noise);
  EXPECT_THAT(differences_text(*found),
              AllOf(HasSubstr("RTT p50"), HasSubstr("worse"), HasSubstr("no more than noise")));
}

TEST(Compare, SaysTheSameTwice) {
  const Result first = sample::run({.seed = 1, .seconds = 10});
  const Result second = sample::run({.seed = 2, .seconds = 10});
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
