#include "gateway/process/metrics_report.hh"

#include "gateway/process/metrics_parts.hh"

namespace gateway {

std::string metrics_text(const MetricsFacts& facts, MetricsFormat format) {
  CountersOfShards shards;
  facts.shards.for_each([&](const Shard& shard) { shards.push_back(&shard.counters()); });
  MetricsText text(format);
  add_listeners(text, shards);
  add_requests(text, shards);
  add_websockets(text, shards);
  add_messages(text, shards);
  add_links(text, facts);
  add_servers(text, facts);
  add_server_traffic(text, shards);
  add_shards(text, facts);
  add_process(text, facts);
  return std::move(text).finish();
}

}  // namespace gateway
