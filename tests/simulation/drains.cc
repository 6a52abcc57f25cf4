#include "tests/simulation/drains.hh"

#include <algorithm>
#include <array>

namespace simulation {
namespace {

// Servers that do what they say: one of two, and one that is alone in its pool.
constexpr std::array<std::size_t, 3> kDrainable = {0, 1, 5};

gateway::config::ClosingOrder draw_order(Dice& dice) {
  using enum gateway::config::ClosingOrder;
  return dice.chance(50) ? random : oldest;
}

}  // namespace

gateway::ClosingPlan plan_of(const DrainPlan& drain) {
  return {.over = drain.over,
          .order = gateway::config::ClosingOrder::oldest,
          .reason = gateway::Reason::kDraining,
          .close_code = kDrainCode,
          .close_reason = std::string(kDrainReason),
          .boundary_time = milliseconds(2000)};
}

gateway::ClosingPlan plan_of_orphans(milliseconds over) {
  return {.over = over,
          .order = gateway::config::ClosingOrder::random,
          .reason = gateway::Reason::kOrphaned,
          .close_code = kOrphanCode,
          .close_reason = std::string(kOrphanReason),
          .boundary_time = milliseconds(2000)};
}

gateway::config::DrainSettings draw_stop(Dice& dice) {
  constexpr std::array<std::uint16_t, 3> kCodes = {1001, 1012, 4321};
  gateway::config::DrainSettings stop{.close_code = kCodes[dice.between(0, 2)],
                                      .close_reason = dice.chance(30) ? "" : "see you later",
                                      .order = draw_order(dice)};
  stop.delay = dice.chance(60) ? milliseconds(0) : milliseconds(dice.of_any_size(1, 1000));
  stop.over = dice.chance(30) ? milliseconds(0) : milliseconds(dice.of_any_size(1, 4000));
  // Most have time enough for whatever peers take of theirs.
  const std::size_t more = dice.chance(70) ? 10'000 : dice.of_any_size(1, 10'000);
  stop.hard_stop = stop.delay + stop.over + milliseconds(more);
  return stop;
}

std::vector<DrainPlan> draw_drains(Dice& dice) {
  std::vector<DrainPlan> drains(dice.between(1, 4));
  for (DrainPlan& drain : drains) {
    drain.at = milliseconds(dice.of_any_size(1, 4000));
    drain.site = kDrainable[dice.between(0, kDrainable.size() - 1)];
    drain.over = dice.chance(30) ? milliseconds(0) : milliseconds(dice.of_any_size(1, 3000));
    if (dice.chance(60)) drain.ends_after = milliseconds(dice.of_any_size(1, 2000));
  }
  std::ranges::sort(drains, {}, &DrainPlan::at);
  return drains;
}

// Most of them of the pool whose servers do what they say, so that one goes that has WebSockets.
std::vector<ListPlan> draw_lists(Dice& dice) {
  constexpr std::size_t kSitesInAll = 10;
  constexpr std::size_t kOfApp = 3;
  std::vector<ListPlan> lists(dice.between(1, 6));
  for (ListPlan& list : lists) {
    list.at = milliseconds(dice.of_any_size(1, 4000));
    list.site = dice.between(0, (dice.chance(70) ? kOfApp : kSitesInAll) - 1);
    if (dice.chance(50))
      list.orphans = milliseconds(dice.chance(30) ? 0 : dice.of_any_size(1, 3000));
  }
  std::ranges::sort(lists, {}, &ListPlan::at);
  return lists;
}

// Some have the plan of the one before: whoever waits keeps his turn.
std::vector<OrphansOver> draw_orphans(Dice& dice, std::size_t generations) {
  std::vector<OrphansOver> orphans(generations);
  if (dice.chance(40)) return orphans;
  OrphansOver last;
  for (OrphansOver& over : orphans) {
    if (!last || dice.chance(50))
      last = milliseconds(dice.chance(30) ? 0 : dice.of_any_size(1, 4000));
    if (dice.chance(75)) over = last;
  }
  return orphans;
}

}  // namespace simulation
