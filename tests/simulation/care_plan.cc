#include "tests/simulation/care_plan.hh"

#include <fmt/format.h>

namespace simulation {

// With dice of their own: a run is the same with and without it, but for what it does.
CarePlan plan_care(const Scenario& scenario, PoolKind pool) {
  Dice dice(scenario.seed * 7919 + 13 + static_cast<unsigned>(pool));
  CarePlan plan;
  if (!scenario.has_care) return plan;
  // Of its two servers one refuses always: if the other one is out, too, none is left.
  if (pool != PoolKind::kClosing && dice.chance(70)) plan.in_a_row = dice.between(1, 3);
  if (pool == PoolKind::kClosing) plan.has_budget = dice.chance(20);
  if (pool == PoolKind::kClosing && dice.chance(30)) plan.hold = milliseconds(500);
  if (!dice.chance(50)) return plan;
  if (dice.chance(80)) plan.connections_max = dice.between(1, 2);
  if (plan.connections_max == 0 || dice.chance(30)) plan.upgrades_max = 1;
  if (dice.chance(80)) plan.queue_length = dice.between(1, 6);
  plan.queue_time = milliseconds(dice.between(20, 2000));
  return plan;
}

std::string text_of(const CarePlan& plan, std::string_view pool) {
  std::string text;
  if (plan.connections_max > 0) text += fmt::format("connections_max = {}\n", plan.connections_max);
  if (plan.upgrades_max > 0) text += fmt::format("upgrades_max = {}\n", plan.upgrades_max);
  if (plan.queue_length > 0) {
    text += fmt::format("queue = {{ length = {}, time = \"{}ms\" }}\n", plan.queue_length,
                        plan.queue_time.count());
  }
  if (plan.hold.count() > 0) text += fmt::format("hold = \"{}ms\"\n", plan.hold.count());
  text += plan.has_budget ? "retry_budget = { share = \"10%\", per_second = 2 }\n"
                          : "retry_budget = \"off\"\n";
  text += fmt::format("[pool.{}.ejection]\n", pool);
  text += plan.ejects()
              ? fmt::format("in_a_row = {}\ntime = \"1s\"\ntime_max = \"3s\"\n", plan.in_a_row)
              : "in_a_row = \"off\"\n";
  return text;
}

}  // namespace simulation
