// The live state of servers, over all shards: who is named alike in a pool of the same name is the
// same server, in whichever generation of the configuration. So what is known of it outlives them,
// and goes with the last one that names it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gateway {

// Shards write it in common, so each has a cache line of its own.
struct alignas(64) ServerState {
  // Exchanges and WebSockets: what least-connections compares.
  std::atomic<std::uint32_t> under_way{0};
  // Those of them that are open WebSockets.
  std::atomic<std::uint32_t> websockets{0};

  // It gets nothing new: an operator's wish, which later generations keep.
  std::atomic<bool> drains{false};

  void set_draining(bool wish) { drains.store(wish, std::memory_order_relaxed); }
  bool draining() const { return drains.load(std::memory_order_relaxed); }
  void begin() { under_way.fetch_add(1, std::memory_order_relaxed); }
  void end() { under_way.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t count() const { return under_way.load(std::memory_order_relaxed); }
  void begin_websocket() { websockets.fetch_add(1, std::memory_order_relaxed); }
  void end_websocket() { websockets.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t count_websockets() const { return websockets.load(std::memory_order_relaxed); }
};

using ServerStates = std::vector<std::shared_ptr<ServerState>>;

class Registry {
 public:
  // On any thread, where a generation begins: never for a request. `text` is the server's as the
  // configuration has it.
  std::shared_ptr<ServerState> server(const std::string& pool, const std::string& text);
  // Servers that somebody holds.
  std::size_t size();

 private:
  static constexpr std::size_t kSweepAtMin = 64;

  void forget_those_gone();

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<ServerState>> servers_;
  std::size_t sweep_at_ = kSweepAtMin;  // so many: who is gone is looked for
};

}  // namespace gateway
