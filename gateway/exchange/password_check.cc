#include "gateway/exchange/password_check.hh"

#include <algorithm>
#include <optional>

#include "proto/http/syntax.hh"
#include "proto/jwt/base64url.hh"

namespace gateway {
namespace {

constexpr std::size_t kEncodedBytesMax = 1024;

// RFC 4648 section 4.
std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() > kEncodedBytesMax || text.size() % 4 != 0) return std::nullopt;
  for (int count = 0; count < 2 && text.ends_with('='); ++count) text.remove_suffix(1);
  if (text.find_first_of("-_") != text.npos) return std::nullopt;
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return jwt::base64url_decode(url);
}

std::expected<Credentials, PasswordRefusal> refuse(std::uint16_t status, std::string_view detail) {
  return std::unexpected(PasswordRefusal{status, detail});
}

}  // namespace

std::expected<Credentials, PasswordRefusal> find_credentials(const http::RequestHead& head,
                                                             proto::Bytes buffer,
                                                             const config::BasicAuth& demanded) {
  constexpr std::string_view kField = "Authorization";
  if (head.fields.count(buffer, kField) > 1) {
    return refuse(400, "the request has more than one Authorization field");
  }
  const std::string_view value = head.fields.find(buffer, kField).value_or("");
  const std::string_view scheme = value.substr(0, value.find(' '));
  if (!http::equals_ignoring_case(scheme, "Basic")) {
    return refuse(401, "there is no user and no password");
  }
  const auto decoded = base64_decode(http::trim(value.substr(scheme.size())));
  // RFC 7617 section 2: no control characters; crypt(3) would not see what is behind a NUL.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!decoded || std::ranges::any_of(*decoded, is_control)) {
    return refuse(401, "user and password are not as RFC 7617 has them");
  }
  const std::size_t colon = decoded->find(':');
  if (colon == decoded->npos) {
    return refuse(401, "user and password are not as RFC 7617 has them");
  }
  const std::string user = decoded->substr(0, colon);
  const auto entry =
      std::ranges::lower_bound(demanded.users, user, {}, &config::PasswordEntry::user);
  const bool is_known = entry != demanded.users.end() && entry->user == user;
  return Credentials{user, decoded->substr(colon + 1), is_known ? *entry : demanded.users.front(),
                     is_known};
}

std::string basic_challenge(const config::BasicAuth& demanded) {
  return "Basic realm=\"" + demanded.realm + "\", charset=\"UTF-8\"";
}

}  // namespace gateway
