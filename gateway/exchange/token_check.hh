// Whether a request has the token that its route demands (config::JwtAuth), and what the server
// learns of it: functions of the head, the configuration and the time.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/link/end.hh"
#include "proto/http/request.hh"

namespace gateway {

struct TokenRefusal {
  Reason reason;
  std::uint16_t status;
  std::string_view detail;  // static text
  std::string challenge;    // WWW-Authenticate (RFC 6750 section 3)
};

struct TokenGrant {
  std::vector<config::Header> headers;
  std::optional<std::int64_t> ends_at_s;  // since 1970; nothing: it does not end
};

// The one that the request has where one is looked for. Precondition: `head` was parsed from
// `buffer`.
std::expected<std::string_view, TokenRefusal> find_token(const http::RequestHead& head,
                                                         proto::Bytes buffer,
                                                         const config::JwtAuth& demanded);

std::expected<TokenGrant, TokenRefusal> judge_token(std::string_view token,
                                                    const config::JwtAuth& demanded,
                                                    std::int64_t now_s);

}  // namespace gateway
