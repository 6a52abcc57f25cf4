// When the next one goes of those that are to go evenly over a time: the k-th of n at k/n of it,
// the first at once. Whoever goes by himself, or joins, changes the pace of those behind him. No
// I/O: it is told the time.
#pragma once

#include <chrono>
#include <cstddef>

#include "uring/kernel.hh"

namespace gateway {

class Pace {
 public:
  using Time = uring::Clock::time_point;

  // Who comes later than that does not make up for it: what was due meanwhile would go all at once.
  static constexpr std::chrono::seconds kStandstill{1};

  Pace(Time now, std::chrono::milliseconds over) : next_(now), ends_(now + over) {}

  Time next() const { return next_; }
  // One of those that are left, himself included, goes.
  void note_gone(Time now, std::size_t left) {
    if (now - next_ > kStandstill) next_ = now;
    if (next_ < ends_) next_ += (ends_ - next_) / static_cast<long>(left);
  }
  // Somebody has joined, and is the only one.
  void note_alone(Time now) {
    if (next_ > now) next_ = now;
  }

 private:
  Time next_;
  Time ends_;
};

}  // namespace gateway
