// Keeps what strangers can cause at will from flooding the log: of each cause so many lines are let
// through in an interval, the others are counted, and when the interval is over one line tells how
// many they were:
//
//     left out lines=37 seconds=10 cause="tls-failed: no shared group"
//
// One per shard, on its thread; a call allocates nothing. Invariant: an entry lives as long as its
// interval, and the timer is armed for the first one that ends.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/log/level.hh"
#include "gateway/log/log.hh"
#include "uring/timer.hh"

namespace gateway {

class Throttle {
 public:
  struct Rate {
    uint64_t lines;
    std::chrono::seconds interval;
  };
  static constexpr Rate kUsual{10, std::chrono::seconds(10)};
  // Of causes in one interval. All above count as one cause.
  static constexpr size_t kCausesMax = 64;
  // What is longer is told apart, and told, by its first bytes.
  static constexpr size_t kCauseBytesMax = 96;

  Throttle(Log log, uring::TimerWheel& timers) : log_(log), timer_(*this, timers) {}

  // Whether a line is to be logged now. `cause` is what such lines have in common, in a few words
  // that come from us: the name of an ending, of a pool, never text of a peer. A cause keeps the
  // rate that its first line in an interval came with.
  bool admit(LogLevel level, std::string_view cause, uring::Clock::time_point now,
             Rate rate = kUsual);

  // Tells at once what was left out so far, and counts anew: for the end of a shard.
  void tell_all();

 private:
  struct Entry {
    std::array<char, kCauseBytesMax> cause;
    size_t cause_bytes;
    LogLevel level;  // the most serious of its lines
    Rate rate;
    uring::Clock::time_point until;
    uint64_t lines;

    std::string_view name() const { return {cause.data(), cause_bytes}; }
  };

  Entry* find(std::string_view cause);
  Entry& add(std::string_view cause, LogLevel level, uring::Clock::time_point now, Rate rate);
  void on_interval_over();
  void end_until(uring::Clock::time_point now);
  void tell(const Entry& entry);

  Log log_;
  std::array<Entry, kCausesMax> entries_;
  size_t count_ = 0;
  uring::Clock::time_point due_;  // of the timer, while there are entries
  uring::TimerMember<&Throttle::on_interval_over> timer_;
};

}  // namespace gateway
