#include "tests/simulation/door_plan.hh"

#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/proxied.hh"

namespace simulation {
namespace {

std::string text_of_home(std::size_t home) {
  const std::uint32_t address = address_of_home(home);
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 0xff, (address >> 8) & 0xff,
                     address & 0xff);
}

void draw_rates(Dice& dice, DoorPlan& plan) {
  const milliseconds burst(dice.between(100, 1500));
  if (dice.chance(40)) plan.connects = {dice.between(2, 20), burst};
  if (dice.chance(30)) plan.handshakes = {dice.between(1, 10), burst};
}

void draw_rest(Dice& dice, DoorPlan& plan) {
  if (plan.is_a_storm) {
    plan.handshakes_waiting = dice.chance(75) ? dice.between(1, 12) : 0;
    return;
  }
  plan.connections = dice.chance(50) ? dice.between(2, 12) : 0;
  for (std::uint64_t& most : plan.of_listener) most = dice.chance(40) ? dice.between(1, 6) : 0;
  plan.of_address = dice.chance(50) ? dice.between(1, 5) : 0;
  plan.denied.reset();
  if (dice.chance(40)) plan.denied.set(dice.between(0, kHomes - 1));
  if (dice.chance(30)) plan.denied.set(dice.between(0, kHomes - 1));
  plan.by_allowing = dice.chance(50);
}

std::string line(std::string_view key, std::uint64_t most) {
  return most == 0 ? "" : fmt::format("{} = {}\n", key, most);
}

}  // namespace

std::size_t home_of(const Scenario& scenario, unsigned client) {
  if (scenario.theme != Theme::kRefusals) return 0;
  if (scenario.proxied && is_local(client)) return 0;
  // In some runs many are at home at one address.
  const std::size_t homes = 1 + scenario.seed % (kHomes - 1);
  return 1 + (scenario.seed + client * 7) % homes;
}

// With dice of their own: a run is the same with and without them, but for what they do.
DoorPlan plan_doors(const Scenario& scenario, std::uint64_t generation) {
  DoorPlan plan;
  plan.is_a_storm = scenario.theme == Theme::kHandshakes;
  plan.is_strict =
      plan.is_a_storm || scenario.theme == Theme::kRefusals || scenario.theme == Theme::kMemory;
  if (!plan.is_strict || scenario.theme == Theme::kMemory) return plan;
  Dice dice(scenario.seed * 7919 + 14);
  if (!plan.is_a_storm) draw_rates(dice, plan);
  draw_rest(dice, plan);
  for (std::uint64_t number = 1; number < generation; ++number) {
    if (dice.chance(60)) draw_rest(dice, plan);
  }
  return plan;
}

std::string limits_text(const DoorPlan& plan) {
  std::string text = line("connections", plan.connections) +
                     line("handshakes_waiting", plan.handshakes_waiting) + "[limits.address]\n" +
                     line("connections", plan.of_address) +
                     line("connections_per_second", plan.connects.per_second) +
                     line("handshakes_per_second", plan.handshakes.per_second);
  const milliseconds burst = std::max(plan.connects.burst, plan.handshakes.burst);
  if (burst.count() > 0) text += fmt::format("burst = \"{}ms\"\n", burst.count());
  return text;
}

std::string listener_text(const DoorPlan& plan, std::size_t entry) {
  std::string text = line("connections", plan.of_listener[entry]);
  if (plan.denied.none() || static_cast<Entry>(entry) == Entry::kUnix) return text;
  std::string homes;
  for (std::size_t home = 0; home < kHomes; ++home) {
    if (plan.denied[home] == plan.by_allowing) continue;
    homes += fmt::format("{}\"{}\"", homes.empty() ? "" : ", ", text_of_home(home));
  }
  return text + fmt::format("{} = [{}]\n", plan.by_allowing ? "allow" : "deny", homes);
}

}  // namespace simulation
