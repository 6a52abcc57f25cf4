#include "gateway/upstream/registry.hh"

#include <algorithm>

namespace gateway {

std::shared_ptr<ServerState> Registry::server(const std::string& pool, const std::string& text) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = servers_.try_emplace({pool, text});
  std::shared_ptr<ServerState> state = entry->second.lock();
  if (state != nullptr) return state;
  state = std::make_shared<ServerState>();
  entry->second = state;
  if (is_new && servers_.size() >= sweep_at_) forget_those_gone();
  return state;
}

std::size_t Registry::size() {
  const std::lock_guard lock(mutex_);
  forget_those_gone();
  return servers_.size();
}

void Registry::forget_those_gone() {
  std::erase_if(servers_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSweepAtMin, 2 * servers_.size());
}

}  // namespace gateway
