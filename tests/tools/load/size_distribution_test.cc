// Sizes against what their distributions promise: ends, means and shares.
#include "tools/load/size_distribution.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace load {
namespace {

SizeDistribution parsed(std::string_view text) {
  const auto sizes = SizeDistribution::parse(text);
  EXPECT_TRUE(sizes) << text << ": " << sizes.error();
  return sizes.value_or(SizeDistribution(0));
}

const double kAlmostOne = std::nextafter(1.0, 0.0);

TEST(SizeDistribution, OfOneSizeIsThatSize) {
  const SizeDistribution sizes = parsed("16k");
  for (const double part : {0.0, 0.5, kAlmostOne}) EXPECT_EQ(sizes.at(part), 16384u);
  EXPECT_EQ(sizes.of_message(1, 2), 16384u);
  EXPECT_EQ(parsed("0").most(), 0u);
}

TEST(SizeDistribution, OfARangeHasBothEnds) {
  const SizeDistribution sizes = parsed("10..13");
  EXPECT_EQ(sizes.at(0), 10u);
  EXPECT_EQ(sizes.at(0.25), 11u);
  EXPECT_EQ(sizes.at(0.74), 12u);
  EXPECT_EQ(sizes.at(kAlmostOne), 13u);
  EXPECT_EQ(sizes.least(), 10u);
  EXPECT_EQ(sizes.most(), 13u);
}

TEST(SizeDistribution, ThatIsExponentialHasItsMeanAndEnds) {
  const SizeDistribution sizes = parsed("exp:1k");
  EXPECT_EQ(sizes.at(0), 1u);
  EXPECT_EQ(sizes.at(0.5), static_cast<std::uint64_t>(std::ceil(1024 * std::log(2))));
  EXPECT_EQ(sizes.at(kAlmostOne), sizes.most());
  EXPECT_EQ(sizes.most(), 32u * 1024);
  double sum = 0;
  constexpr std::uint64_t kDraws = 200'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    sum += static_cast<double>(sizes.of_message(3, i));
  }
  EXPECT_NEAR(sum / kDraws, 1024, 15);
}

TEST(SizeDistribution, OfChoicesGoesByTheirWeights) {
  const SizeDistribution sizes = parsed("64*90,16k*9,1M*1");
  EXPECT_EQ(sizes.least(), 64u);
  EXPECT_EQ(sizes.most(), 1u << 20);
  std::map<std::uint64_t, double> counts;
  constexpr std::uint64_t kDraws = 100'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) ++counts[sizes.of_message(i % 10, i)];
  ASSERT_EQ(counts.size(), 3u);
  EXPECT_NEAR(counts[64] / kDraws, 0.90, 0.005);
  EXPECT_NEAR(counts[16384] / kDraws, 0.09, 0.005);
  EXPECT_NEAR(counts[1 << 20] / kDraws, 0.01, 0.002);
}

TEST(SizeDistribution, OfChoicesWithoutWeightsIsEven) {
  const SizeDistribution sizes = parsed("5,7");
  EXPECT_EQ(sizes.at(0.49), 5u);
  EXPECT_EQ(sizes.at(0.5), 7u);
}

TEST(SizeDistribution, TellsAMessagesSizeAgain) {
  const SizeDistribution sizes = parsed("0..1M");
  EXPECT_EQ(sizes.of_message(7, 9), sizes.of_message(7, 9));
  EXPECT_NE(sizes.of_message(7, 9), sizes.of_message(7, 10));
  EXPECT_NE(sizes.of_message(7, 9), sizes.of_message(8, 9));
}

TEST(SizeDistribution, SaysWhatIsWrong) {
  struct Case {
    std::string_view text;
    std::string_view told;
  };
  for (const Case& each : {
           Case{"", "not a number"},
           Case{"x", "exp:1k"},
           Case{"64..", "not a number"},
           Case{"9..8", "the smaller size comes first"},
           Case{"exp:0", "from 1 to 32M"},
           Case{"exp:33M", "from 1 to 32M"},
           Case{"exp:x", "not a number"},
           Case{"64*", "a weight is"},
           Case{"64*0", "a weight is"},
           Case{"64*-1", "a weight is"},
           Case{"64*nan", "a weight is"},
           Case{"64*1x", "a weight is"},
           Case{"64,", "not a number"},
           Case{"2G", "up to 1G"},
       }) {
    const auto sizes = SizeDistribution::parse(each.text);
    ASSERT_FALSE(sizes) << each.text;
    EXPECT_TRUE(sizes.error().contains(each.told)) << each.text << ": " << sizes.error();
  }
  std::string many = "1";
  for (std::size_t i = 0; i < SizeDistribution::kChoicesMax; ++i) many += ",1";
  EXPECT_FALSE(SizeDistribution::parse(many));
}

}  // namespace
}  // namespace load
