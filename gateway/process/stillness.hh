// Waits until what changes has been still for a while, but not for ever: what never comes to rest
// is looked at now and then all the same.
#pragma once

#include <chrono>
#include <functional>

#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class Stillness {
 public:
  static constexpr std::chrono::seconds kStill{1};
  static constexpr std::chrono::seconds kPatience{30};

  // `then` is called once for all that was noted until then.
  Stillness(uring::Loop& loop, std::function<void()> then)
      : loop_(loop), then_(std::move(then)), timer_(*this, loop.timers()) {}

  // Something has changed.
  void disturb();
  // Nothing is waited for any more.
  void forget();

 private:
  void on_still();

  uring::Loop& loop_;
  const std::function<void()> then_;
  uring::TimerMember<&Stillness::on_still> timer_;
  uring::Clock::time_point since_{};
  bool waiting_ = false;
};

}  // namespace gateway
