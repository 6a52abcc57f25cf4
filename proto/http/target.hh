// Paths as they go on, and paths and hosts in the form in which routes compare them. A resolved
// path has no dot segments left, however they were spelt: so whoever normalises it again, and
// merges empty segments before or after that, finds the path that was judged here.
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

// The path that is meant: "." and ".." segments are resolved (RFC 3986 section 5.2.4), spelt with
// %2e or not; ".." at the root stays there. All other bytes stay as they came: "//" does, and %2F
// is data, not a separator. The empty path becomes "/". The result lies in storage and is never
// longer than the path (or 1). Nothing where the path does not begin with "/", holds a byte that no
// path may hold, a bad percent-encoding or an encoded NUL, or a dot segment with a parameter
// ("..;x"), which some servers resolve and others do not; or is longer than storage.
std::optional<std::string_view> resolve_path(std::string_view path, std::span<char> storage);

// The form in which routes compare paths: resolved, without empty segments (a slash at the end
// stays), each percent-encoding decoded if a path may hold its byte as it is and that is no slash,
// all others in upper case. Storage and failures as above.
std::optional<std::string_view> normalise_path(std::string_view path, std::span<char> storage);

// What is left of a resolved path without the segments of `prefix`, a normal path that it begins
// with when it is normalised. Empty, or begins with a slash.
std::string_view without_prefix(std::string_view resolved, std::string_view prefix);

// Whether a path has what some servers read as a separator and others do not: %2F, %5C, or "\".
bool has_escaped_slash(std::string_view path);

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
