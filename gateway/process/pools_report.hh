// What `gateway pools` says: every pool with its servers as they are now, for people and as JSON.
#pragma once

#include <string>

#include "gateway/config/config.hh"
#include "gateway/process/server_drains.hh"
#include "gateway/process/server_lists.hh"

namespace gateway {

struct PoolsFacts {
  const config::Config& config;
  const ServerLists& lists;
  const ServerDrains& drains;
};

std::string pools_text(const PoolsFacts& facts);
std::string pools_json(const PoolsFacts& facts);

}  // namespace gateway
