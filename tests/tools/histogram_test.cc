#include "tools/load/histogram.hh"

#include <gtest/gtest.h>

namespace load {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (int value = 0; value < 100; ++value) histogram.add(nanoseconds(value % 50));
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.max(), nanoseconds(49));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(24));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(49));
}

TEST(Histogram, IsWithinABucketOfTheTruthForEverySize) {
  for (std::int64_t value = 1; value > 0 && value < INT64_MAX / 3; value = value * 3 / 2 + 1) {
    Histogram histogram;
    histogram.add(nanoseconds(value));
    histogram.add(nanoseconds(INT64_MAX));
    const std::int64_t median = histogram.quantile(0.5).count();
    EXPECT_GE(median, value);
    EXPECT_LE(median - value, value / 64) << value;
    EXPECT_EQ(histogram.quantile(1), nanoseconds(INT64_MAX));
  }
}

TEST(Histogram, IsZeroWhereNothingWasAdded) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds(0));
}

}  // namespace
}  // namespace load
