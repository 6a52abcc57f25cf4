// Of the runs in which WebSockets are to be spread anew over the servers of a pool: what that pool
// says of it, and what was seen of it in the log.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/scenario.hh"

namespace simulation {

constexpr PoolKind kRebalanced = PoolKind::kApp;
constexpr std::size_t kRebalancedSites = 3;  // its servers, the first ones of kSites

struct RebalancePlan {
  bool is_wanted = false;
  std::uint64_t per_second = 0;
  unsigned code = 0;
  std::array<unsigned, kRebalancedSites> weights{};
};

RebalancePlan plan_rebalance(const Scenario& scenario, std::uint64_t generation);
// The keys of its pool.
std::string text_of(const RebalancePlan& plan);

// One of them, as the log tells of it.
struct Rebalance {
  uring::Clock::time_point begun;
  std::size_t surplus = 0;
  bool done = false;
  std::size_t asked = 0;  // in all, when it was done
};

struct Rebalances {
  std::vector<Rebalance> all;
  std::size_t asked = 0;  // WebSockets that have ended by it
};

}  // namespace simulation
