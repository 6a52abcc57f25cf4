#include "gateway/limits/client_key.hh"

#include <algorithm>

namespace gateway::limits {
namespace {

constexpr std::size_t kV4Begin = 12;
constexpr std::size_t kV6End = 8;  // of a /64
constexpr unsigned kV6PrefixBits = 64;
constexpr unsigned kWholeBits = 128;

}  // namespace

ClientKey::ClientKey(const config::Octets& address) : is_v4_(config::is_mapped(address)) {
  const std::size_t begin = is_v4_ ? kV4Begin : 0;
  const std::size_t end = is_v4_ ? address.size() : kV6End;
  for (std::size_t at = begin; at < end; ++at) bits_ = bits_ << 8 | address[at];
}

std::optional<ClientKey> ClientKey::of(const config::Address& peer) {
  const auto octets = config::octets_of(peer);
  if (!octets) return std::nullopt;
  return ClientKey(*octets);
}

std::string ClientKey::text() const {
  config::Network network{.prefix_bits = is_v4_ ? kWholeBits : kV6PrefixBits};
  if (is_v4_) network.address[10] = network.address[11] = 0xff;
  std::uint64_t rest = bits_;
  const std::size_t begin = is_v4_ ? kV4Begin : 0;
  for (std::size_t at = is_v4_ ? network.address.size() : kV6End; at > begin; --at) {
    network.address[at - 1] = static_cast<std::uint8_t>(rest);
    rest >>= 8;
  }
  return network.text();
}

}  // namespace gateway::limits
