#include "gateway/owned_fields.hh"

#include <algorithm>

#include "gateway/forward_fields.hh"
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
    {"X-Real-IP", Owner::kTrustedPeer},
    {"X-Rewrite-URL", Owner::kTrustedPeer},
    // CGI-like servers take it for their own HTTP_PROXY.
    {"Proxy", Owner::kNobody},
};

// X-Forwarded-Prefix, -Ssl, -Server; X-Original-URL, -Host, -Method: applications and frameworks
// believe them all.
constexpr std::string_view kTrustedPrefixes[] = {"X-Forwarded-", "X-Original-"};

bool begins_as_variable(std::string_view name, std::string_view prefix) {
  return equals_as_variable(name.substr(0, prefix.size()), prefix);
}

bool is_named_as_trusted(std::string_view name) {
  return std::ranges::any_of(
      kTrustedPrefixes, [&](std::string_view prefix) { return begins_as_variable(name, prefix); });
}

bool resembles_an_owned(std::string_view name) {
  return is_named_as_trusted(name) || std::ranges::any_of(kOwnedFields, [&](const auto& owned) {
           return equals_as_variable(owned.name, name);
         });
}

}  // namespace

Owner owner_of(std::string_view name, std::uint32_t tag) {
  for (const OwnedField& owned : kOwnedFields) {
    if (owned.tag == tag && http::equals_ignoring_case(owned.name, name)) return owned.owner;
  }
  const bool has_underscore = name.find('_') != name.npos;
  if (has_underscore) return resembles_an_owned(name) ? Owner::kNobody : Owner::kClient;
  return is_named_as_trusted(name) ? Owner::kTrustedPeer : Owner::kClient;
}

}  // namespace gateway
