// What the admin listener tells of the process, as JSON: names are documented in docs/admin.md, and
// stay. Made on the main thread of what is there anyway; nobody else is asked for it.
#pragma once

#include <string>
#include <string_view>

#include "gateway/admin/json.hh"
#include "gateway/limits/client_limits.hh"
#include "gateway/process/admin_traffic.hh"
#include "gateway/process/live_looks.hh"
#include "gateway/process/reload.hh"
#include "gateway/process/server_drains.hh"
#include "gateway/process/server_lists.hh"
#include "gateway/process/shards.hh"
#include "uring/memory_account.hh"

namespace gateway {

struct AdminFacts {
  const config::Generation& generation;
  const Shards& shards;
  const ServerLists& lists;
  const ServerDrains& drains;
  const DescriptorBudget& descriptors;
  limits::ClientLimits& limits;
  const uring::MemoryAccount& memory;
  const Reload::Counts& reloads;
  const Totals& earlier;  // a few seconds ago
  double busy;            // the greatest share of a shard's time of late
  std::string_view state;
  std::chrono::duration<double> uptime;
  uring::Clock::time_point now;

  const config::Config& config() const { return generation.config; }
};

double now_seconds();  // since 1970
admin::Json version_json();
admin::Json pool_json(const AdminFacts& facts, const config::Pool& pool);
admin::Json pools_json(const AdminFacts& facts);
admin::Json servers_json(const AdminFacts& facts);  // of all pools
admin::Json routes_json(const AdminFacts& facts);
admin::Json listeners_json(const AdminFacts& facts);
admin::Json limits_json(const AdminFacts& facts);
admin::Json certificates_json(const config::Config& config);
admin::Json shards_json(const AdminFacts& facts);
// All that a page shows at once, but "top", which takes a look at the live table.
admin::Json snapshot_json(const AdminFacts& facts);

admin::Json row_json(const LiveRow& row);

}  // namespace gateway
