#include "gateway/config/network.hh"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace gateway::config {
namespace {

constexpr unsigned kV4Bits = 32;
constexpr unsigned kV6Bits = 128;
constexpr unsigned kMappedBits = kV6Bits - kV4Bits;  // in front of a mapped IPv4 address
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Octets map(const in_addr& v4) {
  Octets octets;
  std::copy(kMapped.begin(), kMapped.end(), octets.begin());
  std::memcpy(octets.data() + kMapped.size(), &v4, sizeof v4);
  return octets;
}

// The address with all bits behind the prefix cleared.
Octets masked(Octets address, unsigned prefix_bits) {
  for (unsigned at = 0; at < address.size(); ++at) {
    const unsigned kept = std::clamp(prefix_bits, at * 8, at * 8 + 8) - at * 8;
    address[at] = static_cast<std::uint8_t>(address[at] & (0xff00u >> kept));
  }
  return address;
}

}  // namespace

bool is_mapped(const Octets& address) {
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

std::optional<Octets> octets_of(const Address& address) {
  Octets octets;
  if (address.family() == AF_INET)
    return map(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr);
  if (address.family() != AF_INET6) return std::nullopt;
  const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  std::memcpy(octets.data(), &v6->sin6_addr, octets.size());
  return octets;
}

bool Network::contains(const Address& other) const {
  const auto octets = octets_of(other);
  return octets && contains(*octets);
}

bool Network::contains(const Octets& other) const {
  if (prefix_bits < kMappedBits && is_mapped(other)) return false;
  return masked(other, prefix_bits) == address;
}

std::string Network::text() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  const bool v4 = prefix_bits >= kMappedBits && is_mapped(address);
  if (v4) {
    inet_ntop(AF_INET, address.data() + kMapped.size(), host.data(), host.size());
  } else {
    inet_ntop(AF_INET6, address.data(), host.data(), host.size());
  }
  if (prefix_bits == kV6Bits) return host.data();
  return fmt::format("{}/{}", host.data(), v4 ? prefix_bits - kMappedBits : prefix_bits);
}

std::expected<Network, std::string> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  in_addr v4{};
  const bool ends_early = host.find('\0') != host.npos;
  const bool is_v4 = !ends_early && inet_pton(AF_INET, host.c_str(), &v4) == 1;
  if (is_v4) {
    network.address = map(v4);
  } else if (ends_early || inet_pton(AF_INET6, host.c_str(), network.address.data()) != 1) {
    return std::unexpected("is no IP address or network, such as \"10.0.0.0/8\" or \"::1\"");
  }
  network.prefix_bits = kV6Bits;
  if (slash == text.npos) return network;

  const unsigned bits_max = is_v4 ? kV4Bits : kV6Bits;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > bits_max)
    return std::unexpected(fmt::format("has a prefix that is not between 0 and {}", bits_max));
  network.prefix_bits = bits + (is_v4 ? kMappedBits : 0);
  const Octets start = masked(network.address, network.prefix_bits);
  if (start != network.address) {
    network.address = start;
    return std::unexpected(fmt::format("has bits beyond its prefix: write \"{}\"", network.text()));
  }
  return network;
}

bool TrustedProxies::contain(const Address& peer) const {
  if (peer.is_unix()) return unix_sockets;
  const auto octets = octets_of(peer);
  return octets && contain(*octets);
}

bool TrustedProxies::contain(const Octets& peer) const {
  return std::ranges::any_of(networks,
                             [&](const Network& network) { return network.contains(peer); });
}

}  // namespace gateway::config
