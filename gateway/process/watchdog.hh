// The service manager's watchdog is fed only while every shard answers: each is asked through its
// mailbox, several times in the interval, and asked again once all have answered. A shard that
// hangs, or a main thread that does, keeps silent, and the manager ends the process.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "gateway/process/service_manager.hh"
#include "uring/loop.hh"

namespace gateway {

class Watchdog {
 public:
  // Has all who are there answer, by adding one to the count; gives how many these are.
  using Ask = std::function<unsigned(std::atomic<unsigned>&)>;

  // On the loop's thread. The answers may come for as long as anybody was asked: it outlives them.
  Watchdog(uring::Loop& loop, ServiceManager& manager, Ask ask)
      : loop_(loop), manager_(manager), ask_(std::move(ask)), timer_(*this, loop.timers()) {}

  void start();  // does nothing where nobody waits for it
  void stop() { timer_.disarm(); }

 private:
  static constexpr int kLooks = 4;  // in an interval: late answers have time to be seen

  void look();

  uring::Loop& loop_;
  ServiceManager& manager_;
  const Ask ask_;
  std::atomic<unsigned> answered_{0};
  unsigned asked_ = 0;
  uring::TimerMember<&Watchdog::look> timer_;
};

}  // namespace gateway
