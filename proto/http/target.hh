// Paths and hosts in the form in which routes compare them. The message forwarded keeps what was
// sent; these forms serve decisions only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace http {

inline constexpr std::size_t kHostMax = 255;  // RFC 1035 section 2.3.4

struct SplitTarget {
  std::string_view path;
  std::string_view query;  // with its "?"; empty if there is none
};
SplitTarget split_target(std::string_view origin_form);

// Decodes percent-encoded unreserved bytes, writes other percent-encodings in upper case, resolves
// "." and ".." segments (RFC 3986 section 6.2.2); ".." at the root stays there. Nothing else is
// changed: "//" stays, and %2F is data, not a separator. The empty path becomes "/".
// The result lies in storage and is never longer than the path (or 1). Nothing where the path does
// not begin with "/", holds a byte that no path may hold, a bad percent-encoding or an encoded NUL,
// or is longer than storage.
std::optional<std::string_view> normalise_path(std::string_view path, std::span<char> storage);

// host [":" [port]] (RFC 9110 section 7.2), host being a DNS name, an IPv4 address, or an IPv6
// address in brackets. Narrower than RFC 3986: no user information, no percent-encoding, no
// sub-delimiters, no empty labels, no port 0.
struct Authority {
  std::string_view host;  // as written, in brackets if it is IPv6
  std::optional<std::uint16_t> port;
};
std::optional<Authority> parse_authority(std::string_view text);

// The authority's host in lower case, without a trailing dot; it lies in storage. Nothing where the
// authority is not valid.
std::optional<std::string_view> normalise_host(std::string_view authority,
                                               std::span<char, kHostMax> storage);

}  // namespace http
