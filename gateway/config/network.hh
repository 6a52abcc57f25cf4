// A range of IP addresses, such as 10.0.0.0/8 or 2001:db8::/32; a plain value.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/address.hh"

namespace gateway::config {

// An IP address; IPv4 as IPv6 maps it (RFC 4291 section 2.5.5.2).
using Octets = std::array<std::uint8_t, 16>;
std::optional<Octets> octets_of(const Address& address);  // none of a Unix socket's
bool is_mapped(const Octets& address);                    // it is IPv4

struct Network {
  Octets address{};
  unsigned prefix_bits = 0;  // of the 128; an IPv4 prefix counts 96 more

  // Whether a socket address lies in the range. An IPv4 address counts as one in both its forms, so
  // that "::/0" is all of IPv6 without it; a Unix socket's never matches.
  bool contains(const Address& other) const;
  bool contains(const Octets& other) const;
  // As it is written: "10.0.0.0/8"; one address without its prefix.
  std::string text() const;

  bool operator==(const Network&) const = default;
};

// Peers who are believed where others are not, such as proxies in front of the gateway.
struct TrustedProxies {
  std::vector<Network> networks;
  bool unix_sockets = false;  // whoever comes through a Unix socket

  // `peer` is a connected peer's address.
  bool contain(const Address& peer) const;
  bool contain(const Octets& peer) const;

  bool operator==(const TrustedProxies&) const = default;
};

// "10.0.0.0/8", "2001:db8::/32", or one address. Fails with words that fit behind "'TEXT' "; bits
// beyond the prefix are an error.
std::expected<Network, std::string> parse_network(std::string_view text);

}  // namespace gateway::config
