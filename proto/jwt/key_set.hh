// Keys from the text of a file: public keys in PEM form (RFC 7468), a JWK set (RFC 7517), or a
// shared secret as it is. What cannot be used is refused; of a JWK set, what is for other ends or
// of other algorithms is passed over with a warning.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "proto/jwt/key.hh"

namespace jwt {

inline constexpr std::size_t kKeysMax = 32;  // a token without a "kid" is tried with many

struct KeySet {
  std::vector<Key> keys;  // at least one; each has passed fault_of()
  std::vector<std::string> warnings;
};

// Failures and warnings are words that fit behind the file's name.
std::expected<KeySet, std::string> read_keys(std::string_view text);
std::expected<KeySet, std::string> read_secret(std::string_view text);

}  // namespace jwt
