// What may be seen of a rebalancing: none begins before servers have changed, no more are asked than
// some server had too many, and no faster than may be. It looks at the Registry around each turn of
// the shard that leads, and at what the log tells.
#include <algorithm>
#include <cmath>

#include "tests/simulation/world.hh"

namespace simulation {
namespace {

constexpr milliseconds kLook = gateway::Rebalancing::kLook;

}  // namespace

// Of the servers of that pool, as a list or a generation has them.
std::vector<World::Share> World::shares_of(std::uint64_t generation, const Sites& sites) {
  const RebalancePlan plan = plan_rebalance(stage_.scenario, generation);
  const bool by_lists = !stage_.scenario.lists.empty();
  std::vector<Share> shares;
  for (std::size_t at = 0; at < kRebalancedSites; ++at) {
    if (!sites[at]) continue;
    const auto state =
        registry_.server(std::string(name_of(kRebalanced)), std::string(kSites[at].address));
    // Nobody leaves who takes nothing new, and what it has is nobody's share.
    if (state->draining() || !state->health.is_up()) continue;
    shares.push_back({by_lists ? 1 : plan.weights[at], state->count_websockets()});
  }
  return shares;
}

// How many have more than their share, which is rounded up.
std::size_t World::surplus_of(const std::vector<Share>& shares) {
  double weights = 0;
  double websockets = 0;
  for (const Share& share : shares) {
    weights += share.weight;
    websockets += static_cast<double>(share.websockets);
  }
  std::size_t surplus = 0;
  for (const Share& share : shares) {
    const auto fair = static_cast<std::size_t>(std::ceil(websockets * (share.weight / weights)));
    surplus += share.websockets - std::min(share.websockets, fair);
  }
  return surplus;
}

// By what the leader may have had at its last turn.
std::size_t World::surplus_at_most() {
  const std::uint64_t number = shards_.front().shard->generation()->number();
  if (stage_.scenario.lists.empty()) {
    return surplus_of(shares_of(number, plan_generation(stage_.scenario, number).sites));
  }
  std::size_t most = 0;
  for (const List& list : lists_) {
    const bool its = list.sites.any() && list.pool == kRebalanced;
    if (its) most = std::max(most, surplus_of(shares_of(number, list.sites)));
  }
  return most;
}

// One that is up again has come, too.
void World::note_who_is_up() {
  for (std::size_t at = 0; at < kRebalancedSites; ++at) {
    if (!(stage_.scenario.lists.empty() ? plan_.sites : sites_)[at]) continue;
    const auto state =
        registry_.server(std::string(name_of(kRebalanced)), std::string(kSites[at].address));
    if (!state->health.is_up()) {
      down_.insert(at);
    } else if (down_.erase(at) > 0) {
      ++changes_;
    }
  }
}

// Around a turn of the leader: `before` is what some had too many then.
void World::judge_rebalance(std::size_t begun_before, std::size_t before) {
  note_who_is_up();
  const Rebalances& rebalances = stage_.rebalances;
  Chronicle& chronicle = stage_.chronicle;
  if (rebalances.all.size() > begun_before) {
    if (rebalances.all.size() > changes_) {
      chronicle.fail("world", "is rebalanced {} times, servers have changed {} times",
                     rebalances.all.size(), changes_);
    }
    // Some may have come or gone in that turn.
    const std::size_t most = std::max(before, surplus_at_most());
    const std::size_t told = rebalances.all.back().surplus;
    if (told == 0 || told > most) {
      chronicle.fail("world", "{} are to be asked, {} are too many", told, most);
    }
  }
  std::size_t may_be_asked = 0;
  double in_time = 0;
  const double rate = static_cast<double>(plan_.rebalance.per_second);
  for (std::size_t at = 0; at < rebalances.all.size(); ++at) {
    const Rebalance& one = rebalances.all[at];
    const bool is_last = at + 1 == rebalances.all.size();
    const Time until = is_last ? stage_.now() : rebalances.all[at + 1].begun;
    may_be_asked += one.surplus;
    in_time += rate * std::chrono::duration<double>(until - one.begun + kLook).count() + 1;
    if (one.done && one.asked > one.surplus) {
      chronicle.fail("world", "{} were asked, {} were too many", one.asked, one.surplus);
    }
  }
  if (rebalances.asked > may_be_asked) {
    chronicle.fail("world", "{} were asked in all, not {}", rebalances.asked, may_be_asked);
  }
  if (static_cast<double>(rebalances.asked) > in_time) {
    chronicle.fail("world", "{} were asked by now, {:.1f} may have been", rebalances.asked,
                   in_time);
  }
}

// Whoever was asked comes again, as somebody else.
void World::call_reserves() {
  while (called_ < stage_.rebalances.asked) {
    const auto next = std::ranges::find_if(clients_, &SimulatedClient::is_in_reserve);
    if (next == clients_.end()) return;
    next->call();
    ++called_;
  }
}

}  // namespace simulation
