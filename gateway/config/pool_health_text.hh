// What the printer says of PoolHealth.
#pragma once

#include <string>

#include "gateway/config/pool_health.hh"

namespace gateway::config {

// Lines of [pool.NAME] itself, and the tables in it; `pool` is its name as a key.
std::string pool_health_keys(const PoolHealth& health);
std::string pool_health_tables(const PoolHealth& health, const std::string& pool);

}  // namespace gateway::config
