// How a run looks at the live table, and whom it kicks, drawn from its seed: at moments of its own,
// and when much else happens.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/shard/live_table.hh"
#include "tests/uring/dice.hh"

namespace simulation {

struct Scenario;
using std::chrono::milliseconds;

struct KickPlan {
  milliseconds over{0};
  gateway::config::ClosingOrder order = gateway::config::ClosingOrder::oldest;
};

struct LookPlan {
  milliseconds at{0};
  gateway::LiveQuery query;
  bool by_id = false;                    // one that an earlier look has shown
  bool in_pages = false;                 // the next one behind the last row, until there is none
  bool as_stream = false;                // these go on where they were
  std::optional<std::size_t> at_once{};  // connections in a turn, where fewer than usual
  std::optional<KickPlan> kick;
};

struct LooksPlan {
  std::vector<LookPlan> looks;  // in order
  unsigned in_stop = 0;         // so many more of them from there on, one behind the other
};

// Kicks that are under way at the same time.
constexpr std::size_t kKicksMax = 3;

// Of the scenario's kick with that number: who is told it was kicked by that one.
constexpr std::uint16_t kick_code(unsigned kick) {
  return static_cast<std::uint16_t>(4100 + kick);
}
inline std::string kick_reason(unsigned kick) {
  return "kick " + std::to_string(kick);
}
gateway::ClosingPlan plan_of(const KickPlan& kick, unsigned number);

LooksPlan draw_looks(Dice& dice, const Scenario& scenario);

}  // namespace simulation
