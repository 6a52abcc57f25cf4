#include "gateway/admin/gate.hh"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/network.hh"
#include "proto/http/field.hh"
#include "proto/http/syntax.hh"

namespace gateway::admin {
namespace {

// In a time that does not depend on where they differ.
bool is_same_secret(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  unsigned char difference = 0;
  for (std::size_t at = 0; at < one.size(); ++at) {
    difference |= static_cast<unsigned char>(one[at] ^ other[at]);
  }
  return difference == 0;
}

// Without a port, and an IPv6 address without its brackets.
std::string name_of_host(std::string_view host) {
  const std::size_t end = host.starts_with('[') ? host.find(']') : host.rfind(':');
  std::string name(host.substr(0, end));
  if (name.starts_with('[')) name.erase(0, 1);
  std::ranges::transform(name, name.begin(), http::to_lower);
  return name;
}

// A page cannot come by an address that is asked for by number: names alone can be bound anew.
bool is_address_of(const config::AdminSettings& settings, const std::string& name) {
  const auto literal = config::literal_address({name, 0});
  if (!literal) return false;
  config::AdminSettings asked;
  asked.address = literal;
  if (asked.is_local()) return true;
  if (settings.address->is_unix()) return false;
  const config::Octets own = *config::octets_of(*settings.address);
  const bool is_any =
      own == config::Octets{} || own == config::octets_of(*config::literal_address({"0.0.0.0", 0}));
  return is_any || config::octets_of(*literal) == own;
}

bool is_known_host(const config::AdminSettings& settings, std::string_view host) {
  const std::string name = name_of_host(host);
  return name == "localhost" || std::ranges::find(settings.hosts, name) != settings.hosts.end() ||
         is_address_of(settings, name);
}

bool is_own_origin(const Credentials& credentials) {
  if (credentials.fetch_site && *credentials.fetch_site != "same-origin" &&
      *credentials.fetch_site != "none")
    return false;
  if (!credentials.origin) return true;
  const std::string own =
      fmt::format("{}://{}", credentials.is_secure ? "https" : "http", credentials.host);
  return http::equals_ignoring_case(*credentials.origin, own);
}

}  // namespace

std::string_view token_of_authorization(std::string_view value) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!http::equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return {};
  return http::trim(value.substr(kScheme.size()));
}

std::string_view token_of_subprotocols(std::string_view offered) {
  http::ListReader list(offered);
  while (const auto one = list.next()) {
    if (one->starts_with(kBearerSubprotocol)) return one->substr(kBearerSubprotocol.size());
  }
  return {};
}

std::optional<Refusal> judge(const config::AdminSettings& settings, const Credentials& credentials,
                             Wish wish) {
  if (!is_known_host(settings, credentials.host))
    return Refusal{421,
                   fmt::format("'{}' is not a name of this listener: ask for localhost, or for "
                               "the address, or add the name to 'hosts' in [admin]",
                               credentials.host)};
  if (!is_own_origin(credentials)) return Refusal{403, "pages of another origin may not ask here"};
  const bool is_free = wish == Wish::kLook || (wish == Wish::kRead && settings.is_local());
  if (is_free || credentials.has_shown_certificate) return std::nullopt;
  if (settings.token.empty())
    return Refusal{403,
                   "nothing can be changed here without a token: add token_file to [admin] "
                   "(openssl rand -hex 32 makes a token)"};
  if (is_same_secret(credentials.token, settings.token)) return std::nullopt;
  return Refusal{401, credentials.token.empty()
                          ? "this needs the token of token_file in [admin]: send it as "
                            "'Authorization: Bearer TOKEN'"
                          : "this is not the token of token_file in [admin]"};
}

}  // namespace gateway::admin
