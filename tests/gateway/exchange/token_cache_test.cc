#include "gateway/exchange/token_cache.hh"

#include <gtest/gtest.h>

namespace gateway {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

TokenGrant grant(std::optional<std::int64_t> ends_at_s = kNow + 60) {
  return {{{"X-User", "alice"}}, ends_at_s};
}

TEST(TokenCache, KnowsATokenUntilItEnds) {
  TokenCache cache;
  const config::JwtAuth jwt;
  EXPECT_EQ(cache.find(1, jwt, "a", kNow), nullptr);
  cache.keep(1, jwt, "a", grant(), kNow);
  ASSERT_NE(cache.find(1, jwt, "a", kNow + 59), nullptr);
  EXPECT_EQ(cache.find(1, jwt, "a", kNow + 59)->headers.front().value, "alice");
  EXPECT_EQ(cache.find(1, jwt, "a", kNow + 60), nullptr);
  EXPECT_EQ(cache.find(1, jwt, "b", kNow), nullptr);
  cache.keep(1, jwt, "endless", grant(std::nullopt), kNow);
  EXPECT_NE(cache.find(1, jwt, "endless", kNow * 2), nullptr);
}

TEST(TokenCache, WhatOneRouteGrantsAnotherOneDoesNot) {
  TokenCache cache;
  const config::JwtAuth one;
  const config::JwtAuth other;
  cache.keep(1, one, "a", grant(), kNow);
  EXPECT_EQ(cache.find(1, other, "a", kNow), nullptr);
}

TEST(TokenCache, AnotherGenerationJudgesAnew) {
  TokenCache cache;
  const config::JwtAuth jwt;
  cache.keep(1, jwt, "a", grant(), kNow);
  EXPECT_EQ(cache.find(2, jwt, "a", kNow), nullptr);
  cache.keep(2, jwt, "b", grant(), kNow);
  EXPECT_EQ(cache.find(1, jwt, "a", kNow), nullptr);
  EXPECT_EQ(cache.find(2, jwt, "a", kNow), nullptr);
  EXPECT_NE(cache.find(2, jwt, "b", kNow), nullptr);
}

TEST(TokenCache, IsBounded) {
  TokenCache cache;
  const config::JwtAuth jwt;
  std::size_t known = 0;
  for (std::size_t count = 0; count <= TokenCache::kTokensMax; ++count) {
    cache.keep(1, jwt, std::to_string(count), grant(), kNow);
  }
  for (std::size_t count = 0; count <= TokenCache::kTokensMax; ++count) {
    known += cache.find(1, jwt, std::to_string(count), kNow) != nullptr ? 1 : 0;
  }
  EXPECT_LE(known, TokenCache::kTokensMax);
  EXPECT_NE(cache.find(1, jwt, std::to_string(TokenCache::kTokensMax), kNow), nullptr);
  // Those that have ended go first.
  TokenCache aged;
  for (std::size_t count = 0; count < TokenCache::kTokensMax; ++count) {
    aged.keep(1, jwt, std::to_string(count), grant(count == 0 ? kNow + 60 : kNow + 1), kNow);
  }
  aged.keep(1, jwt, "new", grant(), kNow + 2);
  EXPECT_NE(aged.find(1, jwt, "0", kNow + 2), nullptr);
  const std::string large(TokenCache::kTokenBytesMax + 1, 'x');
  aged.keep(1, jwt, large, grant(), kNow);
  EXPECT_EQ(aged.find(1, jwt, large, kNow), nullptr);
}

}  // namespace
}  // namespace gateway
