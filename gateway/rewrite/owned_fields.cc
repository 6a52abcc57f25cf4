#include "gateway/rewrite/owned_fields.hh"

#include <algorithm>

#include "gateway/rewrite/fields.hh"
#include "proto/http/field.hh"
#include "proto/http/syntax.hh"

namespace gateway {
namespace {

struct OwnedField {
  constexpr OwnedField(std::string_view its_name, Owner its_owner)
      : name(its_name), tag(http::field_tag(its_name)), owner(its_owner) {}

  std::string_view name;
  std::uint32_t tag;
  Owner owner;
};

constexpr OwnedField kOwnedFields[] = {
    {"Host", Owner::kGateway},
    {"Content-Length", Owner::kGateway},
    {"Transfer-Encoding", Owner::kGateway},
    {"X-Forwarded-For", Owner::kGateway},
    {"X-Forwarded-Proto", Owner::kGateway},
    {"X-Forwarded-Host", Owner::kGateway},
    {"X-Forwarded-Port", Owner::kGateway},
    {"Forwarded", Owner::kGateway},
    // The address of a proxy's client, in the words of many.
    {"X-Real-IP", Owner::kTrustedPeer},
    {"X-Forwarded", Owner::kTrustedPeer},
    {"Forwarded-For", Owner::kTrustedPeer},
    {"Client-IP", Owner::kTrustedPeer},
    {"X-Client-IP", Owner::kTrustedPeer},
    {"X-Cluster-Client-IP", Owner::kTrustedPeer},
    {"True-Client-IP", Owner::kTrustedPeer},
    {"CF-Connecting-IP", Owner::kTrustedPeer},
    {"Proxy-Client-IP", Owner::kTrustedPeer},
    {"WL-Proxy-Client-IP", Owner::kTrustedPeer},
    // How it came, and what it asked for.
    {"Front-End-Https", Owner::kTrustedPeer},
    {"X-Url-Scheme", Owner::kTrustedPeer},
    {"X-Rewrite-URL", Owner::kTrustedPeer},
    {"X-Original-URL", Owner::kTrustedPeer},
    {"X-Original-URI", Owner::kTrustedPeer},
    {"X-Original-Path", Owner::kTrustedPeer},
    {"X-Original-Host", Owner::kTrustedPeer},
    {"X-Original-Method", Owner::kTrustedPeer},
    {"X-Original-For", Owner::kTrustedPeer},
    {"X-Original-Proto", Owner::kTrustedPeer},
    {"X-Original-Forwarded-For", Owner::kTrustedPeer},
    // CGI-like servers take it for their own HTTP_PROXY.
    {"Proxy", Owner::kNobody},
    // Always for one hop; named here for what resembles them.
    {"Keep-Alive", Owner::kNobody},
    {"Proxy-Authenticate", Owner::kNobody},
    {"Proxy-Authorization", Owner::kNobody},
    {"Proxy-Connection", Owner::kNobody},
};

struct OwnedPrefix {
  std::string_view begin;
  Owner owner;
};

constexpr OwnedPrefix kOwnedPrefixes[] = {
    // X-Forwarded-Prefix, -Ssl, -Server and others: applications believe them all.
    {"X-Forwarded-", Owner::kTrustedPeer},
    // Whose certificate it was, in the gateway's words, and in those of many.
    {"X-Client-Cert", Owner::kGateway},
    {"Client-Cert", Owner::kTrustedPeer},  // RFC 9440
    {"X-SSL-", Owner::kTrustedPeer},
    {"SSL-Client-", Owner::kTrustedPeer},
    {"X-Amzn-Mtls-", Owner::kTrustedPeer},
    {"X-ARR-ClientCert", Owner::kTrustedPeer},
};

const OwnedPrefix* prefix_of(std::string_view name) {
  const auto begins = [&](const OwnedPrefix& prefix) {
    return equals_as_variable(name.substr(0, prefix.begin.size()), prefix.begin);
  };
  const auto* const found = std::ranges::find_if(kOwnedPrefixes, begins);
  return found != std::end(kOwnedPrefixes) ? found : nullptr;
}

bool is_usual(char c) {
  return c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool resembles_an_owned(std::string_view name) {
  return prefix_of(name) != nullptr || std::ranges::any_of(kOwnedFields, [&](const auto& owned) {
           return equals_as_variable(owned.name, name);
         });
}

}  // namespace

Owner owner_of(std::string_view name, std::uint32_t tag) {
  for (const OwnedField& owned : kOwnedFields) {
    if (owned.tag == tag && http::equals_ignoring_case(owned.name, name)) return owned.owner;
  }
  const bool odd = !std::ranges::all_of(name, is_usual);
  if (odd) return resembles_an_owned(name) ? Owner::kNobody : Owner::kClient;
  const OwnedPrefix* const prefix = prefix_of(name);
  return prefix != nullptr ? prefix->owner : Owner::kClient;
}

}  // namespace gateway
