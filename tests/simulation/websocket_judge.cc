// What the ends of a WebSocket may have got when it has ended: all that the other one has said, or
// an end that has a cause, with the code and the word that belong to it.
#include <algorithm>
#include <array>

#include "tests/simulation/client_facts.hh"
#include "tests/simulation/generations.hh"

namespace simulation {
namespace {

using Policies = std::vector<PolicyPlan>;

// From a deadline of the gateway's until the log tells of it, at the most: it looks once more at
// who is to be taken for dead, and lets a frame that is under way come to its end.
constexpr milliseconds kSlack{3000};

Policies policies_of(const Stage& stage, const RequestPlan& plan, const WebSocketTrail& trail) {
  if (trail.generation == 0) return {};
  return simulation::policies_of(stage.scenario, plan.pool, trail.generation, stage.newest);
}

// One of the rates that are not slowed down to has been passed, with what may come at once.
bool is_over(const PolicyPlan& policy, const WebSocketTally& said) {
  const Rates& rates = policy.rates;
  const auto passes = [&](std::size_t count, std::size_t per_second) {
    return per_second > 0 &&
           count * 1000 > per_second * static_cast<std::size_t>(rates.burst.count());
  };
  return rates.closes &&
         (passes(said.messages, rates.messages) || passes(said.bytes, rates.bytes) ||
          passes(said.control_frames, rates.control_frames));
}

}  // namespace

WebSocketFacts SimulatedClient::websocket_facts(unsigned number) const {
  const RequestPlan& plan = plan_.requests[number];
  if (!plan.websocket) return {};
  const WebSocketPlan& websocket = *plan.websocket;
  const WebSocketTrail& trail = stage_.trails[{plan_.number, number}].websocket;
  const Policies policies = policies_of(stage_, plan, trail);
  const auto any = [&](auto condition) { return std::ranges::any_of(policies, condition); };
  const Closer closer = websocket.closer;
  WebSocketFacts facts;
  const bool client_breaks = closer == Closer::kClientBreaks;
  if (breaks(closer) && !policies.empty()) {
    const EndPlan& end = client_breaks ? websocket.client : websocket.server;
    facts.breach = outcome_of(end.breach.breach, policies.front(), client_breaks, trail.deflating);
  }
  facts.client_violates = client_breaks && !facts.breach.passes();
  facts.server_violates = closer == Closer::kServerBreaks && !facts.breach.passes();
  const bool both = closer == Closer::kBoth;
  facts.client_closes =
      both || closer == Closer::kClient || (client_breaks && !facts.client_violates);
  facts.server_closes = both || closer == Closer::kServer ||
                        (closer == Closer::kServerBreaks && !facts.server_violates);
  // What these say and do cannot be known.
  const bool odd_client = is_spoilt() || plan_.tries_patience();
  const bool odd_server = plan.pool == PoolKind::kSecureWild;
  const auto has_no_pong = [&](const EndPlan& end, bool goes_silent) {
    return [&end, goes_silent](const PolicyPlan& policy) {
      return goes_silent || !end.answers_within(policy.pong_timeout - Limits::kMargin);
    };
  };
  const bool client_stops = closer == Closer::kClientStalls || closer == Closer::kClientDies;
  const bool server_stops = closer == Closer::kServerStalls || closer == Closer::kServerDies;
  const auto client_is_dead = has_no_pong(websocket.client, client_stops || odd_client);
  const auto server_is_dead = has_no_pong(websocket.server, server_stops || odd_server);
  facts.client_has_no_pong =
      any([&](const auto& policy) { return policy.pings_client() && client_is_dead(policy); });
  facts.server_has_no_pong =
      any([&](const auto& policy) { return policy.pings_upstream() && server_is_dead(policy); });
  const bool times_messages =
      any([](const auto& policy) { return policy.message_time.count() > 0; });
  // What breaks a rule may be large, and whoever says it slow.
  facts.client_is_long = times_messages && (client_stops || odd_client || client_breaks);
  facts.server_is_long =
      times_messages && (server_stops || odd_server || closer == Closer::kServerBreaks);
  const bool has_grace = any([](const auto& policy) { return policy.slow_grace.count() > 0; });
  facts.client_is_slow = has_grace && (closer == Closer::kClientDies || odd_client);
  facts.server_is_slow = has_grace && (closer == Closer::kServerDies || odd_server);
  facts.over_rate = any([&](const auto& policy) { return is_over(policy, trail.client.tally); });
  facts.outlives = any([](const auto& policy) { return policy.lifetime.count() > 0; });
  facts.lacks_memory = stage_.scenario.scarce_memory && trail.deflating == Deflating::kAtGateway;
  return facts;
}

void SimulatedClient::judge_websocket() const {
  const unsigned number = static_cast<unsigned>(plan_.requests.size()) - 1;
  const RequestPlan& plan = plan_.requests[number];
  const Closer closer = plan.websocket->closer;
  const std::string target = target_of(plan_.number, number);
  const WebSocketTrail& trail = stage_.trails[{plan_.number, number}].websocket;
  const WebSocketFacts facts = websocket_facts(number);
  if (!websocket_->may_end_here()) {
    stage_.chronicle.fail(name_, "gets a part of a frame that is not the one that is due on {}",
                          target);
  }
  // There the server's TLS may break anywhere.
  const bool may_end = stage_.stopping || stage_.cut || plan_.tries_patience() || is_spoilt() ||
                       stage_.drained.contains(plan.pool) || stage_.orphaned.contains(plan.pool) ||
                       plan.pool == PoolKind::kSecureWild || facts.may_end_early() ||
                       stage_.was_rebalanced(plan.pool) || may_be_kicked();
  if (websocket_->close_code()) {
    const bool regular = facts.client_closes || facts.server_closes;
    if (!websocket_->closed_by_peer() && regular && !may_end) {
      stage_.chronicle.fail(name_, "is closed with {} on {} by the gateway",
                            websocket_->told_by_gateway(), target);
    }
    return;
  }
  // Whoever has closed its own stream hears the rest, and the end.
  const bool half_closed = closer == Closer::kClientHalfCloses;
  if (half_closed && !may_end && !trail.server.is_heard()) {
    stage_.chronicle.fail(name_, "has not got all that its server has said on {}", target);
  }
  // Nothing of the gateway's can follow half a frame.
  const bool may_lack = may_end || left_ || half_closed || websocket_->in_mid_frame();
  if (!may_lack) stage_.chronicle.fail(name_, "gets no close frame on {}", target);
}

namespace {

// What the gateway says to each end; empty: nothing.
struct Told {
  std::string client;
  std::string server;
};

Told both(std::string text) {
  return {text, text};
}

struct ToldRow {
  std::string_view end;
  std::string_view client;
  std::string_view server;
};
constexpr std::array kTold = {
    ToldRow{"idle", "1001 idle for too long", "1001 idle for too long"},
    ToldRow{"client-no-pong", "1011 the client does not answer pings",
            "1001 the client does not answer pings"},
    ToldRow{"upstream-no-pong", "1011 the server does not answer pings",
            "1011 the server does not answer pings"},
    ToldRow{"client-message-timeout", "1008 the client took too long for a message",
            "1001 the client took too long for a message"},
    ToldRow{"upstream-message-timeout", "1011 the server took too long for a message",
            "1008 the server took too long for a message"},
    ToldRow{"inflate-shortage", "1013 no memory to inflate a message",
            "1013 no memory to inflate a message"},
    ToldRow{"upstream-left", "1011 The server closed the connection too soon.", ""},
    ToldRow{"upstream-reset", "1011 The server's connection broke.", ""},
    ToldRow{"upstream-truncated", "1011 The server's stream ended without a TLS close_notify.", ""},
    ToldRow{"upstream-tls-failed", "1011 The TLS session with the server failed.", ""},
};

std::string of_breach(unsigned code, const BreachOutcome& breach) {
  return fmt::format("{} {}", code, breach.text);
}

// By what the log says that it has ended with.
Told told_for(std::string_view end, const Scenario& scenario, const WebSocketFacts& facts) {
  if (end == "stopping") {
    return both(fmt::format("{} {}", scenario.stop.close_code, scenario.stop.close_reason));
  }
  if (end == "draining") return both(fmt::format("{} {}", kDrainCode, kDrainReason));
  if (end == "orphaned") return both(fmt::format("{} {}", kOrphanCode, kOrphanReason));
  if (end == "rebalanced") {
    const unsigned code = plan_rebalance(scenario, 1).code;
    return both(fmt::format("{} another server has room: connect again", code));
  }
  if (end == "client-violation") return both(of_breach(facts.breach.close_code, facts.breach));
  // Of its server's breach no client is blamed.
  if (end == "upstream-violation") {
    return {of_breach(1011, facts.breach), of_breach(facts.breach.close_code, facts.breach)};
  }
  const auto row = std::ranges::find(kTold, end, &ToldRow::end);
  if (row == kTold.end()) return {};
  return {std::string(row->client), std::string(row->server)};
}

}  // namespace

// What both ends of a WebSocket were closed with is what it was closed for.
void SimulatedClient::judge_told(const Facts& facts, const LogLine& line) const {
  const WebSocketTrail& trail = facts.trail.websocket;
  const Policies policies = policies_of(stage_, facts.plan, trail);
  const Told due = told_for(line.end, stage_.scenario, facts.websocket);
  const Told by_stop = told_for("stopping", stage_.scenario, facts.websocket);
  const auto is_due = [&](const std::string& told, const std::string& text) {
    if (line.end == "lifetime") {
      return std::ranges::any_of(policies, [&](const PolicyPlan& policy) {
        return told == fmt::format("{} open for as long as it may be", policy.lifetime_code);
      });
    }
    if (line.end == "client-slow" || line.end == "upstream-slow") {
      const std::string_view who = line.end == "client-slow" ? "client" : "server";
      const std::string says = fmt::format(" the {} does not take what it is sent", who);
      // A client is not blamed for its server.
      if (line.end == "upstream-slow" && told == "1013" + says) return true;
      return std::ranges::any_of(policies, [&](const PolicyPlan& policy) {
        return told == fmt::format("{}{}", policy.slow_code, says);
      });
    }
    if (line.end == "kicked") return is_told_by_kick(told);
    if (line.end == "client-over-rate")
      return told.starts_with("1008 more ") && told.ends_with(" allows");
    return told == text;
  };
  const auto judge = [&](std::string_view who, const std::string& told, const std::string& text) {
    // Whoever is cut while he closes is told that, too, if anything.
    if (told.empty() || is_due(told, text) || (facts.cut && told == by_stop.client)) return;
    // What comes behind the end of a client's stream is another end, which the log does not tell.
    if (facts.closer() == Closer::kClientHalfCloses && line.by == "client") return;
    stage_.chronicle.fail(name_, "its WebSocket's {} is told \"{}\": the log says end={}", who,
                          told, line.end);
  };
  judge("client", trail.client.told, due.client);
  judge("server", trail.server.told, due.server);
  const auto pinged = [&](const WebSocketSide& side, bool (PolicyPlan::*pings)() const) {
    return side.pings == 0 || std::ranges::any_of(policies, pings);
  };
  if (!pinged(trail.client, &PolicyPlan::pings_client) ||
      !pinged(trail.server, &PolicyPlan::pings_upstream)) {
    stage_.chronicle.fail(name_, "a WebSocket that is not to be pinged is pinged");
  }
  constexpr std::array<std::string_view, 5> kInTurn = {"stopping", "draining", "orphaned",
                                                       "rebalanced", "kicked"};
  const bool in_turn = std::ranges::count(kInTurn, line.end) > 0;
  if (!in_turn) return;
  // Whoever has half of a frame that has no end can be told nothing.
  const Closer closer = facts.closer();
  if (facts.lossy() || facts.opaque() || breaks(closer) || stalls(closer) || dies(closer)) return;
  if (!websocket_ || !websocket_->close_code()) {
    stage_.chronicle.fail(name_, "is not told that its WebSocket is closed: end={}", line.end);
  }
  // Where a client waits for a descriptor nobody waits for a server to take its leave.
  const bool is_hurried = stage_.scenario.crowded();
  const bool leaves = closer == Closer::kServerLeaves;
  if (!trail.server.was_closed && !leaves && !is_hurried) {
    stage_.chronicle.fail(name_, "its WebSocket's server is not told that it is closed: end={}",
                          line.end);
  }
}

// Whether it was closed when its policy says, where that has been one all the time.
void SimulatedClient::judge_times(const Facts& facts, const LogLine& line) const {
  const WebSocketTrail& trail = facts.trail.websocket;
  const Policies policies = policies_of(stage_, facts.plan, trail);
  if (policies.empty()) return;
  const PolicyPlan& policy = policies.front();
  if (line.end == "lifetime") {
    const auto soonest = [&](const PolicyPlan& one) {
      return one.lifetime.count() > 0 && line.at >= trail.asked_at + one.lifetime - one.jitter;
    };
    if (std::ranges::none_of(policies, soonest)) {
      stage_.chronicle.fail(name_, "its WebSocket is closed before its lifetime is over");
    }
  }
  const auto is_late = [&](Time deadline) { return line.at > deadline + kSlack; };
  const auto has = [](auto PolicyPlan::*value) {
    return [value](const PolicyPlan& a, const PolicyPlan& b) { return a.*value != b.*value; };
  };
  const bool same_lifetime =
      std::ranges::adjacent_find(policies, has(&PolicyPlan::lifetime)) == policies.end();
  if (same_lifetime && policy.lifetime.count() > 0 && !may_be_held_up(facts) &&
      is_late(trail.opened_at + policy.lifetime)) {
    stage_.chronicle.fail(name_, "its WebSocket outlives its lifetime");
  }
  const bool same_pings = std::ranges::all_of(
      policies, [&](const PolicyPlan& other) { return other.pings_as(policy); });
  if (!same_pings || may_be_held_up(facts)) return;
  // Twice, where something was on its way to it before the ping.
  const auto found = [&](const WebSocketSide& dead, bool is_pinged) {
    return !dead.died_at || !is_pinged ||
           !is_late(*dead.died_at + policy.ping + 2 * policy.pong_timeout);
  };
  if (!found(trail.client, policy.pings_client()) ||
      !found(trail.server, policy.pings_upstream())) {
    stage_.chronicle.fail(name_, "one end of its WebSocket was dead for long: end={}", line.end);
  }
}

// What is under way, to who takes nothing or without an end, has a time of its own.
bool SimulatedClient::may_be_held_up(const Facts& facts) const {
  const WebSocketPlan& plan = *facts.plan.websocket;
  const auto bytes_of = [](const EndPlan& end) {
    std::size_t bytes = end.unfinished_bytes;
    for (const MessagePlan& message : end.messages) {
      bytes += message.bytes + 150 * message.control_frames + 50;
    }
    return bytes;
  };
  constexpr std::size_t kLittle = 2000;
  const bool bursts =
      facts.closer() == Closer::kClientBreaks && plan.client.breach.breach == Breach::kBomb;
  const bool is_little =
      !bursts && bytes_of(plan.client) <= kLittle && bytes_of(plan.server) <= kLittle;
  const bool fits = is_little && stage_.scenario.window >= 4 * kLittle;
  // A stop waits for the end of a frame as long as it may.
  const bool waits = facts.stopping && (stalls(facts.closer()) || dies(facts.closer()));
  return !fits || waits || plan_.tries_patience() || is_spoilt() || facts.opaque() ||
         facts.closer() == Closer::kClientHalfCloses;
}

}  // namespace simulation
