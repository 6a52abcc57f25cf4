// Counts of what is under way, and how long those of a name are known.
#include "gateway/limits/live_count.hh"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gateway::limits {
namespace {

TEST(LiveCount, NeverGoesBeyondItsBound) {
  LiveCount count;
  EXPECT_TRUE(count.take(2));
  EXPECT_TRUE(count.take(2));
  EXPECT_FALSE(count.take(2));
  EXPECT_TRUE(count.take(0));  // any number
  EXPECT_EQ(count.value(), 3u);
  { const CountHold hold(count); }
  EXPECT_EQ(count.value(), 2u);
  EXPECT_FALSE(count.take(2));
}

TEST(LiveCount, IsExactUnderAStormOfThreads) {
  constexpr unsigned kMost = 10;
  LiveCount count;
  std::atomic<unsigned> held = 0;
  std::atomic<unsigned> too_many = 0;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (unsigned round = 0; round < 20'000; ++round) {
        if (!count.take(kMost)) continue;
        if (++held > kMost) too_many += 1;
        held -= 1;
        const CountHold hold(count);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(too_many, 0u);
  EXPECT_EQ(count.value(), 0u);
}

TEST(LiveCounts, StayWithWhoHasThemAndWithWhatIsUnderWay) {
  LiveCounts counts;
  auto first = counts.of(LiveCounts::Of::kRoute, "chat");
  EXPECT_EQ(counts.of(LiveCounts::Of::kRoute, "chat"), first);
  EXPECT_NE(counts.of(LiveCounts::Of::kListener, "chat"), first);
  ASSERT_TRUE(first->take(1));
  CountHold hold(*first);
  first.reset();  // no generation has the route any more
  EXPECT_EQ(counts.of(LiveCounts::Of::kRoute, "chat")->value(), 1u);
  hold.reset();
  for (unsigned n = 0; n < 1000; ++n) (void)counts.of(LiveCounts::Of::kRoute, std::to_string(n));
  EXPECT_LE(counts.size(), 64u);
}

}  // namespace
}  // namespace gateway::limits
