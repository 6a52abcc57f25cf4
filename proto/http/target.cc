#include "proto/http/target.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "proto/http/syntax.hh"

namespace http {
namespace {

constexpr ByteSet kHostBytes([](unsigned char byte) {
  const char c = static_cast<char>(byte);
  return is_digit(c) || is_alpha(c) || c == '-' || c == '.' || c == '_';
});

// What a path may hold as it is; a percent-encoding is looked at apart.
constexpr ByteSet kPathBytes([](unsigned char byte) {
  const char c = static_cast<char>(byte);
  return kTargetBytes.has(c) && c != '?' && c != '%';
});

char upper_hex_digit(unsigned value) {
  return "0123456789ABCDEF"[value & 15];
}

// Appends the next byte of a path, or its three bytes of percent-encoding, in normal form. Returns
// how many bytes of the path it took; 0 where they are not valid.
std::size_t append_normalised(std::string_view rest, char* to, std::size_t& size) {
  if (kPathBytes.has(rest[0])) {
    to[size++] = rest[0];
    return 1;
  }
  if (rest[0] != '%' || rest.size() < 3) return 0;
  const auto high = hex_value(rest[1]);
  const auto low = hex_value(rest[2]);
  if (!high || !low) return 0;
  const unsigned value = *high * 16 + *low;
  if (value == 0) return 0;
  const char decoded = static_cast<char>(value);
  if (kUnreservedBytes.has(decoded)) {
    to[size++] = decoded;
  } else {
    to[size++] = '%';
    to[size++] = upper_hex_digit(*high);
    to[size++] = upper_hex_digit(*low);
  }
  return 3;
}

bool is_ipv6_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != text.npos) return false;
  std::ranges::copy(text, terminated.begin());
  in6_addr address;
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kHostMax && kHostBytes.prefix(text) == text.size() &&
         text.front() != '.' && text.find("..") == text.npos;
}

// Digits of a port that is not 0; at most five, so that nothing overflows.
std::optional<std::uint16_t> parse_port(std::string_view digits) {
  if (digits.empty() || digits.size() > 5) return std::nullopt;
  unsigned port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

}  // namespace

SplitTarget split_target(std::string_view origin_form) {
  const std::size_t query_at = std::min(origin_form.find('?'), origin_form.size());
  return {origin_form.substr(0, query_at), origin_form.substr(query_at)};
}

// Each turn takes "/" and one segment. A dot segment takes back what it wrote, and ".." the segment
// before as well; as the last one it leaves the "/" behind (RFC 3986 section 5.2.4).
std::optional<std::string_view> normalise_path(std::string_view path, std::span<char> storage) {
  if (path.empty()) path = "/";
  if (path.front() != '/' || path.size() > storage.size()) return std::nullopt;
  char* const to = storage.data();
  std::size_t size = 0;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t slash_at = size;
    to[size++] = '/';
    ++at;
    while (at < path.size() && path[at] != '/') {
      const std::size_t taken = append_normalised(path.substr(at), to, size);
      if (taken == 0) return std::nullopt;
      at += taken;
    }
    const std::string_view segment(to + slash_at + 1, size - slash_at - 1);
    if (segment != "." && segment != "..") continue;
    const bool is_parent = segment.size() == 2;
    size = slash_at;
    if (is_parent && size > 0) size = std::string_view(to, size).rfind('/');
    if (at == path.size()) to[size++] = '/';
  }
  return std::string_view(to, size);
}

std::optional<Authority> parse_authority(std::string_view text) {
  const bool is_bracketed = text.starts_with('[');
  std::size_t host_end = is_bracketed ? text.find(']') : text.find(':');
  if (is_bracketed) {
    if (host_end == text.npos || !is_ipv6_address(text.substr(1, host_end - 1))) {
      return std::nullopt;
    }
    ++host_end;
  }
  host_end = std::min(host_end, text.size());
  const std::string_view host = text.substr(0, host_end);
  if (!is_bracketed && !is_host_name(host)) return std::nullopt;

  const std::string_view rest = text.substr(host_end);
  if (rest.empty() || rest == ":") return Authority{host, std::nullopt};
  if (rest.front() != ':') return std::nullopt;
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::nullopt;
  return Authority{host, port};
}

std::optional<std::string_view> normalise_host(std::string_view authority,
                                               std::span<char, kHostMax> storage) {
  const auto parsed = parse_authority(authority);
  if (!parsed) return std::nullopt;
  std::string_view host = parsed->host;
  if (host.ends_with('.')) host.remove_suffix(1);
  std::ranges::transform(host, storage.begin(), to_lower);
  return std::string_view(storage.data(), host.size());
}

}  // namespace http
