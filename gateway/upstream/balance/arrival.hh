// Since when a server takes part: it has come into its pool while the process serves, is drained no
// more, or is healthy again. For any thread. Who notes it need not know the time: that is noted by
// whoever asks first.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "gateway/upstream/balance/candidate.hh"
#include "uring/kernel.hh"

namespace gateway::balance {

// What a server has at first of its share.
inline constexpr std::uint64_t kFirstPart = kWhole / 10;

// What it has after so long, in kWhole parts: it grows evenly over the time of its slow start.
inline std::uint64_t grown(uring::Clock::duration since, std::chrono::milliseconds slow_start) {
  const std::chrono::nanoseconds whole = slow_start;
  // Another shard's clock may be ahead of this one's.
  if (whole.count() == 0 || since >= whole) return kWhole;
  const double part = static_cast<double>(std::max(since, uring::Clock::duration(0)).count()) /
                      static_cast<double>(whole.count());
  return kFirstPart + static_cast<std::uint64_t>(part * (kWhole - kFirstPart));
}

class Arrival {
 public:
  using Time = uring::Clock::time_point;

  void note() { at_.store(kJustNow, std::memory_order_relaxed); }

  // What it has of its share by now, in kWhole parts.
  std::uint64_t part(Time now, std::chrono::milliseconds slow_start) {
    std::int64_t at = at_.load(std::memory_order_relaxed);
    if (at == kLongAgo) return kWhole;
    if (at == kJustNow) {
      const std::int64_t ticks = now.time_since_epoch().count();
      at = at_.compare_exchange_strong(at, ticks, std::memory_order_relaxed) ? ticks : at;
    }
    if (at == kLongAgo) return kWhole;
    return grown(now - Time(Time::duration(at)), slow_start);
  }

 private:
  static constexpr std::int64_t kLongAgo = INT64_MIN;
  static constexpr std::int64_t kJustNow = INT64_MAX;

  std::atomic<std::int64_t> at_{kLongAgo};
};

}  // namespace gateway::balance
