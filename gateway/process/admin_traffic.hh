// The shards' counters, added up for the admin listener.
#pragma once

#include <map>
#include <string>

#include "gateway/admin/json.hh"
#include "gateway/metrics/traffic.hh"
#include "gateway/process/shards.hh"

namespace gateway {

// By name: a route's, a listener's, or a server's with its pool's.
using Traffics = std::map<std::string, TrafficTotals>;
Traffics traffics(const Shards& shards, Subject subject);

// Of one of them: "requests_total" and so on.
void add_totals(admin::Json& json, const Traffics& traffics, const std::string& name);
void add_server_totals(admin::Json& json, const Traffics& traffics, const std::string& pool,
                       const std::string& server);

// What one shard does.
void add_shard_figures(admin::Json& json, const Shard& shard);

// Of all together.
struct Totals {
  UnderWay under_way;
  std::uint64_t requests = 0;  // that have ended
  WebSocketTotals websockets;
};
Totals totals_of(const Shards& shards);
admin::Json totals_json(const Totals& totals);

}  // namespace gateway
