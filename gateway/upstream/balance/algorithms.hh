// The ways to choose a server. Each gives its place, or kNobody where none has a weight; the caller
// has taken the weight of those that are not to be chosen.
#pragma once

#include <cstdint>

#include "gateway/upstream/balance/candidate.hh"

namespace gateway::balance {

// By turns, each as often as its weight says, and evenly mixed: of 3 and 1, a-a-b-a.
std::size_t round_robin(Candidates candidates);
// Whose turn would be next; it moves no turn.
std::size_t next_in_turn(std::span<const Candidate> candidates);

// The least loaded for its weight; among equals by chance, so that shards do not all take the same.
std::size_t least_connections(std::span<const Candidate> candidates, Dice& dice);

// Two by chance, as their weights say; the less loaded of them.
std::size_t random_of_two(std::span<const Candidate> candidates, Dice& dice);

// A server that is never too full: few requests of one user stay together where there is little
// else.
inline constexpr std::uint32_t kNeverFull = 8;

// Rendezvous hashing: each key has an order of all servers, in which its own is the first. So who
// goes gives his keys to all others, who comes takes his share, and no other key moves; and
// nothing has to be remembered. A server that has `load_percent` of its share of what is under way
// is passed over (bounded loads); 0: none is.
std::size_t by_hash(std::span<const Candidate> candidates, std::uint64_t key,
                    std::uint64_t load_percent);

}  // namespace gateway::balance
