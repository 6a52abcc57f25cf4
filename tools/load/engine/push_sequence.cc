#include "tools/load/engine/push_sequence.hh"

#include <algorithm>
#include <utility>

namespace load {

PushSequence::Kind PushSequence::take(std::uint64_t number, Time now) {
  if (std::exchange(anywhere_, false)) next_ = forgotten_ = number;
  if (number == next_) {
    ++next_;
    return Kind::kNext;
  }
  if (number > next_) {
    if (number - next_ > kGapMax) return Kind::kAstray;
    missing_.push_back({next_, number - 1, now});
    if (missing_.size() > kRunsMax) lose_first();
    next_ = number + 1;
    return Kind::kNext;
  }
  if (remove(missing_, number)) {
    if (missing_.size() > kRunsMax) lose_first();
    return Kind::kReordered;
  }
  if (number < forgotten_) return Kind::kLate;
  if (!remove(lost_, number)) return Kind::kDuplicate;
  if (lost_.size() > kRunsMax) forget_first();
  return Kind::kLate;
}

std::uint64_t PushSequence::give_up_before(Time time) {
  while (!missing_.empty() && missing_.front().since < time) lose_first();
  return std::exchange(newly_lost_, 0);
}

// Whether it was in one of them.
bool PushSequence::remove(Runs& runs, std::uint64_t number) {
  const auto run = std::ranges::lower_bound(runs, number, {}, &Run::last);
  if (run == runs.end() || number < run->first) return false;
  const Run whole = *run;
  auto place = runs.erase(run);
  if (number < whole.last) place = runs.insert(place, {number + 1, whole.last, whole.since});
  if (whole.first < number) runs.insert(place, {whole.first, number - 1, whole.since});
  return true;
}

void PushSequence::lose_first() {
  const Run run = missing_.front();
  missing_.erase(missing_.begin());
  newly_lost_ += run.last - run.first + 1;
  lost_.push_back(run);
  if (lost_.size() > kRunsMax) forget_first();
}

void PushSequence::forget_first() {
  forgotten_ = lost_.front().last + 1;
  lost_.erase(lost_.begin());
}

}  // namespace load
