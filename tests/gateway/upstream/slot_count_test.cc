#include "gateway/upstream/slot_count.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace gateway {
namespace {

TEST(SlotCount, HasNoMoreThanItsBounds) {
  SlotCount slots;
  EXPECT_TRUE(slots.take(true, 3, 1));
  EXPECT_FALSE(slots.take(true, 3, 1));
  EXPECT_TRUE(slots.take(false, 3, 1));
  EXPECT_TRUE(slots.take(false, 3, 1));
  EXPECT_FALSE(slots.take(false, 3, 1));
  slots.give_back(true);
  EXPECT_FALSE(slots.has_room(true, 2, 1));
  EXPECT_TRUE(slots.take(true, 3, 1));
  EXPECT_EQ(slots.all(), 3u);
  EXPECT_EQ(slots.websockets(), 1u);
}

TEST(SlotCount, HasAnyNumberWithoutBounds) {
  SlotCount slots;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(slots.take(i % 2 == 0, 0, 0));
  EXPECT_EQ(slots.all(), 1000u);
}

TEST(SlotCount, IsExactOverThreads) {
  SlotCount slots;
  std::atomic<std::uint32_t> inside{0};
  std::atomic<std::uint32_t> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, websocket = i % 2 == 0] {
      for (int round = 0; round < 20'000; ++round) {
        if (!slots.take(websocket, 2, 1)) continue;
        const std::uint32_t now = inside.fetch_add(1) + 1;
        std::uint32_t seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        inside.fetch_sub(1);
        slots.give_back(websocket);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 2u);
  EXPECT_EQ(slots.all(), 0u);
  EXPECT_EQ(slots.websockets(), 0u);
}

}  // namespace
}  // namespace gateway
