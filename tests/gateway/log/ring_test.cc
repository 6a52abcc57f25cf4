// The ring between a shard and the log's writer.
#include "gateway/log/ring.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(LogRing& ring) {
  std::vector<std::string> result;
  ring.drain([&](const LogRing::Record& record) { result.emplace_back(record.text); });
  return result;
}

TEST(LogRing, HandsOverRecordsInOrder) {
  LogRing ring("shard=1", 1024);
  EXPECT_TRUE(ring.append(LogLevel::error, 42, "first"));
  EXPECT_TRUE(ring.append(LogLevel::debug, 43, ""));
  std::vector<std::string> seen;
  ring.drain([&](const LogRing::Record& record) {
    seen.push_back(std::to_string(record.time_ns) + std::string(name_of(record.level)) +
                   std::string(record.text));
  });
  EXPECT_THAT(seen, ElementsAre("42errorfirst", "43debug"));
  EXPECT_THAT(texts(ring), IsEmpty());
  EXPECT_EQ(ring.source(), "shard=1");
}

// Else a thread that logs as fast as the writer drains would keep it there, and its lines in
// memory.
TEST(LogRing, HandsOverNoMoreThanWasThereAtTheCall) {
  LogRing ring("", 64 * 1024);
  ring.append(LogLevel::info, 0, "first");
  int taken = 0;
  ring.drain([&](const LogRing::Record&) {
    if (++taken < 100) ring.append(LogLevel::info, 0, "meanwhile");
  });
  EXPECT_EQ(taken, 1);
  EXPECT_THAT(texts(ring), ElementsAre("meanwhile"));
}

TEST(LogRing, RoundsItsCapacityUpToAPowerOfTwo) {
  EXPECT_EQ(LogRing("", 1000).capacity_bytes(), 1024u);
  EXPECT_EQ(LogRing("", 1024).capacity_bytes(), 1024u);
  EXPECT_GE(LogRing("", 0).capacity_bytes(), 1u);
}

TEST(LogRing, DropsAndCountsWhatDoesNotFit) {
  LogRing ring("", 256);
  size_t kept = 0;
  while (ring.append(LogLevel::info, 0, "0123456789")) ++kept;
  EXPECT_GT(kept, 0u);
  EXPECT_EQ(ring.dropped(), 1u);
  EXPECT_FALSE(ring.append(LogLevel::info, 0, "0123456789"));
  EXPECT_EQ(ring.dropped(), 2u);

  EXPECT_EQ(texts(ring).size(), kept);
  EXPECT_TRUE(ring.append(LogLevel::info, 0, "after"));
  EXPECT_THAT(texts(ring), ElementsAre("after"));
  EXPECT_EQ(ring.dropped(), 2u);
}

TEST(LogRing, NeverTakesARecordLargerThanItself) {
  LogRing ring("", 256);
  EXPECT_FALSE(ring.append(LogLevel::info, 0, std::string(256, 'x')));
  EXPECT_EQ(ring.dropped(), 1u);
  EXPECT_THAT(texts(ring), IsEmpty());
}

TEST(LogRing, IsFilledToItsLastByte) {
  LogRing ring("", 256);
  size_t longest = 256;
  while (!ring.append(LogLevel::info, 0, std::string(longest, 'x'))) --longest;
  EXPECT_FALSE(ring.append(LogLevel::info, 0, ""));
  EXPECT_THAT(texts(ring), ElementsAre(std::string(longest, 'x')));
}

TEST(LogRing, WrapsRecordsOfEveryLengthAtEveryPlace) {
  LogRing ring("", 256);
  for (size_t round = 0; round < 2000; ++round) {
    const std::string one(round % 97, static_cast<char>('a' + round % 26));
    const std::string two(round % 13, static_cast<char>('A' + round % 26));
    ASSERT_TRUE(ring.append(LogLevel::info, static_cast<int64_t>(round), one));
    ASSERT_TRUE(ring.append(LogLevel::info, static_cast<int64_t>(round), two));
    ASSERT_THAT(texts(ring), ElementsAre(one, two));
  }
}

// Each record tells its number and repeats it, so that a torn one shows.
TEST(LogRing, LosesNothingUncountedBetweenTwoThreads) {
  constexpr uint64_t kAppended = 200'000;
  LogRing ring("", 4096);
  std::atomic<bool> done = false;
  uint64_t taken = 0;
  int64_t last = -1;
  bool torn = false;
  std::thread consumer([&] {
    const auto take = [&](const LogRing::Record& record) {
      const std::string number = std::to_string(record.time_ns);
      const size_t copies = static_cast<size_t>(record.time_ns) % 20;
      std::string expected;
      for (size_t i = 0; i < copies; ++i) expected += number;
      torn = torn || record.text != expected || record.time_ns <= last;
      last = record.time_ns;
      ++taken;
    };
    while (!done.load(std::memory_order_acquire)) ring.drain(take);
    ring.drain(take);
  });
  for (uint64_t i = 0; i < kAppended; ++i) {
    std::string text;
    for (uint64_t copy = 0; copy < i % 20; ++copy) text += std::to_string(i);
    ring.append(LogLevel::info, static_cast<int64_t>(i), text);
  }
  done.store(true, std::memory_order_release);
  consumer.join();
  EXPECT_FALSE(torn);
  EXPECT_GT(taken, 0u);
  EXPECT_EQ(taken + ring.dropped(), kAppended);
}

}  // namespace
}  // namespace gateway
