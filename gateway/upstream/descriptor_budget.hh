// How many clients the process may have, so that each that is in can be served: a client counts
// for two descriptors, its own and one towards a server. What waits beyond that waits in the
// kernel's queues, before it costs anything.
//
// Shared by all shards. Each writes the numbers of its own share only; whoever asks adds all up,
// which happens once for a client that comes and once for a server that is dialled.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gateway {

class DescriptorBudget {
 public:
  explicit DescriptorBudget(std::size_t shards) : shares_(shards) {}

  // On the main thread, before any shard runs. `limit`: what the process may have open; `in_use`:
  // what it has; `listeners`: over all shards, since each may accept one client more than there is
  // room for.
  void set_capacity(std::size_t limit, std::size_t in_use, std::size_t listeners);
  // Likewise while they run: so many listening sockets are open now.
  void set_listeners(std::size_t listeners);
  std::size_t clients_max() const { return capacity_.load(std::memory_order_relaxed) / 2; }

  // On the shard's thread. `idle`: connections to servers that no client uses at the moment, kept
  // and closing ones.
  void note_clients(std::size_t shard, std::size_t count) { store(shares_[shard].clients, count); }
  void note_idle(std::size_t shard, std::size_t count) { store(shares_[shard].idle, count); }

  // How many more clients can be served.
  std::size_t clients_more() const;
  // With less room than this they are accepted one by one: in one pass the kernel may accept more.
  std::size_t burst() const { return burst_.load(std::memory_order_relaxed); }

 private:
  // For the log, names to be resolved, and what else opens a file for a moment.
  static constexpr std::size_t kReserve = 8;

  using Count = std::atomic<std::uint32_t>;
  struct alignas(64) Share {
    Count clients{0};
    Count idle{0};
  };

  static void store(Count& count, std::size_t value) {
    count.store(static_cast<std::uint32_t>(value), std::memory_order_relaxed);
  }

  std::size_t limit_ = 0;
  std::size_t own_ = 0;                   // what the process has open beside listening sockets
  std::atomic<std::size_t> capacity_{2};  // descriptors for clients and servers
  std::atomic<std::size_t> burst_{0};
  std::vector<Share> shares_;
};

}  // namespace gateway
