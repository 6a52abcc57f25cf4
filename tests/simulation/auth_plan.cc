#include "tests/simulation/auth_plan.hh"

#include <fmt/format.h>

#include <array>

namespace simulation {

bool AuthPlan::may_fail_with(unsigned its_status) const {
  const bool too_late = may_come_too_late() && its_status == 504;
  switch (deed) {
    case AuthDeed::kGrants:
    case AuthDeed::kDenies:
      return too_late;
    case AuthDeed::kStalls:
      return its_status == 504;
    default:
      return its_status == 502 || too_late;
  }
}

AuthPlan plan_auth(const Scenario& scenario, unsigned client, unsigned request) {
  constexpr std::array<unsigned, 3> kGranted = {200, 204, 202};
  constexpr std::array<unsigned, 6> kDenied = {401, 403, 401, 302, 503, 500};
  Dice dice((scenario.seed * 7919 + 15) * 65'536 + client * 256 + request);
  AuthPlan plan;
  if (dice.chance(40)) plan.deed = static_cast<AuthDeed>(dice.between(1, 5));
  if (plan.deed != AuthDeed::kGrants && dice.chance(40)) plan.deed = AuthDeed::kDenies;
  const bool denies = plan.deed == AuthDeed::kDenies;
  plan.status = denies ? kDenied[dice.between(0, kDenied.size() - 1)]
                       : kGranted[dice.between(0, kGranted.size() - 1)];
  plan.body_bytes = dice.of_any_size(0, denies ? 50'000 : 5000);
  plan.chunked = dice.chance(50);
  plan.closes = dice.chance(20);
  if (dice.chance(50)) plan.thinking = microseconds(dice.of_any_size(0, 100'000));
  if (dice.chance(5))
    plan.thinking = kAuthTimeout - milliseconds(20) + milliseconds(dice.between(0, 40));
  return plan;
}

std::string text_of_auth_pool() {
  return fmt::format(
      "[pool.{}]\nservers = [\"{}\"]\nretry_budget = \"off\"\nkeep_alive_idle = \"{}ms\"\n",
      kAuthPool, kAuthAddress, Limits::kPoolIdle.count());
}

std::string forged_text() {
  return fmt::format("{}: {}\r\nx_user: {}\r\nx-USER: {}\r\n", kUserHeader, kForged, kForged,
                     kForged);
}

std::string text_of_auth() {
  return fmt::format(
      "auth = {{ pool = \"{}\", path = \"{}\", copy = [\"{}\"], timeout = \"{}ms\" }}\n", kAuthPool,
      kAuthPath, kUserHeader, kAuthTimeout.count());
}

}  // namespace simulation
