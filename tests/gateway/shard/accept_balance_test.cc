// Which shard a new client goes to.
#include "gateway/shard/accept_balance.hh"

#include <gtest/gtest.h>

#include <random>

namespace gateway {
namespace {

TEST(AcceptBalance, LeavesClientsWhereTheyCameUnlessThatShardHasClearlyMore) {
  AcceptBalance balance(2);
  for (unsigned n = 0; n < AcceptBalance::kSurplusMin; ++n) {
    EXPECT_EQ(balance.shard_for(0), 0u);
    balance.note_coming(0);
  }
  EXPECT_EQ(balance.shard_for(0), 1u);
  EXPECT_EQ(balance.shard_for(1), 1u);
  balance.note_coming(1);
  EXPECT_EQ(balance.shard_for(0), 0u);
  balance.note_coming(0);
  EXPECT_EQ(balance.shard_for(0), 1u);
  balance.note_gone(0);
  EXPECT_EQ(balance.shard_for(0), 0u);
}

TEST(AcceptBalance, HasOneShardAlone) {
  AcceptBalance balance(1);
  for (unsigned n = 0; n < 100; ++n) {
    EXPECT_EQ(balance.shard_for(0), 0u);
    balance.note_coming(0);
  }
}

// However unevenly they come, and whoever goes.
TEST(AcceptBalance, KeepsEachShardWithinATenthOfTheMean) {
  for (const std::size_t shards : {2u, 3u, 8u, 64u}) {
    for (unsigned seed = 0; seed < 4; ++seed) {
      std::mt19937 random(seed);
      AcceptBalance balance(shards);
      std::size_t clients = 0;
      const auto come = [&] {
        const std::size_t by_chance = seed % 2 == 0 ? random() % shards : 0;
        balance.note_coming(balance.shard_for(by_chance));
        ++clients;
      };
      while (clients < shards * 500) come();
      // A shard loses half of its clients at once; as many come anew.
      for (unsigned n = 0; n < 250; ++n) balance.note_gone(shards - 1);
      clients -= 250;
      for (unsigned n = 0; n < shards * 250; ++n) come();
      const std::size_t mean = clients / shards;
      for (std::size_t shard = 0; shard < shards; ++shard) {
        EXPECT_NEAR(static_cast<double>(balance.load(shard)), static_cast<double>(mean),
                    static_cast<double>(mean) / 10)
            << shards << " " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace gateway
