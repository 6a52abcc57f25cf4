#include "gateway/upstream/server_slot.hh"

#include <utility>

namespace gateway {

ServerSlot ServerSlot::take(ServerState& state, PoolLine& line, Purpose purpose,
                            const Bounds& bounds) {
  ServerSlot slot;
  const bool websocket = purpose == Purpose::kUpgrade;
  if (!state.slots.take(websocket, bounds.all, bounds.websockets)) return slot;
  if (websocket && !line.state().begin_upgrade(bounds.upgrades)) {
    state.slots.give_back(websocket);
    return slot;
  }
  slot.state_ = &state;
  slot.line_ = uring::Held<PoolLine>(line);
  slot.websocket_ = slot.upgrading_ = websocket;
  return slot;
}

void ServerSlot::end_upgrade() {
  if (!std::exchange(upgrading_, false)) return;
  line_->state().end_upgrade();
  line_->freed();
}

void ServerSlot::give_back() {
  if (state_ == nullptr) return;
  if (std::exchange(upgrading_, false)) line_->state().end_upgrade();
  if (trial_until_) state_->health.abandon_trial(*trial_until_);
  trial_until_.reset();
  std::exchange(state_, nullptr)->slots.give_back(websocket_);
  line_->freed();
}

void ServerSlot::swap(ServerSlot& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(line_, other.line_);
  std::swap(websocket_, other.websocket_);
  std::swap(upgrading_, other.upgrading_);
  std::swap(last_resort_, other.last_resort_);
  std::swap(trial_until_, other.trial_until_);
}

}  // namespace gateway
