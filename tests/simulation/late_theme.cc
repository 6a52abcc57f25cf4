// Crowds of clients who are too many, come too fast, or are asked to come again. Whether a run has
// one is drawn when all else is, so that seeds without keep their stories. What follow() is for the
// other themes, this is for these.
#include <algorithm>

#include "tests/simulation/scenario.hh"

namespace simulation {
namespace {

// Some stay, some come and go, and most come within a second or two.
void crowd_the_doors(Dice& dice, ClientPlan& plan) {
  plan.comes_at = milliseconds(dice.between(0, 2500));
  if (dice.chance(30)) plan.comes_at = milliseconds(dice.between(0, 3) * 400);
  if (dice.chance(60)) plan.dawdles_for = milliseconds(0);
  plan.silent = dice.chance(10);
  if (dice.chance(50)) return;
  plan.requests.resize(1);
  plan.leaving = Leaving::kStays;
  RequestPlan& request = plan.requests.front();
  if (request.websocket && dice.chance(70)) {
    request.websocket->stays = milliseconds(dice.between(100, 2500));
  } else if (!request.websocket) {
    request.answer_bytes = std::min<std::size_t>(request.answer_bytes, 2000);
    request.thinking = milliseconds(dice.between(0, 400));
  }
}

// WebSockets of one pool that stay, while its servers come and go. Some wait for those who are
// asked to come again.
void stay_to_be_moved(Dice& dice, ClientPlan& plan) {
  plan.comes_at = milliseconds(dice.between(0, 900));
  plan.in_reserve = dice.chance(40);
  plan.leaving = Leaving::kStays;
  plan.dawdles_for = milliseconds(0);
  plan.requests.resize(1);
  RequestPlan request;
  request.websocket.emplace();
  request.websocket->client.messages.resize(dice.between(1, 3), {.bytes = 100});
  request.websocket->server.messages.resize(dice.between(0, 2), {.bytes = 100});
  request.websocket->closer = static_cast<Closer>(dice.between(0, 2));
  request.websocket->stays = milliseconds(dice.chance(80) ? 4400 : dice.between(500, 4400));
  plan.requests.front() = request;
}

// Either a list changes or the configuration does; nothing else ends a WebSocket.
void change_servers_alone(Dice& dice, Scenario& scenario) {
  scenario.has_care = scenario.has_balance = scenario.has_policies = false;
  scenario.descriptors = 10'000;
  scenario.crowd_at_stop = false;
  scenario.drains.clear();
  scenario.lists.clear();
  scenario.adopts_at.clear();
  if (dice.chance(70)) {
    scenario.stop_at.reset();
    scenario.cut_at.reset();
  }
  std::vector<milliseconds> times(dice.between(1, 3));
  for (milliseconds& at : times) at = milliseconds(dice.between(700, 2500));
  std::ranges::sort(times);
  if (dice.chance(50)) {
    for (const milliseconds at : times) scenario.lists.push_back({at, dice.between(0, 2), {}});
  } else {
    scenario.adopts_at = times;
  }
  scenario.orphans.assign(scenario.adopts_at.size(), std::nullopt);
}

// Some WebSockets that are there, and then a crowd whose handshakes begin at the same time.
void storm_in(Dice& dice, ClientPlan& plan) {
  plan.leaving = Leaving::kStays;
  plan.dawdles_for = milliseconds(0);
  plan.silent = false;
  plan.requests.resize(1);
  RequestPlan request;
  request.pool = dice.chance(70) ? PoolKind::kApp : PoolKind::kSecure;
  request.answer_bytes = dice.of_any_size(0, 2000);
  if (dice.chance(20)) {
    plan.comes_at = milliseconds(dice.between(0, 200));
    request.websocket.emplace();
    request.websocket->client.messages.resize(dice.between(1, 5), {.bytes = 100});
    request.websocket->server.messages.resize(dice.between(0, 5), {.bytes = 100});
    request.websocket->stays = milliseconds(dice.between(1500, 4000));
  } else {
    plan.comes_at = milliseconds(500 + (dice.chance(25) ? dice.between(0, 600) : 0));
    plan.over_unix = false;
    plan.tls = draw_tls(dice, 5);
    plan.pause_max = microseconds(0);
    plan.write_most = plan.read_most = 1 << 20;
  }
  plan.requests.front() = request;
}

// Some stay, some come and go at the same moments, and a look that is under way meets them all.
void come_and_go(Dice& dice, ClientPlan& plan) {
  plan.comes_at = milliseconds(9 * dice.between(0, 200));
  plan.dawdles_for = milliseconds(0);
  plan.leaving = Leaving::kStays;
  plan.requests.resize(1);
  RequestPlan request;
  request.pool = dice.chance(70) ? PoolKind::kApp : PoolKind::kSecure;
  if (dice.chance(50)) {
    request.websocket.emplace();
    request.websocket->client.messages.resize(dice.between(1, 5), {.bytes = 100});
    request.websocket->server.messages.resize(dice.between(0, 5), {.bytes = 100});
    request.websocket->closer = static_cast<Closer>(dice.between(0, 2));
    request.websocket->stays = milliseconds(dice.between(200, 4000));
  } else {
    request.answer_bytes = dice.of_any_size(0, 2000);
    request.thinking = milliseconds(dice.of_any_size(0, 1400));
    plan.leaving = static_cast<Leaving>(dice.between(0, 3));
    plan.leaves_after = milliseconds(9 * dice.between(0, 300));
  }
  plan.requests.front() = request;
}

// So that they meet in a turn.
void draw_storm(Dice& dice, Scenario& scenario) {
  scenario.descriptors = 10'000;
  scenario.crowd_at_stop = false;
  if (dice.chance(70)) scenario.shards = 1;
  if (dice.chance(70)) scenario.faults |= kCoarseTime;
  if (dice.chance(50)) scenario.faults &= ~unsigned{kLate | kReordered};
  if (dice.chance(85)) scenario.buffers = {32, 4096, 4, 65536};
}

}  // namespace

std::optional<Theme> draw_late_theme(Dice& dice, const Scenario& scenario,
                                     const Narrowing& narrowing) {
  const bool may_be = dice.chance(25) && scenario.theme == Theme::kAnything;
  // What comes behind those is drawn last of all, where none of them is.
  constexpr auto kLast = static_cast<std::size_t>(Theme::kMemory);
  const auto drawn = static_cast<Theme>(dice.between(kEarlyThemes, kLast));
  if (narrowing.theme) return is_late(*narrowing.theme) ? narrowing.theme : std::nullopt;
  return may_be ? std::optional(drawn) : std::nullopt;
}

void prepare_late(Dice& dice, Scenario& scenario) {
  scenario.tight = false;
  if (scenario.theme == Theme::kRebalance) change_servers_alone(dice, scenario);
  if (scenario.theme == Theme::kHandshakes) draw_storm(dice, scenario);
  if (scenario.theme == Theme::kLiveTable) {
    scenario.descriptors = 10'000;
    scenario.crowd_at_stop = false;
    if (dice.chance(70)) scenario.shards = 1;
    if (dice.chance(80)) scenario.faults |= kCoarseTime;
  }
  if (scenario.theme == Theme::kMemory) scenario.memory = dice.of_any_size(30'000, 1'500'000);
}

void follow_late(const Scenario& scenario, Dice& dice, ClientPlan& plan) {
  const bool may_be_refused =
      scenario.theme == Theme::kRefusals || scenario.theme == Theme::kMemory;
  if (may_be_refused) crowd_the_doors(dice, plan);
  if (scenario.theme == Theme::kHandshakes) storm_in(dice, plan);
  if (scenario.theme == Theme::kLiveTable) come_and_go(dice, plan);
  if (scenario.theme == Theme::kRebalance) stay_to_be_moved(dice, plan);
}

}  // namespace simulation
