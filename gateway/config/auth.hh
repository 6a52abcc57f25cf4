// What a client has to show before a request or a WebSocket goes on: [route.auth] and
// [defaults.auth]. Plain data, with the contents of the files that it names.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/jwt/token.hh"

namespace gateway::config {

// Where a token is looked for.
struct TokenSource {
  enum class Kind : std::uint8_t { bearer, cookie, query };
  Kind kind = Kind::bearer;
  std::string name;  // of the cookie or the query parameter

  bool operator==(const TokenSource&) const = default;
};

// A claim of a token, by the names that lead to it from the outermost object.
struct Claim {
  std::string text;  // as written: a name, or a JSON pointer (RFC 6901)
  std::vector<std::string> path;

  bool operator==(const Claim&) const = default;
};

struct ClaimHeader {
  Claim claim;
  std::string header;

  bool operator==(const ClaimHeader&) const = default;
};

struct ClaimDemand {
  Claim claim;
  std::vector<std::string> values;  // it is one of these, or a list with one of them

  bool operator==(const ClaimDemand&) const = default;
};

struct JwtAuth {
  std::string keys_path;    // absolute; empty: none
  std::string secret_path;  // likewise; at least one of the two is there
  jwt::Rules rules;         // with what these files held
  std::vector<TokenSource> from = {{}};
  std::vector<ClaimHeader> claims;
  std::vector<ClaimDemand> require;
  // What both ends of an open WebSocket are told when its token ends; 0: it stays open.
  std::uint16_t close_at_expiry = 0;

  bool operator==(const JwtAuth&) const = default;
};

struct PasswordEntry {
  std::string user;
  std::string hash;  // as crypt(3) makes it, bcrypt or SHA-crypt

  bool operator==(const PasswordEntry&) const = default;
};

struct BasicAuth {
  std::string users_path;            // absolute
  std::vector<PasswordEntry> users;  // what it held, sorted by name; at least one
  std::string realm = "gateway";
  std::string user_header;  // in which the server gets the user; empty: in none

  bool operator==(const BasicAuth&) const = default;
};

// A server that is asked whether a request may pass.
struct RequestAuth {
  std::string url;                           // as written; empty: `pool_name` and `path` were
  std::string pool_name;                     // one of its own where there is an url
  std::size_t pool = 0;                      // its index
  std::string host;                          // of the URL, as Host has it; empty: the request's own
  std::string path;                          // what is asked for, in origin-form
  std::vector<std::string> copy;             // fields of its answer, which the server gets
  std::chrono::milliseconds timeout{5'000};  // until the head of its answer is there

  // But for the index, which the configurations number each in its own way.
  bool operator==(const RequestAuth& other) const {
    return url == other.url && pool_name == other.pool_name && host == other.host &&
           path == other.path && copy == other.copy && timeout == other.timeout;
  }
};

// All that is there has to pass, in this order.
struct Auth {
  std::optional<JwtAuth> jwt;
  std::optional<BasicAuth> basic;
  std::optional<RequestAuth> request;

  bool any() const { return jwt || basic || request; }
  // Fields of requests that nobody but these may write.
  std::vector<std::string> owned_headers() const;

  bool operator==(const Auth&) const = default;
};

}  // namespace gateway::config
