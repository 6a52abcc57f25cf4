// The shards' counters, added up for the admin listener.
#pragma once

#include <array>
#include <map>
#include <string>

#include "gateway/admin/json.hh"
#include "gateway/metrics/traffic.hh"
#include "gateway/process/shards.hh"

namespace gateway {

// By name: a route's, a listener's, or a server's (Counters::server_name()).
using Traffics = std::map<std::string, TrafficTotals>;
Traffics traffics(const Shards& shards, Subject subject);

// Of servers (Counters::server_name()): requests and WebSockets that ended by their fault.
using Failures = std::map<std::string, std::uint64_t>;
Failures failures_of_servers(const Shards& shards);

// Of one of them: "requests_total" and so on.
void add_totals(admin::Json& json, const Traffics& traffics, const std::string& name);

// What one shard does.
admin::Json shard_json(const Shard& shard, std::size_t index);

// Of all together. Of what goes on the numbers are as they are at this moment.
struct Totals {
  UnderWay under_way;
  WebSocketTotals websockets;
  std::uint64_t requests = 0;  // that have ended
  std::uint64_t messages_from_client = 0;
  std::uint64_t messages_from_upstream = 0;
  std::uint64_t bytes_from_client = 0;  // of messages
  std::uint64_t bytes_from_upstream = 0;
  double pushed_back_seconds = 0;  // of both sides

  Durations::Totals request;
  Durations::Totals first_byte;
  Durations::Totals handshake;
  Durations::Totals upgrade;

  std::uint64_t websockets_ended() const;
};
Totals totals_of(const Shards& shards);
admin::Json totals_json(const Totals& totals);

// Of what happened between the two: {"p50", "p90", "p99", "count"}, or null where nothing did. A
// percentile is the upper bound of those that a share of it does not exceed.
admin::Json latency_json(const Durations::Totals& before, const Durations::Totals& now);
// One of these; nothing where nothing happened.
std::optional<double> percentile(const Durations::Totals& before, const Durations::Totals& now,
                                 double share);

}  // namespace gateway
