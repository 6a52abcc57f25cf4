// When the next one goes of those that are to go evenly over a time, in all shards together: the
// k-th of n at k/n of it, the first at once. Each shard claims a turn for the next one of its own
// who wait, and the next turn when that one has gone. Whoever goes by himself, or joins, changes
// the pace of those behind him. For any thread, without a lock or I/O: it is told the time.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "uring/kernel.hh"

namespace gateway {

class Pace {
 public:
  using Time = uring::Clock::time_point;

  // Who comes later than that does not make up for it: what was due meanwhile would go all at once.
  static constexpr std::chrono::seconds kStandstill{1};
  // How long a shard waits for the others to begin: until then nobody knows how many there are.
  static constexpr std::chrono::seconds kGathering{1};

  // The time begins with the first shard that does.
  Pace(std::chrono::milliseconds over, unsigned shards) : over_(over), shards_(shards) {}

  // Each shard once, whether it has any or not; those who join later come by join().
  void begin(Time now, std::size_t count) {
    std::int64_t unset = kUnset;
    next_.compare_exchange_strong(unset, ticks(now));
    unset = kUnset;
    ends_.compare_exchange_strong(unset, ticks(now + over_));
    unclaimed_.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed);
    hasten(now);
    begun_.fetch_add(1, std::memory_order_release);
  }
  bool is_ready(Time now) const {
    const unsigned begun = begun_.load(std::memory_order_acquire);
    if (over_.count() == 0 || begun >= shards_) return true;
    return begun > 0 && ticks(now) >= ends_.load() - ticks_of(over_) + ticks_of(kGathering);
  }

  // The turn of one who waits and has none yet, once a shard has begun.
  Time claim(Time now) {
    const std::int64_t late = ticks(now) - ticks_of(kStandstill);
    const std::int64_t ends = ends_.load();
    std::int64_t next = next_.load();
    for (;;) {
      const std::int64_t turn = next < late ? ticks(now) : next;
      const std::int64_t left =
          std::max<std::int64_t>(1, unclaimed_.load(std::memory_order_relaxed));
      const std::int64_t then = turn < ends ? turn + (ends - turn) / left : turn;
      if (!next_.compare_exchange_weak(next, then)) continue;
      unclaimed_.fetch_sub(1, std::memory_order_relaxed);
      return Time(Time::duration(turn));
    }
  }
  // Of those without a turn.
  void join(Time now) {
    // The only one waits for nobody.
    unclaimed_.fetch_add(1, std::memory_order_relaxed) > 0 ? hasten(now) : lower(ticks(now));
  }
  // The latest turn of one who has one already, behind whom so many have none.
  Time latest(Time now) const {
    const std::int64_t left =
        std::max<std::int64_t>(0, unclaimed_.load(std::memory_order_relaxed)) + 1;
    return now + Time::duration(std::max<std::int64_t>(0, ends_.load() - ticks(now)) / left);
  }
  void leave() { unclaimed_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kUnset = INT64_MIN;
  // The next turn was that of the last one: those who have come behind him share what time is left.
  void hasten(Time now) {
    const std::int64_t left = unclaimed_.load(std::memory_order_relaxed);
    if (left <= 0) return;
    lower(ticks(now) + std::max<std::int64_t>(0, ends_.load() - ticks(now)) / left);
  }
  void lower(std::int64_t most) {
    std::int64_t next = next_.load();
    while (next > most && !next_.compare_exchange_weak(next, most)) {
    }
  }
  static std::int64_t ticks(Time time) { return time.time_since_epoch().count(); }
  static std::int64_t ticks_of(Time::duration time) { return time.count(); }

  const std::chrono::milliseconds over_;
  const unsigned shards_;
  std::atomic<std::int64_t> next_{kUnset};
  std::atomic<std::int64_t> ends_{kUnset};
  std::atomic<std::int64_t> unclaimed_{0};
  std::atomic<unsigned> begun_{0};
};

}  // namespace gateway
