#include "tools/load/source_range.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

namespace load {
namespace {

// In network order; of IPv4 the first four bytes are used.
struct Ip {
  int family = AF_UNSPEC;
  std::array<unsigned char, 16> bytes{};

  std::span<unsigned char> used() { return std::span(bytes).first(family == AF_INET ? 4 : 16); }
};

std::optional<Ip> parse_ip(std::string_view text) {
  const std::string copy(text);
  Ip ip;
  for (const int family : {AF_INET, AF_INET6}) {
    ip.family = family;
    if (inet_pton(family, copy.c_str(), ip.bytes.data()) == 1) return ip;
  }
  return std::nullopt;
}

// Precondition: it is not the highest there is.
void increment(Ip& ip) {
  const std::span<unsigned char> bytes = ip.used();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    if (++bytes[i] != 0) return;
  }
}

tools::Address address_of(const Ip& ip) {
  tools::Address address;
  if (ip.family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, ip.bytes.data(), sizeof v4.sin_addr);
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, ip.bytes.data(), sizeof v6.sin6_addr);
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.size = sizeof v6;
  }
  return address;
}

}  // namespace

std::expected<std::vector<tools::Address>, std::string> parse_sources(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_ip(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_ip(text.substr(dash + 1));
  if (!first || !last || first->family != last->family) {
    return std::unexpected("not an IP address, or FIRST-LAST of one family: " + std::string(text));
  }
  std::vector<tools::Address> sources;
  for (Ip each = *first; each.bytes <= last->bytes; increment(each)) {
    if (sources.size() == kSourcesMax) {
      return std::unexpected("more than 4096 addresses: " + std::string(text));
    }
    sources.push_back(address_of(each));
    if (each.bytes == last->bytes) return sources;
  }
  return std::unexpected("the lowest address comes first: " + std::string(text));
}

}  // namespace load
