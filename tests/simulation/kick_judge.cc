// Whether who was to be kicked has gone in time, and was told so by the kick that has met him.
#include <algorithm>

#include "gateway/shard/pace.hh"
#include "tests/simulation/client_facts.hh"

namespace simulation {
namespace {

// Until all shards have begun, where WebSockets have turns.
constexpr milliseconds kGathering = gateway::Pace::kGathering;
// Until the end of a frame that is under way, and until the other end has answered a close.
constexpr milliseconds kAnswer{2000 + 5000};
// A kernel that is late.
constexpr milliseconds kSlack{3000};

}  // namespace

bool SimulatedClient::is_told_by_kick(const std::string& told) const {
  return std::ranges::any_of(stage_.kicks.of(plan_), [&](unsigned kick) {
    return told == fmt::format("{} {}", kick_code(kick), kick_reason(kick));
  });
}

// What else is about to close it may have taken it over. Without turns it was closed at once,
// unless a close frame had passed.
void SimulatedClient::judge_kick(const Facts& facts, const LogLine& line) const {
  if (line.end == "kicked") return;
  for (const Kicked& one : stage_.kicks.all) {
    if (one.client == plan_.number && one.is_sure) {
      stage_.chronicle.fail(name_, "was kicked by {}: the log says end={}", one.kick, line.end);
    }
  }
  if (facts.stopping || facts.drained || facts.orphaned) return;
  const bool is_websocket = facts.plan.websocket.has_value();
  const bool is_held_up = is_websocket && may_be_held_up(facts);
  const gateway::LiveKind kind =
      is_websocket ? gateway::LiveKind::kWebSocket : gateway::LiveKind::kTunnel;
  for (const Kicked& one : stage_.kicks.all) {
    if (one.client != plan_.number || one.kind != kind || !one.done_at) continue;
    const bool has_turns = one.over.count() > 0;
    const Time due = *one.done_at + one.over + (has_turns ? kGathering + kSlack : milliseconds(0));
    if (!is_held_up && line.at > due + kAnswer + kSlack) {
      stage_.chronicle.fail(name_, "was kicked by {}, and has ended long after it: end={}",
                            one.kick, line.end);
    }
    const WebSocketTrail& trail = facts.trail.websocket;
    const auto& closed_at = line.by == "client" ? trail.client.closed_at : trail.server.closed_at;
    if (line.end == "done" && is_websocket && closed_at && *closed_at > due) {
      stage_.chronicle.fail(name_, "was kicked by {}, and has closed long after it", one.kick);
    }
  }
}

}  // namespace simulation
