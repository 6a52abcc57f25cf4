// What pools hold is counted, from the system and back to it; little memory makes batches small.
#include "uring/memory_account.hh"

#include <gtest/gtest.h>

#include "uring/batch_pool.hh"
#include "uring/block_pool.hh"

namespace uring {
namespace {

TEST(MemoryAccount, HasTwoThresholds) {
  MemoryAccount account;
  EXPECT_FALSE(account.is_scarce() || account.is_spent());
  account.set_most(1000);
  account.add(799, MemoryKind::kTls);
  EXPECT_FALSE(account.is_scarce());
  account.add(1, MemoryKind::kTls);
  EXPECT_TRUE(account.is_scarce());
  EXPECT_FALSE(account.is_spent());
  account.add(150, MemoryKind::kBlocks);
  EXPECT_TRUE(account.is_spent());
  account.remove(1, MemoryKind::kTls);
  EXPECT_FALSE(account.is_spent());
}

TEST(MemoryAccount, OfAPartIsInTheWholeAndGoesByItsBound) {
  MemoryAccount whole;
  MemoryAccount one(whole);
  MemoryAccount other(whole);
  whole.set_most(1000);
  one.add(500, MemoryKind::kTls);
  other.add(300, MemoryKind::kTls);
  EXPECT_EQ(one.bytes(MemoryKind::kTls), 500u);
  EXPECT_EQ(whole.bytes(MemoryKind::kTls), 800u);
  EXPECT_EQ(other.most(), 1000u);
  EXPECT_TRUE(one.is_scarce() && other.is_scarce());
  other.remove(300, MemoryKind::kTls);
  EXPECT_FALSE(one.is_scarce());
  EXPECT_EQ(whole.bytes(), one.bytes());
}

TEST(MemoryAccount, CountsBlocksUntilTheyAreBackAtTheSystem) {
  MemoryAccount account;
  {
    BlockPool pool;
    pool.count_in(account);
    void* const small = pool.take(100);
    void* const large = pool.take(100'000);
    EXPECT_GE(account.bytes(), 100'100u);
    EXPECT_EQ(account.bytes(), account.bytes(MemoryKind::kBlocks));
    pool.give_back(large, 100'000);
    EXPECT_LT(account.bytes(), 1000u);
    const std::size_t held = account.bytes();
    pool.give_back(small, 100);
    // Kept or not, the next one adds nothing that goes with it.
    void* const again = pool.take(100);
    EXPECT_EQ(account.bytes(), held);
    pool.give_back(again, 100);
  }
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(MemoryAccount, CountsBatchesAndMakesThemSmall) {
  MemoryAccount account;
  {
    BatchPool pool(4 << 20, &account);
    Batch batch;
    pool.reserve(batch, 1);
    EXPECT_EQ(account.bytes(), batch.capacity);
    EXPECT_EQ(account.bytes(MemoryKind::kBatches), batch.capacity);
    batch.grow(1);
    pool.reserve(batch, 100'000);
    EXPECT_GE(account.bytes(), batch.capacity);
    EXPECT_EQ(pool.share(), BatchPool::kShareMax);
    account.set_most(account.bytes() + account.bytes() / 5);
    EXPECT_EQ(pool.share(), BatchPool::kShareFloor);
    account.set_most(account.bytes() * 2);
    EXPECT_EQ(pool.share(), BatchPool::kShareMax);
    pool.give_back(batch);
  }
  EXPECT_EQ(account.bytes(), 0u);
}

}  // namespace
}  // namespace uring
