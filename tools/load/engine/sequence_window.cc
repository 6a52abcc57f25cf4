#include "tools/load/engine/sequence_window.hh"

#include <algorithm>
#include <utility>

namespace load {

std::uint64_t SequenceWindow::send(Time due, Time now) {
  flights_.push({due, now});
  ++pending_;
  return first_ + flights_.size() - 1;
}

SequenceWindow::Verdict SequenceWindow::answer(std::uint64_t number) {
  if (number >= next()) return {};
  // What was given up and what was answered look alike once they are behind the window.
  if (number < first_) return {.kind = number < highest_ ? Kind::kDuplicate : Kind::kUnknown};
  Flight& flight = flights_[number - first_];
  if (answered(flight)) return {.kind = Kind::kDuplicate};
  const bool late = number < highest_;
  Verdict verdict{.kind = late ? Kind::kReordered : Kind::kAnswer, .flight = flight};
  flight.sent = Time::min();
  --pending_;
  highest_ = std::max(highest_, number + 1);
  verdict.lost = shrink_to(highest_ > kReorderMax ? highest_ - kReorderMax : 0);
  return verdict;
}

SequenceWindow::Verdict SequenceWindow::answer_oldest() {
  for (std::size_t i = 0; i < flights_.size(); ++i) {
    if (!answered(flights_[i])) return answer(first_ + i);
  }
  return {};
}

std::uint64_t SequenceWindow::give_up_before(Time time) {
  std::uint64_t first = first_;
  while (first < next()) {
    const Flight& flight = flights_[first - first_];
    if (!answered(flight) && flight.sent >= time) break;
    ++first;
  }
  return shrink_to(first);
}

std::uint64_t SequenceWindow::give_up() {
  return shrink_to(next());
}

// Leaves out what is answered at the front, and all below `first`; gives how many were not.
std::uint64_t SequenceWindow::shrink_to(std::uint64_t first) {
  std::uint64_t lost = 0;
  while (!flights_.empty() && (first_ < first || answered(flights_[0]))) {
    if (!answered(flights_.pop())) ++lost;
    ++first_;
  }
  pending_ -= lost;
  return lost;
}

}  // namespace load
