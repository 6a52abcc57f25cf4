// The stop as the main thread leads it: when nobody new is let in any more, when what is left is
// cut, and what the log says of it meanwhile and at the end.
//
//   begin(): announced --[delay]--> doors closed, WebSockets closed over a time --> all shards have
//   ended
//      '-----------------[hard_stop, or hurry()]--> what is left is cut -----'
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/config/config.hh"
#include "gateway/log/log.hh"
#include "gateway/shard/paced_closing.hh"
#include "gateway/shard/under_way.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

// What is stopped.
class Drained {
 public:
  // Whoever asks hears that it is to stop.
  virtual void announce() = 0;
  // Nobody new comes in, and what is there ends, WebSockets by the plan.
  virtual void close_doors(const ClosingPlan& websockets) = 0;
  virtual void cut() = 0;
  virtual UnderWay remaining() const = 0;

 protected:
  ~Drained() = default;
};

class Drain {
 public:
  static constexpr std::chrono::seconds kProgress{5};
  static constexpr int kHasCut = 3;

  // Both outlive it.
  Drain(uring::Loop& loop, Log log, Drained& drained);

  // Once.
  void begin(const config::DrainSettings& settings);
  // From then on the gateway is not to be sent anybody new, though it lets them in for a while.
  bool begun() const { return begun_; }
  // No more patience: what is left is cut now.
  void hurry();
  // A shard has ended.
  void add(const StopTally& tally) { tally_ += tally; }
  // All have.
  void finish();
  // Of the process, then: another one than that of a start that has failed.
  int exit_status() const { return tally_.cut > 0 ? kHasCut : 0; }

 private:
  void on_delay_over();
  void on_hard_stop();
  void on_progress();
  void cut();

  uring::Loop& loop_;
  Log log_;
  Drained& drained_;
  config::DrainSettings settings_;
  StopTally tally_;
  uring::Clock::time_point began_;
  uring::TimerMember<&Drain::on_delay_over> delay_;
  uring::TimerMember<&Drain::on_hard_stop> hard_stop_;
  uring::TimerMember<&Drain::on_progress> progress_;
  bool begun_ = false;
  bool doors_closed_ = false;
  bool cut_ = false;
};

}  // namespace gateway
