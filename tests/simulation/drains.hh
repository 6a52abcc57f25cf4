// What of a run is stopped or drained, and which servers come and go, drawn from its seed.
#pragma once

#include <optional>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/shard/paced_closing.hh"
#include "tests/uring/dice.hh"

namespace simulation {

using std::chrono::milliseconds;

// A server that gets nothing new for a while, or from then on.
struct DrainPlan {
  milliseconds at{0};
  std::size_t site = 0;  // of kSites
  milliseconds over{0};
  std::optional<milliseconds> ends_after;
};

constexpr std::uint16_t kDrainCode = 1012;
constexpr std::string_view kDrainReason = "another server, please";

gateway::ClosingPlan plan_of(const DrainPlan& drain);

// Of WebSockets whose server a generation has left out; nothing: they live on.
using OrphansOver = std::optional<milliseconds>;

constexpr std::uint16_t kOrphanCode = 4002;
constexpr std::string_view kOrphanReason = "your server has gone";

gateway::ClosingPlan plan_of_orphans(milliseconds over);

// A pool gets another list of servers while it serves: with one more, or one less.
struct ListPlan {
  milliseconds at{0};
  std::size_t site = 0;  // of kSites
  OrphansOver orphans;
};

gateway::config::DrainSettings draw_stop(Dice& dice);
std::vector<DrainPlan> draw_drains(Dice& dice);
std::vector<ListPlan> draw_lists(Dice& dice);
// For each of so many generations.
std::vector<OrphansOver> draw_orphans(Dice& dice, std::size_t generations);

}  // namespace simulation
