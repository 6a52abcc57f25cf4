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

#include "gateway/upstream/balance/arrival.hh"
#include "gateway/upstream/pool_state.hh"
#include "gateway/upstream/server_health.hh"
#include "gateway/upstream/slot_count.hh"

namespace gateway {

// Shards write it in common, so each has a cache line of its own.
struct alignas(64) ServerState {
  // Exchanges and WebSockets: what least-connections compares.
  std::atomic<std::uint32_t> under_way{0};
  // Those of them that are open WebSockets.
  std::atomic<std::uint32_t> websockets{0};

  // WebSockets that are to be asked to come again, by whichever shard; and those that were, and are
  // there still.
  std::atomic<std::uint32_t> to_ask{0};
  std::atomic<std::uint32_t> asked{0};
  // Connections to it that are kept for the next request.
  std::atomic<std::uint32_t> kept{0};

  // It gets nothing new: an operator's wish, which later generations keep.
  std::atomic<bool> drains{false};

  // Of what is new it has its share slowly, from then on.
  balance::Arrival arrival;
  ServerHealth health;
  SlotCount slots;

  void set_draining(bool wish) {
    const bool did = drains.exchange(wish, std::memory_order_relaxed);
    if (did && !wish) arrival.note();
  }
  bool draining() const { return drains.load(std::memory_order_relaxed); }
  void begin() { under_way.fetch_add(1, std::memory_order_relaxed); }
  void end() { under_way.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t count() const { return under_way.load(std::memory_order_relaxed); }
  bool take_one_to_ask() {
    std::uint32_t left = to_ask.load(std::memory_order_relaxed);
    while (left > 0) {
      if (to_ask.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void begin_websocket() { websockets.fetch_add(1, std::memory_order_relaxed); }
  void end_websocket() { websockets.fetch_sub(1, std::memory_order_relaxed); }
  // False: so many are kept already.
  bool begin_keeping(std::size_t most) {
    if (kept.fetch_add(1, std::memory_order_relaxed) < most) return true;
    end_keeping();
    return false;
  }
  void end_keeping() { kept.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t count_websockets() const { return websockets.load(std::memory_order_relaxed); }
};

using ServerStates = std::vector<std::shared_ptr<ServerState>>;

class Registry {
 public:
  Registry();

  // Of sticky cookies, where the configuration has none: as long as the process.
  const std::string& secret() const { return secret_; }
  // On any thread, where a generation begins: never for a request. `text` is the server's as the
  // configuration has it.
  std::shared_ptr<ServerState> server(const std::string& pool, const std::string& text);
  std::shared_ptr<PoolState> pool(const std::string& name);
  // Servers that somebody holds.
  std::size_t size();

 private:
  static constexpr std::size_t kSweepAtMin = 64;

  void forget_those_gone();

  const std::string secret_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<ServerState>> servers_;
  std::map<std::string, std::weak_ptr<PoolState>> pools_;
  std::size_t sweep_at_ = kSweepAtMin;  // so many: who is gone is looked for
};

}  // namespace gateway
