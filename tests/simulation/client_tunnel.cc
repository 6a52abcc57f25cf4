// A simulated client's tunnels: what it says and hears, and how such a one may have ended, by what
// both ends have seen and the log has told.
#include <array>
#include <charconv>

#include "tests/simulation/client_facts.hh"
#include "tests/simulation/generations.hh"

namespace simulation {
namespace {

// From a deadline of the gateway's until the log tells of it, at the most.
constexpr milliseconds kSlack{3000};
// The longest of any generation.
constexpr milliseconds kIdleMost = Limits::kWebSocketIdle + Limits::kWebSocketIdle / 2;

std::size_t bytes_in(std::string_view text) {
  std::size_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

}  // namespace

// Behind a route that does not let it pass it would be the next request.
std::size_t SimulatedClient::early_bytes(unsigned number) const {
  const RequestPlan& request = plan_.requests[number];
  const bool passes = request.tunnel->is_listed && request.pool != PoolKind::kWild &&
                      always_upgrades(stage_.scenario, request.pool);
  return passes ? request.tunnel->early_bytes : 0;
}

std::string SimulatedClient::upgrade_text(unsigned number) const {
  std::string text = fmt::format("Upgrade: {}\r\nConnection: Upgrade\r\n\r\n",
                                 plan_.requests[number].tunnel->protocol);
  append_payload(text, stream_of(number, Way::kToServer), 0, early_bytes(number));
  return text;
}

void SimulatedClient::open_tunnel() {
  const TunnelPlan& plan = *current().tunnel;
  TunnelTrail& trail = stage_.trail(plan_.number, answering()).tunnel;
  if (trail.generation == 0) {
    stage_.chronicle.fail(name_, "gets a 101 that no server has said");
    return finish("is confused");
  }
  answers_.back().got = Got::kWhole;
  trail.client.opened = true;
  tunnel_.emplace(TunnelEnd::Part{.is_client = true,
                                  .says = stream_of(answering(), Way::kToServer),
                                  .hears = stream_of(answering(), Way::kToClient),
                                  .ending = plan.ending},
                  plan.client, trail.client, trail.server);
  digest(reader_.rest());
}

void SimulatedClient::talk_in_tunnel() {
  TunnelSide& own = stage_.trail(plan_.number, answering()).tunnel.client;
  switch (tunnel_->next_step(stage_.now())) {
    case TunnelEnd::Step::kNothing:
      if (!tunnel_->is_through()) return;
      wire_->close();
      return finish("is through");
    case TunnelEnd::Step::kSays:
      return wire_->send(tunnel_->say(stage_.now()));
    case TunnelEnd::Step::kHalfCloses:
      own.told_end = half_closed_ = true;
      tunnel_->note_half_close();
      wire_->half_close();
      return stage_.chronicle.note(name_, "closes its stream");
    case TunnelEnd::Step::kCloses:
      own.told_end = left_ = true;
      wire_->close();
      return finish("closes");
    case TunnelEnd::Step::kResets:
      left_ = true;
      wire_->reset();
      return finish("resets");
  }
}

void SimulatedClient::hear_in_tunnel(std::string_view bytes) {
  if (tunnel_->feed(bytes)) return;
  stage_.chronicle.fail(name_, "hears what its server has not said on {}",
                        target_of(plan_.number, answering()));
}

// True: it may still say something.
bool SimulatedClient::end_in_tunnel() {
  if (!wire_->ended_cleanly() || wire_->was_reset() || tunnel_->has_heard_end()) return false;
  const std::string why = tunnel_->hear_end();
  if (!why.empty()) {
    stage_.chronicle.fail(name_, "{} on {}", why, target_of(plan_.number, answering()));
  }
  stage_.chronicle.note(name_, "sees the end of its server's stream");
  return true;
}

// Nothing but the plan of its ends may end it.
bool SimulatedClient::may_lose_tunnel(const RequestPlan& plan) const {
  const TunnelTrail& trail = stage_.trails[{plan_.number, plan_.requests.size() - 1}].tunnel;
  const auto policies = policies_of(stage_.scenario, plan.pool,
                                    std::max<std::uint64_t>(trail.generation, 1), stage_.newest);
  const bool outlives = std::ranges::any_of(
      policies, [](const PolicyPlan& policy) { return policy.lifetime.count() > 0; });
  return outlives || stage_.stopping || stage_.cut || plan_.tries_patience() || is_spoilt() ||
         stage_.drained.contains(plan.pool) || stage_.orphaned.contains(plan.pool) ||
         stage_.was_rebalanced(plan.pool) || may_be_kicked() || plan.pool == PoolKind::kSecureWild;
}

// Which destroys what it has not read yet, the 101 too.
bool SimulatedClient::may_be_reset(const RequestPlan& plan) const {
  return plan.tunnel->ending > TunnelEnding::kBoth || may_lose_tunnel(plan);
}

// Where both ends close their streams each hears all of the other one.
void SimulatedClient::judge_tunnel() const {
  const RequestPlan& plan = plan_.requests.back();
  if (may_be_reset(plan)) return;
  const TunnelTrail& trail = stage_.trails[{plan_.number, plan_.requests.size() - 1}].tunnel;
  const bool is_whole = trail.client.heard_end && trail.server.heard_end &&
                        trail.client.heard == plan.tunnel->server.bytes &&
                        trail.server.heard == plan.tunnel->client.bytes;
  if (is_whole) return;
  stage_.chronicle.fail(name_, "hears {} of {} bytes, its server {} of {}, and the end",  //
                        trail.client.heard, plan.tunnel->server.bytes, trail.server.heard,
                        plan.tunnel->client.bytes);
}

void SimulatedClient::judge_tunnel_line(const Facts& facts, const LogLine& line) const {
  struct Row {
    std::string_view end;
    std::string_view by;
    bool may_be;
  };
  using enum TunnelEnding;
  const TunnelTrail& trail = facts.trail.tunnel;
  const TunnelEnding ending = facts.plan.tunnel->ending;
  const bool client_goes =
      left_ || facts.spoilt || facts.late || ending == kClientResets || ending == kClientCloses;
  const bool server_goes = facts.opaque() || ending == kServerResets || ending == kServerCloses;
  const bool may_be_idle = ending == kNobody || client_goes || server_goes;
  const bool ends = trail.client.told_end && trail.server.told_end;
  const std::array rows = {
      Row{"done", "nobody", ends || left_},
      Row{"client-left", "client", client_goes},
      Row{"client-reset", "client", client_goes},
      Row{"client-truncated", "client", facts.secure && client_goes},
      Row{"tls-failed", "client", facts.spoilt},
      Row{"upstream-left", "upstream", server_goes},
      Row{"upstream-reset", "upstream", server_goes},
      Row{"upstream-truncated", "upstream", server_goes && is_secure(facts.plan.pool)},
      Row{"upstream-tls-failed", "upstream", facts.opaque()},
      Row{"idle", "gateway", may_be_idle},
      Row{"lifetime", "gateway", may_lose_tunnel(facts.plan)},
      Row{"draining", "gateway", facts.drained},
      Row{"orphaned", "gateway", facts.orphaned},
      Row{"rebalanced", "gateway", facts.rebalanced},
      Row{"stopping", "gateway", facts.stopping},
      Row{"kicked", "gateway", facts.kicked},
  };
  const auto fail = [&](std::string_view what) {
    stage_.chronicle.fail(name_, "its tunnel {}: the log says end={} by={}, {} and {} bytes", what,
                          line.end, line.by, line.client_bytes, line.upstream_bytes);
  };
  const auto row = std::ranges::find(rows, line.end, &Row::end);
  if (row == rows.end() || !row->may_be) return fail("has another end");
  if (line.by != row->by) fail("has somebody else to blame");
  const auto is_between = [](std::size_t least, std::string_view told, std::size_t most) {
    return least <= bytes_in(told) && bytes_in(told) <= most;
  };
  if (!is_between(trail.server.heard, line.client_bytes, trail.client.said) ||
      !is_between(trail.client.heard, line.upstream_bytes, trail.server.said)) {
    fail("has passed other bytes");
  }
  judge_kick(facts, line);
  if (line.end != "idle" || facts.late || facts.spoilt || facts.opaque()) return;
  const Time last = std::max({trail.opened_at, trail.client.said_at, trail.server.said_at});
  if (line.at < last + Limits::kWebSocketIdle) fail("was not idle for long enough");
  if (line.at > last + kIdleMost + kSlack) fail("was idle for too long");
}

}  // namespace simulation
