// Deadlines of a loop: a hierarchical wheel of four levels with 64 slots each, the finest 8 ms
// wide, the widest 35 minutes; a deadline beyond is looked at again after 37 hours. Arming and
// disarming cost a few stores. A timer fires at its deadline or up to one slot later, never before.
//
// A Timer lives in its owner; it may be armed anew, disarmed or destroyed at any time. It is either
// in the wheel, or expired and due to run, or neither; disarming ends both, so a deadline that is
// taken back never comes true, not even in the turn in which it has passed.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "uring/kernel.hh"
#include "uring/ready.hh"

namespace uring {

class TimerWheel;

class Timer : protected Ready {
 public:
  ~Timer() { disarm(); }

  void arm(Clock::time_point deadline);
  void disarm();
  // The deadline is still to pass.
  bool armed() const { return tick_ != 0; }

 protected:
  Timer(TimerWheel& wheel, Run expired, const void* owner) : Ready(expired, owner), wheel_(wheel) {}

 private:
  friend class TimerWheel;
  static constexpr unsigned kTickBits = 56;
  TimerWheel& wheel_;
  std::uint64_t tick_ : kTickBits = 0;  // when it expires; 0 outside of the wheel
  std::uint64_t slot_ : 8 = 0;          // where it is in the wheel: at that tick, or before
};

// A Timer that calls a member function of its owner, which has it as a part:
// TimerMember<&Connection::on_deadline>.
template <class Owner, auto Method>
class TimerOf : public Timer {
 public:
  TimerOf(Owner& owner, TimerWheel& wheel) : Timer(wheel, &run, &owner) {}

 private:
  static void run(Ready& self) { (self.owner<Owner>().*Method)(); }
};

template <auto Method>
using TimerMember = TimerOf<OwnerOf<Method>, Method>;

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kSlot{8};

  TimerWheel(ReadyList& ready, Clock::time_point start) : ready_(ready), start_(start) {}

  // Puts what has expired by `now` into the ready list, in the order of the deadlines.
  void advance(Clock::time_point now);

  // How long there is nothing to be done; none if nothing is armed. What is to be done may be no
  // more than to look at a timer that has been armed for later.
  std::optional<std::chrono::nanoseconds> until_next(Clock::time_point now) const;

 private:
  friend class Timer;
  static constexpr unsigned kLevels = 4;
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1u << kSlotBits;
  // No loss: time_point::max() lies 2^41 ticks ahead at the most.
  static constexpr std::uint64_t kTickMask = (std::uint64_t{1} << Timer::kTickBits) - 1;

  std::uint64_t tick_of(Clock::time_point time) const;
  void arm(Timer& timer, std::uint64_t tick);
  void disarm(Timer& timer);
  void insert(Timer& timer);
  void empty_slot(unsigned level);
  std::uint64_t next_tick() const;

  ReadyList& ready_;
  Clock::time_point start_;
  std::uint64_t now_tick_ = 0;
  std::size_t armed_ = 0;
  std::array<std::uint64_t, kLevels> occupied_{};    // a bit per slot
  std::array<List<Ready>, kLevels * kSlots> slots_;  // level after level
};

}  // namespace uring
