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

constexpr std::size_t kEscapeBytes = 3;

// The byte that the percent-encoding in front of the text stands for; nothing if there is none.
std::optional<char> decoded_front(std::string_view text) {
  if (text.size() < kEscapeBytes || text[0] != '%') return std::nullopt;
  const auto high = hex_value(text[1]);
  const auto low = hex_value(text[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

bool is_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (std::size_t at = kPathBytes.prefix(path); at < path.size();
       at += kPathBytes.prefix(path.substr(at))) {
    const auto decoded = decoded_front(path.substr(at));
    if (!decoded || *decoded == '\0') return false;
    at += kEscapeBytes;
  }
  return true;
}

// Takes the byte off the front, as it is or percent-encoded.
bool take_front(std::string_view& text, char wanted) {
  if (text.starts_with(wanted)) {
    text.remove_prefix(1);
    return true;
  }
  if (decoded_front(text) != wanted) return false;
  text.remove_prefix(kEscapeBytes);
  return true;
}

enum class Segment : std::uint8_t { kOrdinary, kHere, kParent, kUnclear };

Segment kind_of(std::string_view segment) {
  if (!take_front(segment, '.')) return Segment::kOrdinary;
  const bool is_parent = take_front(segment, '.');
  if (segment.empty()) return is_parent ? Segment::kParent : Segment::kHere;
  return take_front(segment, ';') ? Segment::kUnclear : Segment::kOrdinary;
}

char upper_case(char hex_digit) {
  return hex_digit >= 'a' ? static_cast<char>(hex_digit - 0x20) : hex_digit;
}

// Appends the next byte of a valid path, or its percent-encoding, in normal form. Returns how many
// bytes of the path it took. `to` may be where `rest` is, or before.
std::size_t append_normalised(std::string_view rest, char* to, std::size_t& size) {
  const auto decoded = decoded_front(rest);
  if (!decoded) {
    to[size++] = rest[0];
    return 1;
  }
  if (kPathBytes.has(*decoded) && *decoded != '/') {
    to[size++] = *decoded;
  } else {
    for (const char c : {'%', upper_case(rest[1]), upper_case(rest[2])}) to[size++] = c;
  }
  return kEscapeBytes;
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

// Each turn takes "/" and one segment. ".." takes back the segment before; the last segment, if it
// is one of dots, leaves its "/" behind.
std::optional<std::string_view> resolve_path(std::string_view path, std::span<char> storage) {
  if (path.empty()) path = "/";
  if (path.size() > storage.size() || !is_path(path)) return std::nullopt;
  char* const to = storage.data();
  std::size_t size = 0;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const Segment kind = kind_of(path.substr(at + 1, end - at - 1));
    if (kind == Segment::kUnclear) return std::nullopt;
    if (kind == Segment::kOrdinary) {
      size += path.copy(to + size, end - at, at);
    } else {
      if (kind == Segment::kParent && size > 0) size = std::string_view(to, size).rfind('/');
      if (end == path.size()) to[size++] = '/';
    }
    at = end;
  }
  return std::string_view(to, size);
}

std::optional<std::string_view> normalise_path(std::string_view path, std::span<char> storage) {
  const auto resolved = resolve_path(path, storage);
  if (!resolved) return std::nullopt;
  char* const to = storage.data();
  std::size_t size = 0;
  for (std::size_t at = 0; at < resolved->size();) {
    const std::string_view rest = resolved->substr(at);
    const bool is_empty_segment = rest[0] == '/' && size > 0 && to[size - 1] == '/';
    at += is_empty_segment ? 1 : append_normalised(rest, to, size);
  }
  return std::string_view(to, size);
}

std::string_view without_prefix(std::string_view resolved, std::string_view prefix) {
  if (prefix == "/") return resolved;
  for (auto segments = std::ranges::count(prefix, '/'); segments > 0; --segments) {
    resolved.remove_prefix(std::min(resolved.find_first_not_of('/'), resolved.size()));
    resolved.remove_prefix(std::min(resolved.find('/'), resolved.size()));
  }
  return resolved;
}

bool has_escaped_slash(std::string_view path) {
  for (std::size_t at = path.find_first_of("%\\"); at != path.npos;
       at = path.find_first_of("%\\", at + 1)) {
    const char meant = decoded_front(path.substr(at)).value_or(path[at]);
    if (meant == '/' || meant == '\\') return true;
  }
  return false;
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
