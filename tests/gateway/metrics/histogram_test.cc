// Durations fall below their bounds, and sums of several are those of all.
#include "gateway/metrics/histogram.hh"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using gateway::Durations;
using gateway::Lifetimes;

std::size_t place_of(std::chrono::nanoseconds took) {
  Durations histogram;
  histogram.observe(took);
  Durations::Totals totals;
  histogram.add_to(totals);
  return static_cast<std::size_t>(std::ranges::find(totals.below, 1u) - totals.below.begin());
}

TEST(TimeHistogram, CountsWhatIsAtItsBoundBelowIt) {
  EXPECT_EQ(place_of(0ns), 0u);
  EXPECT_EQ(place_of(500us), 0u);
  EXPECT_EQ(place_of(500'001ns), 1u);
  EXPECT_EQ(place_of(1ms), 1u);
  EXPECT_EQ(place_of(60s), Durations::kBounds - 1);
  EXPECT_EQ(place_of(60s + 1ns), Durations::kBounds);
  EXPECT_EQ(place_of(24h * 365), Durations::kBounds);
}

TEST(TimeHistogram, TakesAClockThatWentBackForNoTime) {
  EXPECT_EQ(place_of(-1s), 0u);
}

TEST(TimeHistogram, HasEveryBoundInItsPlace) {
  for (std::size_t index = 0; index < Durations::kBounds; ++index) {
    const std::chrono::duration<double> bound(Durations::bounds()[index]);
    EXPECT_EQ(place_of(std::chrono::round<std::chrono::nanoseconds>(bound)), index);
  }
}

TEST(TimeHistogram, AddsUp) {
  Lifetimes one, other;
  one.observe(500ms);
  one.observe(2h);
  other.observe(24h * 30);
  Lifetimes::Totals totals;
  one.add_to(totals);
  other.add_to(totals);
  EXPECT_EQ(totals.count(), 3u);
  EXPECT_EQ(totals.below.front(), 1u);
  EXPECT_EQ(totals.below.back(), 1u);
  EXPECT_DOUBLE_EQ(totals.sum, 0.5 + 7200 + 30 * 86400.0);
}

}  // namespace
