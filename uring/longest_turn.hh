// The longest turn of a loop of late: in the window of time that runs, and in the one before, so
// between one window and two of them back. Whoever reads it changes nothing, so any number may.
#pragma once

#include <algorithm>
#include <chrono>

#include "uring/count.hh"
#include "uring/kernel.hh"

namespace uring {

class LongestTurn {
 public:
  static constexpr std::chrono::seconds kWindow{15};

  // On the loop's thread: a turn that began then has taken so long.
  void note(Clock::time_point began, Clock::duration took) {
    if (began >= window_ends_) begin_window(began);
    const auto length = static_cast<std::uint64_t>(took.count());
    if (length > current_) current_.set(length);
  }

  // On any thread.
  Clock::duration of_late(Clock::time_point now) const {
    const Clock::time_point ends{Clock::duration(static_cast<std::int64_t>(ends_.value()))};
    if (now >= ends + kWindow) return Clock::duration::zero();
    const std::uint64_t longest =
        now >= ends ? current_.value() : std::max(current_.value(), previous_.value());
    return Clock::duration(static_cast<std::int64_t>(longest));
  }

 private:
  void begin_window(Clock::time_point now) {
    previous_.set(now < window_ends_ + kWindow ? current_.value() : 0);
    current_.set(0);
    window_ends_ = now + kWindow;
    ends_.set(static_cast<std::uint64_t>(window_ends_.time_since_epoch().count()));
  }

  Clock::time_point window_ends_;  // the writer's own
  Count ends_;                     // the same, for who reads
  Count current_;
  Count previous_;
};

}  // namespace uring
