// A configuration that serves, or has served: the Config with all that its load has read from disk,
// and which one it is since the process began. Immutable, and shared by the main thread and all
// shards; what a shard makes of it is its ShardGeneration, and nobody else there holds this.
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
