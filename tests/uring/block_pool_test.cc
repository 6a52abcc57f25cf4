// Blocks that are used again, and coroutine frames that lie in them.
#include "uring/block_pool.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

#include "uring/memory_account.hh"
#include "uring/ready.hh"
#include "uring/task.hh"

namespace {

using uring::BlockPool;
using uring::Task;

#ifdef URING_POISONS
constexpr bool kReuses = false;
#else
constexpr bool kReuses = true;
#endif

TEST(BlockPool, GivesABlockOfTheSameSizeAgain) {
  BlockPool pool;
  void* const first = pool.take(104);
  pool.give_back(first, 104);
  void* const second = pool.take(89);  // of the same class
  if (kReuses) {
    EXPECT_EQ(second, first);
  }
  pool.give_back(second, 89);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BlockPool, GivesAllOfThemAgainTheLastFirstAndBackToTheSystem) {
  if (!kReuses) GTEST_SKIP() << "it keeps none";
  uring::MemoryAccount account;
  BlockPool pool;
  pool.count_in(account);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::pair<void*, std::size_t>> blocks;
    for (const std::size_t size : {8u, 200u, 8192u}) {
      for (int count = 0; count < 3; ++count) blocks.emplace_back(pool.take(size), size);
    }
    const std::size_t taken = account.bytes();
    EXPECT_GE(taken, 3u * (8 + 200 + 8192));
    for (const auto& [block, size] : blocks) pool.give_back(block, size);
    std::ranges::reverse(blocks);
    for (const auto& [block, size] : blocks) EXPECT_EQ(pool.take(size), block);
    EXPECT_EQ(account.bytes(), taken) << "none is a new one";
    for (const auto& [block, size] : blocks) pool.give_back(block, size);
    pool.trim();
    EXPECT_EQ(account.bytes(), 0u);
  }
}

TEST(BlockPool, TakesAnySize) {
  BlockPool pool;
  for (const std::size_t size : {1u, 32u, 33u, 8192u, 8193u, 1u << 20}) {
    auto* const block = static_cast<char*>(pool.take(size));
    block[0] = block[size - 1] = 'x';
    pool.give_back(block, size);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BlockPool, IsAMemoryResource) {
  BlockPool pool;
  {
    std::pmr::string text("a text that is too long for the string itself", &pool);
    EXPECT_EQ(pool.in_use(), 1u);
    text.append(10'000, '.');
    EXPECT_EQ(pool.in_use(), 1u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BlockPool, DestroysWhatItMakes) {
  BlockPool pool;
  int destroyed = 0;
  struct Counted {
    Counted(BlockPool& pool, int& count) : pool_(pool), count_(count) {}
    ~Counted() { ++count_; }
    BlockPool& frames() { return pool_; }
    BlockPool& pool_;
    int& count_;
  };
  { const auto object = pool.make<Counted>(pool, destroyed); }
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BlockPoolDeathTest, NoticesABlockThatOutlivesIt) {
  EXPECT_DEATH(
      {
        BlockPool pool;
        (void)pool.take(10);
      },
      "outlived its pool");
}

class Owner {
 public:
  Owner(BlockPool& pool, uring::ReadyList& list) : pool_(pool), go_(list) {}
  BlockPool& frames() { return pool_; }
  Task<int> outer(int number) {
    const int result = co_await inner(number);
    co_return result + 1;
  }
  Task<int> inner(int number) {
    co_await go_.wait();
    co_return 2 * number;
  }
  void go() { go_.set(); }

 private:
  BlockPool& pool_;
  uring::Event go_;
};

TEST(Task, TakesItsFrameFromItsOwnersPool) {
  BlockPool pool;
  uring::ReadyList list;
  Owner owner(pool, list);
  {
    auto task = owner.outer(20);
    EXPECT_EQ(pool.in_use(), 1u);
    task.start();
    EXPECT_LE(pool.in_use(), 2u);  // clang puts the inner frame into the outer one
    owner.go();
    list.run(10);
    EXPECT_TRUE(task.done());
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
