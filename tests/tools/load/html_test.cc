// The HTML report without a browser: axes, bounds of its size, escaping. What it looks like is
// tests/tools/test_report.py's.
#include "tools/load/report/html.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/tools/load/sample.hh"
#include "tools/load/report/chart.hh"
#include "tools/load/report/scale.hh"

namespace load::report {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Scale, HasFewRoundMarksFromZeroToAboveTheMost) {
  for (double most = 0; most < 1e9; most = most * 1.37 + 0.3) {
    const Scale scale = Scale::linear(most);
    const auto& ticks = scale.ticks();
    ASSERT_GE(ticks.size(), 3u) << most;
    ASSERT_LE(ticks.size(), 8u) << most;
    EXPECT_EQ(ticks.front(), 0);
    EXPECT_GE(ticks.back(), most);
    EXPECT_EQ(scale.position(ticks.back()), 1);
  }
  EXPECT_THAT(Scale::linear(4320).ticks(), ElementsAre(0, 1000, 2000, 3000, 4000, 5000));
}

TEST(Scale, HasFewRoundMarksOverAnyRange) {
  for (double least = 1; least < 1e12; least *= 3.3) {
    for (double factor = 1; factor < 1e9; factor *= 2.7) {
      const Scale scale = Scale::logarithmic(least, least * factor);
      const auto& ticks = scale.ticks();
      ASSERT_GE(ticks.size(), 2u) << least << " " << factor;
      ASSERT_LE(ticks.size(), 8u) << least << " " << factor;
      for (const double tick : ticks) {
        const double digit = tick / std::pow(10, std::floor(std::log10(tick) + 1e-9));
        EXPECT_TRUE(std::abs(digit - 1) < 1e-6 || std::abs(digit - 2) < 1e-6 ||
                    std::abs(digit - 5) < 1e-6) << tick;
      }
      EXPECT_GE(scale.position(least), 0);
      EXPECT_GT(scale.position(least * 1.5), scale.position(least));
      EXPECT_LE(scale.position(least * factor), 1);
    }
  }
}

TEST(Scale, WritesMarksWithoutIdleDigits) {
  EXPECT_EQ(tick_of_duration(500), "500 ns");
  EXPECT_EQ(tick_of_duration(200'000), "200 us");
  EXPECT_EQ(tick_of_duration(1e6), "1 ms");
  EXPECT_EQ(tick_of_duration(2.5e9), "2.5 s");
  EXPECT_EQ(tick_of_count(400), "400");
  EXPECT_EQ(tick_of_count(15'000), "15 k");
  EXPECT_EQ(tick_of_count(2e7), "20 M");
}

TEST(Html, WritesMicrosecondsWithTheirSign) {
  EXPECT_EQ(with_micro_sign("12.3 us"), "12.3 \u00b5s");
  EXPECT_EQ(with_micro_sign("a user, 1 us, 2 us"), "a user, 1 \u00b5s, 2 \u00b5s");
}

TEST(Html, StaysSmallHoweverLongTheRun) {
  Result result = sample::run({.seconds = 1});
  const std::size_t usual = html_of(result, {}).size();
  const Interval one = result.intervals.back();
  for (int i = 0; i < 20'000; ++i) {
    result.intervals.push_back(one);
    result.intervals.back().begin += std::chrono::seconds(i + 1);
    result.intervals.back().rtt = {};
  }
  EXPECT_LT(html_of(result, {}).size(), usual + 150'000);
}

TEST(Html, StandsWithoutAnyFigures) {
  Result result;
  result.target_unreachable = true;
  EXPECT_THAT(html_of(result, {}), AllOf(HasSubstr("unreachable"), HasSubstr("</html>"),
                                         Not(HasSubstr("<figure")), Not(HasSubstr("nan"))));
}

TEST(Html, ShowsConnectionsWhereThereAreNoMessages) {
  Result result;
  result.phases.resize(1);
  result.phases[0] = {.name = "hold", .length = std::chrono::seconds(2)};
  result.phases[0].counts.opened = 500;
  result.phases[0].timings[std::size_t(Timing::kTls)].add(std::chrono::milliseconds(3));
  result.intervals.resize(2);
  result.intervals[1].begin = std::chrono::seconds(1);
  for (Interval& one : result.intervals) {
    one.length = std::chrono::seconds(1);
    one.counts.opened = 250;
  }
  EXPECT_THAT(html_of(result, {}), AllOf(HasSubstr("opened a second"), HasSubstr("250 /s"),
                                         HasSubstr("TLS p99"), Not(HasSubstr("id=\"latency\""))));
}

TEST(Html, TellsHowManyConnectionsCompress) {
  Result result;
  result.phases.resize(1);
  result.phases[0].counts = {
      .sent_bytes = 300, .sent_wire_bytes = 100, .opened = 5, .compressed = 4};
  EXPECT_THAT(html_of(result, {}), Not(HasSubstr("permessage-deflate")));
  result.compress = true;
  EXPECT_THAT(html_of(result, {}), HasSubstr("<dt>permessage-deflate</dt><dd>4 of 5"
                                             "<small>3.00:1 out</small>"));
}

TEST(Html, TakesAShortRestOfAPhaseForPartOfTheIntervalBefore) {
  Result result;
  result.phases.resize(1);
  result.phases[0] = {.name = "hold", .length = std::chrono::milliseconds(2010)};
  result.phases[0].counts.received = 250;
  result.intervals.resize(3);
  for (int i = 0; i < 3; ++i) result.intervals[i].begin = std::chrono::seconds(i);
  for (Interval& one : result.intervals) {
    one.length = std::chrono::seconds(1);
    one.counts.received = 100;
  }
  result.intervals[2].length = std::chrono::milliseconds(10);
  result.intervals[2].counts.received = 50;
  const std::string page = html_of(result, {});
  EXPECT_THAT(page, AllOf(HasSubstr(">0:01: 149 /s<"), Not(HasSubstr(">0:02: "))));
}

}  // namespace
}  // namespace load::report
