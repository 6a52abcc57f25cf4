// Who counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one
// customer of a provider has at the least. A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/config/address.hh"
#include "gateway/config/network.hh"

namespace gateway::limits {

class ClientKey {
 public:
  explicit ClientKey(const config::Octets& address);
  // Nothing of a Unix socket's peer.
  static std::optional<ClientKey> of(const config::Address& peer);

  std::uint64_t bits() const { return bits_; }
  bool is_v4() const { return is_v4_; }
  // "192.0.2.7" or "2001:db8::/64".
  std::string text() const;

  bool operator==(const ClientKey&) const = default;

 private:
  std::uint64_t bits_ = 0;
  bool is_v4_ = false;
};

}  // namespace gateway::limits
