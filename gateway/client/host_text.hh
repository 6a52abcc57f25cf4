// How a host is written in the log and in heads: an IP address, or a word in place of one. A plain
// value with the text in it, made where it is wanted: whoever is idle keeps none.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace gateway {

class HostText {
 public:
  // Precondition: it fits.
  explicit HostText(std::string_view word);
  // In network order.
  static HostText of_ipv4(std::span<const std::uint8_t, 4> octets);
  static HostText of_ipv6(std::span<const std::uint8_t, 16> octets);

  // Valid as long as this.
  std::string_view text() const { return {text_.data(), size_}; }
  operator std::string_view() const { return text(); }

 private:
  HostText() = default;

  std::array<char, INET6_ADDRSTRLEN> text_{};
  std::uint8_t size_ = 0;
};

}  // namespace gateway
