#include "gateway/shard/shard_generation.hh"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/shard/orphans.hh"
#include "uring/check.hh"

namespace gateway {

ShardGeneration::ShardGeneration(config::SharedGeneration generation,
                                 std::vector<PoolServers> servers,
                                 uring::Held<ShardGeneration> previous)
    : generation_(std::move(generation)),
      servers_(std::move(servers)),
      previous_(std::move(previous)) {}

bool ShardGeneration::load_next(const Resources& resources) {
  if (contexts_.size() < config().listeners.size()) {
    load_listener(resources);
  } else if (pools_.size() < config().pools.size()) {
    load_pool(resources);
  }
  const bool is_whole =
      contexts_.size() == config().listeners.size() && pools_.size() == config().pools.size();
  if (!is_whole) return true;
  name_routes(resources);
  for (const uring::Held<UpstreamPool>& pool : pools_) {
    const UpstreamPool* const previous = previous_pool(pool->config().name);
    if (previous != nullptr) resources.upstreams.succeed(*previous, *pool);
  }
  previous_ = {};
  servers_.clear();
  return false;
}

void ShardGeneration::load_listener(const Resources& resources) {
  const config::Listener& listener = config().listeners[contexts_.size()];
  if (listener.tls && !load_contexts(*listener.tls, resources)) return;
  contexts_.push_back(std::exchange(making_, nullptr));
  const std::string name = listener.address.text();
  listener_traffic_.push_back(resources.counters.listeners.of(name));
  listener_connections_.push_back(resources.live.of(limits::LiveCounts::Of::kListener, name));
}

// One step of what its names have first, then of its own. True: all is there. What was tried when
// the configuration was read can be loaded.
bool ShardGeneration::load_contexts(const config::Tls& tls, const Resources& resources) {
  const auto check_of = [](const std::optional<config::ClientCertificates>& clients) {
    return clients ? &clients->check : nullptr;
  };
  const std::size_t policy = by_name_.size();
  const bool is_own = policy == tls.policies.size();
  ContextSet wanted = {.pems = &tls.pems,
                       .check = check_of(is_own ? tls.clients : tls.policies[policy].clients),
                       .contexts = nullptr,
                       .has_policies = is_own && policy > 0};
  if (!load_set(wanted, resources)) return false;
  wanted.contexts = making_;
  sets_.push_back(wanted);
  if (!is_own) {
    by_name_.push_back(std::exchange(making_, nullptr));
    return false;
  }
  for (std::size_t i = 0; i < policy; ++i) {
    making_->add_policy(tls.policies[i].names, *by_name_[i]);
  }
  by_name_.clear();
  return true;
}

// One certificate, or all where they are there already. True: that was the last.
bool ShardGeneration::load_set(const ContextSet& wanted, const Resources& resources) {
  if (!making_) return begin_set(wanted, resources);
  if (!share_certificate(wanted)) {
    const auto added = making_->add((*wanted.pems)[making_->size()]);
    CHECK(added.has_value(), "certificates that were checked at the load can be used");
  }
  return making_->size() == wanted.pems->size();
}

// All of them where they are there already; else the CAs of clients, or the first certificate.
bool ShardGeneration::begin_set(const ContextSet& wanted, const Resources& resources) {
  const std::vector<ContextSet> sets = sets_like(wanted);
  for (const ContextSet& set : sets) {
    if (wanted.has_policies || set.has_policies || *set.pems != *wanted.pems) continue;
    making_ = set.contexts;
    return true;
  }
  making_ = std::make_shared<tls::ServerContexts>(resources.tickets, &resources.buffers);
  if (wanted.check == nullptr) return load_set(wanted, resources);
  if (!sets.empty()) {
    making_->check_clients_like(*sets.front().contexts);
    return load_set(wanted, resources);
  }
  const auto checks = making_->check_clients(*wanted.check);
  CHECK(checks.has_value(), "CAs that were checked at the load can be used");
  return false;
}

bool ShardGeneration::share_certificate(const ContextSet& wanted) {
  const tls::Pem& next = (*wanted.pems)[making_->size()];
  for (const ContextSet& set : sets_like(wanted)) {
    const auto found = std::ranges::find(*set.pems, next);
    if (found == set.pems->end()) continue;
    making_->add(*set.contexts, static_cast<std::size_t>(found - set.pems->begin()));
    return true;
  }
  return false;
}

// Those that are whole, of this generation and of the one before, and check clients alike.
std::vector<ShardGeneration::ContextSet> ShardGeneration::sets_like(
    const ContextSet& wanted) const {
  std::vector<ContextSet> sets;
  const ShardGeneration* const generations[] = {this, previous_.get()};
  for (const ShardGeneration* const one : generations) {
    if (one == nullptr) continue;
    std::ranges::copy_if(one->sets_, std::back_inserter(sets), [&](const ContextSet& set) {
      if (set.check == nullptr || wanted.check == nullptr) return set.check == wanted.check;
      return *set.check == *wanted.check;
    });
  }
  return sets;
}

void ShardGeneration::load_pool(const Resources& resources) {
  const std::size_t index = pools_.size();
  const std::string& name = config().pools[index].name;
  const auto other = std::ranges::find(servers_, name, &PoolServers::pool);
  config::ServerList list = other == servers_.end() ? nullptr : other->servers;
  auto pool =
      resources.upstreams.make_pool(generation_, index, std::move(list), previous_pool(name));
  CHECK(pool.has_value(), "CAs that were checked at the load can be used");
  pools_.push_back(std::move(*pool));
}

void ShardGeneration::replace_servers(Upstreams& upstreams,
                                      const std::vector<PoolServers>& servers) {
  for (const PoolServers& other : servers) {
    for (uring::Held<UpstreamPool>& pool : pools_) {
      if (pool->config().name != other.pool) continue;
      pool = upstreams.replace_servers(*pool, other.servers);
    }
  }
}

void ShardGeneration::name_routes(const Resources& resources) {
  for (const config::Route& route : config().routes) {
    route_traffic_.push_back(resources.counters.routes.of(route.name));
    route_under_way_.push_back(
        resources.live.of(limits::LiveCounts::Of::kRoute, identity_of(route)));
  }
}

limits::LiveCount& ShardGeneration::under_way_of(const config::Route& route) const {
  return *route_under_way_[static_cast<std::size_t>(&route - config().routes.data())];
}

RouteTraffic& ShardGeneration::traffic_of(const config::Route& route) const {
  return *route_traffic_[static_cast<std::size_t>(&route - config().routes.data())];
}

const UpstreamPool* ShardGeneration::previous_pool(const std::string& name) const {
  if (!previous_) return nullptr;
  for (const uring::Held<UpstreamPool>& pool : previous_->pools_) {
    if (pool->config().name == name) return pool.get();
  }
  return nullptr;
}

}  // namespace gateway
