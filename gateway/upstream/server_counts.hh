// How many exchanges and WebSockets each server has now, over all shards: what least-connections
// compares. The one thing that shards write in common; each count has a cache line of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gateway {

class ServerCounts {
 public:
  // `servers` as config::Server::index counts them.
  explicit ServerCounts(std::size_t servers) : counts_(servers) {}

  void add(std::size_t server) { counts_[server].value.fetch_add(1, std::memory_order_relaxed); }
  void remove(std::size_t server) { counts_[server].value.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t of(std::size_t server) const {
    return counts_[server].value.load(std::memory_order_relaxed);
  }

 private:
  struct alignas(64) Count {
    std::atomic<std::uint32_t> value{0};
  };
  std::vector<Count> counts_;
};

}  // namespace gateway
