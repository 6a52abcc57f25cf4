#include "gateway/shard/shard_generation.hh"

#include <algorithm>
#include <utility>

#include "uring/check.hh"

namespace gateway {

ShardGeneration::ShardGeneration(config::SharedGeneration generation,
                                 uring::Held<ShardGeneration> previous)
    : generation_(std::move(generation)), previous_(std::move(previous)) {}

bool ShardGeneration::load_next(const Resources& resources) {
  if (contexts_.size() < config().listeners.size()) {
    load_listener(resources);
  } else if (pools_.size() < config().pools.size()) {
    load_pool(resources);
  }
  const bool is_whole =
      contexts_.size() == config().listeners.size() && pools_.size() == config().pools.size();
  if (!is_whole) return true;
  name_routes(resources.counters);
  for (const uring::Held<UpstreamPool>& pool : pools_) {
    const UpstreamPool* const previous = previous_pool(pool->config().name);
    if (previous != nullptr) resources.upstreams.succeed(*previous, *pool);
  }
  previous_ = {};
  return false;
}

void ShardGeneration::load_listener(const Resources& resources) {
  const config::Listener& listener = config().listeners[contexts_.size()];
  if (listener.tls && !load_contexts(*listener.tls, resources)) return;
  contexts_.push_back(std::exchange(making_, nullptr));
  listener_traffic_.push_back(resources.counters.of(Subject::kListener, listener.address.text()));
}

// One certificate, or all where they are there already. True: that was the last. What was tried
// when the configuration was read can be loaded.
bool ShardGeneration::load_contexts(const config::Tls& tls, const Resources& resources) {
  if (!making_) return begin_contexts(tls, resources);
  if (!share_certificate(tls)) {
    const auto added = making_->add(tls.pems[making_->size()]);
    CHECK(added.has_value(), "certificates that were checked at the load can be used");
  }
  return making_->size() == tls.pems.size();
}

// All of them where they are there already; else the CAs of clients, or the first certificate.
bool ShardGeneration::begin_contexts(const config::Tls& tls, const Resources& resources) {
  const std::vector<ContextSet> sets = sets_like(tls);
  for (const ContextSet& set : sets) {
    if (set.tls->pems != tls.pems) continue;
    making_ = set.contexts;
    return true;
  }
  making_ = std::make_shared<tls::ServerContexts>(resources.tickets, &resources.buffers);
  if (!tls.clients) return load_contexts(tls, resources);
  if (!sets.empty()) {
    making_->check_clients_like(*sets.front().contexts);
    return load_contexts(tls, resources);
  }
  const auto checks = making_->check_clients(tls.clients->check);
  CHECK(checks.has_value(), "CAs that were checked at the load can be used");
  return false;
}

bool ShardGeneration::share_certificate(const config::Tls& tls) {
  const tls::Pem& wanted = tls.pems[making_->size()];
  for (const ContextSet& set : sets_like(tls)) {
    const auto& pems = set.tls->pems;
    const auto found = std::find(pems.begin(), pems.end(), wanted);
    if (found == pems.end()) continue;
    making_->add(*set.contexts, static_cast<std::size_t>(found - pems.begin()));
    return true;
  }
  return false;
}

// Those that are whole, of this generation and of the one before, and check clients alike.
std::vector<ShardGeneration::ContextSet> ShardGeneration::sets_like(const config::Tls& tls) const {
  const auto check_of = [](const config::Tls& one) {
    return one.clients ? &one.clients->check : nullptr;
  };
  const tls::ClientCheck* const wanted = check_of(tls);
  std::vector<ContextSet> sets;
  const ShardGeneration* const generations[] = {this, previous_.get()};
  for (const ShardGeneration* const one : generations) {
    for (std::size_t i = 0; one != nullptr && i < one->contexts_.size(); ++i) {
      if (!one->contexts_[i]) continue;
      const config::Tls& there = *one->config().listeners[i].tls;
      const tls::ClientCheck* const check = check_of(there);
      const bool alike = wanted != nullptr ? check != nullptr && *check == *wanted : !check;
      if (alike) sets.push_back({&there, one->contexts_[i]});
    }
  }
  return sets;
}

void ShardGeneration::load_pool(const Resources& resources) {
  const std::size_t index = pools_.size();
  auto pool =
      resources.upstreams.make_pool(generation_, index, previous_pool(config().pools[index].name));
  CHECK(pool.has_value(), "CAs that were checked at the load can be used");
  pools_.push_back(std::move(*pool));
}

void ShardGeneration::name_routes(Counters& counters) {
  for (const config::Route& route : config().routes) {
    route_traffic_.push_back(counters.of(Subject::kRoute, route.name));
  }
}

Traffic& ShardGeneration::traffic_of(const config::Route& route) const {
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
