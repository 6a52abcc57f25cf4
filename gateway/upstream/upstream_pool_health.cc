// Which of a pool's servers may be asked, and what becomes of those that fail.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "gateway/config/units.hh"
#include "gateway/upstream/server_line.hh"
#include "gateway/upstream/upstream_pool.hh"
#include "gateway/upstream/upstreams.hh"

namespace gateway {

bool UpstreamPool::is_up(std::size_t index) const {
  const ServerState& state = servers_[index]->state();
  return !state.draining() && state.health.takes(owner_.now());
}

bool UpstreamPool::is_any_up() const {
  for (std::size_t index = 0; index < size(); ++index) {
    if (config_of(index).weight > 0 && is_up(index)) return true;
  }
  return false;
}

bool UpstreamPool::has_takers() const {
  if (is_any_up()) return true;
  for (std::size_t index = 0; index < size(); ++index) {
    if (config_of(index).weight > 0 && falls_back_to(index, false)) return true;
  }
  return false;
}

// Where none is up, those that are merely ejected are asked nevertheless, or all if that is wanted.
bool UpstreamPool::falls_back_to(std::size_t index, bool any_up) const {
  const ServerState& state = servers_[index]->state();
  if (any_up || state.draining()) return false;
  const bool all = pool_.health.fallback == config::Fallback::all;
  return all || (!state.health.is_down() && !state.health.is_leaving());
}

bool UpstreamPool::may_be_asked(std::size_t index, bool any_up) const {
  return is_up(index) || falls_back_to(index, any_up);
}

ServerSlot::Bounds UpstreamPool::bounds_of(std::size_t index) const {
  const config::PoolHealth& health = pool_.health;
  const std::size_t own = config_of(index).connections_max;
  const std::size_t all = own != 0 ? own : health.connections_max;
  const std::size_t share = health.websockets_share;
  const std::size_t websockets = share == 100 ? 0 : std::max<std::size_t>(1, all * share / 100);
  return {.all = all, .websockets = all == 0 ? 0 : websockets, .upgrades = health.upgrades_max};
}

bool UpstreamPool::has_room(std::size_t index, Purpose purpose) const {
  const ServerSlot::Bounds bounds = bounds_of(index);
  return servers_[index]->state().slots.has_room(purpose == Purpose::kUpgrade, bounds.all,
                                                 bounds.websockets);
}

bool UpstreamPool::takes(std::size_t index, Purpose purpose) const {
  return has_room(index, purpose) && (is_up(index) || falls_back_to(index, is_any_up()));
}

bool UpstreamPool::has_upgrades_left() const {
  const std::size_t most = pool_.health.upgrades_max;
  return most == 0 || state().upgrades() < most;
}

ServerSlot UpstreamPool::admit(std::size_t index, Purpose purpose,
                               uring::Clock::duration trial_time) {
  if (!takes(index, purpose)) return {};
  ServerState& state = servers_[index]->state();
  ServerSlot slot = ServerSlot::take(state, *line_, purpose, bounds_of(index));
  if (!slot) return {};
  using Admission = ServerHealth::Admission;
  const auto now = owner_.now();
  const Admission admission = state.health.admit(now, trial_time);
  if (admission == Admission::kRefused) {
    if (!falls_back_to(index, is_any_up())) return {};
    // Who answers where none is up is back.
    if (state.health.is_merely_ejected()) slot.set_last_resort();
  }
  if (admission == Admission::kTrial) slot.set_trial(now + trial_time);
  if (admission == Admission::kReturned) {
    ServerLine(owner_.log_, LogLevel::info, pool_.name, servers_[index]->text(), "up")
        .word("after", "leaving")
        .write();
  }
  return slot;
}

bool UpstreamPool::has_untried(std::span<const std::size_t> tried) const {
  for (std::size_t index = 0; index < size(); ++index) {
    const bool may_be = config_of(index).weight > 0 && is_up(index);
    if (may_be && std::ranges::find(tried, index) == tried.end()) return true;
  }
  return false;
}

// The least busy one.
std::size_t UpstreamPool::choose_ejected(std::span<const std::size_t> tried,
                                         Purpose purpose) const {
  std::size_t best = balance::kNobody;
  for (std::size_t index = 0; index < size(); ++index) {
    const ServerState& state = servers_[index]->state();
    const bool may_be = config_of(index).weight > 0 && !state.draining() &&
                        state.health.is_merely_ejected() && has_room(index, purpose);
    if (!may_be || std::ranges::find(tried, index) != tried.end()) continue;
    const bool is_better =
        best == balance::kNobody || state.count() < servers_[best]->state().count();
    if (is_better) best = index;
  }
  return best;
}

ServerSlot UpstreamPool::admit_ejected(std::size_t index, Purpose purpose) {
  ServerSlot slot = ServerSlot::take(servers_[index]->state(), *line_, purpose, bounds_of(index));
  if (slot) slot.set_last_resort();
  return slot;
}

void UpstreamPool::note_success(std::size_t index, ServerSlot& slot) {
  UpstreamServer& server = *servers_[index];
  const bool trial = slot.is_trial() || slot.is_last_resort();
  slot.end_trial();
  if (!server.state().health.note_success(pool_.health.ejection, owner_.now(), trial)) return;
  ServerLine(owner_.log_, LogLevel::info, pool_.name, server.text(), "up")
      .word("after", "ejected")
      .write();
}

void UpstreamPool::note_failure(std::size_t index, ServerSlot& slot, std::string_view cause) {
  UpstreamServer& server = *servers_[index];
  ServerHealth& health = server.state().health;
  const config::Ejection& terms = pool_.health.ejection;
  const bool trial = slot.is_trial();
  slot.end_trial();
  if (!health.note_failure(terms, owner_.now(), trial)) return;
  uring::Clock::duration time{};
  {
    const std::lock_guard lock(state().ejecting());
    const bool is_ejected = health.is_ejected();
    if (!is_ejected && !may_eject(index)) return;
    time = health.eject(terms, owner_.now(), trial && is_ejected);
  }
  if (time.count() == 0) return;
  const auto rounded = std::chrono::duration_cast<std::chrono::milliseconds>(time);
  ServerLine(owner_.log_, LogLevel::warning, pool_.name, server.text(), "ejected")
      .word("for", config::print_duration(rounded))
      .quoted("cause", cause)
      .write();
}

// Never more than their share, though at least one, and never the last one that is up.
bool UpstreamPool::may_eject(std::size_t index) const {
  // Whose time is over is ejected only until somebody tries it.
  const auto ejected =
      static_cast<std::size_t>(std::ranges::count_if(servers_, [&](const auto& one) {
        const ServerHealth& health = one->state().health;
        return health.is_ejected() && !health.takes(owner_.now());
      }));
  const std::size_t most = std::max<std::size_t>(1, size() * pool_.health.ejection.share_max / 100);
  if (ejected >= most) return false;
  for (std::size_t other = 0; other < size(); ++other) {
    if (other != index && config_of(other).weight > 0 && is_up(other)) return true;
  }
  return false;
}

void UpstreamPool::note_leaving(std::size_t index, std::uint16_t status) {
  UpstreamServer& server = *servers_[index];
  const auto until = owner_.now() + pool_.health.drain_time;
  if (!server.state().health.note_leaving(until)) return;
  ServerLine(owner_.log_, LogLevel::warning, pool_.name, server.text(), "leaving")
      .number("status", status)
      .write();
}

}  // namespace gateway
