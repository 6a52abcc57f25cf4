#include "tests/simulation/tunnel_plan.hh"

#include <algorithm>

namespace simulation {
namespace {

// So few pieces that the slowest rhythm stays within the patience of a run.
constexpr std::size_t kPiecesMax = 20;

TunnelEndPlan draw_end(Dice& dice) {
  TunnelEndPlan plan{.bytes = dice.of_any_size(0, 200'000)};
  plan.piece = std::max<std::size_t>(dice.of_any_size(1, 40'000), plan.bytes / kPiecesMax + 1);
  if (dice.chance(40)) plan.rhythm = microseconds(dice.of_any_size(1, 300'000));
  return plan;
}

}  // namespace

TunnelPlan draw_tunnel(Dice& dice) {
  TunnelPlan plan;
  if (dice.chance(15)) plan.protocol = "TCP";
  if (dice.chance(15)) {
    plan.protocol = "SPDY/3.1";
    plan.is_listed = false;
  }
  plan.declined = dice.chance(15);
  plan.client = draw_end(dice);
  plan.server = draw_end(dice);
  const std::size_t early = dice.of_any_size(1, 20'000);
  if (dice.chance(30)) plan.early_bytes = std::min(early, plan.client.bytes);
  plan.ending = static_cast<TunnelEnding>(dice.between(0, kTunnelEndings - 1));
  if (dice.chance(30)) plan.ending = static_cast<TunnelEnding>(dice.between(0, 2));
  return plan;
}

}  // namespace simulation
