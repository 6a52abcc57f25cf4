// A configuration that serves, or has served: the Config with all that its load has read from disk,
// and which one it is since the process began. Immutable, and shared by the main thread and all
// shards, each of which holds it through what it makes of it: ShardGeneration, UpstreamPool.
#pragma once

#include <cstdint>
#include <memory>

#include "gateway/config/config.hh"

namespace gateway::config {

struct Generation {
  std::uint64_t number = 1;
  Config config;
};

using SharedGeneration = std::shared_ptr<const Generation>;

}  // namespace gateway::config
