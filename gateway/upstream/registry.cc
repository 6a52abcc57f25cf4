#include "gateway/upstream/registry.hh"

#include <sys/random.h>

#include <algorithm>

#include "uring/check.hh"

namespace gateway {
namespace {

std::string make_secret() {
  std::string secret(32, '\0');
  const ssize_t made = getrandom(secret.data(), secret.size(), 0);
  CHECK(made == static_cast<ssize_t>(secret.size()), "the system has random bytes for a secret");
  return secret;
}

}  // namespace

Registry::Registry() : secret_(make_secret()) {}

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

std::shared_ptr<PoolState> Registry::pool(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<PoolState>& known = pools_[name];
  std::shared_ptr<PoolState> state = known.lock();
  if (state != nullptr) return state;
  state = std::make_shared<PoolState>();
  known = state;
  std::erase_if(pools_, [](const auto& entry) { return entry.second.expired(); });
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
