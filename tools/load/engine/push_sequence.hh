// The numbers of what a server pushes to one connection, from 0 on: which have come, out of turn or
// twice, and which are missing. A missing one is awaited for a time, and then it is lost; one that
// comes after that is late. What is remembered is bounded, whatever numbers come.
#pragma once

#include <cstdint>
#include <vector>

#include "uring/kernel.hh"

namespace load {

class PushSequence {
 public:
  using Time = uring::Clock::time_point;
  // Of missing numbers, and of lost ones. Beyond it the oldest missing ones are lost, and the
  // oldest lost ones, should they come, are taken for late, whether they were or came twice.
  static constexpr std::size_t kRunsMax = 256;
  // No gap is so wide: such a number is none of the sequence.
  static constexpr std::uint64_t kGapMax = 1'000'000'000;

  enum class Kind : std::uint8_t { kNext, kReordered, kLate, kDuplicate, kAstray };

  Kind take(std::uint64_t number, Time now);
  // Those before were not for us to see: it begins with the next one that comes.
  void begin_anywhere() { anywhere_ = true; }

  // Gives up what has been missing since before; gives how many are lost since it was last asked.
  std::uint64_t give_up_before(Time time);
  std::uint64_t give_up() { return give_up_before(Time::max()); }

 private:
  // From first to last.
  struct Run {
    std::uint64_t first;
    std::uint64_t last;
    Time since;
  };
  using Runs = std::vector<Run>;

  static bool remove(Runs& runs, std::uint64_t number);
  void lose_first();
  void forget_first();

  Runs missing_;  // the lowest first, which are the oldest, too
  Runs lost_;     // the lowest first
  std::uint64_t next_ = 0;
  std::uint64_t forgotten_ = 0;  // which of the numbers below were lost, nobody knows any more
  std::uint64_t newly_lost_ = 0;
  bool anywhere_ = false;
};

}  // namespace load
