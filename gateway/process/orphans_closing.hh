// What becomes of WebSockets whose route or server is gone, as [reload] orphans says: the plan that
// shards get when a newer generation, or another list of servers, leaves some out; and what is told
// of them. All share one count of those who wait.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "gateway/config/config.hh"
#include "gateway/process/closing_watch.hh"
#include "gateway/shard/paced_closing.hh"

namespace gateway {

class OrphansClosing {
 public:
  OrphansClosing(ClosingWatch& watch, unsigned shards) : watch_(watch), shards_(shards) {}
  OrphansClosing(const OrphansClosing&) = delete;
  OrphansClosing& operator=(const OrphansClosing&) = delete;

  // Nothing: they live on.
  std::optional<PacedPlan> plan(const config::Config& config) const;
  // Once all shards have begun: how many are closed, for a line of the log. From here on what is
  // left of them is told.
  std::string tell(const config::Config& config, std::size_t closing);
  std::size_t waiting() const { return *waiting_; }

 private:
  ClosingWatch& watch_;
  const unsigned shards_;
  std::shared_ptr<ClosingCount> waiting_ = std::make_shared<ClosingCount>(0);
};

}  // namespace gateway
