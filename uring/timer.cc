#include "uring/timer.hh"

#include <algorithm>
#include <bit>

namespace uring {

void Timer::arm(Clock::time_point deadline) {
  disarm();
  // The slot after the one that holds the deadline: never early.
  tick_ = wheel_.tick_of(deadline) + 1;
  wheel_.insert(*this);
  ++wheel_.armed_;
}

void Timer::disarm() {
  if (slot_ == nullptr) return;
  wheel_.remove(*this);
  --wheel_.armed_;
}

std::uint64_t TimerWheel::tick_of(Clock::time_point time) const {
  if (time <= start_) return 0;
  return static_cast<std::uint64_t>((time - start_) / kSlot);
}

void TimerWheel::insert(Timer& timer) {
  const std::uint64_t tick = std::max(timer.tick_, now_tick_ + 1);
  const std::uint64_t distance = tick - now_tick_;
  unsigned level = 0;
  while (level + 1 < kLevels && distance >= (std::uint64_t{1} << (kSlotBits * (level + 1)))) {
    ++level;
  }
  // Beyond the last level: the farthest slot; it is sorted in again when that one comes round.
  const std::uint64_t reach = std::uint64_t{1} << (kSlotBits * kLevels);
  const std::uint64_t placed = std::min(tick, now_tick_ + reach - 1);
  const unsigned slot = (placed >> (kSlotBits * level)) & (kSlots - 1);
  Timer*& head = levels_[level].slots[slot];
  timer.slot_ = &head;
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head != nullptr) head->previous_ = &timer;
  head = &timer;
  levels_[level].occupied |= std::uint64_t{1} << slot;
}

void TimerWheel::remove(Timer& timer) {
  if (timer.previous_ != nullptr) timer.previous_->next_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  if (*timer.slot_ == &timer) *timer.slot_ = timer.next_;
  if (*timer.slot_ == nullptr) {
    for (Level& level : levels_) {
      if (timer.slot_ < level.slots.data() || timer.slot_ >= level.slots.data() + kSlots) continue;
      level.occupied &= ~(std::uint64_t{1} << (timer.slot_ - level.slots.data()));
    }
  }
  timer.slot_ = nullptr;
}

void TimerWheel::expire_slot(unsigned slot) {
  while (Timer* timer = levels_[0].slots[slot]) {
    remove(*timer);
    --armed_;
    ready_.push(timer->expired_);
  }
}

void TimerWheel::cascade(unsigned level) {
  const unsigned slot = (now_tick_ >> (kSlotBits * level)) & (kSlots - 1);
  if (slot == 0 && level + 1 < kLevels) cascade(level + 1);
  Timer* timer = levels_[level].slots[slot];
  levels_[level].slots[slot] = nullptr;
  levels_[level].occupied &= ~(std::uint64_t{1} << slot);
  while (timer != nullptr) {
    Timer* next = timer->next_;
    timer->slot_ = nullptr;
    if (timer->tick_ <= now_tick_) {
      --armed_;
      ready_.push(timer->expired_);
    } else {
      insert(*timer);
    }
    timer = next;
  }
}

void TimerWheel::advance(Clock::time_point now) {
  const std::uint64_t target = tick_of(now);
  while (now_tick_ < target) {
    if (armed_ == 0) {
      now_tick_ = target;
      return;
    }
    // Skip the empty stretch at once; only occupied slots and the turns of the levels matter.
    now_tick_ = std::min(target, next_tick());
    const unsigned slot = now_tick_ & (kSlots - 1);
    if (slot == 0) cascade(1);
    expire_slot(slot);
  }
}

std::uint64_t TimerWheel::next_tick() const {
  const unsigned position = now_tick_ & (kSlots - 1);
  const std::uint64_t later =
      position == kSlots - 1 ? 0 : levels_[0].occupied >> (position + 1) << (position + 1);
  if (later != 0) return now_tick_ - position + static_cast<unsigned>(std::countr_zero(later));
  return now_tick_ - position + kSlots;  // where the next level is sorted in
}

std::optional<std::chrono::nanoseconds> TimerWheel::until_next(Clock::time_point now) const {
  if (armed_ == 0) return std::nullopt;
  std::uint64_t tick = next_tick();
  // Over empty finest levels: up to the next occupied slot of the next level.
  if (levels_[0].occupied == 0 && levels_[1].occupied != 0) {
    const unsigned position = (now_tick_ >> kSlotBits) & (kSlots - 1);
    const std::uint64_t turned = std::rotr(levels_[1].occupied, static_cast<int>(position));
    const unsigned distance = (turned & 1) != 0 && std::popcount(turned) == 1
                                  ? kSlots
                                  : static_cast<unsigned>(std::countr_zero(turned & ~1ull));
    const std::uint64_t base = now_tick_ >> kSlotBits;
    // Not past the turn of the next level, which may fill this one.
    const std::uint64_t level_turn = (base / kSlots + 1) * kSlots;
    tick = std::min(base + distance, level_turn) << kSlotBits;
  }
  const Clock::time_point due = start_ + tick * kSlot;
  return due > now ? due - now : std::chrono::nanoseconds::zero();
}

}  // namespace uring
