// A rate with a burst, as the generic cell rate algorithm has it (ITU-T I.371): of a flow nothing
// is known but the time at which the next event would be due if all came evenly. One that comes
// earlier than that is let in as long as it is not earlier than the burst allows; who is refused
// owes nothing for it. A plain value: whoever shares one holds a lock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace gateway::limits {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

struct Rate {
  Nanoseconds interval{0};  // between two events; 0: any number is let in
  Nanoseconds burst{0};     // at least one interval: what may come at once, counted in time

  bool is_limited() const { return interval.count() != 0; }

  // `per_second` 0: any number. What was not used for so long may be used at once, at least one.
  static Rate of(std::uint64_t per_second, std::chrono::milliseconds burst) {
    if (per_second == 0) return {};
    const Nanoseconds interval =
        std::max(Nanoseconds(std::chrono::seconds(1)) / static_cast<std::int64_t>(per_second),
                 Nanoseconds(1));
    // A whole number of events.
    const std::int64_t events = std::max<std::int64_t>(Nanoseconds(burst) / interval, 1);
    return {interval, interval * events};
  }
};

class Gcra {
 public:
  // How long until one is let in; zero: now.
  Nanoseconds wait(const Rate& rate, Clock::time_point now) const {
    if (!rate.is_limited()) return Nanoseconds(0);
    // Under an earlier rate it may have been let go further ahead.
    const Clock::time_point due = std::min(due_, now + rate.burst);
    const Clock::time_point next = std::max(due, now) + rate.interval;
    return std::max(next - now - rate.burst, Nanoseconds(0));
  }
  // One has been let in.
  void note(const Rate& rate, Clock::time_point now) {
    if (rate.is_limited()) due_ = std::max(std::min(due_, now + rate.burst), now) + rate.interval;
  }
  // It knows nothing any more that somebody new would not have.
  bool is_idle(Clock::time_point now) const { return due_ <= now; }

 private:
  Clock::time_point due_{};
};

}  // namespace gateway::limits
