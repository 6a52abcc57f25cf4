#include "gateway/exchange/affinity.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "gateway/rewrite/client_of.hh"
#include "gateway/upstream/balance/stable_hash.hh"
#include "proto/http/cookie.hh"
#include "proto/http/syntax.hh"

namespace gateway {
namespace {

// A browser has one for a host, and at times one more of a host above it.
constexpr std::size_t kStickyCookiesMax = 4;

// The first that names a server: others are left over from elsewhere, or made up, and of those not
// many are looked at.
std::size_t stuck_to(const UpstreamPool& pool, const http::RequestHead& head, proto::Bytes buffer) {
  const std::string& name = pool.config().balance.sticky->cookie;
  std::size_t server = balance::kNobody;
  std::size_t left = kStickyCookiesMax;
  head.fields.for_each(buffer, "Cookie", [&](std::string_view value) {
    http::CookieReader reader(value);
    while (left > 0 && server == balance::kNobody) {
      const auto cookie = reader.next();
      if (!cookie) return;
      if (cookie->name != name) continue;
      --left;
      server = pool.server_of_token(cookie->value);
    }
  });
  return server;
}

std::optional<std::string_view> cookie_value(const http::RequestHead& head, proto::Bytes buffer,
                                             std::string_view name) {
  std::optional<std::string_view> found;
  head.fields.for_each(buffer, "Cookie", [&](std::string_view value) {
    http::CookieReader reader(value);
    for (auto cookie = reader.next(); cookie && !found; cookie = reader.next()) {
      if (cookie->name == name && !cookie->value.empty()) found = cookie->value;
    }
  });
  return found;
}

std::optional<std::string_view> parameter(std::string_view query, std::string_view name) {
  if (query.starts_with('?')) query.remove_prefix(1);
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == one.npos || one.substr(0, equals) != name || equals + 1 == one.size()) continue;
    return one.substr(equals + 1);
  }
  return std::nullopt;
}

std::string_view text_of(const config::Octets& address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

// What is hashed of it; nothing: it is not there.
std::optional<std::string_view> hashed_part(const config::HashKey& key,
                                            const http::RequestHead& head, proto::Bytes buffer,
                                            std::string_view target) {
  switch (key.by) {
    case config::HashKey::By::address:
      break;
    case config::HashKey::By::path:
      return target.substr(0, target.find('?'));
    case config::HashKey::By::header: {
      const auto value = head.fields.find(buffer, key.name);
      return value && value->empty() ? std::nullopt : value;
    }
    case config::HashKey::By::cookie:
      return cookie_value(head, buffer, key.name);
    case config::HashKey::By::query:
      return parameter(head.query.in(buffer), key.name);
  }
  return std::nullopt;
}

// Of what a trusted peer says, the first element of the last line that says anything.
std::string_view told_protocol(const http::RequestHead& head, proto::Bytes buffer) {
  std::string_view last;
  head.fields.for_each(buffer, "X-Forwarded-Proto", [&](std::string_view value) {
    if (!value.empty()) last = value;
  });
  http::ListReader reader(last);
  return reader.next().value_or("");
}

}  // namespace

ServerWish wish_of(const UpstreamPool& pool, const http::RequestHead& head, proto::Bytes buffer,
                   std::string_view target, const Sender& sender) {
  const config::BalanceSettings& settings = pool.config().balance;
  ServerWish wish;
  if (settings.sticky) wish.stuck_to = stuck_to(pool, head, buffer);
  if (settings.by != config::Balance::hash) return wish;
  if (settings.hash.by == config::HashKey::By::address) {
    const auto client = sender.trusted
                            ? client_of(head.fields, buffer, sender.address, sender.proxies)
                            : sender.address;
    if (client) wish.key = balance::stable_hash(text_of(*client));
    return wish;
  }
  const auto part = hashed_part(settings.hash, head, buffer, target);
  if (part) wish.key = balance::stable_hash(*part);
  return wish;
}

std::string sticky_cookie(const config::Sticky& sticky, std::string_view token, bool secure) {
  using std::chrono::seconds;
  std::string text = fmt::format("{}={}; Path=/; HttpOnly; SameSite={}", sticky.cookie, token,
                                 config::kSameSiteValues[static_cast<size_t>(sticky.same_site)]);
  if (secure) text += "; Secure";
  if (sticky.max_age.count() > 0) {
    fmt::format_to(std::back_inserter(text), "; Max-Age={}",
                   std::chrono::duration_cast<seconds>(sticky.max_age).count());
  }
  return text;
}

bool is_secure_for_client(const http::RequestHead& head, proto::Bytes buffer, bool secure,
                          bool peer_trusted) {
  if (secure || !peer_trusted) return secure;
  const std::string_view told = told_protocol(head, buffer);
  return http::equals_ignoring_case(told, "https") || http::equals_ignoring_case(told, "wss");
}

}  // namespace gateway
