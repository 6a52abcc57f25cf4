// Who a request says it is (Basic, RFC 7617), and what a route's file of users has of them: a
// function of the head and the configuration. Whether the password is right others tell.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "proto/http/request.hh"

namespace gateway {

struct Credentials {
  std::string user;
  std::string password;
  // To compare with: of somebody else, where there is no such user.
  const config::PasswordEntry& entry;
  bool is_known;
};

struct PasswordRefusal {
  std::uint16_t status;
  std::string_view detail;  // static text
};

// Precondition: `head` was parsed from `buffer`.
std::expected<Credentials, PasswordRefusal> find_credentials(const http::RequestHead& head,
                                                             proto::Bytes buffer,
                                                             const config::BasicAuth& demanded);

// WWW-Authenticate.
std::string basic_challenge(const config::BasicAuth& demanded);

}  // namespace gateway
