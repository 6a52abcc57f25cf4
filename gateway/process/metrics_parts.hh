// What each part of a scrape is made of (metrics_report.hh): which families there are, and where
// their numbers are found. docs/metrics.md has them all in a table, and a test compares.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/metrics/counters.hh"
#include "gateway/process/metrics_report.hh"
#include "gateway/process/metrics_text.hh"

namespace gateway {

// Those of all shards, which may change meanwhile: each number is read once.
using CountersOfShards = std::vector<const Counters*>;

void add_listeners(MetricsText& to, const CountersOfShards& shards);
void add_requests(MetricsText& to, const CountersOfShards& shards);
void add_websockets(MetricsText& to, const CountersOfShards& shards);
void add_messages(MetricsText& to, const CountersOfShards& shards);
void add_server_traffic(MetricsText& to, const CountersOfShards& shards);
void add_servers(MetricsText& to, const MetricsFacts& facts);
void add_shards(MetricsText& to, const MetricsFacts& facts);
void add_links(MetricsText& to, const MetricsFacts& facts);
void add_process(MetricsText& to, const MetricsFacts& facts);

}  // namespace gateway
