#include "gateway/limits/client_limits.hh"

#include <fmt/format.h>

namespace gateway::limits {

std::string_view name_of(Cause cause) {
  constexpr std::array<std::string_view, kCauses> kNames = {
      "connections",  "listener-connections", "route-connections",  "address-connections",
      "address-rate", "address-requests",     "handshakes-waiting", "memory",
      "table-full",   "denied-peer",          "denied-client"};
  return kNames[static_cast<std::size_t>(cause)];
}

AddressBounds bounds_of(const config::AddressLimits& limits) {
  return {.connections = limits.connections,
          .connection_rate = Rate::of(limits.connections_per_second, limits.burst),
          .handshake_rate = Rate::of(limits.handshakes_per_second, limits.burst),
          .request_rate = Rate::of(limits.requests_per_second, limits.burst)};
}

std::string ClientLimits::text_of_refused() const {
  std::uint64_t all = 0;
  std::string causes;
  for (std::size_t index = 0; index < kCauses; ++index) {
    const auto cause = static_cast<Cause>(index);
    const std::uint64_t count = refused(cause);
    all += count;
    if (count > 0) causes += fmt::format(" {}={}", name_of(cause), count);
  }
  return fmt::format("{}{}", all, causes);
}

}  // namespace gateway::limits
