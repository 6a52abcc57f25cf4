// The gateway's own short responses: what happened, in one sentence, as text/plain; or what a route
// answers with.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/rewrite/forward.hh"

namespace gateway {

// What Allow says of a route, or where there is none. Of a route that lists no methods any other
// token passes, too, but TRACE.
std::string allowed_methods(const config::Route* route);

struct Reply {
  std::uint16_t status;
  std::string_view sentence;  // for people: becomes the body, behind the status
  Persistence persistence = Persistence::kClose;
  bool head_only = false;               // it answers HEAD: the body is left out, its length is not
  std::string_view location = {};       // of a redirect
  std::string_view allow = {};          // of a 405
  std::chrono::seconds retry_after{0};  // RFC 9110 section 10.2.3; 0: it says nothing of that
  std::string_view challenge = {};      // WWW-Authenticate, of a 401 and its like
  const config::HeaderChanges* changes = nullptr;
};

// Appends a whole response. 426 gets the fields that go with it.
void write_reply(std::string& to, const Reply& reply);

// Appends a route's own answer.
void write_answer(std::string& to, const config::Answer& answer, Persistence persistence,
                  bool head_only, const config::HeaderChanges& changes);

}  // namespace gateway
