// What is said at the edges of a connection besides HTTP and TLS: PROXY headers. Plain data, a part
// of Config.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "gateway/config/network.hh"
#include "proto/proxy/endpoints.hh"

namespace gateway::config {

// Who begins a connection to a listener with a PROXY header. Everybody else comes without one.
struct ProxyHeaders {
  TrustedProxies from;                       // at least somebody
  std::chrono::milliseconds timeout{3'000};  // until the header is there

  bool operator==(const ProxyHeaders&) const = default;
};

// In the order of proxy::Version.
inline constexpr std::array<std::string_view, 3> kProxyVersionNames = {"off", "v1", "v2"};

}  // namespace gateway::config
