// Deadlines of a loop: a hierarchical wheel of four levels with 64 slots each, the finest 8 ms
// wide, the widest 35 minutes; a deadline beyond is looked at again after 37 hours. Arming and
// disarming cost a few stores. A timer fires at its deadline or up to one slot later, never before.
//
// A Timer lives in its owner; it may be armed anew, disarmed or destroyed at any time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "uring/kernel.hh"
#include "uring/ready.hh"

namespace uring {

class TimerWheel;

class Timer {
 public:
  // `expired` is put into the ready list when the deadline has passed.
  Timer(TimerWheel& wheel, Ready& expired) : wheel_(wheel), expired_(expired) {}
  ~Timer() { disarm(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm(Clock::time_point deadline);
  void disarm();
  bool armed() const { return slot_ != nullptr; }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  Ready& expired_;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  Timer** slot_ = nullptr;
  std::uint64_t tick_ = 0;
};

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kSlot{8};

  TimerWheel(ReadyList& ready, Clock::time_point start) : ready_(ready), start_(start) {}

  // Puts what has expired by `now` into the ready list.
  void advance(Clock::time_point now);

  // How long nothing can expire; none if nothing is armed.
  std::optional<std::chrono::nanoseconds> until_next(Clock::time_point now) const;

 private:
  friend class Timer;
  static constexpr unsigned kLevels = 4;
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1u << kSlotBits;

  struct Level {
    std::uint64_t occupied = 0;  // a bit per slot
    std::array<Timer*, kSlots> slots{};
  };

  std::uint64_t tick_of(Clock::time_point time) const;
  void insert(Timer& timer);
  void remove(Timer& timer);
  void cascade(unsigned level);
  void expire_slot(unsigned slot);
  std::uint64_t next_tick() const;

  ReadyList& ready_;
  Clock::time_point start_;
  std::uint64_t now_tick_ = 0;
  std::size_t armed_ = 0;
  std::array<Level, kLevels> levels_{};
};

}  // namespace uring
