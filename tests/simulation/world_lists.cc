// Lists of servers that change while the gateway of a run serves: who is in none that somebody
// holds is not dialled any more.
#include <algorithm>
#include <cstdlib>

#include "gateway/config/server_entry.hh"
#include "tests/simulation/world.hh"

namespace simulation {

// Of those that are there now.
gateway::PoolServers World::list_of(PoolKind pool) {
  std::vector<gateway::config::Server> servers;
  Sites its;
  for (std::size_t at = 0; at < kSites.size(); ++at) {
    if (kSites[at].pool != pool || !sites_[at]) continue;
    auto entry = gateway::config::entry_from(std::string(kSites[at].address), "/");
    if (!entry) std::abort();
    servers.push_back(std::move(entry->server));
    its.set(at);
  }
  gateway::PoolServers list{
      std::string(name_of(pool)),
      std::make_shared<const std::vector<gateway::config::Server>>(std::move(servers))};
  lists_.push_back({list.servers, its, pool});
  newest_lists_[pool] = list.servers;
  return list;
}

// What was changed stays, or the generation's servers are back.
std::vector<gateway::PoolServers> World::lists_of_generation() {
  const Scenario& scenario = stage_.scenario;
  if (scenario.lists.empty()) return {};
  const Sites before = sites_;
  const auto changed_before = changed_;
  for (std::size_t at = 0; at < kSites.size(); ++at) {
    const PoolKind pool = kSites[at].pool;
    if (!scenario.lists_outlive || !changed_before.contains(pool)) sites_[at] = plan_.sites[at];
    if (plan_.number > 1 && sites_[at] != before[at]) changed_.insert(pool);
  }
  std::vector<gateway::PoolServers> lists;
  for (unsigned pool = 0; pool < kPoolKinds; ++pool)
    lists.push_back(list_of(static_cast<PoolKind>(pool)));
  return lists;
}

void World::change_list() {
  const ListPlan& plan = stage_.scenario.lists[lists_changed_++];
  const Site& site = kSites[plan.site];
  flip_server(plan.site, sites_);
  ++changes_;
  changed_.insert(site.pool);
  stage_.chronicle.note("world", "{} {} the list", site.address,
                        sites_[plan.site] ? "comes into" : "leaves");
  gateway::ServersOrder order{{list_of(site.pool)}};
  if (plan.orphans) {
    gateway::ClosingPlan closing = plan_of_orphans(*plan.orphans);
    closing.waiting = orphans_waiting_;
    order.orphans.emplace(std::move(closing), stage_.scenario.shards);
    stage_.orphaned.insert(changed_.begin(), changed_.end());
    note_gone_routes();
  }
  ++list_orders_;
  tell_shards(order);
}

bool World::is_listed(const Site& place) const {
  const auto at = static_cast<std::size_t>(&place - kSites.data());
  return std::ranges::any_of(lists_, [&](const List& list) { return list.sites[at]; });
}

const std::vector<gateway::config::Server>& World::servers_now(
    const gateway::config::Pool& pool) const {
  for (const auto& [kind, list] : newest_lists_) {
    if (name_of(kind) == pool.name) return *list;
  }
  return pool.servers;
}

}  // namespace simulation
