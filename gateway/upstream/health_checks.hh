// The active checks of one shard. Each server of a pool that has [pool.NAME.health] belongs to one
// shard, by its name: so the process asks it once in a while, whatever shards there are, and a
// later generation's check of it takes the place of the earlier one's on the same shard.
//
//   adopt() -> [waits for its time] -> [asks] -> the server's health -> [waits ...
//        '--------------------- until a generation has it no more, or stop()
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/log/log.hh"
#include "gateway/upstream/health_probe.hh"
#include "gateway/upstream/upstreams.hh"

namespace gateway {

class HealthChecks {
 public:
  // That are asked at once by one shard: further ones wait for a moment.
  static constexpr std::size_t kAtOnce = 16;
  static constexpr std::chrono::milliseconds kMoment{20};

  // All outlive it. It is shard number `shard` of `shards`.
  HealthChecks(uring::LinkResources& links, Upstreams& upstreams, std::size_t shard,
               std::size_t shards, Log log);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  // These pools are the newest: their servers are checked, and no others.
  void adopt(const std::vector<uring::Held<UpstreamPool>>& pools);
  // No more checks; returns when none is under way.
  uring::Task<> stop();

  std::size_t size() const { return checks_.size(); }
  std::size_t under_way() const { return under_way_; }

  uring::BlockPool& frames() { return links_.loop.frames(); }

 private:
  class Check;

  bool is_mine(const std::string& pool, const std::string& server) const;
  void adopt(UpstreamPool& pool, std::size_t index);
  void settle_new(UpstreamPool& pool, std::size_t index);
  void settle_unchecked(UpstreamPool& pool, std::size_t index);
  void forget(Check& check);

  uring::LinkResources& links_;
  Upstreams& upstreams_;
  std::size_t shard_;
  std::size_t shards_;
  Log log_;
  std::vector<std::unique_ptr<Check>> checks_;
  std::size_t under_way_ = 0;
  uring::Event idle_;  // none is under way
  bool stopped_ = false;
};

}  // namespace gateway
