// Both ends of a proxied connection, as a PROXY header tells them (the PROXY protocol's document,
// sections 2.1 and 2.2): a plain value.
#pragma once

#include <array>
#include <cstdint>

namespace proxy {

enum class Family : std::uint8_t {
  kNone,  // nothing is told: the ends of the connection that the header came on are meant
  kIpv4,
  kIpv6,
  kUnix,
};

// Of the header; kNone: there is none.
enum class Version : std::uint8_t { kNone, kV1, kV2 };

struct Endpoints {
  using Octets = std::array<std::uint8_t, 16>;

  Family family = Family::kNone;
  Octets source{};  // in network order; of IPv4 the first four, of a Unix socket nothing
  Octets destination{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;

  bool operator==(const Endpoints&) const = default;
};

}  // namespace proxy
