// When messages are due in an open loop, told by the clock alone: whatever a peer does, the times
// are the same. So latency counts from when a message was meant to go, and a peer that stalls is
// charged for all that it held up. It knows no clock: who asks says what time it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

#include "uring/kernel.hh"

namespace load {

enum class Arrival : std::uint8_t { kEven, kPoisson };

class Schedule {
 public:
  using Time = uring::Clock::time_point;

  // Nothing is due.
  Schedule() = default;
  // The first one is due at `begin`, or, of many schedules that share a rate, a part of the first
  // distance later (`offset`, 0 to 1). Precondition: per_second > 0.
  Schedule(double per_second, Arrival arrival, Time begin, std::uint64_t seed, double offset = 0);

  // When the next one is due; Time::max() if none ever is.
  Time next() const { return next_; }
  // Takes the next one. Precondition: there is one.
  Time take();
  // Takes all that are due until then, however many; gives how many these are. Of random ones it
  // knows how many there are on average.
  std::uint64_t skip_until(Time time);

 private:
  Time after(double distances) const;

  double distance_ns_ = 0;
  Arrival arrival_ = Arrival::kEven;
  Time begin_{};
  double taken_ = 0;  // distances from begin_ to next_: no error adds up
  Time next_ = Time::max();
  std::minstd_rand random_;
};

}  // namespace load
