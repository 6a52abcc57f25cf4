// HdrHistogram's log: written as its own tools write it, read strictly.
#include "tools/load/report/hdr_log.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/tools/load/sample.hh"
#include "tools/load/report/compressed.hh"
#include "tools/load/report/hdr_encoding.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

using std::chrono::nanoseconds;
using testing::HasSubstr;

bool same(const Histogram& a, const Histogram& b) {
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    if (a.in_bucket(bucket) != b.in_bucket(bucket)) return false;
  }
  return a.count() == b.count();
}

TEST(HdrEncoding, ComesBackAsItWas) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    Histogram histogram;
    for (int i = 0; i < round * 20; ++i) {
      histogram.add(nanoseconds(random() % (std::uint64_t{1} << (random() % 43))));
    }
    histogram.add_to_bucket(random() % Histogram::kBuckets, random() % (std::uint64_t{1} << 40));
    const auto read = decode(encode(histogram));
    ASSERT_TRUE(read) << read.error();
    EXPECT_TRUE(same(*read, histogram)) << round;
  }
}

TEST(HdrEncoding, IsThatOfHdrHistogramsOwnTools) {
  // Written by hdr-histogram-js 3.0.1 (1 ns to 1 h, three digits).
  const auto read = decode(
      "HISTFAAAADp4nJNpmSzMwMAgysDAwMjAwMDMAAGMDAzMbgY7FjDA+Uw/5ZmY9vcxshxWucGy2ovp/htGJgDSMAor");
  ASSERT_TRUE(read) << read.error();
  Histogram histogram;
  for (const std::int64_t value : {1LL, 2047LL, 2048LL, 1'000'000LL, 1'000'001LL, 123'456'789LL,
                                   3'599'999'999'999LL}) {
    histogram.add(nanoseconds(value));
  }
  for (int i = 0; i < 300; ++i) histogram.add(nanoseconds(5'000'000));
  EXPECT_TRUE(same(*read, histogram));
  // What it says these quantiles are.
  EXPECT_EQ(read->quantile(0), nanoseconds(1));
  EXPECT_EQ(read->quantile(0.5), nanoseconds(5'001'215));
  EXPECT_EQ(read->quantile(0.999), nanoseconds(3'601'330'077'695));
}

TEST(HdrEncoding, SurvivesWhateverByteIsWrong) {
  Histogram histogram;
  for (int i = 0; i < 100; ++i) histogram.add(nanoseconds(i * 12'345));
  const std::string good = encode(histogram);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    const auto read = decode(bad);
    EXPECT_TRUE(!read || same(*read, histogram)) << i;  // the last one has bits left over
    EXPECT_FALSE(decode(good.substr(0, i))) << i;
  }
}

TEST(HdrLog, IsOneForEachTimingAndMergesToWhatTheRunHas) {
  const Result result = sample::run();
  const std::string log = hdr_log_of(result);
  EXPECT_THAT(log, HasSubstr("#[Histogram log format version 1.3]\n"
                             "#[StartTime: 1765000000.123 (seconds since epoch), 2025-12-06 "));
  std::map<std::string, Histogram> read;
  const auto status = read_hdr_log(log, read);
  ASSERT_TRUE(status) << status.error();
  for (const TimingName& name : kTimingNames) {
    const Histogram all = merged(result, name.timing);
    EXPECT_EQ(read.contains(std::string(name.key)), !all.empty()) << name.key;
    EXPECT_TRUE(same(read[std::string(name.key)], all)) << name.key;
  }
}

TEST(HdrLog, OfTwoRunsMerges) {
  std::map<std::string, Histogram> read;
  for (const std::uint64_t seed : {1, 2}) {
    ASSERT_TRUE(read_hdr_log(hdr_log_of(sample::run({.seed = seed, .seconds = 3})), read));
  }
  const std::uint64_t one = merged(sample::run({.seed = 1, .seconds = 3}), Timing::kRtt).count();
  const std::uint64_t two = merged(sample::run({.seed = 2, .seconds = 3}), Timing::kRtt).count();
  EXPECT_EQ(read.at("rtt").count(), one + two);
}

TEST(HdrLog, IsRefusedWithTheLine) {
  Histogram histogram;
  histogram.add(nanoseconds(5));
  const std::string good = encode(histogram);
  const struct { std::string text; const char* error; } cases[] = {
      {"", "no histogram"},
      {"# a comment\n", "no histogram"},
      {"0,1,2," + good + "\nTag=x\n", "line 2: a beginning"},
      {"0,1,2\n", "line 1: a maximum"},
      {"x,1,2," + good + "\n", "line 1: a beginning"},
      {"0,1,2,abc\n", "line 1: the histogram cannot be read: it is not base64"},
      {"0,1,2,\n", "it is not a compressed histogram"},
      {"0,1,2," + good.substr(0, good.size() - 4) + "\n", "its length is not the one"},
  };
  for (const auto& one : cases) {
    std::map<std::string, Histogram> read;
    const auto status = read_hdr_log(one.text, read);
    ASSERT_FALSE(status) << one.error;
    EXPECT_THAT(status.error(), HasSubstr(one.error));
  }
}

}  // namespace
}  // namespace load::report
