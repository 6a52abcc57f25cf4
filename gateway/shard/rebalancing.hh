// WebSockets of a pool's fuller servers that are asked to come again once a server has come, or
// weights have changed: `rebalance` of a pool. The first shard leads. It sees in the Registry what
// each server has, and says there how many of its WebSockets are to be asked, at the pool's rate;
// each shard, the leader, too, asks some of its own. No more are ever asked than balance::Surplus
// has counted, and who was asked is counted nowhere until it comes again.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "gateway/client/connections.hh"
#include "gateway/log/log.hh"
#include "gateway/upstream/balance/surplus.hh"
#include "gateway/upstream/upstream_pool.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class ShardGeneration;

class Rebalancing {
 public:
  // How often it looks, where a pool wants it at all.
  static constexpr std::chrono::milliseconds kLook{100};
  // A rebalancing that has found nobody with too many for so long is over; until then a server that
  // starts slowly may have room yet.
  static constexpr std::chrono::seconds kPatience{60};
  // How long a frame under way may take to its end.
  static constexpr std::chrono::seconds kBoundaryTime{60};

  // `shards` is how many there are, `index` this one's.
  Rebalancing(uring::Loop& loop, Connections& connections, Log log, unsigned index, unsigned shards)
      : loop_(loop),
        connections_(connections),
        log_(log),
        leads_(index == 0),
        shards_(shards),
        timer_(*this, loop.timers()) {}
  Rebalancing(const Rebalancing&) = delete;
  Rebalancing& operator=(const Rebalancing&) = delete;

  // The newest from here on; it stays until the next one, or stop().
  void look_at(const ShardGeneration& newest);
  void stop();

 private:
  struct Known {
    std::string server;
    std::uint64_t weight;  // 0: it takes nothing

    bool operator==(const Known&) const = default;
  };
  // What the leader remembers of a pool.
  struct Led {
    std::string pool;
    std::vector<Known> servers;
    balance::Surplus surplus;
    std::size_t asked = 0;
    double allowance = 0;  // that may be asked now
    uring::Clock::time_point quiet_at{};
  };

  void on_time();
  void lead(UpstreamPool& pool);
  Led& led(const UpstreamPool& pool, const std::vector<Known>& servers);
  void begin(Led& led, UpstreamPool& pool);
  void allow_some(Led& led, UpstreamPool& pool);
  void end(Led& led, UpstreamPool& pool);
  void ask_some(UpstreamPool& pool);

  uring::Loop& loop_;
  Connections& connections_;
  Log log_;
  const bool leads_;
  const unsigned shards_;
  const ShardGeneration* newest_ = nullptr;
  std::vector<Led> led_;  // of the newest generation's pools that want it
  uring::TimerMember<&Rebalancing::on_time> timer_;
};

}  // namespace gateway
