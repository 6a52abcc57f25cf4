// What the pools of a generation say of checks, and when the servers of a run are ill: drawn from
// its seed. Whoever is ill fails the checks that ask something, and answers clients all the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulation/scenario.hh"

namespace simulation {

inline constexpr std::string_view kCheckPath = "/are-you-well";

enum class CheckKind : std::uint8_t { kHttp, kWebSocket, kTcp };

struct HealthPlan {
  bool is_on = false;
  CheckKind kind = CheckKind::kHttp;
  milliseconds every{1000};
  milliseconds timeout{500};
  unsigned fall = 1;
  unsigned rise = 1;

  bool operator==(const HealthPlan&) const = default;
};
using HealthPlans = std::array<HealthPlan, kPoolKinds>;

// Of the generation of that number.
HealthPlans plan_health(const Scenario& scenario, std::uint64_t number);
// In some generation.
bool is_ever_checked(const Scenario& scenario, PoolKind pool);
// The table of a pool.
std::string text_of(const HealthPlan& plan, std::string_view pool);

enum class Illness : std::uint8_t { kNone, kStatus, kSilence, kGarbage, kClosing, kReset };
constexpr std::size_t kIllnesses = 6;

struct IllnessPlan {
  Illness illness = Illness::kNone;
  milliseconds from{0};
  milliseconds to{0};
};
// Of the server at a place of kSites.
IllnessPlan plan_illness(const Scenario& scenario, std::size_t site);

}  // namespace simulation
