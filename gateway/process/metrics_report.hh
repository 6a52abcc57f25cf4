// What `gateway metrics` says, and a scrape of the metrics: every counter of the process as text.
// It is made on the main thread from numbers that shards keep writing, so no shard waits for it.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/config/generation.hh"
#include "gateway/limits/client_limits.hh"
#include "gateway/log/writer.hh"
#include "gateway/process/certificate_ends.hh"
#include "gateway/process/metrics_text.hh"
#include "gateway/process/reload.hh"
#include "gateway/process/server_drains.hh"
#include "gateway/process/server_lists.hh"
#include "gateway/process/shards.hh"
#include "gateway/process/utilisation.hh"
#include "gateway/tracing/exporter.hh"
#include "gateway/upstream/descriptor_budget.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

// What is remembered from one scrape to the next.
struct MetricsMemory {
  Utilisation utilisation;
  CertificateEnds certificates;
};

struct MetricsFacts {
  const Shards& shards;
  const config::Generation& generation;
  const Reload::Counts& reloads;
  std::uint64_t upgrades_failed;
  std::uint64_t admin_tokens_refused;
  limits::ClientLimits& limits;
  const uring::MemoryAccount& memory;
  const LogWriter& log;
  const tracing::SpanQueue& spans;
  const tracing::Exporter::Counts& exports;
  const ServerLists& lists;
  const ServerDrains& drains;
  Registry& registry;
  const DescriptorBudget& descriptors;
  uring::Clock::time_point now;
  double start_time;  // of the process, seconds since 1970
  MetricsMemory& before;
};

std::string metrics_text(const MetricsFacts& facts, MetricsFormat format);

}  // namespace gateway
