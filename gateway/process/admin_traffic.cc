#include "gateway/process/admin_traffic.hh"

namespace gateway {

using admin::Json;

Traffics traffics(const Shards& shards, Subject subject) {
  Traffics all;
  shards.for_each([&](const Shard& shard) {
    shard.counters().for_each(
        subject, [&](const std::string& name, const Traffic& traffic) { all[name].add(traffic); });
  });
  return all;
}

void add_totals(Json& json, const Traffics& traffics, const std::string& name) {
  const auto found = traffics.find(name);
  const TrafficTotals totals = found == traffics.end() ? TrafficTotals{} : found->second;
  Json answered = Json::object();
  for (std::size_t digit = 1; digit < totals.answered.size(); ++digit)
    answered[std::to_string(digit) + "xx"] = totals.answered[digit];
  answered["none"] = totals.answered[0];
  json["requests_total"] = totals.requests;
  json["websockets_total"] = totals.websockets;
  json["answered"] = std::move(answered);
  json["bytes_from_client_total"] = totals.from_client_bytes;
  json["bytes_to_client_total"] = totals.to_client_bytes;
}

void add_server_totals(Json& json, const Traffics& traffics, const std::string& pool,
                       const std::string& server) {
  add_totals(json, traffics, pool + " " + server);
}

void add_shard_figures(Json&, const Shard&) {}

Totals totals_of(const Shards& shards) {
  Totals totals;
  shards.for_each([&](const Shard& shard) {
    totals.under_way += shard.under_way().now();
    totals.websockets.add(shard.websockets());
  });
  for (const auto& [name, traffic] : traffics(shards, Subject::kListener))
    totals.requests += traffic.requests;
  return totals;
}

Json totals_json(const Totals& totals) {
  std::uint64_t ended = 0;
  for (const std::uint64_t count : totals.websockets.ended) ended += count;
  return {{"connections", totals.under_way.connections},
          {"websockets", totals.under_way.websockets},
          {"requests_under_way", totals.under_way.requests},
          {"requests", totals.requests},
          {"websockets_opened", totals.websockets.opened},
          {"websockets_ended", ended},
          {"messages_from_client", totals.websockets.from_client.messages},
          {"messages_from_upstream", totals.websockets.from_upstream.messages},
          {"bytes_from_client", totals.websockets.from_client.payload_bytes},
          {"bytes_from_upstream", totals.websockets.from_upstream.payload_bytes}};
}

}  // namespace gateway
