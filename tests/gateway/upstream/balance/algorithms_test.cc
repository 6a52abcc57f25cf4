// The balancers over plain data.
#include "gateway/upstream/balance/algorithms.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gateway/upstream/balance/stable_hash.hh"

namespace gateway::balance {
namespace {

std::vector<Candidate> with_weights(const std::vector<std::uint64_t>& weights) {
  std::vector<Candidate> candidates;
  for (const std::uint64_t weight : weights) {
    candidates.push_back({.weight = weight * kWhole,
                          .identity = stable_hash("server " + std::to_string(candidates.size()))});
  }
  return candidates;
}

std::string turns(std::vector<Candidate>& candidates, std::size_t count) {
  std::string turns;
  for (; count > 0; --count) turns += static_cast<char>('a' + round_robin(candidates));
  return turns;
}

TEST(RoundRobin, MixesItsTurnsEvenly) {
  struct Case {
    std::vector<std::uint64_t> weights;
    std::string turns;
  };
  for (const Case& one : {Case{{1, 1, 1}, "abcabc"}, Case{{5, 1, 1}, "aabacaaaabacaa"},
                          Case{{3, 1}, "aabaaaba"}, Case{{0, 1}, "bbb"}}) {
    auto candidates = with_weights(one.weights);
    EXPECT_EQ(turns(candidates, one.turns.size()), one.turns);
  }
}

TEST(RoundRobin, TellsWhoIsNextWithoutMovingATurn) {
  auto candidates = with_weights({1, 1});
  EXPECT_EQ(next_in_turn(candidates), 0u);
  EXPECT_EQ(next_in_turn(candidates), 0u);
  EXPECT_EQ(turns(candidates, 2), "ab");
}

TEST(RoundRobin, GoesOnAmongOthersWhileOneIsAway) {
  auto candidates = with_weights({1, 1, 1});
  EXPECT_EQ(turns(candidates, 1), "a");
  candidates[1].weight = 0;
  EXPECT_EQ(turns(candidates, 4), "ccac") << "who has just had a turn waits";
}

TEST(LeastConnections, ComparesByWeight) {
  Dice dice(1);
  struct Case {
    std::vector<std::uint64_t> weights;
    std::vector<std::uint32_t> under_way;
    std::size_t chosen;
  };
  for (const Case& one : {Case{{1, 1}, {1, 0}, 1}, Case{{2, 1}, {2, 1}, 0}, Case{{2, 1}, {3, 0}, 1},
                          Case{{0, 1}, {0, 9}, 1}, Case{{3, 1}, {0, 0}, 0}}) {
    auto candidates = with_weights(one.weights);
    for (std::size_t at = 0; at < candidates.size(); ++at) {
      candidates[at].under_way = one.under_way[at];
    }
    EXPECT_EQ(least_connections(candidates, dice), one.chosen);
  }
}

TEST(LeastConnections, TakesAnyOfEqualsByChance) {
  Dice dice(1);
  const auto candidates = with_weights({1, 1, 1, 0});
  std::vector<unsigned> chosen(4);
  for (unsigned count = 0; count < 3000; ++count) ++chosen[least_connections(candidates, dice)];
  for (std::size_t at = 0; at < 3; ++at) EXPECT_NEAR(chosen[at], 1000, 150) << at;
  EXPECT_EQ(chosen[3], 0u);
}

TEST(LeastConnections, EndsWithEachAtItsShare) {
  Dice dice(1);
  auto candidates = with_weights({1, 2, 3});
  for (unsigned count = 0; count < 600; ++count) {
    ++candidates[least_connections(candidates, dice)].under_way;
  }
  EXPECT_EQ(candidates[0].under_way, 100u);
  EXPECT_EQ(candidates[1].under_way, 200u);
  EXPECT_EQ(candidates[2].under_way, 300u);
}

TEST(RandomOfTwo, TakesTheLessLoadedOfTwo) {
  Dice dice(1);
  auto candidates = with_weights({1, 1});
  candidates[0].under_way = 5;
  for (unsigned count = 0; count < 100; ++count) ASSERT_EQ(random_of_two(candidates, dice), 1u);
}

TEST(RandomOfTwo, GoesByWeightAndStaysNearTheMean) {
  Dice dice(1);
  auto candidates = with_weights({1, 1, 2, 0});
  for (unsigned count = 0; count < 4000; ++count) {
    ++candidates[random_of_two(candidates, dice)].under_way;
  }
  EXPECT_NEAR(candidates[0].under_way, 1000, 60);
  EXPECT_NEAR(candidates[1].under_way, 1000, 60);
  EXPECT_NEAR(candidates[2].under_way, 2000, 60);
  EXPECT_EQ(candidates[3].under_way, 0u);
}

TEST(Balance, TakesNobodyWhereNobodyMayBeTaken) {
  Dice dice(1);
  for (auto candidates : {with_weights({}), with_weights({0, 0})}) {
    EXPECT_EQ(round_robin(candidates), kNobody);
    EXPECT_EQ(least_connections(candidates, dice), kNobody);
    EXPECT_EQ(random_of_two(candidates, dice), kNobody);
    EXPECT_EQ(by_hash(candidates, 7, 125), kNobody);
  }
}

TEST(Balance, TakesTheOnlyOneThereIs) {
  Dice dice(1);
  auto candidates = with_weights({0, 1, 0});
  EXPECT_EQ(round_robin(candidates), 1u);
  EXPECT_EQ(least_connections(candidates, dice), 1u);
  EXPECT_EQ(random_of_two(candidates, dice), 1u);
  EXPECT_EQ(by_hash(candidates, 7, 125), 1u);
}

TEST(Tiers, HaveTheFirstThatHasAnybody) {
  struct Case {
    std::vector<std::uint64_t> weights;
    std::vector<std::uint64_t> left;
  };
  // Own zone, another zone, backup, backup of another zone.
  for (const Case& one : {Case{{1, 1, 1, 1}, {1, 0, 0, 0}}, Case{{0, 1, 1, 1}, {0, 1, 0, 0}},
                          Case{{0, 0, 1, 1}, {0, 0, 1, 0}}, Case{{0, 0, 0, 2}, {0, 0, 0, 2}},
                          Case{{0, 0, 0, 0}, {0, 0, 0, 0}}}) {
    auto candidates = with_weights(one.weights);
    for (std::size_t at = 0; at < 4; ++at) candidates[at].tier = static_cast<std::uint8_t>(at);
    keep_first_tier(candidates);
    for (std::size_t at = 0; at < 4; ++at) {
      EXPECT_EQ(candidates[at].weight, one.left[at] * kWhole) << at;
    }
  }
}

std::uint64_t key_of(unsigned number) {
  return stable_hash("user-" + std::to_string(number));
}

constexpr unsigned kKeys = 10'000;

TEST(Hash, MovesOnlyTheKeysOfAServerThatGoes) {
  auto candidates = with_weights({1, 1, 1, 1, 1});
  const auto before = candidates;
  candidates[2].weight = 0;
  unsigned moved = 0;
  for (unsigned number = 0; number < kKeys; ++number) {
    const std::size_t had = by_hash(before, key_of(number), 125);
    const std::size_t has = by_hash(candidates, key_of(number), 125);
    if (had != 2) {
      EXPECT_EQ(has, had) << "who has lost nothing keeps his";
    }
    moved += has != had;
  }
  RecordProperty("moved", std::to_string(moved));
  EXPECT_GT(moved, kKeys / 10);
  EXPECT_LE(moved, kKeys / 4);
}

TEST(Hash, GivesEachItsShareByWeight) {
  const auto candidates = with_weights({1, 2, 1});
  std::vector<unsigned> keys(3);
  for (unsigned number = 0; number < kKeys; ++number) {
    ++keys[by_hash(candidates, key_of(number), 125)];
  }
  EXPECT_NEAR(keys[0], kKeys / 4, kKeys / 40);
  EXPECT_NEAR(keys[1], kKeys / 2, kKeys / 40);
  EXPECT_NEAR(keys[2], kKeys / 4, kKeys / 40);
}

TEST(Hash, IsTheSameInAnyOrderOfTheList) {
  const auto candidates = with_weights({1, 1, 1, 1});
  auto turned = candidates;
  std::ranges::reverse(turned);
  for (unsigned number = 0; number < 1000; ++number) {
    const std::uint64_t key = key_of(number);
    ASSERT_EQ(candidates[by_hash(candidates, key, 125)].identity,
              turned[by_hash(turned, key, 125)].identity);
  }
}

// What several gateways of any version have to agree on.
TEST(Hash, IsTheSameForever) {
  EXPECT_EQ(stable_hash(""), 0xf52a15e9a9b5e89bu);
  EXPECT_EQ(stable_hash("10.0.0.7:9001"), stable_hash("10.0.0.7:9001"));
  EXPECT_NE(stable_hash("10.0.0.7:9001"), stable_hash("10.0.0.8:9001"));
}

TEST(Hash, LetsNoServerHaveMoreThanItsBound) {
  auto candidates = with_weights({1, 1, 2, 1});
  for (unsigned count = 1; count <= 1000; ++count) {
    Candidate& chosen = candidates[by_hash(candidates, key_of(7), 125)];
    ++chosen.under_way;
    const double share = static_cast<double>(chosen.weight) / (5 * kWhole);
    if (chosen.under_way <= kNeverFull) continue;
    ASSERT_LE(chosen.under_way, std::ceil(1.25 * count * share)) << count;
  }
  EXPECT_GE(std::ranges::count_if(candidates, &Candidate::under_way), 3);
}

TEST(Hash, KeepsFewTogetherAndWithoutABoundAll) {
  auto candidates = with_weights({1, 1, 1});
  const std::size_t first = by_hash(candidates, key_of(7), 125);
  for (unsigned count = 0; count < kNeverFull; ++count) {
    ASSERT_EQ(by_hash(candidates, key_of(7), 125), first);
    ++candidates[first].under_way;
  }
  EXPECT_NE(by_hash(candidates, key_of(7), 125), first);
  candidates[first].under_way = 1000;
  EXPECT_EQ(by_hash(candidates, key_of(7), 0), first);
}

}  // namespace
}  // namespace gateway::balance
