// The messages of one connection that are under way, by their numbers, and what became of each:
//
//     sent = answered + lost + pending
//
// A message is lost when one that was sent kReorderMax after it was answered, or when its time is
// up; an answer that comes later still is one that nobody waits for.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/load/engine/fifo.hh"
#include "uring/kernel.hh"

namespace load {

class SequenceWindow {
 public:
  using Time = uring::Clock::time_point;
  static constexpr std::uint64_t kReorderMax = 256;

  struct Flight {
    Time due;
    Time sent;  // Time::min(): answered
  };
  enum class Kind : std::uint8_t { kAnswer, kReordered, kDuplicate, kUnknown };
  struct Verdict {
    Kind kind = Kind::kUnknown;  // kReordered is an answer, too
    Flight flight{};             // of an answer
    std::uint64_t lost = 0;      // messages that are given up with it
  };

  // Gives its number, from 0 on.
  std::uint64_t send(Time due, Time now);
  std::uint64_t next() const { return first_ + flights_.size(); }

  Verdict answer(std::uint64_t number);
  // For messages that have no room for a number: the oldest one is meant.
  Verdict answer_oldest();

  std::uint64_t pending() const { return pending_; }
  // Gives up what was sent before; gives how many.
  std::uint64_t give_up_before(Time time);
  // All of them, since nothing comes any more.
  std::uint64_t give_up();

 private:
  static bool answered(const Flight& flight) { return flight.sent == Time::min(); }
  std::uint64_t shrink_to(std::uint64_t first);

  Fifo<Flight> flights_;  // from first_ on
  std::uint64_t first_ = 0;
  std::uint64_t highest_ = 0;  // answered, plus 1
  std::uint64_t pending_ = 0;
};

}  // namespace load
