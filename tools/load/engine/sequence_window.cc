#include "tools/load/engine/sequence_window.hh"

#include <algorithm>

namespace load {
namespace {

// Answered flights that may lie among the others beyond their number, before they are left out.
constexpr std::uint64_t kAnsweredKept = 16;

}  // namespace

std::uint64_t SequenceWindow::send(Time due, Time now) {
  flights_.push({next_, due, now});
  ++pending_;
  return next_++;
}

SequenceWindow::Verdict SequenceWindow::answer(std::uint64_t number) {
  if (number >= next_) return {};
  Flight* const flight = find(number);
  if (flight == nullptr) return judge_absent(number);
  if (answered(*flight)) return {.kind = Kind::kDuplicate};
  const bool overtaken = number < highest_;
  const Verdict verdict{.kind = overtaken ? Kind::kReordered : Kind::kAnswer, .flight = *flight};
  flight->sent = Time::min();
  --pending_;
  highest_ = std::max(highest_, number + 1);
  shrink();
  return verdict;
}

SequenceWindow::Verdict SequenceWindow::answer_oldest() {
  return flights_.empty() ? Verdict{} : answer(flights_[0].number);
}

std::uint64_t SequenceWindow::give_up_before(Time time) {
  std::uint64_t lost = 0;
  while (!flights_.empty() && (answered(flights_[0]) || flights_[0].sent < time)) {
    const Flight flight = flights_.pop();
    if (answered(flight)) continue;
    remember_lost(flight.number);
    ++lost;
  }
  pending_ -= lost;
  return lost;
}

std::uint64_t SequenceWindow::give_up() {
  return give_up_before(Time::max());
}

// Where nothing has come out of turn, its place is its distance from the first.
SequenceWindow::Flight* SequenceWindow::find(std::uint64_t number) {
  if (flights_.empty() || number < flights_[0].number) return nullptr;
  std::size_t last = std::min<std::uint64_t>(number - flights_[0].number, flights_.size() - 1);
  std::size_t first = 0;
  if (flights_[last].number == number) return &flights_[last];
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    if (flights_[middle].number < number) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return flights_[first].number == number ? &flights_[first] : nullptr;
}

// One that was sent, and is not pending: it was lost, or answered before.
SequenceWindow::Verdict SequenceWindow::judge_absent(std::uint64_t number) {
  if (number < forgotten_) return {.kind = Kind::kLate};
  const auto run = std::ranges::lower_bound(lost_, number, {}, &Run::last);
  if (run == lost_.end() || number < run->first) return {.kind = Kind::kDuplicate};
  const Run whole = *run;
  const auto place = static_cast<std::size_t>(run - lost_.begin());
  lost_.erase(run);
  if (number < whole.last) remember_run(place, {number + 1, whole.last});
  if (whole.first < number) remember_run(place, {whole.first, number - 1});
  return {.kind = Kind::kLate};
}

void SequenceWindow::remember_lost(std::uint64_t number) {
  if (!lost_.empty() && lost_.back().last + 1 == number) {
    lost_.back().last = number;
  } else {
    remember_run(lost_.size(), {number, number});
  }
}

void SequenceWindow::remember_run(std::size_t place, Run run) {
  lost_.insert(lost_.begin() + static_cast<std::ptrdiff_t>(place), run);
  if (lost_.size() <= kRunsMax) return;
  forgotten_ = lost_.front().last + 1;
  lost_.erase(lost_.begin());
}

// Leaves out what is answered: at the front always, elsewhere once it is more than the rest.
void SequenceWindow::shrink() {
  while (!flights_.empty() && answered(flights_[0])) flights_.pop();
  if (flights_.size() <= 2 * pending_ + kAnsweredKept) return;
  for (std::size_t left = flights_.size(); left > 0; --left) {
    const Flight flight = flights_.pop();
    if (!answered(flight)) flights_.push(flight);
  }
}

}  // namespace load
