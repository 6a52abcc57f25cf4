// The gateway's own short responses: what happened, in one sentence, as text/plain; or what a route
// answers with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/forward.hh"

namespace gateway {

// What 405 says; any other token passes, too.
inline constexpr std::string_view kAllowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

struct Reply {
  std::uint16_t status;
  std::string_view sentence;  // for people: becomes the body, behind the status
  Persistence persistence;
  bool head_only = false;          // it answers HEAD: the body is left out, its length is not
  std::string_view location = {};  // of a redirect
  const config::HeaderChanges* changes = nullptr;
};

// Appends a whole response. 405 and 426 get the field that goes with them.
void write_reply(std::string& to, const Reply& reply);

// Appends a route's own answer.
void write_answer(std::string& to, const config::Answer& answer, Persistence persistence,
                  bool head_only, const config::HeaderChanges& changes);

}  // namespace gateway
