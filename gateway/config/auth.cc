// `auth` of [[route]] and [defaults]: which of its parts there are, and which fields of requests
// are theirs alone.
#include "gateway/config/auth.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/config/sections.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

using http::equals_ignoring_case;

// The gateway writes them itself.
constexpr std::array<std::string_view, 8> kWritten = {"Host",
                                                      "Via",
                                                      "X-Forwarded-For",
                                                      "X-Forwarded-Proto",
                                                      "X-Forwarded-Host",
                                                      "X-Forwarded-Port",
                                                      "Forwarded",
                                                      "Expect"};

// ... with all names that begin like this.
constexpr std::string_view kCertificate = "X-Client-Cert-";

constexpr std::array<std::string_view, 4> kParts = {"jwt", "basic", "request", "pool"};
constexpr std::string_view kForm = "a table with 'jwt', 'basic' or 'request', or \"off\"";

// There is one such field in a request, so a password cannot stand in it, too.
bool wants_authorization(const JwtAuth& jwt) {
  return std::ranges::all_of(
      jwt.from, [](const TokenSource& one) { return one.kind == TokenSource::Kind::bearer; });
}

void check_owned_once(TableReader& table, const Auth& auth) {
  const std::vector<std::string> names = auth.owned_headers();
  for (auto name = names.begin(); name != names.end(); ++name) {
    const auto same = [&](const std::string& other) { return is_same_variable(*name, other); };
    if (std::any_of(names.begin(), name, same))
      table.report().add(table.place("auth"),
                         fmt::format("'{}' is to be written twice: take another name for one of "
                                     "the two headers",
                                     *name));
  }
}

}  // namespace

bool is_same_variable(std::string_view one, std::string_view other) {
  const auto folded = [](char c) {
    return http::is_digit(c) || http::is_alpha(c) ? http::to_lower(c) : '-';
  };
  return std::ranges::equal(one, other, {}, folded, folded);
}

std::vector<std::string> Auth::owned_headers() const {
  std::vector<std::string> names;
  if (jwt) {
    for (const ClaimHeader& one : jwt->claims) names.push_back(one.header);
  }
  if (basic && !basic->user_header.empty()) names.push_back(basic->user_header);
  if (request) names.insert(names.end(), request->copy.begin(), request->copy.end());
  return names;
}

void check_owned_header(TableReader& table, const Text& name) {
  std::string fault = header_fault(name.value);
  const std::string_view front = std::string_view(name.value).substr(0, kCertificate.size());
  const bool is_written = is_same_variable(kCertificate, front) ||
                          std::ranges::any_of(kWritten, [&](std::string_view one) {
                            return is_same_variable(one, name.value);
                          });
  if (fault.empty() && is_written) fault = "is written by the gateway itself: take another name";
  if (!fault.empty()) table.report().add(name.place, fmt::format("'{}' {}", name.value, fault));
}

void read_auth(TableReader& table, const Surroundings& around, Config& config, Auth& auth) {
  constexpr std::string_view kKey = "auth";
  for (const std::string_view key : {"jwt", "basic", "request"})
    table.elsewhere(key, "a table 'auth', such as [route.auth]");
  const toml::node* const node = table.take(kKey);
  if (node == nullptr) return;
  auth = {};
  if (node->value<std::string_view>() == "off") return;
  if (!node->is_table()) return table.wrong_type(*node, kKey, kForm);
  table.inner(kKey, [&](TableReader& inner) {
    tell_of_tables(inner, table.label());
    inner.inner("jwt", [&](TableReader& jwt) { read_jwt(jwt, around, auth.jwt.emplace()); });
    inner.inner("basic",
                [&](TableReader& basic) { read_basic(basic, around, auth.basic.emplace()); });
    read_auth_request(inner, around, config, auth);
    const auto has = [&](std::string_view key) { return inner.has(key); };
    if (std::ranges::none_of(kParts, has))
      inner.report().add(inner.place(), fmt::format("'auth' must be {}", kForm));
    if (auth.jwt && auth.basic && wants_authorization(*auth.jwt))
      inner.report().add(inner.place(),
                         "'jwt' and 'basic' both want the Authorization field: let the token come "
                         "from a cookie or a parameter, such as from = \"cookie:token\"");
  });
  check_owned_once(table, auth);
}

void own_headers_of_auth(TableReader& table, Route& route) {
  HeaderChanges& changes = route.request_headers;
  changes.owned = route.auth.owned_headers();
  const auto check = [&](std::string_view name) {
    for (const std::string& owned : changes.owned) {
      if (is_same_variable(owned, name))
        table.report().add(
            table.place("request_headers"),
            fmt::format("'{}' of [route.request_headers] is written by 'auth' of this route",
                        name));
    }
  };
  for (const Header& header : changes.set) check(header.name);
  for (const Header& header : changes.add) check(header.name);
}

// A server cannot tell by which route a request has come: what one of them vouches for, no client
// may say by another one.
void own_headers_of_pools(std::vector<Route>& routes) {
  const auto leads_to = [](const Route& route, size_t pool) {
    return !route.answer && !route.redirect && route.pool == pool;
  };
  for (Route& route : routes) {
    HeaderChanges& changes = route.request_headers;
    const auto own = [&](const std::string& name) {
      const auto is_it = [&](const std::string& other) { return is_same_variable(other, name); };
      const bool is_known = std::ranges::any_of(changes.owned, is_it) ||
                            std::ranges::any_of(changes.set, is_it, &Header::name) ||
                            std::ranges::any_of(changes.add, is_it, &Header::name);
      if (!is_known) changes.owned.push_back(name);
    };
    for (const Route& other : routes) {
      if (!leads_to(route, other.pool) || !leads_to(other, other.pool)) continue;
      std::ranges::for_each(other.auth.owned_headers(), own);
    }
  }
}

}  // namespace gateway::config
