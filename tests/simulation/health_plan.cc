#include "tests/simulation/health_plan.hh"

#include <fmt/format.h>

namespace simulation {
namespace {

HealthPlan draw_health(Dice& dice) {
  HealthPlan plan{.is_on = dice.chance(75)};
  plan.kind = static_cast<CheckKind>(dice.between(0, 9) / 4);
  plan.every = milliseconds(dice.between(400, 1500));
  plan.timeout = milliseconds(dice.between(400, 900));
  plan.fall = static_cast<unsigned>(dice.between(1, 3));
  plan.rise = static_cast<unsigned>(dice.between(1, 3));
  return plan;
}

}  // namespace

// Nobody can know how a server fares whose TLS may break anywhere: it is not checked.
HealthPlans plan_health(const Scenario& scenario, std::uint64_t number) {
  HealthPlans plans;
  if (!scenario.has_health) return plans;
  constexpr auto kOpaque = static_cast<unsigned>(PoolKind::kSecureWild);
  Dice dice(scenario.seed * 7919 + 16);
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) {
    const HealthPlan drawn = draw_health(dice);
    if (pool != kOpaque) plans[pool] = drawn;
  }
  for (std::uint64_t earlier = 1; earlier < number; ++earlier) {
    const std::size_t pool = dice.between(0, kPoolKinds - 1);
    const HealthPlan drawn = draw_health(dice);
    const bool changes = dice.chance(50);
    if (changes && pool != kOpaque) plans[pool] = drawn;
  }
  return plans;
}

bool is_ever_checked(const Scenario& scenario, PoolKind pool) {
  if (!scenario.has_health) return false;
  for (std::uint64_t number = 1; number <= scenario.adopts_at.size() + 1; ++number) {
    if (plan_health(scenario, number)[static_cast<std::size_t>(pool)].is_on) return true;
  }
  return false;
}

std::string text_of(const HealthPlan& plan, std::string_view pool) {
  if (!plan.is_on) return "";
  constexpr std::array<std::string_view, 3> kTypes = {"http", "websocket", "tcp"};
  std::string text = fmt::format(
      "[pool.{}.health]\ntype = \"{}\"\nevery = \"{}ms\"\ntimeout = \"{}ms\"\nfall = {}\nrise = "
      "{}\n",
      pool, kTypes[static_cast<std::size_t>(plan.kind)], plan.every.count(), plan.timeout.count(),
      plan.fall, plan.rise);
  if (plan.kind != CheckKind::kTcp) text += fmt::format("path = \"{}\"\n", kCheckPath);
  return text;
}

IllnessPlan plan_illness(const Scenario& scenario, std::size_t site) {
  Dice dice((scenario.seed * 7919 + 17) * 64 + site);
  IllnessPlan plan;
  if (!scenario.has_health || !dice.chance(50)) return plan;
  plan.illness = static_cast<Illness>(dice.between(1, kIllnesses - 1));
  if (!dice.chance(50)) plan.from = milliseconds(dice.between(0, 3000));
  plan.to = plan.from + milliseconds(dice.between(500, 6000));
  return plan;
}

}  // namespace simulation
