// The messages of one connection that are under way, by their numbers, and what became of each:
//
//     sent = answered + lost + pending
//
// A message is lost when its time is up or its connection has ended, and not because others have
// overtaken it: a server may answer one slowly and thousands meanwhile. An answer to a lost one is
// late. Memory is bounded by what is pending, and by the runs of lost numbers that are remembered.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/load/engine/fifo.hh"
#include "uring/kernel.hh"

namespace load {

class SequenceWindow {
 public:
  using Time = uring::Clock::time_point;
  // Of lost numbers. What is older is taken for late: that it was a duplicate is less likely.
  static constexpr std::size_t kRunsMax = 256;

  struct Flight {
    std::uint64_t number;
    Time due;
    Time sent;  // Time::min(): answered
  };
  enum class Kind : std::uint8_t { kAnswer, kReordered, kLate, kDuplicate, kUnknown };
  struct Verdict {
    Kind kind = Kind::kUnknown;  // kReordered is an answer, too
    Flight flight{};             // of an answer
  };

  // Gives its number, from 0 on.
  std::uint64_t send(Time due, Time now);
  std::uint64_t next() const { return next_; }

  Verdict answer(std::uint64_t number);
  // For messages that have no room for a number: the oldest one is meant.
  Verdict answer_oldest();

  std::uint64_t pending() const { return pending_; }
  // Calls take(const Flight&) for each that was sent before and has no answer.
  template <class Take>
  void each_pending_before(Time time, Take take) const;
  // Gives up what was sent before; gives how many.
  std::uint64_t give_up_before(Time time);
  // All of them, since nothing comes any more.
  std::uint64_t give_up();

 private:
  // Of lost numbers: from first to last.
  struct Run {
    std::uint64_t first;
    std::uint64_t last;
  };

  static bool answered(const Flight& flight) { return flight.sent == Time::min(); }
  Flight* find(std::uint64_t number);
  Verdict judge_absent(std::uint64_t number);
  void remember_lost(std::uint64_t number);
  void remember_run(std::size_t place, Run run);
  void shrink();

  Fifo<Flight> flights_;   // by number; those that were answered leave gaps
  std::vector<Run> lost_;  // the lowest first
  std::uint64_t forgotten_ = 0;  // which of the numbers below were lost, nobody knows any more
  std::uint64_t next_ = 0;
  std::uint64_t highest_ = 0;  // answered, plus 1
  std::uint64_t pending_ = 0;
};

template <class Take>
void SequenceWindow::each_pending_before(Time time, Take take) const {
  for (std::size_t i = 0; i < flights_.size(); ++i) {
    const Flight& flight = flights_[i];
    if (answered(flight)) continue;
    if (flight.sent >= time) return;
    take(flight);
  }
}

}  // namespace load
