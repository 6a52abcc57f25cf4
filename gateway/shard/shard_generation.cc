#include "gateway/shard/shard_generation.hh"

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

// What was tried when the configuration was read can be loaded.
void ShardGeneration::load_listener(const Resources& resources) {
  const config::Listener& listener = config().listeners[contexts_.size()];
  listener_traffic_.push_back(resources.counters.of(Subject::kListener, listener.address.text()));
  const auto& tls = listener.tls;
  if (!tls) {
    contexts_.push_back(nullptr);
    return;
  }
  auto contexts = tls::ServerContexts::load(tls->pems, resources.tickets, &resources.buffers);
  CHECK(contexts.has_value(), "certificates that were checked at the load can be used");
  contexts_.push_back(std::move(*contexts));
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
