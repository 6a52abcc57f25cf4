// The server of a run that is asked whether requests may pass (`auth`), and what it says of each:
// drawn from the seed, and the same for a request however often it is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/scenario.hh"

namespace simulation {

inline constexpr std::string_view kAuthPool = "guard";
inline constexpr std::string_view kAuthAddress = "10.0.5.1:80";
inline constexpr std::string_view kAuthPath = "/may?it=pass";
// What a grant says of the client, and what a client says of itself.
inline constexpr std::string_view kUserHeader = "X-User";
inline constexpr std::string_view kForged = "forged";
constexpr milliseconds kAuthTimeout{1000};

enum class AuthDeed : std::uint8_t {
  kGrants,
  kDenies,
  kLeaves,  // without an answer
  kResets,
  kStalls,  // says nothing, or half of a head
  kGarbage,
};

struct AuthPlan {
  AuthDeed deed = AuthDeed::kGrants;
  unsigned status = 204;
  std::size_t body_bytes = 0;
  bool chunked = false;
  bool closes = false;  // behind its answer
  microseconds thinking{0};

  bool has_body() const { return status != 204; }
  bool may_come_too_late() const { return thinking + Limits::kMargin >= kAuthTimeout; }
  // The gateway's own answer where there is none of this server.
  bool may_fail_with(unsigned its_status) const;
};

AuthPlan plan_auth(const Scenario& scenario, unsigned client, unsigned request);

// The pool, and what a route says that asks it.
std::string text_of_auth_pool();
std::string text_of_auth();

// What each client says of itself.
std::string forged_text();

// What has come of it.
struct AuthTrail {
  std::vector<std::string> users;  // of the grants that it was given
  bool denied = false;             // it was refused
};

}  // namespace simulation
