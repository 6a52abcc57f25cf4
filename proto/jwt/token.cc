#include "proto/jwt/token.hh"

#include <algorithm>
#include <array>
#include <cmath>

#include "proto/jwt/base64url.hh"

namespace jwt {
namespace {

using Fault = std::unexpected<std::string_view>;

constexpr JsonLimits kHeaderLimits{.depth = 4, .values = 64};
constexpr JsonLimits kClaimLimits{.depth = 8, .values = 512};
constexpr double kSecondsMax = 253402300799.0;  // the end of the year 9999

struct Parts {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view signed_text;
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::optional<Json> object_from(std::string_view encoded, JsonLimits limits) {
  const auto text = base64url_decode(encoded);
  if (!text) return std::nullopt;
  auto json = Json::parse(*text, limits);
  if (json && json->root().kind != Json::Kind::kObject) return std::nullopt;
  return json;
}

struct Header {
  std::string algorithm;
  std::optional<std::string> key_id;
};

std::expected<Header, std::string_view> read_header(std::string_view encoded) {
  const auto json = object_from(encoded, kHeaderLimits);
  if (!json) return Fault("the header of the token is invalid");
  const Json::Value* const algorithm = json->member(json->root(), "alg");
  if (algorithm == nullptr || algorithm->kind != Json::Kind::kString) {
    return Fault("the token names no algorithm");
  }
  // RFC 7515 section 4.1.11: none of these extensions is understood here.
  if (json->member(json->root(), "crit") != nullptr) {
    return Fault("the token has critical extensions");
  }
  Header header{algorithm->text, std::nullopt};
  if (const Json::Value* const id = json->member(json->root(), "kid")) {
    if (id->kind != Json::Kind::kString) return Fault("the key id of the token is no text");
    header.key_id = id->text;
  }
  return header;
}

// RFC 7515 section 4.1.4: the id tells which one of several it is. A key without an id may be
// anyone's.
bool may_be_meant(const Key& key, const Header& header) {
  if (name_of(key.algorithm) != header.algorithm) return false;
  return !header.key_id || key.id.empty() || key.id == *header.key_id;
}

std::optional<std::string_view> fault_of_signature(const Parts& parts, const Header& header,
                                                   const Rules& rules) {
  const auto has_algorithm = [&](const Key& key) {
    return name_of(key.algorithm) == header.algorithm;
  };
  if (std::ranges::none_of(rules.keys, has_algorithm)) {
    return "the algorithm of the token is not allowed here";
  }
  const auto signature = base64url_decode(parts.signature);
  if (!signature) return "the signature of the token is invalid";
  bool any = false;
  for (const Key& key : rules.keys) {
    if (!may_be_meant(key, header)) continue;
    any = true;
    if (verify(key, parts.signed_text, *signature)) return std::nullopt;
  }
  if (!any) return "the key of the token is unknown";
  return "the signature of the token is not valid";
}

struct Times {
  std::optional<double> expires;
  std::optional<double> not_before;
  std::optional<double> issued;
};

// False: it is there, and no time (RFC 7519 section 2).
bool read_time(const Json& claims, std::string_view name, std::optional<double>& time) {
  const Json::Value* const claim = claims.member(claims.root(), name);
  if (claim == nullptr) return true;
  if (claim->kind != Json::Kind::kNumber || !std::isfinite(claim->number)) return false;
  time = std::clamp(claim->number, -kSecondsMax, kSecondsMax);
  return true;
}

std::expected<std::optional<std::int64_t>, std::string_view> judge_times(const Json& claims,
                                                                         const Rules& rules,
                                                                         std::int64_t now_s) {
  Times times;
  if (!read_time(claims, "exp", times.expires) || !read_time(claims, "nbf", times.not_before) ||
      !read_time(claims, "iat", times.issued)) {
    return Fault("a time in the token is no number");
  }
  const auto now = static_cast<double>(now_s);
  const auto leeway = static_cast<double>(rules.leeway.count());
  if (!times.expires && rules.needs_expiry) return Fault("the token has no time of expiry");
  if (times.expires && now >= *times.expires + leeway) return Fault("the token has expired");
  if (times.not_before && now + leeway < *times.not_before) {
    return Fault("the token is not valid yet");
  }
  if (times.issued && now + leeway < *times.issued) {
    return Fault("the token was issued in the future");
  }
  if (!times.expires) return std::nullopt;
  return static_cast<std::int64_t>(std::ceil(*times.expires + leeway));
}

bool is_one_of(const std::vector<std::string>& allowed, const Json& claims, std::string_view name,
               bool may_be_list) {
  if (allowed.empty()) return true;
  const Json::Value* const claim = claims.member(claims.root(), name);
  if (claim == nullptr) return false;
  const bool fits =
      claim->kind == Json::Kind::kString || (may_be_list && claim->kind == Json::Kind::kArray);
  return fits && std::ranges::any_of(allowed, [&](const std::string& one) {
           return has_text(claims, *claim, one);
         });
}

bool is_scalar(const Json::Value& value) {
  return value.kind == Json::Kind::kString || value.kind == Json::Kind::kNumber ||
         value.kind == Json::Kind::kBoolean;
}

}  // namespace

std::expected<Token, std::string_view> verify_token(std::string_view token, const Rules& rules,
                                                    std::int64_t now_s) {
  if (token.size() > kTokenBytesMax) return Fault("the token is larger than 16 KiB");
  const auto parts = split(token);
  if (!parts) return Fault("the token has not three parts");
  const auto header = read_header(parts->header);
  if (!header) return Fault(header.error());
  if (const auto fault = fault_of_signature(*parts, *header, rules)) return Fault(*fault);
  auto claims = object_from(parts->claims, kClaimLimits);
  if (!claims) return Fault("the claims of the token are invalid");
  const auto ends_at_s = judge_times(*claims, rules, now_s);
  if (!ends_at_s) return Fault(ends_at_s.error());
  if (!is_one_of(rules.issuers, *claims, "iss", false)) {
    return Fault("the token is of another issuer");
  }
  if (!is_one_of(rules.audiences, *claims, "aud", true)) {
    return Fault("the token is for another audience");
  }
  return Token{*std::move(claims), *ends_at_s};
}

std::optional<std::string> text_of(const Json& claims, const Json::Value& claim) {
  if (is_scalar(claim)) return claim.text;
  if (claim.kind != Json::Kind::kArray) return std::nullopt;
  std::string text;
  for (const Json::Value* const element : claims.children(claim)) {
    const bool is_clear = is_scalar(*element) && !element->text.empty() &&
                          element->text.find(',') == std::string::npos &&
                          element->text.front() != ' ' && element->text.back() != ' ';
    if (!is_clear) return std::nullopt;
    if (!text.empty()) text += ',';
    text += element->text;
  }
  return text;
}

bool has_text(const Json& claims, const Json::Value& claim, std::string_view text) {
  if (is_scalar(claim)) return claim.text == text;
  if (claim.kind != Json::Kind::kArray) return false;
  return std::ranges::any_of(claims.children(claim), [&](const Json::Value* element) {
    return is_scalar(*element) && element->text == text;
  });
}

}  // namespace jwt
