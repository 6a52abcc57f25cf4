#include "gateway/log/tail.hh"

#include <gtest/gtest.h>

namespace gateway {
namespace {

TEST(LogTail, GivesEachWatchWhatComesAfterItsBeginning) {
  LogTail tail;
  EXPECT_FALSE(tail.is_watched());
  LogTail::Watch first(tail);
  EXPECT_TRUE(tail.is_watched());
  tail.add("one\n");
  LogTail::Watch second(tail);
  tail.add("two");
  EXPECT_EQ(first.next(), "one");
  EXPECT_EQ(first.next(), "two");
  EXPECT_EQ(first.next(), std::nullopt);
  EXPECT_EQ(second.next(), "two");
  EXPECT_EQ(second.next(), std::nullopt);
  tail.add("three");
  EXPECT_EQ(first.next(), "three");
}

TEST(LogTail, TellsWhoIsTooSlowWhatWasMissed) {
  LogTail tail;
  LogTail::Watch slow(tail);
  for (std::size_t line = 0; line < LogTail::kLinesMax + 3; ++line) tail.add(std::to_string(line));
  EXPECT_EQ(slow.next(), "... 3 lines came too fast to be shown");
  for (std::size_t line = 3; line < LogTail::kLinesMax + 3; ++line)
    EXPECT_EQ(slow.next(), std::to_string(line));
  EXPECT_EQ(slow.next(), std::nullopt);
}

TEST(LogTail, KeepsNothingThatNobodyLooksAt) {
  LogTail tail;
  {
    const LogTail::Watch gone(tail);
    tail.add("old");
  }
  EXPECT_FALSE(tail.is_watched());
  LogTail::Watch watch(tail);
  EXPECT_EQ(watch.next(), std::nullopt);
  tail.add("new");
  EXPECT_EQ(watch.next(), "new");
}

}  // namespace
}  // namespace gateway
