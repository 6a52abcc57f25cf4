// Keys are counted apart as long as there are places, and together from then on.
#include "gateway/metrics/tally.hh"

#include <gtest/gtest.h>

#include <map>

namespace {

using gateway::Tally;
using Counts = std::map<std::uint32_t, std::uint64_t>;

template <std::size_t kPlaces>
Counts counts_of(const Tally<kPlaces>& tally) {
  Counts counts;
  tally.for_each([&](std::uint32_t key, std::uint64_t count) { counts[key] = count; });
  return counts;
}

TEST(Tally, CountsEachKeyApart) {
  Tally<4> tally;
  for (const std::uint32_t key : {7u, 0u, 7u, UINT32_MAX, 7u}) tally.add(key);
  EXPECT_EQ(counts_of(tally), (Counts{{0, 1}, {7, 3}, {UINT32_MAX, 1}}));
  EXPECT_EQ(tally.others(), 0u);
}

TEST(Tally, CountsTogetherWhatFindsNoPlace) {
  Tally<2> tally;
  for (std::uint32_t key = 0; key < 100; ++key) tally.add(key);
  tally.add(1);
  EXPECT_EQ(counts_of(tally), (Counts{{0, 1}, {1, 2}}));
  EXPECT_EQ(tally.others(), 98u);
}

}  // namespace
