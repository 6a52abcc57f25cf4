// The schedule against a simulated clock: what is due depends on the time alone.
#include "tools/load/engine/schedule.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace load {
namespace {

using namespace std::chrono_literals;
using Time = Schedule::Time;

const Time kBegin = Time(1000s);

// What is due until then, as who looks at it now and then takes it.
std::vector<Time> due_until(Schedule& schedule, Time end) {
  std::vector<Time> times;
  while (schedule.next() <= end) times.push_back(schedule.take());
  return times;
}

TEST(Schedule, HasNothingDueWithoutARate) {
  EXPECT_EQ(Schedule().next(), Time::max());
}

TEST(Schedule, SkipsWhatNobodyCameTo) {
  Schedule skipped(1000, Arrival::kEven, kBegin, 1);
  Schedule taken(1000, Arrival::kEven, kBegin, 1);
  EXPECT_EQ(skipped.skip_until(kBegin - 1ns), 0u);
  EXPECT_EQ(skipped.skip_until(kBegin + 10'500us), due_until(taken, kBegin + 10'500us).size());
  EXPECT_EQ(skipped.next(), taken.next());
  EXPECT_EQ(Schedule().skip_until(kBegin), 0u);
  Schedule fast(1e8, Arrival::kPoisson, kBegin, 1);
  EXPECT_NEAR(static_cast<double>(fast.skip_until(kBegin + 10s)), 1e9, 1e6);
  EXPECT_GT(fast.next(), kBegin + 10s);
}

TEST(Schedule, IsEvenAndWithoutDrift) {
  Schedule schedule(3, Arrival::kEven, kBegin, 1);
  const auto times = due_until(schedule, kBegin + 1000s);
  ASSERT_EQ(times.size(), 3001u);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto ideal = std::chrono::nanoseconds(i * 1'000'000'000 / 3);
    EXPECT_LE(std::chrono::abs(times[i] - kBegin - ideal), 1us) << i;
  }
}

TEST(Schedule, DoesNotDependOnWhenItIsLookedAt) {
  Schedule often(1000, Arrival::kPoisson, kBegin, 7);
  Schedule late(1000, Arrival::kPoisson, kBegin, 7);
  std::vector<Time> seen;
  for (Time now = kBegin; now <= kBegin + 2s; now += 1ms) {
    const auto some = due_until(often, now);
    seen.insert(seen.end(), some.begin(), some.end());
  }
  EXPECT_EQ(seen, due_until(late, kBegin + 2s));
}

TEST(Schedule, DrawsDistancesThatAreExponential) {
  Schedule schedule(100, Arrival::kPoisson, kBegin, 42);
  const auto times = due_until(schedule, kBegin + 1000s);
  const auto count = static_cast<double>(times.size());
  EXPECT_NEAR(count, 100'000, 5 * std::sqrt(100'000));
  std::size_t above_mean = 0;
  for (std::size_t i = 1; i < times.size(); ++i) above_mean += times[i] - times[i - 1] > 10ms;
  EXPECT_NEAR(static_cast<double>(above_mean) / count, std::exp(-1), 0.01);
}

TEST(Schedule, OfManyWithOneRateInterleave) {
  Schedule first(2, Arrival::kEven, kBegin, 1, 0);
  Schedule second(2, Arrival::kEven, kBegin, 1, 0.5);
  EXPECT_EQ(first.take() - kBegin, 0ms);
  EXPECT_EQ(second.take() - kBegin, 250ms);
  EXPECT_EQ(first.take() - kBegin, 500ms);
}

}  // namespace
}  // namespace load
