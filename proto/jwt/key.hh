// A key that tokens are verified with, and the one algorithm that goes with it (RFC 7518, RFC
// 8037). It is plain data, which threads share: what wolfCrypt needs is made for each check. Which
// algorithm holds is the key's word, never the token's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jwt {

enum class Algorithm : std::uint8_t { kHs256, kRs256, kEs256, kEdDsa };

inline constexpr std::array<std::string_view, 4> kAlgorithmNames = {"HS256", "RS256", "ES256",
                                                                    "EdDSA"};

inline std::string_view name_of(Algorithm algorithm) {
  return kAlgorithmNames[static_cast<std::size_t>(algorithm)];
}

struct Key {
  Algorithm algorithm;
  std::string id;  // "kid"; empty: it has none
  // Big-endian numbers, in bytes: the modulus and the exponent of RSA, x and y on P-256, the public
  // key on Ed25519 and nothing; or a secret and nothing.
  std::string first;
  std::string second;

  bool operator==(const Key&) const = default;
};

// Why it cannot or must not be used, in words behind "the key "; or nothing. For a load: each key
// that is given to verify() has passed.
std::optional<std::string> fault_of(const Key& key);

bool verify(const Key& key, std::string_view text, std::string_view signature);

}  // namespace jwt
