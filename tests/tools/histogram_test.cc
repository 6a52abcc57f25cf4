// The histogram against exact quantiles: known values, every power of two, random distributions.
#include "tools/load/histogram.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace load {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kHour = 3'600'000'000'000;

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (int value = 0; value < 4000; ++value) histogram.add(nanoseconds(value % 2000));
  EXPECT_EQ(histogram.count(), 4000u);
  EXPECT_EQ(histogram.min(), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds(1999));
  EXPECT_EQ(histogram.quantile(0), nanoseconds(0));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(999));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(1999));
}

TEST(Histogram, TakesSharesByTheirDecimalValue) {
  Histogram histogram;
  for (int value = 1; value <= 100; ++value) histogram.add(nanoseconds(value));
  for (int percent = 1; percent <= 100; ++percent) {
    EXPECT_EQ(histogram.quantile(percent / 100.0), nanoseconds(percent));
  }
}

TEST(Histogram, ErrsByAThousandthAtMostAroundEveryPowerOfTwo) {
  for (unsigned bits = 0; bits < 42; ++bits) {
    for (const std::int64_t step : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << bits) + step;
      if (value > kHour) continue;
      Histogram histogram;
      histogram.add(nanoseconds(value));
      histogram.add(nanoseconds(2 * kHour));
      const std::int64_t median = histogram.quantile(0.5).count();
      EXPECT_GE(median, value);
      EXPECT_LE(static_cast<double>(median - value), 0.001 * static_cast<double>(value)) << value;
    }
  }
}

TEST(Histogram, HasBucketsThatFollowOneAnother) {
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    ASSERT_LE(Histogram::begin_of(bucket), Histogram::end_of(bucket));
    ASSERT_EQ(Histogram::begin_of(bucket + 1), Histogram::end_of(bucket) + 1);
    for (const std::uint64_t value : {Histogram::begin_of(bucket), Histogram::end_of(bucket)}) {
      Histogram histogram;
      histogram.add(nanoseconds(value));
      ASSERT_EQ(histogram.in_bucket(bucket), 1u) << value;
    }
  }
  EXPECT_GE(Histogram::end_of(Histogram::kBuckets - 1), static_cast<std::uint64_t>(kHour));
}

void compare_with_sorted(const std::function<double(std::mt19937_64&)>& draw) {
  std::mt19937_64 random(7);
  Histogram histogram;
  std::vector<std::int64_t> values;
  double sum = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto value = std::clamp<std::int64_t>(std::llround(draw(random)), 0, kHour);
    histogram.add(nanoseconds(value));
    values.push_back(value);
    sum += static_cast<double>(value);
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 50'000 - 1e-6));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.quantile(share).count());
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.001) << share;
  }
  EXPECT_EQ(histogram.min().count(), values.front());
  EXPECT_EQ(histogram.max().count(), values.back());
  const double mean = sum / 50'000;
  EXPECT_NEAR(static_cast<double>(histogram.mean().count()), mean, 1 + mean * 0.001);
}

TEST(Histogram, AgreesWithSortedValuesOfManyShapes) {
  compare_with_sorted([](auto& random) {
    return std::uniform_real_distribution<double>(1e3, 1e9)(random);
  });
  compare_with_sorted([](auto& random) {
    return std::lognormal_distribution<double>(12, 3)(random);
  });
  compare_with_sorted([](auto& random) {  // two humps, far apart
    return random() % 100 == 0 ? 2.5e9 : std::normal_distribution<double>(4e4, 2e3)(random);
  });
}

TEST(Histogram, MergesAsIfAllHadBeenAddedToOne) {
  std::mt19937_64 random(11);
  Histogram all, parts[3];
  for (int i = 0; i < 10'000; ++i) {
    const nanoseconds value(random() % (std::uint64_t{1} << (random() % 42)));
    all.add(value);
    parts[i % 3].add(value);
  }
  Histogram merged;
  for (const Histogram& part : parts) merged.merge(part);
  merged.merge(Histogram());
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_EQ(merged.min(), all.min());
  EXPECT_EQ(merged.max(), all.max());
  EXPECT_EQ(merged.mean(), all.mean());
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    ASSERT_EQ(merged.in_bucket(bucket), all.in_bucket(bucket));
  }
}

TEST(Histogram, KeepsWhatIsTooLongOrNegative) {
  Histogram histogram;
  histogram.add(nanoseconds(-5));
  histogram.add(nanoseconds(INT64_MAX));
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(0));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(INT64_MAX));
}

TEST(Histogram, TakesExtremesOnlyWhereItsBucketsAllowThem) {
  Histogram histogram;
  histogram.add(nanoseconds(10'001));
  histogram.add(nanoseconds(20'003));
  Histogram copy;
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    copy.add_to_bucket(bucket, histogram.in_bucket(bucket));
  }
  EXPECT_LE(copy.min(), histogram.min());
  EXPECT_GE(copy.max(), histogram.max());
  copy.set_extremes(nanoseconds(1), nanoseconds(kHour));
  EXPECT_LT(copy.max(), nanoseconds(20'100));
  copy.set_extremes(histogram.min(), histogram.max());
  EXPECT_EQ(copy.min(), histogram.min());
  EXPECT_EQ(copy.max(), histogram.max());
}

TEST(Histogram, IsZeroWhereNothingWasAdded) {
  const Histogram histogram;
  EXPECT_TRUE(histogram.empty());
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds(0));
  EXPECT_EQ(histogram.min(), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds(0));
  EXPECT_EQ(histogram.mean(), nanoseconds(0));
}

}  // namespace
}  // namespace load
