#include "gateway/process/admin_traffic.hh"

#include <cmath>

namespace gateway {
namespace {

std::uint64_t messages(const WebSocketFlow& flow) {
  std::uint64_t all = 0;
  for (std::size_t size_class = 0; size_class < ws::MessageSizes::kClasses; ++size_class)
    all += flow.sizes.count(size_class);
  return all;
}

void add_route(Totals& totals, const RouteTraffic& route) {
  totals.messages_from_client += messages(route.from_client);
  totals.messages_from_upstream += messages(route.from_upstream);
  totals.bytes_from_client += route.from_client.payload_bytes.value();
  totals.bytes_from_upstream += route.from_upstream.payload_bytes.value();
  totals.requests += route.requests.value();
  route.request.add_to(totals.request);
  route.first_byte.add_to(totals.first_byte);
  route.upgrade.add_to(totals.upgrade);
}

admin::Json number_or_null(const std::optional<double>& number) {
  return number ? admin::Json(*number) : admin::Json(nullptr);
}

}  // namespace

using admin::Json;

Traffics traffics(const Shards& shards, Subject subject) {
  Traffics all;
  shards.for_each([&](const Shard& shard) {
    shard.counters().for_each(
        subject, [&](const std::string& name, const Traffic& traffic) { all[name].add(traffic); });
  });
  return all;
}

Failures failures_of_servers(const Shards& shards) {
  Failures all;
  shards.for_each([&](const Shard& shard) {
    for (const auto& [name, server] : shard.counters().servers.entries())
      all[name] += server->failures.total();
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

Json shard_json(const Shard& shard, std::size_t index) {
  using uring::BufferGroup;
  const UnderWay now = shard.under_way().now();
  const uring::ReceiveBuffers& buffers = shard.receive_buffers();
  const auto both = [](auto small, auto bulk) { return std::uint64_t{small} + bulk; };
  return {{"shard", index},
          {"connections", now.connections},
          {"websockets", now.websockets},
          {"requests", now.requests},
          {"turns", shard.turns().turns.value()},
          {"completions", shard.turns().completions.value()},
          {"busy_seconds", nullptr},
          {"receive_buffers_free",
           both(buffers.free(BufferGroup::kSmall), buffers.free(BufferGroup::kBulk))},
          {"receive_buffers",
           both(buffers.count(BufferGroup::kSmall), buffers.count(BufferGroup::kBulk))},
          {"batch_bytes", shard.batches().committed()},
          {"batch_bytes_max", shard.batches().budget()},
          {"batch_memory_bytes", shard.batches().in_use()}};
}

std::uint64_t Totals::websockets_ended() const {
  std::uint64_t all = 0;
  for (const std::uint64_t count : websockets.ended) all += count;
  return all;
}

Totals totals_of(const Shards& shards) {
  Totals totals;
  shards.for_each([&](const Shard& shard) {
    totals.under_way += shard.under_way().now();
    totals.websockets.add(shard.websockets());
    for (const auto& [name, route] : shard.counters().routes.entries()) add_route(totals, *route);
    for (const auto& [name, listener] : shard.counters().listeners.entries())
      listener->handshake.add_to(totals.handshake);
    for (const uring::LinkSide side : {uring::LinkSide::kClients, uring::LinkSide::kServers}) {
      totals.pushed_back_seconds +=
          static_cast<double>(shard.links_counted(side).held_back_ms.value()) / 1e3;
    }
  });
  return totals;
}

Json totals_json(const Totals& totals) {
  return {{"connections", totals.under_way.connections},
          {"websockets", totals.under_way.websockets},
          {"requests_under_way", totals.under_way.requests},
          {"requests", totals.requests},
          {"websockets_opened", totals.websockets.opened},
          {"websockets_ended", totals.websockets_ended()},
          {"messages_from_client", totals.messages_from_client},
          {"messages_from_upstream", totals.messages_from_upstream},
          {"bytes_from_client", totals.bytes_from_client},
          {"bytes_from_upstream", totals.bytes_from_upstream},
          {"pushed_back_seconds", totals.pushed_back_seconds}};
}

std::optional<double> percentile(const Durations::Totals& before, const Durations::Totals& now,
                                 double share) {
  // What a reload has forgotten is not taken away from what there is.
  const auto since = [&](std::size_t index) {
    return now.below[index] > before.below[index] ? now.below[index] - before.below[index] : 0;
  };
  std::uint64_t all = 0;
  for (std::size_t index = 0; index < now.below.size(); ++index) all += since(index);
  if (all == 0) return std::nullopt;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all)));
  std::uint64_t passed = 0;
  for (std::size_t index = 0; index < Durations::kBounds; ++index) {
    passed += since(index);
    if (passed >= wanted) return Durations::bounds()[index];
  }
  return Durations::bounds().back();
}

Json latency_json(const Durations::Totals& before, const Durations::Totals& now) {
  if (!percentile(before, now, 0)) return nullptr;
  const std::uint64_t count = now.count() - std::min(before.count(), now.count());
  return {{"p50", number_or_null(percentile(before, now, 0.50))},
          {"p90", number_or_null(percentile(before, now, 0.90))},
          {"p99", number_or_null(percentile(before, now, 0.99))},
          {"count", count}};
}

}  // namespace gateway
