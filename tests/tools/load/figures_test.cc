// Figures as people read them, and text from outside made harmless.
#include "tools/load/report/figures.hh"

#include <gtest/gtest.h>

namespace load::report {
namespace {

using std::chrono::nanoseconds;

TEST(Figures, HaveThreeDigitsAndAUnit) {
  const struct { std::int64_t value; const char* text; } cases[] = {
      {0, "0"}, {1, "1 ns"}, {999, "999 ns"}, {1000, "1.00 us"}, {9'994, "9.99 us"},
      {9'996, "10.0 us"}, {99'960, "100 us"}, {999'600, "1.00 ms"}, {12'340'000, "12.3 ms"},
      {999'600'000, "1.00 s"}, {99'900'000'000, "99.9 s"}, {120'000'000'000, "2.00 min"},
      {-1500, "-1.50 us"},
  };
  for (const auto& one : cases) EXPECT_EQ(duration_text(nanoseconds(one.value)), one.text);
}

TEST(Figures, GroupThousands) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(UINT64_MAX), "18,446,744,073,709,551,615");
  EXPECT_EQ(rate_text(0), "0 /s");
  EXPECT_EQ(rate_text(1.5), "1.50 /s");
  EXPECT_EQ(rate_text(12'345.6), "12,346 /s");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(38'400'000), "38.4 MB");
  EXPECT_EQ(bytes_text(UINT64_MAX), "18.4 EB");
  EXPECT_EQ(clock_text(std::chrono::seconds(59)), "0:59");
  EXPECT_EQ(clock_text(std::chrono::seconds(3725)), "1:02:05");
}

TEST(Printable, LetsNothingReachATerminalThatMovesIt) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\n\x7f"), "a?[2Jb???");
  EXPECT_EQ(printable("gr\u00fc\u00dfe \U0001f44b"), "gr\u00fc\u00dfe \U0001f44b");
  EXPECT_EQ(printable("\u009b"), "?");           // C1: another way to begin a sequence
  EXPECT_EQ(printable("\u202egnp"), "?gnp");     // right to left
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80"), "??????");  // overlong, surrogate
  EXPECT_EQ(printable("\xe2\x82"), "??");        // cut off
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("ab\u20ac", 4), "ab...");  // never half a character
}

TEST(Escaped, LeavesNoMarkup) {
  EXPECT_EQ(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
}

}  // namespace
}  // namespace load::report
