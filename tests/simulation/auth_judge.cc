// Whether requests pass only where the server that is asked has let them: what servers get, what
// clients get, and what the log says of those that were refused.
#include <algorithm>

#include "tests/simulation/client_facts.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/server.hh"

namespace simulation {

// It has what one grant says of the client, and nothing that the client says of itself; and where
// nobody is asked, what the client says.
void SimulatedServer::judge_permission() {
  if (!stage_.scenario.has_auth) return;
  const GenerationPlan plan = plan_generation(stage_.scenario, generation_of(reader_));
  const AuthTrail& trail = stage_.trail(client_, request_).auth;
  const std::string* const user = reader_.field("x-user");
  const std::string said = user != nullptr ? *user : "";
  const std::string target = target_of(client_, request_);
  if (!plan.auth[static_cast<std::size_t>(pool_)]) {
    const std::string forged = fmt::format("{}, {}", kForged, kForged);
    if (said != forged) stage_.chronicle.fail(name_, "gets {} of \"{}\"", target, said);
    return;
  }
  const bool is_granted = std::ranges::find(trail.users, said) != trail.users.end();
  if (!is_granted || trail.denied || reader_.field("x_user") != nullptr) {
    stage_.chronicle.fail(name_, "gets {} of \"{}\", which nobody has let pass", target, said);
  }
}

void SimulatedClient::note_guard() {
  const std::string* const guard = reader_.field("x-guard");
  answers_.back().by_guard = guard != nullptr;
  if (guard == nullptr) return;
  if (*guard != target_of(plan_.number, answering()) || answers_.back().is_own) {
    stage_.chronicle.fail(name_, "gets what was said of {}", *guard);
  }
  if (reader_.field("set-cookie") != nullptr) {
    stage_.chronicle.fail(name_, "gets a cookie with the refusal of {}", *guard);
  }
}

// By a generation that may have taken it.
bool SimulatedClient::may_be_guarded(unsigned number) const {
  const PoolKind pool = plan_.requests[number].pool;
  for (auto at = stage_.trails[{plan_.number, number}].asked_in; at <= stage_.newest; ++at) {
    const GenerationPlan plan = plan_generation(stage_.scenario, at);
    if (plan.auth[static_cast<std::size_t>(pool)] && !plan.redirects_from(pool)) return true;
  }
  return false;
}

bool SimulatedClient::may_fail_at_guard(unsigned number, unsigned status) const {
  if (!stage_.scenario.has_auth || !may_be_guarded(number)) return false;
  return plan_auth(stage_.scenario, plan_.number, number).may_fail_with(status);
}

// The client gets its whole answer, and no server the request.
void SimulatedClient::judge_denial(unsigned number) const {
  const RequestPlan& plan = plan_.requests[number];
  const AuthPlan guard = plan_auth(stage_.scenario, plan_.number, number);
  const Answer& answer = answers_[number];
  const Trail& trail = stage_.trails[{plan_.number, number}];
  const std::string target = target_of(plan_.number, number);
  const bool is_right = trail.auth.denied && guard.deed == AuthDeed::kDenies &&
                        answer.status == guard.status && may_be_guarded(number);
  if (!is_right || trail.arrivals > 0) {
    stage_.chronicle.fail(name_, "is refused {} with {}, {} servers got it", target, answer.status,
                          trail.arrivals);
  }
  const std::size_t bytes = plan.method == "HEAD" ? 0 : guard.body_bytes;
  const bool is_whole = answer.got == Got::kWhole && answer.body_bytes == bytes;
  const bool may_lack = answer.got == Got::kPart && (may_be_cut(plan) || is_overrun_behind(number));
  if (is_whole || may_lack) return;
  stage_.chronicle.fail(name_, "is refused {} with {} of {} bytes", target, answer.body_bytes,
                        bytes);
}

void SimulatedClient::judge_denial_line(const Facts& facts, const LogLine& line) const {
  const bool is_whole = facts.has_whole() && !facts.may_lack();
  const bool is_right = line.upstream == kAuthAddress &&
                        line.status == std::to_string(facts.answer.status) && !line.websocket &&
                        (!is_whole || line.end == "done");
  if (is_right) return;
  stage_.chronicle.fail(name_, "was refused with {}: the log says end={} status={} upstream={}",
                        facts.answer.status, line.end, line.status, line.upstream);
}

}  // namespace simulation
