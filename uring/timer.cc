#include "uring/timer.hh"

#include <algorithm>
#include <bit>

namespace uring {

void Timer::arm(Clock::time_point deadline) {
  // The slot after the one that holds the deadline: never early.
  const std::uint64_t tick = wheel_.tick_of(deadline) + 1;
  if (armed() && tick >= tick_) {
    // It is sorted in anew when the slot of its earlier deadline comes round.
    tick_ = tick & TimerWheel::kTickMask;
    return;
  }
  disarm();
  wheel_.arm(*this, tick);
}

void Timer::disarm() {
  if (armed()) wheel_.disarm(*this);
  take_back();
}

std::uint64_t TimerWheel::tick_of(Clock::time_point time) const {
  if (time <= start_) return 0;
  return static_cast<std::uint64_t>((time - start_) / kSlot);
}

void TimerWheel::arm(Timer& timer, std::uint64_t tick) {
  timer.tick_ = tick & kTickMask;
  insert(timer);
  ++armed_;
}

void TimerWheel::disarm(Timer& timer) {
  timer.take_back();
  timer.tick_ = 0;
  --armed_;
  const unsigned slot = timer.slot_;
  if (slots_[slot].empty()) occupied_[slot / kSlots] &= ~(std::uint64_t{1} << slot % kSlots);
}

void TimerWheel::insert(Timer& timer) {
  const std::uint64_t tick = std::max<std::uint64_t>(timer.tick_, now_tick_ + 1);
  const std::uint64_t distance = tick - now_tick_;
  unsigned level = 0;
  while (level + 1 < kLevels && distance >= (std::uint64_t{1} << (kSlotBits * (level + 1)))) {
    ++level;
  }
  // Beyond the last level: the farthest slot; it is sorted in again when that one comes round.
  const std::uint64_t reach = std::uint64_t{1} << (kSlotBits * kLevels);
  const std::uint64_t placed = std::min(tick, now_tick_ + reach - 1);
  const unsigned slot = (placed >> (kSlotBits * level)) & (kSlots - 1);
  timer.slot_ = static_cast<std::uint8_t>(level * kSlots + slot);
  slots_[timer.slot_].push(timer);
  occupied_[level] |= std::uint64_t{1} << slot;
}

// Of the slot of this level that now begins: what is due expires, the rest is sorted in anew.
void TimerWheel::empty_slot(unsigned level) {
  const unsigned slot = (now_tick_ >> (kSlotBits * level)) & (kSlots - 1);
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  List<Ready> sorted_in;
  slots_[level * kSlots + slot].move_to(sorted_in);
  while (!sorted_in.empty()) {
    Timer& timer = static_cast<Timer&>(sorted_in.pop());
    if (timer.tick_ > now_tick_) {
      insert(timer);
      continue;
    }
    timer.tick_ = 0;
    --armed_;
    ready_.push(timer);
  }
}

void TimerWheel::advance(Clock::time_point now) {
  const std::uint64_t target = tick_of(now);
  while (armed_ > 0) {
    const std::uint64_t next = next_tick();
    if (next > target) break;
    now_tick_ = next;
    // The widest first: what it holds may be due in a finer one, or at once.
    for (unsigned level = kLevels; level-- > 0;) {
      const bool begins = std::countr_zero(now_tick_) >= static_cast<int>(kSlotBits * level);
      if (begins) empty_slot(level);
    }
  }
  now_tick_ = std::max(now_tick_, target);
}

// When the first slot that holds anything begins, whatever its level: until then there is nothing
// to be done. Only while something is armed.
std::uint64_t TimerWheel::next_tick() const {
  std::uint64_t first = ~std::uint64_t{0};
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const std::uint64_t now = now_tick_ >> (kSlotBits * level);
    const std::uint64_t turned = std::rotr(occupied_[level], static_cast<int>(now & (kSlots - 1)));
    // The slot that has begun already was emptied then: what it holds is for a whole turn later.
    const std::uint64_t later = turned & ~std::uint64_t{1};
    const unsigned distance = later != 0 ? static_cast<unsigned>(std::countr_zero(later)) : kSlots;
    first = std::min(first, (now + distance) << (kSlotBits * level));
  }
  return first;
}

std::optional<std::chrono::nanoseconds> TimerWheel::until_next(Clock::time_point now) const {
  if (armed_ == 0) return std::nullopt;
  const Clock::time_point due = start_ + next_tick() * kSlot;
  return due > now ? due - now : std::chrono::nanoseconds::zero();
}

}  // namespace uring
