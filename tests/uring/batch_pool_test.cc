// Outbound memory: what a batch keeps when it grows, and what bounds all of them together.
#include "uring/batch_pool.hh"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/uring/dice.hh"

using uring::Batch;
using uring::BatchPool;

namespace {

TEST(BatchPool, KeepsWhatIsInABatchThatGrows) {
  BatchPool pool(1 << 20);
  Batch batch;
  std::size_t written = 0;
  for (const std::size_t more : {1, 4095, 1, 20'000, 60'000, 200'000}) {
    pool.reserve(batch, more);
    ASSERT_GE(batch.capacity, batch.size + more);
    for (std::size_t end = batch.size + more; batch.size < end; ++batch.size) {
      batch.data[batch.size] = static_cast<std::byte>(written++ % 251);
    }
  }
  for (std::size_t at = 0; at < batch.size; ++at) {
    ASSERT_EQ(batch.data[at], static_cast<std::byte>(at % 251)) << at;
  }
  pool.give_back(batch);
  EXPECT_EQ(batch.data, nullptr);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BatchPool, HoldsNoMemoryForABatchWithoutBytes) {
  BatchPool pool(1 << 20);
  Batch batch;
  pool.reserve(batch, 0);
  EXPECT_EQ(pool.in_use(), 0u);
  pool.give_back(batch);
}

TEST(BatchPool, TakesTheSmallestSizeThatFits) {
  struct Case {
    const char* name;
    std::size_t bytes, expected;
  };
  const Case cases[] = {
      {"one byte", 1, 4096},         {"exactly the first", 4096, 4096},
      {"one more", 4097, 20 * 1024}, {"a record and its head", 16'500, 20 * 1024},
      {"the third", 80'000, 81'920}, {"the most", BatchPool::kBatchMax, BatchPool::kBatchMax},
  };
  BatchPool pool(1 << 20);
  for (const Case& test : cases) {
    Batch batch;
    pool.reserve(batch, test.bytes);
    EXPECT_EQ(batch.capacity, test.expected) << test.name;
    EXPECT_EQ(pool.in_use(), test.expected) << test.name;
    pool.give_back(batch);
  }
}

TEST(BatchPool, CountsWhatIsInUseThroughRandomBatches) {
  for_each_seed(20, [](std::uint64_t seed) {
    Dice dice(seed);
    BatchPool pool(1 << 20);
    std::array<Batch, 40> batches;
    for (int step = 0; step < 2000; ++step) {
      Batch& batch = batches[dice.between(0, batches.size() - 1)];
      if (dice.chance(30)) {
        pool.give_back(batch);
      } else {
        const std::size_t more = dice.of_any_size(1, BatchPool::kBatchMax - batch.size);
        pool.reserve(batch, more);
        std::memset(batch.data + batch.size, 1, more);
        batch.grow(dice.between(0, more - 1));
      }
      std::size_t capacities = 0;
      for (const Batch& other : batches) capacities += other.capacity;
      ASSERT_EQ(pool.in_use(), capacities);
    }
    for (Batch& batch : batches) pool.give_back(batch);
    EXPECT_EQ(pool.in_use(), 0u);
  });
}

TEST(BatchPool, SharesShrinkToTheFloorAndAllStayUnderTheBudget) {
  constexpr std::size_t kBudget = 4 << 20;
  BatchPool pool(kBudget);
  EXPECT_EQ(pool.share(), BatchPool::kShareMax);
  std::array<std::uint32_t, 500> committed{};
  std::size_t beyond_floor = 0;
  for (std::uint32_t& mine : committed) {
    const std::size_t share = pool.share();
    ASSERT_GE(share, BatchPool::kShareFloor);
    ASSERT_LE(share, BatchPool::kShareMax);
    pool.commit(mine, share);
    beyond_floor += share - BatchPool::kShareFloor;
  }
  EXPECT_LE(beyond_floor, kBudget);
  EXPECT_LT(pool.share(), BatchPool::kShareFloor + 64);
  for (std::uint32_t& mine : committed) pool.commit(mine, 0);
  EXPECT_EQ(pool.share(), BatchPool::kShareMax);
}

TEST(BatchPool, ForgetsWhatAPeerCommittedBefore) {
  BatchPool pool(1 << 20);
  std::uint32_t committed = 0;
  for (int times = 0; times < 1000; ++times) pool.commit(committed, 200'000);
  pool.commit(committed, BatchPool::kShareFloor);
  EXPECT_EQ(pool.share(), BatchPool(1 << 20).share());
}

TEST(BatchPoolDeathTest, RefusesMoreThanTheLargestBatch) {
  BatchPool pool(1 << 20);
  Batch batch;
  EXPECT_DEATH(pool.reserve(batch, BatchPool::kBatchMax + 1), "beyond what was reserved");
}

}  // namespace
