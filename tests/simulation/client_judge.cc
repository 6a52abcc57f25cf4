// What a client may have got when its connection has ended: for each request one answer, its own
// and whole, or an end that its plan explains.
#include "gateway/client/connection.hh"
#include "tests/simulation/care_plan.hh"
#include "tests/simulation/client.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/health_plan.hh"

namespace simulation {

void SimulatedClient::judge(bool left) const {
  if (wire_->was_wronged()) {
    stage_.chronicle.fail(name_, "has a TLS session that failed: {}", wire_->tls()->why());
  }
  if (left || plan_.silent) return;
  // Who reads nothing for long may be cut when the gateway stops.
  const bool may_be_cut = is_spoilt() || may_be_kicked() || dawdles_until_.has_value();
  if (may_have_lost_handshake() && !may_be_cut) ++stage_.lost_handshakes;
  if (websocket_) judge_websocket();
  bool excused = false;
  for (unsigned number = 0; number < asked_; ++number) {
    judge_answer(number, excused);
    if (number + 1 < answers_.size() && may_close_behind(number)) excused = true;
  }
}

// `excused`: the gateway may have closed before it.
void SimulatedClient::judge_answer(unsigned number, bool excused) const {
  const RequestPlan& plan = plan_.requests[number];
  const std::string target = target_of(plan_.number, number);
  const Answer answer = number < answers_.size() ? answers_[number] : Answer{};
  // The gateway may close an idle connection at its stop, whatever is on its way to it.
  const bool rested_long = plan.rests + Limits::kMargin >= Limits::kKeepAlive;
  const bool not_let_in =
      (stage_.stopping && (stage_.scenario.faults & kShortage) != 0) || stage_.left_behind;
  excused = excused || is_spoilt() || not_let_in || may_be_turned_away() || may_be_kicked() ||
            (number > 0 && (stage_.stopping || rested_long));
  const bool has_tunnel = stage_.trails[{plan_.number, number}].tunnel.generation != 0;
  const bool has_switched = plan.websocket || has_tunnel;
  if (answer.got == Got::kNothing) {
    // What is behind a lost one is lost with it: that one is told.
    const bool behind_another = number + 1 > answers_.size();
    const bool may_be_lost =
        may_be_cut(plan) || is_overrun_behind(number) || (has_tunnel && may_be_reset(plan));
    if (!excused && !behind_another && !may_be_lost) {
      stage_.chronicle.fail(name_, "gets no answer to {} {}", plan.method, target);
    }
  } else if (answer.by_guard) {
    judge_denial(number);
  } else if (const auto at = stage_.refused.find(plan_.number);
             answer.is_own && at != stage_.refused.end() && at->second) {
    stage_.chronicle.fail(name_, "is served, who was refused");
  } else if (!answer.is_own) {
    if (!may_be_refused(number, answer.status)) {
      stage_.chronicle.fail(name_, "is refused {} {} with {}", plan.method, target, answer.status);
    }
  } else if (answer.got == Got::kPart) {
    if (!may_be_cut(plan) && !is_overrun_behind(number)) {
      stage_.chronicle.fail(name_, "gets only {} bytes of the answer to {} {}", answer.body_bytes,
                            plan.method, target);
    }
  } else if (answer.status != (has_switched ? 101 : plan.status)) {
    stage_.chronicle.fail(name_, "gets {} for {} {}", answer.status, plan.method, target);
  } else if (!has_switched && plan.has_answer_body() && answer.body_bytes != plan.answer_bytes) {
    stage_.chronicle.fail(name_, "gets {} bytes as the whole answer to {} {}, which has {}",
                          answer.body_bytes, plan.method, target, plan.answer_bytes);
  } else if (plan.ends_with_connection() && !stage_.trails[{plan_.number, number}].end_told) {
    stage_.chronicle.fail(name_, "gets the answer to {} {} as a whole one, which nobody has told",
                          plan.method, target);
  }
}

// Its route is one that was the newest, for its shard, when it came there.
void SimulatedClient::judge_generation(unsigned number) const {
  const Answer& answer = answers_[number];
  const bool redirected = !answer.is_own && answer.status == 308;
  if (!answer.is_own && !redirected) return;
  const std::uint64_t generation = generation_of(reader_);
  const std::uint64_t asked_in = stage_.trails[{plan_.number, number}].asked_in;
  const std::string target = target_of(plan_.number, number);
  if (generation < asked_in || generation > stage_.newest) {
    stage_.chronicle.fail(name_, "gets {} for {} by generation {}, not {} to {}", answer.status,
                          target, generation, asked_in, stage_.newest);
  } else if (plan_generation(stage_.scenario, generation)
                 .redirects_from(plan_.requests[number].pool) != redirected) {
    stage_.chronicle.fail(name_, "gets {} for {}, which generation {} does not say", answer.status,
                          target, generation);
  }
}

bool SimulatedClient::may_be_redirected(unsigned number) const {
  const PoolKind pool = plan_.requests[number].pool;
  std::uint64_t generation = stage_.trails[{plan_.number, number}].asked_in;
  for (; generation <= stage_.newest; ++generation) {
    if (plan_generation(stage_.scenario, generation).redirects_from(pool)) return true;
  }
  return false;
}

// At the door; or by what its PROXY header says.
bool SimulatedClient::may_be_turned_away() const {
  const Scenario& scenario = stage_.scenario;
  const bool by_header = scenario.proxied && scenario.theme == Theme::kRefusals &&
                         plan_.entry() != Entry::kUnix && !answers_.front().is_own;
  return by_header || may_have_lost_handshake() || stage_.refused.contains(plan_.number);
}

// Since too many wait for theirs; how many such there may be is judged at the end.
bool SimulatedClient::may_have_lost_handshake() const {
  return stage_.scenario.theme == Theme::kHandshakes && plan_.tls && asked_ > 0 &&
         answers_.front().got == Got::kNothing;
}

// What the gateway got of it may be broken, or lack its end.
bool SimulatedClient::is_spoilt() const {
  const TlsEnd* const tls = wire_->tls();
  return tls != nullptr && (tls->spoilt() || (half_closed_ && tls->is_rude()));
}

bool SimulatedClient::may_be_refused(unsigned number, unsigned status) const {
  const RequestPlan& plan = plan_.requests[number];
  const bool wild = is_wild(plan.pool);
  const bool short_of_descriptors = (stage_.scenario.faults & kShortage) != 0;
  const CarePlan care = plan_care(stage_.scenario, plan.pool);
  // Where the one that can be reached is full, the other one may be all that there is.
  const bool is_checked = is_ever_checked(stage_.scenario, plan.pool);
  const bool gives_up = short_of_descriptors || care.has_budget || care.is_limited() || is_checked;
  // What has not been kept of a request is not sent again; and of its two servers one is out of
  // reach, and the other one may be, without a descriptor.
  const bool closed_too_soon =
      plan.pool == PoolKind::kClosing && (plan.is_upload() || !plan.is_idempotent() || gives_up);
  if (may_fail_at_guard(number, status)) return true;
  switch (status) {
    case 308:
      return may_be_redirected(number);
    case 408:
      return is_spoilt();
    case 502:
      return wild || closed_too_soon;
    case 429:
      return stage_.scenario.tight || may_be_turned_away();
    case 503:
      return stage_.scenario.tight || may_be_turned_away() || stage_.stopping ||
             short_of_descriptors || may_be_kicked() || stage_.drained.contains(plan.pool) ||
             care.is_limited() || is_checked;
    case 504:
      return wild || plan.may_come_too_late() || (plan.pool == PoolKind::kClosing && gives_up);
    default:
      return false;
  }
}

bool SimulatedClient::may_be_kicked() const {
  return !stage_.kicks.of(plan_).empty();
}

bool SimulatedClient::may_be_cut(const RequestPlan& plan) const {
  if (may_be_kicked() || is_wild(plan.pool) || stage_.cut || plan_.tries_patience() || is_spoilt())
    return true;
  // Who closes its stream in the middle of an answer that has a length may be gone.
  return half_closed_ && plan.framing != Framing::kChunked;
}

// It has sent more behind that request than a gateway that closes takes of it: the reset that
// answers the rest destroys what it has not read.
bool SimulatedClient::is_overrun_behind(unsigned number) const {
  std::size_t bytes = 0;
  for (unsigned later = number + 1; later < asked_; ++later) bytes += request_text(later).size();
  return wire_->was_reset() && bytes >= gateway::Connection::kLingerBytes;
}

// The next request need not be answered, or not be taken at all.
bool SimulatedClient::may_close_behind(unsigned number) const {
  const Answer& answer = answers_[number];
  const RequestPlan& plan = plan_.requests[number];
  return answer.says_close || answer.got != Got::kWhole || plan.deed == Deed::kAnswersEarly ||
         plan.early;
}

// Over TLS the close_notify tells what is whole from what was cut.
void SimulatedClient::judge_farewell() const {
  const TlsEnd* const tls = wire_->tls();
  if (tls == nullptr || wire_->was_reset() || is_spoilt() || tunnel_) return;
  const bool in_mid_message = websocket_ ? websocket_->in_mid_frame() : !reader_.between_messages();
  if (in_mid_message && tls->ended_cleanly()) {
    stage_.chronicle.fail(name_, "gets a close_notify behind what was cut");
  }
  const bool has_got_something = answers_.front().got != Got::kNothing;
  const bool may_lack = in_mid_message || stage_.cut || may_be_kicked() || plan_.tries_patience();
  if (has_got_something && !may_lack && !tls->ended_cleanly()) {
    stage_.chronicle.fail(name_, "gets no close_notify behind what is whole");
  }
}

}  // namespace simulation
