#include "gateway/exchange/token_cache.hh"

#include "proto/digest.hh"

namespace gateway {
namespace {

bool has_ended(const TokenGrant& grant, std::int64_t now_s) {
  return grant.ends_at_s && now_s >= *grant.ends_at_s;
}

}  // namespace

const TokenGrant* TokenCache::find(std::uint64_t generation, const config::JwtAuth& demanded,
                                   std::string_view token, std::int64_t now_s) {
  if (generation != generation_ || token.size() > kTokenBytesMax || grants_.empty()) return nullptr;
  const auto found = grants_.find(key_of(demanded, token));
  if (found == grants_.end() || has_ended(found->second, now_s)) return nullptr;
  return &found->second;
}

void TokenCache::keep(std::uint64_t generation, const config::JwtAuth& demanded,
                      std::string_view token, const TokenGrant& grant, std::int64_t now_s) {
  if (token.size() > kTokenBytesMax) return;
  if (generation != generation_) grants_.clear();
  generation_ = generation;
  if (grants_.size() >= kTokensMax) {
    std::erase_if(grants_, [&](const auto& one) { return has_ended(one.second, now_s); });
  }
  // Whoever comes again is verified again.
  if (grants_.size() >= kTokensMax) grants_.clear();
  grants_.insert_or_assign(key_of(demanded, token), grant);
}

TokenCache::Key TokenCache::key_of(const config::JwtAuth& demanded, std::string_view token) {
  proto::Sha256 sha256;
  sha256.update(proto::as_bytes(token));
  return {&demanded, sha256.finish()};
}

}  // namespace gateway
