// Whom looks at the live table have closed in a run: who may say that he was kicked, and who is to
// be gone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "tests/simulation/scenario.hh"
#include "uring/kernel.hh"

namespace simulation {

// A row of a kick's page.
struct Kicked {
  std::uint64_t id = 0;  // of the connection
  unsigned kick = 0;     // by its number
  gateway::LiveKind kind = gateway::LiveKind::kIdle;
  std::optional<unsigned> client;  // nobody can tell: one of those over the Unix socket
  milliseconds over{0};
  bool is_sure = false;                             // it was open when it was to be closed at once
  std::optional<uring::Clock::time_point> done_at;  // by all shards
};

struct Kicks {
  std::vector<Kicked> all;
  std::set<unsigned> blind;  // kicks that do not show whom they mean

  // That may have met him.
  std::set<unsigned> of(const ClientPlan& client) const {
    std::set<unsigned> kicks = blind;
    for (const Kicked& one : all) {
      const bool is_his =
          one.client ? *one.client == client.number : client.entry() == Entry::kUnix;
      if (is_his) kicks.insert(one.kick);
    }
    return kicks;
  }
  bool may_have(std::uint64_t id) const {
    return !blind.empty() || std::ranges::count(all, id, &Kicked::id) > 0;
  }
  // Nothing that was asked after that is served on the connection.
  bool is_over(std::uint64_t id, uring::Clock::time_point asked_at) const {
    return std::ranges::any_of(all, [&](const Kicked& one) {
      return one.id == id && one.done_at && asked_at > *one.done_at;
    });
  }
};

}  // namespace simulation
