#include "gateway/upstream/pool_state.hh"

#include <algorithm>

namespace gateway {

bool PoolState::raise(Count& count, std::size_t most) {
  std::uint32_t now = count.load();
  while (now < most) {
    if (count.compare_exchange_weak(now, now + 1)) return true;
  }
  return false;
}

void PoolState::note_head(std::size_t shard, uring::Bell* bell, std::optional<Time> since) {
  const std::lock_guard lock(heads_mutex_);
  const auto head = std::ranges::find(heads_, shard, &Head::shard);
  if (!since) {
    if (head != heads_.end()) heads_.erase(head);
  } else if (head == heads_.end()) {
    heads_.push_back({shard, bell, *since});
  } else {
    head->since = *since;
  }
}

bool PoolState::is_next(std::size_t shard) {
  const std::lock_guard lock(heads_mutex_);
  const auto first = std::ranges::min_element(heads_, {}, &Head::since);
  if (first == heads_.end() || first->shard == shard) return true;
  if (first->bell == nullptr) return true;
  first->bell->ring();
  return false;
}

}  // namespace gateway
