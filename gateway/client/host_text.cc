#include "gateway/client/host_text.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "uring/check.hh"

namespace gateway {

HostText::HostText(std::string_view word) : size_(static_cast<std::uint8_t>(word.size())) {
  CHECK(word.size() <= text_.size(), "a word in place of an address is as short as one");
  std::copy(word.begin(), word.end(), text_.begin());
}

// With every request, so not by inet_ntop(), which reads a format each time.
HostText HostText::of_ipv4(std::span<const std::uint8_t, 4> octets) {
  HostText host;
  char* const begin = host.text_.data();
  char* at = begin;
  for (const std::uint8_t octet : octets) {
    if (at != begin) *at++ = '.';
    at = std::to_chars(at, begin + host.text_.size(), octet).ptr;
  }
  host.size_ = static_cast<std::uint8_t>(at - begin);
  return host;
}

HostText HostText::of_ipv6(std::span<const std::uint8_t, 16> octets) {
  HostText host;
  inet_ntop(AF_INET6, octets.data(), host.text_.data(), host.text_.size());
  host.size_ = static_cast<std::uint8_t>(std::strlen(host.text_.data()));
  return host;
}

}  // namespace gateway
