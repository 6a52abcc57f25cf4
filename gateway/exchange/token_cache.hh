// What a shard knows of tokens that it has verified: what each grants, until it ends. For who comes
// again with the same one, since to verify a signature takes up to a hundred times longer than to
// look here. Tokens are known by their digests, and for one generation of the configuration at a
// time, by whose keys and demands they were judged.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "gateway/exchange/token_check.hh"

namespace gateway {

class TokenCache {
 public:
  static constexpr std::size_t kTokensMax = 1024;
  static constexpr std::size_t kTokenBytesMax = 4096;  // a longer one is verified each time

  TokenCache() = default;
  TokenCache(const TokenCache&) = delete;
  TokenCache& operator=(const TokenCache&) = delete;

  // Null: it is not known, or has ended. `demanded` is of that generation. Valid until keep().
  const TokenGrant* find(std::uint64_t generation, const config::JwtAuth& demanded,
                         std::string_view token, std::int64_t now_s);
  void keep(std::uint64_t generation, const config::JwtAuth& demanded, std::string_view token,
            const TokenGrant& grant, std::int64_t now_s);

 private:
  struct Key {
    const config::JwtAuth* demanded;
    std::array<std::byte, 32> digest;
    auto operator<=>(const Key&) const = default;
  };
  static Key key_of(const config::JwtAuth& demanded, std::string_view token);

  std::uint64_t generation_ = 0;
  std::map<Key, TokenGrant> grants_;
};

}  // namespace gateway
