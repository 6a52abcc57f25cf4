#include "tools/load/engine/think_time.hh"

#include <algorithm>
#include <utility>

namespace load {

ThinkTime::ThinkTime(uring::Loop& loop, std::function<void()> over)
    : loop_(loop), over_(std::move(over)), timer_(*this, loop.timers()) {}

void ThinkTime::begin(Time until) {
  until_.push_back(until);
  std::ranges::push_heap(until_, std::greater{});
  timer_.arm(until_.front());
}

void ThinkTime::on_time() {
  while (!until_.empty() && until_.front() <= loop_.now()) {
    std::ranges::pop_heap(until_, std::greater{});
    until_.pop_back();
  }
  if (!until_.empty()) timer_.arm(until_.front());
  over_();
}

}  // namespace load
