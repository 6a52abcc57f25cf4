#include "tests/simulation/rebalance_plan.hh"

#include <fmt/format.h>

namespace simulation {

// With dice of their own: a run is the same with and without it, but for what it does.
RebalancePlan plan_rebalance(const Scenario& scenario, std::uint64_t generation) {
  RebalancePlan plan;
  plan.is_wanted = scenario.theme == Theme::kRebalance;
  if (!plan.is_wanted) return plan;
  Dice dice(scenario.seed * 7919 + 15);
  constexpr std::array<unsigned, 4> kCodes = {1012, 1012, 1001, 4000};
  plan.per_second = dice.between(3, 60);
  plan.code = kCodes[dice.between(0, kCodes.size() - 1)];
  plan.weights.fill(1);
  for (std::uint64_t number = 1; number < generation; ++number) {
    if (!dice.chance(50)) continue;
    for (unsigned& weight : plan.weights) weight = static_cast<unsigned>(dice.between(1, 3));
  }
  return plan;
}

std::string text_of(const RebalancePlan& plan) {
  if (!plan.is_wanted) return "";
  return fmt::format(
      "balance = \"least-connections\"\nrebalance = {{ rate = \"{}/s\", code = {} }}\n",
      plan.per_second, plan.code);
}

}  // namespace simulation
