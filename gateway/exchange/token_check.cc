#include "gateway/exchange/token_check.hh"

#include <algorithm>
#include <utility>

#include "gateway/rewrite/redaction.hh"
#include "proto/http/syntax.hh"
#include "proto/jwt/token.hh"

namespace gateway {
namespace {

using Kind = config::TokenSource::Kind;

// What a request has of tokens, in all places where one is looked for.
class Finder {
 public:
  Finder(const http::RequestHead& head, proto::Bytes buffer) : head_(head), buffer_(buffer) {}

  void look_in(const config::TokenSource& source) {
    switch (source.kind) {
      case Kind::bearer:
        return look_in_authorization();
      case Kind::cookie:
        return look_in_cookies(source.name);
      case Kind::query:
        return look_in_query(source.name);
    }
  }
  std::optional<std::string_view> token() const { return token_; }
  // Which one the server goes by nobody knows.
  bool has_several() const { return several_; }

 private:
  void take(std::string_view token) {
    if (token_ && *token_ != token) several_ = true;
    token_ = token;
  }

  // RFC 6750 section 2.1. Of two fields a server may take either.
  void look_in_authorization() {
    constexpr std::string_view kScheme = "Bearer";
    if (head_.fields.count(buffer_, "Authorization") > 1) several_ = true;
    head_.fields.for_each(buffer_, "Authorization", [&](std::string_view value) {
      const std::string_view scheme = value.substr(0, value.find(' '));
      if (!http::equals_ignoring_case(scheme, kScheme)) return;
      take(http::trim(value.substr(scheme.size())));
    });
  }

  // RFC 6265 section 4.2.
  void look_in_cookies(std::string_view name) {
    head_.fields.for_each(buffer_, "Cookie", [&](std::string_view pairs) {
      each_of(pairs, ';', [&](std::string_view pair) {
        const std::size_t equals = pair.find('=');
        if (equals == pair.npos || http::trim(pair.substr(0, equals)) != name) return;
        std::string_view value = http::trim(pair.substr(equals + 1));
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
          value = value.substr(1, value.size() - 2);
        }
        take(value);
      });
    });
  }

  void look_in_query(std::string_view name) {
    std::string_view query = head_.query.in(buffer_);
    if (query.starts_with('?')) query.remove_prefix(1);
    each_of(query, '&', [&](std::string_view parameter) {
      const std::size_t equals = parameter.find('=');
      if (equals == parameter.npos || !is_parameter(parameter.substr(0, equals), name)) return;
      take(parameter.substr(equals + 1));
    });
  }

  template <typename Visit>
  static void each_of(std::string_view list, char border, const Visit& visit) {
    while (!list.empty()) {
      const std::string_view one = list.substr(0, list.find(border));
      visit(one);
      list.remove_prefix(std::min(one.size() + 1, list.size()));
    }
  }

  const http::RequestHead& head_;
  const proto::Bytes buffer_;
  std::optional<std::string_view> token_;
  bool several_ = false;
};

TokenRefusal refuse(std::uint16_t status, std::string_view error, std::string_view detail) {
  std::string challenge = "Bearer error=\"";
  challenge.append(error).append("\", error_description=\"").append(detail).append("\"");
  return {status == 403 ? Reason::kForbidden : Reason::kUnauthorized, status, detail,
          std::move(challenge)};
}

bool is_met(const jwt::Json& claims, const config::ClaimDemand& demand) {
  const jwt::Json::Value* const claim = claims.find(demand.claim.path);
  return claim != nullptr && std::ranges::any_of(demand.values, [&](const std::string& value) {
           return jwt::has_text(claims, *claim, value);
         });
}

// False: the claim is there, but would not be read as what it is.
bool add_header(std::vector<config::Header>& headers, const jwt::Json& claims,
                const config::ClaimHeader& wanted) {
  const jwt::Json::Value* const claim = claims.find(wanted.claim.path);
  if (claim == nullptr || claim->kind == jwt::Json::Kind::kNull) return true;
  auto text = jwt::text_of(claims, *claim);
  if (!text || !http::is_text(*text) || http::trim(*text) != *text) return false;
  headers.push_back({wanted.header, *std::move(text)});
  return true;
}

}  // namespace

std::expected<std::string_view, TokenRefusal> find_token(const http::RequestHead& head,
                                                         proto::Bytes buffer,
                                                         const config::JwtAuth& demanded) {
  Finder finder(head, buffer);
  for (const config::TokenSource& source : demanded.from) finder.look_in(source);
  if (finder.has_several()) {
    return std::unexpected(refuse(400, "invalid_request", "the request has more than one token"));
  }
  const auto found = finder.token();
  if (!found) {
    return std::unexpected(TokenRefusal{Reason::kUnauthorized, 401, "there is no token", "Bearer"});
  }
  return *found;
}

std::expected<TokenGrant, TokenRefusal> judge_token(std::string_view token,
                                                    const config::JwtAuth& demanded,
                                                    std::int64_t now_s) {
  const auto verified = jwt::verify_token(token, demanded.rules, now_s);
  if (!verified) return std::unexpected(refuse(401, "invalid_token", verified.error()));
  for (const config::ClaimDemand& demand : demanded.require) {
    if (!is_met(verified->claims, demand)) {
      return std::unexpected(
          refuse(403, "insufficient_scope", "a claim of the token is not as is required here"));
    }
  }
  TokenGrant grant{{}, verified->ends_at_s};
  for (const config::ClaimHeader& wanted : demanded.claims) {
    if (!add_header(grant.headers, verified->claims, wanted)) {
      return std::unexpected(
          refuse(401, "invalid_token", "a claim of the token cannot be the value of a header"));
    }
  }
  return grant;
}

}  // namespace gateway
