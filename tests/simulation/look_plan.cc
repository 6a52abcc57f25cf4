#include "tests/simulation/look_plan.hh"

#include <algorithm>
#include <array>

#include "tests/simulation/generations.hh"

namespace simulation {
namespace {

gateway::LiveFilter draw_filter(Dice& dice) {
  gateway::LiveFilter filter;
  if (dice.chance(35)) return filter;
  if (dice.chance(40)) filter.kind = static_cast<gateway::LiveKind>(dice.between(0, 3));
  if (dice.chance(25)) filter.opened_only = true;
  if (dice.chance(20)) filter.pool = name_of(static_cast<PoolKind>(dice.between(0, 4)));
  if (dice.chance(15)) filter.server = kSites[dice.between(0, kSites.size() - 1)].address;
  if (dice.chance(15)) filter.listener = kListeners[dice.between(0, kEntries - 1)];
  if (dice.chance(15)) filter.client = *gateway::config::parse_network("127.0.0.0/8");
  if (dice.chance(15)) filter.age = milliseconds(dice.of_any_size(1, 3000));
  if (dice.chance(15)) filter.idle = milliseconds(dice.of_any_size(1, 3000));
  if (dice.chance(10)) filter.buffered_bytes = dice.of_any_size(1, 20'000);
  if (dice.chance(10)) filter.messages_per_second = static_cast<double>(dice.between(1, 20));
  return filter;
}

std::size_t draw_rows(Dice& dice) {
  constexpr std::array<std::size_t, 5> kRows = {0, 1, 2, 100, gateway::LiveQuery::kRowsMax};
  return dice.chance(60) ? kRows[dice.between(0, kRows.size() - 1)] : dice.between(1, 20);
}

gateway::LiveQuery draw_query(Dice& dice) {
  constexpr std::size_t kSorts = gateway::kLiveSortNames.size();
  gateway::LiveQuery query{.filter = draw_filter(dice), .rows = draw_rows(dice)};
  if (dice.chance(60)) query.sort = static_cast<gateway::LiveSort>(dice.between(0, kSorts - 1));
  query.greatest_first = dice.chance(50);
  if (dice.chance(20)) {
    query.after =
        gateway::LivePlace{static_cast<double>(dice.of_any_size(0, 2000)), dice.of_any_size(0, 60)};
  }
  query.counts_all = dice.chance(60);
  query.details = dice.chance(30);
  return query;
}

// Beside what else the run does then; or at any time.
milliseconds draw_moment(Dice& dice, const Scenario& scenario) {
  std::vector<milliseconds> moments(scenario.adopts_at);
  for (const DrainPlan& drain : scenario.drains) moments.push_back(drain.at);
  for (const ListPlan& list : scenario.lists) moments.push_back(list.at);
  if (scenario.stop_at)
    moments.insert(moments.end(), {*scenario.stop_at, scenario.doors_close_at()});
  if (scenario.cut_at) moments.push_back(*scenario.cut_at);
  if (moments.empty() || dice.chance(60)) return milliseconds(dice.of_any_size(1, 5000));
  const milliseconds at = moments[dice.between(0, moments.size() - 1)];
  return std::max(at + milliseconds(dice.between(0, 40)) - milliseconds(10), milliseconds(0));
}

LookPlan draw_look(Dice& dice, const Scenario& scenario, bool kicks) {
  LookPlan look{.at = draw_moment(dice, scenario), .query = draw_query(dice)};
  if (dice.chance(20))
    look.query.filter.route = route_of(static_cast<PoolKind>(dice.between(0, kPoolKinds - 1)));
  const bool is_theme = scenario.theme == Theme::kLiveTable;
  if (dice.chance(is_theme ? 95 : 60)) look.at_once = is_theme ? 1 : dice.between(1, 4);
  look.by_id = dice.chance(15);
  if (kicks && dice.chance(35)) {
    look.kick.emplace();
    if (dice.chance(50)) look.kick->over = milliseconds(dice.of_any_size(1, 3000));
    look.query.details = dice.chance(70);
    if (dice.chance(50)) look.at_once.reset();
    if (dice.chance(40)) look.kick->order = gateway::config::ClosingOrder::random;
    // As of the main thread's own, some show nobody.
    look.query.rows = dice.chance(80) ? gateway::LiveQuery::kRowsMax : 0;
    look.query.after.reset();
    if (dice.chance(50)) look.query.filter = {.kind = gateway::LiveKind::kWebSocket};
    return look;
  }
  if (!dice.chance(is_theme ? 70 : 40)) return look;
  look.in_pages = true;
  look.query.sort = gateway::LiveSort::kId;
  look.query.after.reset();
  look.query.rows = dice.between(1, 4);
  if (dice.chance(is_theme ? 90 : 50)) look.query.filter = {};
  if (dice.chance(25)) look.query.filter.opened_only = true;
  look.as_stream = !look.query.greatest_first && dice.chance(60);
  if (look.as_stream) look.query.counts_all = false;
  return look;
}

}  // namespace

gateway::ClosingPlan plan_of(const KickPlan& kick, unsigned number) {
  return {.over = kick.over,
          .order = kick.order,
          .reason = gateway::Reason::kKicked,
          .close_code = kick_code(number),
          .close_reason = kick_reason(number),
          .boundary_time = milliseconds(2000)};
}

// Where others are moved by their number alone nobody is kicked.
LooksPlan draw_looks(Dice& dice, const Scenario& scenario) {
  LooksPlan plan;
  const bool is_theme = scenario.theme == Theme::kLiveTable;
  if (!is_theme && dice.chance(35)) return plan;
  const bool kicks = scenario.theme != Theme::kRebalance && dice.chance(45);
  plan.looks.resize(is_theme ? dice.between(20, 200) : dice.of_any_size(1, 16));
  for (LookPlan& look : plan.looks) look = draw_look(dice, scenario, kicks);
  std::ranges::stable_sort(plan.looks, {}, &LookPlan::at);
  if (dice.chance(60)) plan.in_stop = static_cast<unsigned>(dice.of_any_size(1, 200));
  return plan;
}

}  // namespace simulation
