// OCSP responses that say something else than their responder did, for the tests of this folder:
// nobody here looks at their signatures.
#pragma once

#include <chrono>
#include <ctime>
#include <string>

#include "tests/proto/tls/authority.hh"

namespace tls::test {

inline std::string generalized_time(std::chrono::seconds from_now) {
  const std::time_t when = std::time(nullptr) + from_now.count();
  std::tm calendar{};
  gmtime_r(&when, &calendar);
  char text[20];
  return {text, std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &calendar)};
}

// With other times: producedAt, thisUpdate and nextUpdate stand in this order.
inline std::string with_times(std::string response, std::chrono::seconds from,
                              std::chrono::seconds until) {
  const std::string times[] = {generalized_time(from), generalized_time(from),
                               generalized_time(until)};
  std::size_t at = 0;
  for (const std::string& time : times) {
    at = response.find("\x18\x0f", at);
    if (at == response.npos) break;
    response.replace(at + 2, time.size(), time);
    at += 2 + time.size();
  }
  EXPECT_NE(at, response.npos);
  return response;
}

inline const std::string kForLocalhost =
    "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\n";

}  // namespace tls::test
