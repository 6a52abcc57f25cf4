// The keys of RouteTimeouts, for whoever reads them, writes them, or finds one somewhere else.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "gateway/config/config.hh"

namespace gateway::config {

struct RouteTimeoutKey {
  std::string_view name;
  std::chrono::milliseconds RouteTimeouts::*value;
  bool may_be_off = false;
};

inline constexpr std::array<RouteTimeoutKey, 5> kRouteTimeoutKeys = {{
    {"request_body_idle", &RouteTimeouts::request_body_idle},
    {"connect", &RouteTimeouts::connect},
    {"upstream_response", &RouteTimeouts::upstream_response},
    {"response_idle", &RouteTimeouts::response_idle},
    {"websocket_idle", &RouteTimeouts::websocket_idle, true},
}};

}  // namespace gateway::config
