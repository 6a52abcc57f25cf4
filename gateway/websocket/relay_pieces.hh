// How a relay takes pieces from its scanners: each is counted for its route, and seen by a capture
// where there is one. A part of relay.cc.
#pragma once

#include <optional>

#include "gateway/metrics/traffic.hh"
#include "gateway/websocket/relay.hh"

namespace gateway {

template <class Client, Opposite<Client> Upstream>
WebSocketFlow* BasicRelay<Client, Upstream>::flow_of(const auto& way) const {
  if (traffic_ == nullptr) return nullptr;
  return way.sender == Party::kClient ? &traffic_->from_client : &traffic_->from_upstream;
}

// What it yields is counted at once: an open WebSocket may live for weeks.
template <class Client, Opposite<Client> Upstream>
std::optional<ws::Piece> BasicRelay<Client, Upstream>::next_piece(auto& way) {
  WebSocketFlow* const flow = flow_of(way);
  if (flow == nullptr) return way.frames.next();
  const std::uint64_t bytes_left = way.frames.payload_bytes_left();
  const std::uint64_t before = way.frames.payload_bytes();
  const auto piece = way.frames.next(&flow->sizes);
  flow->payload_bytes.add(way.frames.payload_bytes() - before);
  if (tap_ && piece) tap_->note(way.sender, piece->bytes, bytes_left);
  if (tap_ && tap_->is_stopped()) tap_.reset();
  return piece;
}

}  // namespace gateway
