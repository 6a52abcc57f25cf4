// Think time of one connection in a closed loop: the place of an answered message among those in
// flight stays empty until it is over. There are as many as may be in flight, at most.
#pragma once

#include <functional>
#include <vector>

#include "uring/loop.hh"

namespace load {

class ThinkTime {
 public:
  using Time = uring::Clock::time_point;

  // `over` is called whenever a place is free again.
  ThinkTime(uring::Loop& loop, std::function<void()> over);

  void begin(Time until);
  // That are not free yet.
  std::size_t places() const { return until_.size(); }

 private:
  void on_time();

  uring::Loop& loop_;
  std::function<void()> over_;
  std::vector<Time> until_;  // a heap, the earliest first
  uring::TimerMember<&ThinkTime::on_time> timer_;
};

}  // namespace load
