// A signed token (JWT, RFC 7519, in the compact form of RFC 7515) and what it must satisfy. Nothing
// of its claims is looked at before its signature is verified, by a key of ours with that key's own
// algorithm; of its header only "alg", "kid" and "crit" count.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/jwt/json.hh"
#include "proto/jwt/key.hh"

namespace jwt {

inline constexpr std::size_t kTokenBytesMax = 16 * 1024;

struct Rules {
  std::vector<Key> keys;
  std::vector<std::string> issuers;    // one of them; empty: any or none
  std::vector<std::string> audiences;  // likewise
  std::chrono::seconds leeway{0};      // by which clocks may differ
  bool needs_expiry = true;

  bool operator==(const Rules&) const = default;
};

struct Token {
  Json claims;
  // In seconds since 1970, the leeway included: from then on it is refused. Nothing: never.
  std::optional<std::int64_t> ends_at_s;
};

// The error is a static sentence of visible ASCII without quotes, as RFC 6750 section 3 has it.
std::expected<Token, std::string_view> verify_token(std::string_view token, const Rules& rules,
                                                    std::int64_t now_s);

// The claim as text for a field: a string, a number as it was written, a boolean, or a list of
// such, with commas between. Nothing: it is none of these, or a list whose elements would be read
// as others there.
std::optional<std::string> text_of(const Json& claims, const Json::Value& claim);

// Whether the claim is this text, or a list with it.
bool has_text(const Json& claims, const Json::Value& claim, std::string_view text);

}  // namespace jwt
