#include "gateway/upstream/balance/algorithms.hh"

#include <algorithm>
#include <cmath>

#include "gateway/upstream/balance/stable_hash.hh"

namespace gateway::balance {
namespace {

std::int64_t credit_of(const Candidate& one) {
  return one.credit + static_cast<std::int64_t>(one.weight);
}

// By its weight, among all but one.
std::size_t by_chance(std::span<const Candidate> candidates, std::uint64_t sum, std::size_t but,
                      Dice& dice) {
  std::uint64_t left = roll(dice, sum);
  for (std::size_t at = 0; at < candidates.size(); ++at) {
    if (at == but) continue;
    if (left < candidates[at].weight) return at;
    left -= candidates[at].weight;
  }
  return kNobody;
}

// How far in front a server is for a key: the more weight, the more often it is the first
// (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables").
double score(const Candidate& one, std::uint64_t key) {
  constexpr double kUnit = 0x1p-53;
  const double uniform = (static_cast<double>(mix(key ^ one.identity) >> 11) + 0.5) * kUnit;
  return -static_cast<double>(one.weight) / std::log(uniform);
}

}  // namespace

std::size_t next_in_turn(std::span<const Candidate> candidates) {
  std::size_t best = kNobody;
  for (std::size_t at = 0; at < candidates.size(); ++at) {
    const bool is_better =
        best == kNobody || credit_of(candidates[at]) > credit_of(candidates[best]);
    if (candidates[at].weight > 0 && is_better) best = at;
  }
  return best;
}

std::size_t round_robin(Candidates candidates) {
  const std::size_t best = next_in_turn(candidates);
  if (best == kNobody) return kNobody;
  for (Candidate& one : candidates) one.credit = credit_of(one);
  candidates[best].credit -= static_cast<std::int64_t>(sum_of_weights(candidates));
  return best;
}

std::size_t least_connections(std::span<const Candidate> candidates, Dice& dice) {
  std::size_t best = kNobody;
  std::uint64_t equals = 0;
  for (std::size_t at = 0; at < candidates.size(); ++at) {
    if (candidates[at].weight == 0) continue;
    const bool is_better = best == kNobody || is_less_loaded(candidates[at], candidates[best]);
    if (!is_better && is_less_loaded(candidates[best], candidates[at])) continue;
    equals = is_better ? 1 : equals + 1;
    if (is_better || roll(dice, equals) == 0) best = at;
  }
  return best;
}

std::size_t random_of_two(std::span<const Candidate> candidates, Dice& dice) {
  const std::uint64_t sum = sum_of_weights(candidates);
  if (sum == 0) return kNobody;
  const std::size_t one = by_chance(candidates, sum, kNobody, dice);
  const std::uint64_t others = sum - candidates[one].weight;
  if (others == 0) return one;
  const std::size_t other = by_chance(candidates, others, one, dice);
  return is_less_loaded(candidates[other], candidates[one]) ? other : one;
}

std::size_t by_hash(std::span<const Candidate> candidates, std::uint64_t key,
                    std::uint64_t load_percent) {
  std::uint64_t under_way = 1;  // with the new one
  for (const Candidate& one : candidates) under_way += one.weight > 0 ? one.under_way : 0;
  const auto sum = static_cast<double>(sum_of_weights(candidates));
  const double bound = static_cast<double>(load_percent * under_way) / 100 / sum;
  const auto is_full = [&](const Candidate& one) {
    if (load_percent == 0 || one.under_way < kNeverFull) return false;
    return one.under_way + 1.0 > std::ceil(bound * static_cast<double>(one.weight));
  };
  std::size_t best = kNobody;
  double best_score = 0;
  std::size_t least_loaded = kNobody;
  for (std::size_t at = 0; at < candidates.size(); ++at) {
    const Candidate& one = candidates[at];
    if (one.weight == 0) continue;
    if (least_loaded == kNobody || is_less_loaded(one, candidates[least_loaded])) least_loaded = at;
    if (is_full(one)) continue;
    const double its = score(one, key);
    if (best == kNobody || its > best_score) best = at, best_score = its;
  }
  // Not all can be full at one moment; but the counts are of several.
  return best != kNobody ? best : least_loaded;
}

}  // namespace gateway::balance
