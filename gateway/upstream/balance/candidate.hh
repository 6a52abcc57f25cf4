// What a balancer chooses from: a pool's servers at one moment, as plain data, in the order of its
// list. Who has a weight may be chosen; a choice costs a few loads a server and allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace gateway::balance {

struct Candidate {
  std::uint64_t weight = 0;     // its share of what is new, in kWhole parts; 0: it gets nothing
  std::uint32_t under_way = 0;  // requests and WebSockets, of all shards
  std::uint8_t tier = 0;        // a higher one only where no lower one has anybody
  std::uint64_t identity = 0;   // the same on all shards and in each order of the list
  std::int64_t credit = 0;      // what round_robin() owes it
};
using Candidates = std::span<Candidate>;

inline constexpr std::size_t kNobody = SIZE_MAX;
// Parts of a weight of 1, so that a server can have less than that.
inline constexpr std::uint64_t kWhole = 1000;

// Takes the weight of all but those of the lowest tier that has anybody with one.
inline void keep_first_tier(Candidates candidates) {
  std::uint8_t first = UINT8_MAX;
  for (const Candidate& one : candidates) {
    if (one.weight > 0 && one.tier < first) first = one.tier;
  }
  for (Candidate& one : candidates) {
    if (one.tier != first) one.weight = 0;
  }
}

inline std::uint64_t sum_of_weights(std::span<const Candidate> candidates) {
  std::uint64_t sum = 0;
  for (const Candidate& one : candidates) sum += one.weight;
  return sum;
}

// Of two with a weight, whether one would be less loaded than the other with one more.
inline bool is_less_loaded(const Candidate& one, const Candidate& other) {
  return (std::uint64_t{one.under_way} + 1) * other.weight <
         (std::uint64_t{other.under_way} + 1) * one.weight;
}

using Dice = std::mt19937_64;

inline std::uint64_t roll(Dice& dice, std::uint64_t sides) {
  return std::uniform_int_distribution<std::uint64_t>(0, sides - 1)(dice);
}

}  // namespace gateway::balance
