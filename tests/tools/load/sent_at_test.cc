// Times that messages say of themselves, and pauses that are drawn.
#include "tools/load/sent_at.hh"

#include <gtest/gtest.h>

#include "tools/load/duration_range.hh"

namespace load {
namespace {

using namespace std::chrono_literals;

TEST(UnixTime, HasItsUnitByItsMagnitude) {
  struct Case {
    std::string_view text;
    std::int64_t nanoseconds;
  };
  for (const Case& each : {
           Case{"1764412345", 1764412345'000000000},
           Case{"1764412345.5", 1764412345'500000000},
           Case{"1764412345123", 1764412345'123000000},
           Case{"1764412345123.25", 1764412345'123250000},
           Case{"1764412345123456", 1764412345'123456000},
           Case{"1764412345123456789", 1764412345'123456789},
           Case{"1764412345123456789.0", 1764412345'123456789},
           Case{"0", 0},
           Case{"99999999999", -1},  // seconds of the year 5138: more than nanoseconds can say
           Case{"100000000000", 100'000'000'000'000'000},
           Case{"100000000000000", 100'000'000'000'000'000},
           Case{"100000000000000000", 100'000'000'000'000'000},
           Case{"18446744073709551615", -1},
           Case{"18446744073709551616", -1},
           Case{"-1", -1},
           Case{"", -1},
           Case{"1764412345.", -1},
           Case{"1764412345.5.5", -1},
           Case{"1764412345.-5", -1},
           Case{"1764412345e3", -1},
           Case{"1764412345 ", -1},
           Case{"2026-11-29T10:00:00Z", -1},
       }) {
    const auto time = parse_unix_time(each.text);
    EXPECT_EQ(time.value_or(-1ns).count(), each.nanoseconds) << each.text;
  }
}

TEST(SentAt, IsTheMarkOrAPointer) {
  EXPECT_FALSE(parse_sent_at("mark")->pointer);
  EXPECT_EQ(parse_sent_at("/data/ts")->pointer->tokens().size(), 2u);
  EXPECT_EQ(parse_sent_at("ts").error(), "neither mark nor a JSON pointer: ts");
}

TEST(DurationRange, IsOneDurationOrDrawnBetweenTwo) {
  std::mt19937_64 random(1);
  const auto one = DurationRange::parse("250ms");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->draw(random), 250ms);
  const auto two = DurationRange::parse("0..5s");
  ASSERT_TRUE(two);
  std::chrono::nanoseconds sum{0};
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const auto drawn = two->draw(random);
    EXPECT_TRUE(drawn >= 0s && drawn <= 5s);
    sum += drawn;
  }
  EXPECT_NEAR(std::chrono::duration<double>(sum / kDraws).count(), 2.5, 0.1);
  EXPECT_TRUE(DurationRange::parse("0")->empty());
  EXPECT_EQ(DurationRange::parse("1h")->most(), 1h);
}

TEST(DurationRange, SaysWhatIsWrong) {
  struct Case {
    std::string_view text;
    std::string_view told;
  };
  for (const Case& each : {
           Case{"soon", "not a number"},
           Case{"1s..", "not a number"},
           Case{"..1s", "not a number"},
           Case{"1s..soon", "not a number"},
           Case{"50..150ms", "the shorter one comes first, each with its unit"},
           Case{"61m", "at most 1h"},
           Case{"0..2h", "at most 1h"},
       }) {
    const auto range = DurationRange::parse(each.text);
    ASSERT_FALSE(range) << each.text;
    EXPECT_TRUE(range.error().starts_with(each.told)) << range.error();
  }
}

}  // namespace
}  // namespace load
