// A request's or a WebSocket's place at a server, from the choice of the server until the
// connection to it is given back: counted over all shards, so that no server has more than it may
// have. Whoever lets it go gives it back, and the first in line is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "gateway/upstream/pool_line.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

class ServerSlot {
 public:
  struct Bounds {
    std::size_t all = 0;         // 0: any
    std::size_t websockets = 0;  // of them; 0: any
    std::size_t upgrades = 0;    // handshakes in the pool; 0: any
  };

  ServerSlot() = default;
  ServerSlot(ServerSlot&& other) noexcept { swap(other); }
  ServerSlot& operator=(ServerSlot&& other) noexcept {
    ServerSlot taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~ServerSlot() { give_back(); }

  // `state` is held by whoever holds the slot. Nothing: there is none to be had.
  static ServerSlot take(ServerState& state, PoolLine& line, Purpose purpose, const Bounds& bounds);

  explicit operator bool() const { return state_ != nullptr; }
  // The WebSocket is open, or is not to be: its handshake is over.
  void end_upgrade();

  // The request decides whether the server's ejection is over.
  bool is_trial() const { return trial_until_.has_value(); }
  void set_trial(ServerHealth::Time until) { trial_until_ = until; }
  // It has decided, as has one of a last resort.
  void end_trial() {
    trial_until_.reset();
    last_resort_ = false;
  }

  // The server is ejected, and has got the request since none is up, or all others had failed it.
  bool is_last_resort() const { return last_resort_; }
  void set_last_resort() { last_resort_ = true; }

 private:
  void swap(ServerSlot& other) noexcept;
  void give_back();

  ServerState* state_ = nullptr;
  uring::Held<PoolLine> line_;
  bool websocket_ = false;
  bool upgrading_ = false;
  bool last_resort_ = false;
  std::optional<ServerHealth::Time> trial_until_;
};

}  // namespace gateway
