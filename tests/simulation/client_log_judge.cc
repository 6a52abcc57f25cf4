// What the gateway's log says of each request, compared with what both of its ends have seen: one
// line for each that anybody has heard of, with the status that its client got, and an end that
// somebody has brought about.
#include <algorithm>
#include <array>

#include "tests/simulation/care_plan.hh"
#include "tests/simulation/client_facts.hh"
#include "tests/simulation/health_plan.hh"

namespace simulation {

namespace {

constexpr std::string_view kNobody = "nobody";
constexpr std::string_view kClient = "client";
constexpr std::string_view kUpstream = "upstream";
constexpr std::string_view kGateway = "gateway";

}  // namespace

SimulatedClient::Facts SimulatedClient::facts_of(unsigned number) const {
  const unsigned faults = stage_.scenario.faults;
  const CarePlan care = plan_care(stage_.scenario, plan_.requests[number].pool);
  return {.plan = plan_.requests[number],
          .trail = stage_.trails[{plan_.number, number}],
          .answer = number < answers_.size() ? answers_[number] : Answer{},
          .left = left_ || half_closed_,
          .spoilt = is_spoilt(),
          .late = plan_.tries_patience(),
          .overrun = is_overrun_behind(number),
          .silent = plan_.silent,
          .secure = plan_.tls.has_value(),
          .stopping = stage_.stopping,
          .cut = stage_.cut,
          .tight = stage_.scenario.tight,
          .turned_away = may_be_turned_away(),
          .rebalanced = stage_.was_rebalanced(plan_.requests[number].pool),
          .drained = stage_.drained.contains(plan_.requests[number].pool),
          .orphaned = stage_.orphaned.contains(plan_.requests[number].pool),
          .kicked = may_be_kicked(),
          .shortage = (faults & kShortage) != 0,
          .refuses = stage_.scenario.unreachable_refuses,
          .limited = care.is_limited(),
          .lacks_servers = std::ranges::any_of(stage_.trails[{plan_.number, number}].lines,
                                               &LogLine::may_lack_servers),
          .gives_up = care.has_budget || care.is_limited() ||
                      is_ever_checked(stage_.scenario, plan_.requests[number].pool),
          .redirectable = may_be_redirected(number),
          .guard_is_late = may_fail_at_guard(number, 504),
          .guard_fails = may_fail_at_guard(number, 502),
          .websocket = websocket_facts(number)};
}

void SimulatedClient::judge_log() const {
  if (tunnel_ && !left_) judge_tunnel();
  for (unsigned number = 0; number < plan_.requests.size(); ++number) {
    const Trail& trail = stage_.trails[{plan_.number, number}];
    const std::string target = target_of(plan_.number, number);
    const bool answered = number < answers_.size() && answers_[number].got != Got::kNothing;
    const bool known = answered || trail.arrivals > 0;
    if (trail.lines.size() > 1) {
      stage_.chronicle.fail(name_, "the log tells {} times of {}", trail.lines.size(), target);
    } else if (!trail.lines.empty() && number >= asked_) {
      stage_.chronicle.fail(name_, "the log tells of {}, which nobody has asked", target);
    } else if (!trail.lines.empty()) {
      judge_line(number, trail.lines.front());
    } else if (known && !plan_.silent && !was_refused_in_head(number)) {
      stage_.chronicle.fail(name_, "the log does not tell of {}", target);
    }
  }
  for (const auto& [id, connection] : stage_.logged) {
    if (!connection.head_cut || connection.client != plan_.number) continue;
    const bool may_be_cut = plan_.silent || may_be_kicked() || left_ || half_closed_ ||
                            is_spoilt() || plan_.tries_patience() || stage_.stopping;
    if (!may_be_cut) stage_.chronicle.fail(name_, "the log tells of half a head, which was whole");
  }
}

// Before its head was whole: then no line can name it.
bool SimulatedClient::was_refused_in_head(unsigned number) const {
  if (number >= answers_.size() || stage_.trails[{plan_.number, number}].arrivals > 0) return false;
  const Answer& answer = answers_[number];
  return !answer.is_own && std::ranges::any_of(stage_.logged, [&](const auto& entry) {
    const LoggedConnection& connection = entry.second;
    return connection.head_cut && connection.client.value_or(plan_.number) == plan_.number &&
           connection.requests == number + 1 &&
           connection.last_status == std::to_string(answer.status);
  });
}

// A kept connection to that server may have been taken for a request and closed in the middle of
// it, before the server has seen anything of it.
bool SimulatedClient::is_cut_unseen(std::string_view upstream) const {
  return std::ranges::any_of(stage_.trails, [&](const auto& entry) {
    const Trail& trail = entry.second;
    return trail.arrivals == 0 && std::ranges::any_of(trail.lines, [&](const LogLine& line) {
             return line.upstream == upstream && line.end != "done";
           });
  });
}

void SimulatedClient::judge_line(unsigned number, const LogLine& line) const {
  struct Row {
    std::string_view end;
    std::string_view by;
    unsigned status;  // of the gateway's own answer; 0: it gives none
    bool (*may_be)(const Facts&);
  };
  static constexpr std::array kRows = {
      Row{"done", kNobody, 0,
          [](const Facts& f) {
            if (f.redirected() || (f.redirectable && f.may_lack())) return true;
            return f.trail.told_whole && (f.may_lack() || (f.has_whole() && f.answer.is_own));
          }},
      // Whose session has failed leaves, too.
      Row{"client-left", kClient, 0, [](const Facts& f) { return f.left || f.spoilt; }},
      Row{"client-reset", kClient, 0, [](const Facts& f) { return f.left || f.spoilt; }},
      Row{"client-truncated", kClient, 0,
          [](const Facts& f) { return f.secure && (f.left || f.spoilt); }},
      Row{"client-violation", kClient, 0,
          [](const Facts& f) { return f.websocket.client_violates; }},
      Row{"upstream-violation", kUpstream, 0,
          [](const Facts& f) { return f.websocket.server_violates; }},
      Row{"client-no-pong", kClient, 0,
          [](const Facts& f) { return f.websocket.client_has_no_pong; }},
      Row{"upstream-no-pong", kUpstream, 0,
          [](const Facts& f) { return f.websocket.server_has_no_pong; }},
      Row{"client-message-timeout", kClient, 0,
          [](const Facts& f) { return f.websocket.client_is_long; }},
      Row{"upstream-message-timeout", kUpstream, 0,
          [](const Facts& f) { return f.websocket.server_is_long; }},
      Row{"client-slow", kClient, 0, [](const Facts& f) { return f.websocket.client_is_slow; }},
      Row{"upstream-slow", kUpstream, 0, [](const Facts& f) { return f.websocket.server_is_slow; }},
      Row{"client-over-rate", kClient, 0, [](const Facts& f) { return f.websocket.over_rate; }},
      Row{"lifetime", kGateway, 0, [](const Facts& f) { return f.websocket.outlives; }},
      Row{"tls-failed", kClient, 0, [](const Facts& f) { return f.spoilt; }},
      Row{"request-timeout", kGateway, 408, [](const Facts& f) { return f.spoilt; }},
      Row{"shortage", kGateway, 503, [](const Facts& f) { return f.shortage; }},
      Row{"inflate-shortage", kGateway, 0, [](const Facts& f) { return f.websocket.lacks_memory; }},
      Row{"upstream-unreachable", kUpstream, 502,
          [](const Facts& f) { return f.opaque() || (f.closing() && (f.shortage || f.gives_up)); }},
      Row{"connect-timeout", kUpstream, 504,
          [](const Facts& f) {
            return f.opaque() || (f.closing() && (f.shortage || f.gives_up) && !f.refuses);
          }},
      Row{"response-timeout", kUpstream, 504,
          [](const Facts& f) { return f.wild() || f.plan.may_come_too_late() || f.guard_is_late; }},
      Row{"bad-response", kUpstream, 502, [](const Facts& f) { return f.wild() || f.guard_fails; }},
      Row{"upstream-left", kUpstream, 502,
          [](const Facts& f) {
            return f.opaque() || f.trail.closed || f.closing() || f.met_nobody() || f.guard_fails;
          }},
      Row{"upstream-reset", kUpstream, 502,
          [](const Facts& f) {
            // Who has closed answers what comes with a reset.
            const bool met = f.trail.closed && (f.plan.is_upload() || f.plan.websocket);
            return f.opaque() || f.trail.reset || met || f.closing() || f.met_nobody() ||
                   f.guard_fails;
          }},
      Row{"upstream-truncated", kUpstream, 502,
          [](const Facts& f) {
            const bool leaves = f.plan.websocket && f.closer() == Closer::kServerLeaves;
            return f.opaque() || (leaves && f.plan.pool == PoolKind::kSecure);
          }},
      Row{"upstream-tls-failed", kUpstream, 502, [](const Facts& f) { return f.opaque(); }},
      Row{"idle", kGateway, 0,
          [](const Facts& f) {
            return f.late || f.wild() || f.spoilt || (f.plan.websocket && f.falls_silent());
          }},
      Row{"close-timeout", kGateway, 0,
          [](const Facts& f) {
            return f.plan.websocket &&
                   (f.lossy() || f.opaque() || f.stopping || f.closer() == Closer::kServerLeaves);
          }},
      Row{"client-over-limit", kGateway, 429,
          [](const Facts& f) { return f.tight || f.turned_away; }},
      Row{"at-capacity", kGateway, 503, [](const Facts& f) { return f.tight || f.turned_away; }},
      Row{"no-server", kGateway, 503, [](const Facts& f) { return f.drained || f.lacks_servers; }},
      Row{"queue-full", kGateway, 503, [](const Facts& f) { return f.limited; }},
      Row{"queue-timeout", kGateway, 503, [](const Facts& f) { return f.limited; }},
      Row{"draining", kGateway, 0, [](const Facts& f) { return f.drained && f.plan.websocket; }},
      Row{"orphaned", kGateway, 0, [](const Facts& f) { return f.orphaned && f.plan.websocket; }},
      Row{"rebalanced", kGateway, 0,
          [](const Facts& f) { return f.rebalanced && f.plan.websocket; }},
      Row{"kicked", kGateway, 503, [](const Facts& f) { return f.kicked; }},
      Row{"stopping", kGateway, 503, [](const Facts& f) { return f.stopping; }},
  };
  const Facts facts = facts_of(number);
  const Answer& answer = facts.answer;
  const std::string target = target_of(plan_.number, number);
  const auto fail = [&](std::string_view what) {
    stage_.chronicle.fail(name_, "{} {} has {} ({}, {} bytes): the log says end={} by={} status={}",
                          facts.plan.method, target, what, answer.status, answer.body_bytes,
                          line.end, line.by, line.status);
  };
  const bool has_opened =
      facts.plan.tunnel && (answer.got == Got::kNothing ? line.tunnel : tunnel_.has_value());
  if (line.tunnel != has_opened) return fail("a line of the wrong kind");
  if (has_opened) return judge_tunnel_line(facts, line);
  if (answer.by_guard) return judge_denial_line(facts, line);
  const auto row = std::ranges::find(kRows, line.end, &Row::end);
  if (row == kRows.end()) return fail("an unknown end");
  if (!row->may_be(facts)) fail("another end");
  const bool is_tunnel =
      facts.plan.websocket && (answer.got == Got::kNothing ? line.websocket : answer.status == 101);
  if (line.websocket != is_tunnel) return fail("a line of the wrong kind");
  const bool kept = facts.plan.pool == PoolKind::kSecure && line.end == "done";
  const bool was_cut_off = facts.trail.server_heard_farewell == false;
  if (kept && was_cut_off && !is_cut_unseen(line.upstream)) fail("had no close_notify behind it");
  const bool peers_close = is_tunnel && line.end == "done";
  if (peers_close) {
    const bool by_client = line.by == kClient && facts.websocket.client_closes;
    const bool by_server = line.by == kUpstream && facts.websocket.server_closes;
    if (!by_client && !by_server) fail("another closer");
    const WebSocketTrail& trail = facts.trail.websocket;
    const WebSocketSide& first = by_client ? trail.client : trail.server;
    const std::string code = first.close_code == 0 ? "-" : std::to_string(first.close_code);
    if (line.code != code) fail("another close code");
  } else if (line.by != row->by) {
    fail("somebody else to blame");
  }
  if (is_tunnel) {
    judge_told(facts, line);
    judge_times(facts, line);
    judge_kick(facts, line);
  }
  if (is_tunnel || answer.got == Got::kNothing) return;
  if (line.status != std::to_string(answer.status)) fail("another status");
  const bool has_its_status = answer.status == row->status || facts.redirected();
  if (!answer.is_own && !has_its_status) fail("a status that its end has not");
  const bool was_cut = answer.is_own && !facts.has_whole() && !facts.may_lack();
  if (was_cut && line.end == "done") fail("been cut");
  const bool is_whole = answer.is_own && facts.has_whole() && !facts.may_lack();
  if (!is_whole) return;
  if (line.end != "done") fail("been answered");
  const std::size_t bytes = facts.plan.has_answer_body() ? facts.plan.answer_bytes : 0;
  if (line.answer_bytes != std::to_string(bytes)) fail("another size");
}

}  // namespace simulation
