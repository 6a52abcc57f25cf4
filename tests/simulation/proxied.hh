// The PROXY header that a client begins with, in the runs that have such.
#pragma once

#include <cstdint>
#include <string>

#include "proto/proxy/writer.hh"

namespace simulation {

// Whose header leaves it as it is.
constexpr bool is_local(unsigned client) {
  return client % 8 < 2;
}

// One that names this client, or one that leaves it as it is.
inline std::string proxy_header(unsigned client, std::uint32_t address, std::uint16_t port) {
  const auto octet = [&](unsigned shift) { return static_cast<std::uint8_t>(address >> shift); };
  const proxy::Endpoints ends{.family = proxy::Family::kIpv4,
                              .source = {octet(24), octet(16), octet(8), octet(0)},
                              .destination = {127, 0, 0, 1},
                              .source_port = port,
                              .destination_port = 443};
  const auto version = client % 2 == 0 ? proxy::Version::kV1 : proxy::Version::kV2;
  std::string header;
  if (is_local(client)) {
    proxy::write_local(header, version);
  } else {
    const std::string name(client % 8 * 50, 'n');
    proxy::write_header(header, version, ends, {.authority = name, .unique_id = "id"});
  }
  return header;
}

}  // namespace simulation
