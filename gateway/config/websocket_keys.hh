// The keys of WebSocket that are durations and counts, for whoever reads or writes them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "gateway/config/config.hh"

namespace gateway::config {

struct WebSocketDurationKey {
  std::string_view name;
  std::chrono::milliseconds WebSocket::*value;
  bool may_be_off = true;
};

inline constexpr std::array<WebSocketDurationKey, 6> kWebSocketDurationKeys = {{
    {"ping", &WebSocket::ping},
    {"pong_timeout", &WebSocket::pong_timeout, false},
    {"lifetime", &WebSocket::lifetime},
    {"lifetime_jitter", &WebSocket::lifetime_jitter},
    {"message_time", &WebSocket::message_time},
    {"burst", &WebSocket::burst, false},
}};

// Each may be "off".
struct WebSocketCountKey {
  std::string_view name;
  std::uint64_t WebSocket::*value;
  std::uint64_t most;
};

inline constexpr std::array<WebSocketCountKey, 2> kWebSocketCountKeys = {{
    {"messages_per_second", &WebSocket::messages_per_second, 1'000'000'000},
    {"control_frames_per_second", &WebSocket::control_frames_per_second, 1'000'000'000},
}};

}  // namespace gateway::config
