#include "gateway/upstream/pool_line.hh"

#include <algorithm>
#include <optional>
#include <utility>

namespace gateway {

void PoolLine::join(InLine& waiter, Purpose purpose) {
  waiter.purpose_ = purpose;
  waiter.since_ = loop_.now();
  waiting_[static_cast<std::size_t>(purpose)].push(waiter);
  state_->join_line(purpose);
  note_head();
  // Not by timer_.armed(): who joins may not put off what is due already.
  if (!std::exchange(ticks_, true)) timer_.arm(loop_.now() + kEvery);
}

void PoolLine::leave(InLine& waiter) {
  if (waiter.listed()) take_out(waiter);
}

void PoolLine::take_out(InLine& waiter) {
  waiter.unlist();
  state_->leave_line(waiter.purpose_);
  note_head();
}

InLine* PoolLine::first_of(Purpose purpose) {
  auto& waiting = waiting_[static_cast<std::size_t>(purpose)];
  return waiting.empty() ? nullptr : &waiting.first();
}

void PoolLine::note_head() {
  std::optional<PoolState::Time> since;
  for (const Purpose purpose : {Purpose::kRequest, Purpose::kUpgrade}) {
    const InLine* const first = first_of(purpose);
    if (first != nullptr) since = since ? std::min(*since, first->since_) : first->since_;
  }
  state_->note_head(shard_, bell_, since);
}

void PoolLine::freed() {
  if (serving_) return;
  const bool waits = state_->has_line(Purpose::kRequest) || state_->has_line(Purpose::kUpgrade);
  if (waits && state_->is_next(shard_)) serve();
}

void PoolLine::serve() {
  serving_ = true;
  while (serve_first()) {
  }
  serving_ = false;
}

// The one that has waited for longest, or else the first of the others.
bool PoolLine::serve_first() {
  InLine* first = first_of(Purpose::kRequest);
  InLine* second = first_of(Purpose::kUpgrade);
  if (first == nullptr || (second != nullptr && second->since_ < first->since_)) {
    std::swap(first, second);
  }
  for (const InLine* const head : {first, second}) {
    if (head != nullptr && serve_first(head->purpose_)) return true;
  }
  return false;
}

// Who waits for others than the one that is free keeps nobody behind him from that.
bool PoolLine::serve_first(Purpose purpose) {
  InLine* served = nullptr;
  waiting_[static_cast<std::size_t>(purpose)].find([&served](InLine& waiter) {
    if (waiter.try_now()) served = &waiter;
    return served != nullptr || waiter.takes_any();
  });
  if (served != nullptr) take_out(*served);
  return served != nullptr;
}

void PoolLine::on_tick() {
  serve();
  ticks_ = !waiting_[0].empty() || !waiting_[1].empty();
  if (ticks_) timer_.arm(loop_.now() + kEvery);
}

}  // namespace gateway
