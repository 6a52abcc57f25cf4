// What the pools of a run say of servers that fail and of requests that wait, drawn from its seed:
// the same in all generations.
#pragma once

#include <cstddef>
#include <string>

#include "tests/simulation/scenario.hh"

namespace simulation {

struct CarePlan {
  std::size_t connections_max = 0;  // 0: any
  std::size_t upgrades_max = 0;     // 0: any
  std::size_t queue_length = 0;
  milliseconds queue_time{0};
  milliseconds hold{0};
  std::size_t in_a_row = 0;  // failures that eject; 0: none do
  bool has_budget = false;   // of retries

  bool ejects() const { return in_a_row > 0; }
  // Somebody may be refused, or wait in vain.
  bool is_limited() const { return connections_max > 0 || upgrades_max > 0; }
};

CarePlan plan_care(const Scenario& scenario, PoolKind pool);
// The keys of its pool, and the tables in it.
std::string text_of(const CarePlan& plan, std::string_view pool);

}  // namespace simulation
