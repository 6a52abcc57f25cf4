// What `gateway status` says: lines of "KEY: VALUE", for people and for scripts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/config/generation.hh"
#include "gateway/limits/client_limits.hh"
#include "gateway/process/closing_watch.hh"
#include "gateway/process/reload.hh"
#include "gateway/process/server_drains.hh"
#include "gateway/shard/under_way.hh"
#include "gateway/shard/websocket_counters.hh"

namespace gateway {

struct StatusFacts {
  std::string_view state;  // a word
  const config::Generation& generation;
  const Reload::Counts& reloads;
  std::uint64_t upgrades_failed;
  UnderWay under_way;
  WebSocketTotals websockets;
  limits::ClientLimits& limits;
  const uring::MemoryAccount& memory;
  limits::Clock::time_point now;
  const ServerDrains& drains;
  const ClosingWatch& watch;
};

std::string status_text(const StatusFacts& facts);

}  // namespace gateway
