#include "tests/simulation/server.hh"

#include <algorithm>
#include <vector>

namespace simulation {
namespace {

Pace draw_pace(const Scenario& scenario, Dice& dice) {
  Pace pace;
  if (dice.chance(50)) return pace;
  pace.write_most = dice.of_any_size(2000, 50'000);
  pace.read_most = dice.of_any_size(2000, 50'000);
  const bool coarse = (scenario.faults & kCoarseTime) != 0;
  if (!coarse && dice.chance(50)) pace.pause_max = microseconds(dice.of_any_size(1, 5000));
  return pace;
}

// Those that do what they say end some streams without a close_notify, where nothing hangs on it.
std::unique_ptr<TlsEnd> secure(Stage& stage, PoolKind pool, Dice& dice) {
  if (!is_secure(pool)) return nullptr;
  TlsPlan plan = draw_tls(dice, is_wild(pool) ? 50 : 0);
  if (!is_wild(pool) && dice.chance(30)) plan.fault = TlsFault::kNoCloseNotify;
  plan.rekeys = false;  // who closes does not await the answer, which would reset its stream
  return stage.tls->server_end(plan);
}

std::uint64_t seed_of(const Stage& stage, unsigned number) {
  return stage.scenario.seed * 1000 + number;
}

std::string chunked(std::string_view body, Dice& dice) {
  std::string text;
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, dice.of_any_size(1, 50'000));
    text += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
    body.remove_prefix(chunk.size());
  }
  return text + "0\r\n\r\n";
}

}  // namespace

SimulatedServer::SimulatedServer(Stage& stage, const Site& site, Stream stream, unsigned number)
    : stage_(stage),
      site_(site),
      pool_(site.pool),
      dice_(seed_of(stage, number)),
      name_("server " + std::to_string(number)),
      wire_(std::move(stream), draw_pace(stage.scenario, dice_), secure(stage, pool_, dice_)) {
  stage_.chronicle.note(name_, "accepts for {} at {}", host_of(pool_), site_.address);
  if (is_secure(pool_)) stage_.unasked.insert(wire_.stream());
}

bool SimulatedServer::act() {
  const Time now = stage_.now();
  if (over_) return false;
  if (dead_until_) {
    if (now < *dead_until_) return false;
    leave(true);
    return true;
  }
  if (wire_.resting(now)) return false;
  bool did = false;
  if (answers_at_ && *answers_at_ <= now) {
    answers_at_.reset();
    plan_->websocket ? open_websocket() : may_open_tunnel() ? open_tunnel() : answer();
    did = true;
  }
  if (wire_.readable() && reads()) {
    digest(wire_.read());
    did = true;
  } else if (has_ended()) {
    on_end();
    return true;
  }
  if (over_) return did;
  if (websocket_ && !wire_.has_unsent() && !leaving_) talk();
  if (tunnel_ && !wire_.has_unsent() && !leaving_) talk_in_tunnel();
  if (over_ || dead_until_) return true;
  if (wire_.write_some()) did = true;
  if (!wire_.has_unsent()) settle();
  if (closes_at_ && *closes_at_ <= now && !over_) {
    leave(false);
    did = true;
  }
  if (did) wire_.rest(dice_, now);
  return did;
}

Time SimulatedServer::next() const {
  if (over_) return kNever;
  if (dead_until_) return *dead_until_;
  Time next = kNever;
  const bool reads_on = wire_.readable() && reads();
  if (reads_on || has_ended() || wire_.writable()) next = stage_.now();
  if (answers_at_) next = std::min(next, *answers_at_);
  if (closes_at_) next = std::min(next, *closes_at_);
  if (websocket_) {
    const Time speaks = websocket_->speaks_at(stage_.now());
    if (speaks > stage_.now() || !wire_.has_unsent()) next = std::min(next, speaks);
  }
  if (tunnel_ && !wire_.has_unsent()) next = std::min(next, tunnel_->acts_at(stage_.now()));
  if (may_close_at_ && stage_.now() < *may_close_at_) next = std::min(next, *may_close_at_);
  return next == kNever ? kNever : std::max(next, wire_.rests_until());
}

bool SimulatedServer::reads() const {
  return plan_ == nullptr || !plan_->reads_later || !wire_.has_unsent();
}

void SimulatedServer::digest(std::string_view bytes) {
  closes_at_.reset();
  if (!bytes.empty()) stage_.unasked.erase(wire_.stream());
  if (websocket_) {
    if (!websocket_->feed(bytes, stage_.now())) {
      stage_.chronicle.fail(name_, "gets {}", websocket_->why());
    }
    WebSocketSide& side = stage_.trail(client_, request_).websocket.server;
    side.told = websocket_->told_by_gateway();
    side.was_closed = websocket_->close_code().has_value();
    side.pings = websocket_->own_pings();
    side.heard = websocket_->heard();
    return judge_rates();
  }
  if (leaving_) return;
  if (tunnel_) return hear_in_tunnel(bytes);
  if (then_ != Then::kGoesOn) return;  // who has spoilt its answer reads to no purpose
  reader_.feed(bytes);
  for (;;) {
    switch (reader_.next()) {
      case MessageReader::Event::kMore:
        return;
      case MessageReader::Event::kHead:
        take_head();
        if (over_ || websocket_) return;
        break;
      case MessageReader::Event::kBody:
        take_body(reader_.body());
        break;
      case MessageReader::Event::kEnd:
        request_is_whole();
        if (over_ || leaving_) return;
        break;
      case MessageReader::Event::kBroken:
        stage_.chronicle.fail(name_, "gets no request: {}", reader_.why_broken());
        return leave(true);
    }
  }
}

void SimulatedServer::take_head() {
  if (is_check()) return judge_check();
  if (plan_ != nullptr) {
    stage_.chronicle.fail(name_, "gets a request before it has answered the last one");
    return leave(true);
  }
  const bool named = read_target(reader_.target(), client_, request_);
  plan_ = named ? stage_.scenario.request(client_, request_) : nullptr;
  if (plan_ == nullptr) {
    stage_.chronicle.fail(name_, "gets {} {}, which nobody has asked", reader_.method(),
                          reader_.target());
    return leave(true);
  }
  stage_.chronicle.note(name_, "gets {} {}", reader_.method(), reader_.target());
  const std::string* const host = reader_.field("host");
  if (reader_.method() != plan_->method || host == nullptr || *host != host_of(plan_->pool) ||
      plan_->pool != pool_) {
    stage_.chronicle.fail(name_, "gets {} {} as {}", reader_.method(), reader_.target(),
                          host != nullptr ? *host : "nobody");
  }
  judge_generation();
  judge_permission();
  judge_marks();
  judge_health();
  Trail& trail = stage_.trail(client_, request_);
  trail.end_told = false;
  trail.site = site_.address;
  if (++trail.arrivals > 1 && !plan_->is_idempotent()) {
    stage_.chronicle.fail(name_, "gets {} {} twice", plan_->method, reader_.target());
  }
  body_bytes_ = 0;
  request_whole_ = answered_ = false;
  if (plan_->websocket) return;
  if (plan_->tunnel) return judge_upgrade();
  if (plan_->deed == Deed::kAnswersEarly || plan_->early) answer();
}

// Its route is one that was the newest, for its shard, when it came there, and leads here: who
// waits for a place gets it in the newest pool.
void SimulatedServer::judge_generation() {
  const std::uint64_t generation = generation_of(reader_);
  const std::uint64_t asked_in = stage_.trail(client_, request_).asked_in;
  const std::string target = target_of(client_, request_);
  if (generation < asked_in || generation > stage_.newest) {
    return stage_.chronicle.fail(name_, "gets {} by generation {}, not {} to {}", target,
                                 generation, asked_in, stage_.newest);
  }
  std::vector<GenerationPlan> plans;
  for (std::uint64_t number = generation; number <= stage_.newest; ++number) {
    plans.push_back(plan_generation(stage_.scenario, number));
  }
  const auto has_it = [&](const GenerationPlan& plan) { return plan.has_server(site_.address); };
  // Where lists change, who dials whom is judged by these.
  const bool is_there = !stage_.scenario.lists.empty() || std::ranges::any_of(plans, has_it);
  if (!is_there || plans.front().redirects_from(pool_)) {
    stage_.chronicle.fail(name_, "gets {} by generation {}, which does not lead to {}", target,
                          generation, site_.address);
  }
  judge_balance(plans);
}

// The gateway's cookie is not for it; and it gets what a better one could take of nobody that does
// not know it, and of nobody at first. One of the generations since the request's is to agree.
void SimulatedServer::judge_balance(std::span<const GenerationPlan> plans) {
  const std::string* const cookie = reader_.field("cookie");
  const std::string got = cookie != nullptr ? *cookie : "";
  const std::string target = target_of(client_, request_);
  const auto hides_cookie = [&](const GenerationPlan& plan) {
    return plan.is_sticky(pool_) ? got == "a=1; b=2" : got.starts_with("a=1");
  };
  if (std::ranges::none_of(plans, hides_cookie)) {
    stage_.chronicle.fail(name_, "gets the cookies \"{}\" with {}", got, target);
  }
  const bool is_first = stage_.trail(client_, request_).arrivals == 0;
  const bool may_be_asked = !is_first || pool_ != PoolKind::kApp ||
                            stage_.drained.contains(pool_) || stage_.may_miss_servers() ||
                            !stage_.scenario.lists.empty();
  const auto leads_to_it = [&](const GenerationPlan& plan) {
    return plan.is_sticky(pool_) || plan.may_pass_over(pool_) ||
           !plan.is_last_resort(site_.address);
  };
  if (!may_be_asked && std::ranges::none_of(plans, leads_to_it)) {
    stage_.chronicle.fail(name_, "gets {}, which a better server takes", target);
  }
}

void SimulatedServer::take_body(std::string_view bytes) {
  if (!is_payload(stream_of(Way::kToServer), body_bytes_, bytes)) {
    stage_.chronicle.fail(name_, "gets a body for {} that is not its own, behind byte {}",
                          target_of(client_, request_), body_bytes_);
  }
  body_bytes_ += bytes.size();
}

void SimulatedServer::request_is_whole() {
  if (is_check()) return answer_check();
  if (body_bytes_ != plan_->upload_bytes) {
    stage_.chronicle.fail(name_, "gets a body of {} bytes as the whole of {} for {}", body_bytes_,
                          plan_->upload_bytes, target_of(client_, request_));
  }
  request_whole_ = true;
  if (answered_) {
    // The next one may have come with it.
    if (!wire_.has_unsent()) settle();
    return;
  }
  answers_at_ = stage_.now() + plan_->thinking;
}

void SimulatedServer::answer() {
  answered_ = true;
  do_deed(answer_text());
}

std::string SimulatedServer::answer_text() const {
  const RequestPlan& plan = *plan_;
  std::string text;
  if (plan.interim) text += "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
  text += fmt::format("HTTP/1.1 {} Whatever\r\nX-Whose: {}\r\nX-Site: {}\r\n", plan.status,
                      target_of(client_, request_), site_.address);
  const bool closes = plan.server_closes || plan.framing == Framing::kUntilClose;
  if (closes) text += "Connection: close\r\n";
  const bool may_have_length = plan.status != 204;
  if (plan.framing == Framing::kLength && may_have_length) {
    text += fmt::format("Content-Length: {}\r\n", plan.status == 304 ? 0 : plan.answer_bytes);
  } else if (plan.framing == Framing::kChunked && may_have_length) {
    text += "Transfer-Encoding: chunked\r\n";
  }
  text += "\r\n";
  if (!plan.has_answer_body()) return text;
  std::string body;
  append_payload(body, stream_of(Way::kToClient), 0, plan.answer_bytes);
  Dice dice(stage_.scenario.seed + client_ * 100 + request_);
  return text + (plan.framing == Framing::kChunked ? chunked(body, dice) : body);
}

void SimulatedServer::do_deed(std::string text) {
  const std::size_t head_bytes = text.find("\r\n\r\n", text.find("X-Whose")) + 4;
  const std::size_t at = plan_->deed_at;
  const std::size_t whole_bytes = text.size();
  if (plan_->deed != Deed::kAnswers) stage_.chronicle.note(name_, "{}", name_of(plan_->deed));
  switch (plan_->deed) {
    case Deed::kAnswers:
    case Deed::kAnswersEarly:
      break;
    case Deed::kCutsHead:
      text.resize(at % head_bytes);
      then_ = at % 2 == 0 ? Then::kCloses : Then::kResets;
      break;
    case Deed::kCutsBody:
      text.resize(std::min(text.size(), head_bytes + at));
      then_ = Then::kCloses;
      break;
    case Deed::kResetsBody:
      text.resize(std::min(text.size(), head_bytes + at));
      then_ = Then::kResets;
      break;
    case Deed::kStalls:
      text.resize(std::min(text.size(), at));
      then_ = Then::kStalls;
      break;
    case Deed::kGarbage:
      text = "what is this? " + text;
      then_ = Then::kCloses;
      break;
    case Deed::kSurplus:
      text += "and one thing more";
      break;
  }
  const bool whole = plan_->deed != Deed::kGarbage && text.size() >= whole_bytes;
  if (whole) stage_.trail(client_, request_).told_whole = true;
  wire_.send(text);
}

// Everything that was to be said has been.
void SimulatedServer::settle() {
  if (leaving_) return leave(false);
  if (websocket_) {
    if (websocket_->is_over() || (websocket_->close_code() && websocket_->close_sent()))
      leave(false);
    return;
  }
  if (!answered_ || tunnel_) return;
  if (then_ == Then::kCloses || then_ == Then::kResets) return leave(then_ == Then::kResets);
  if (then_ == Then::kStalls || !request_whole_) return;
  if (plan_ == nullptr) return;
  const bool closes = plan_->server_closes || plan_->framing == Framing::kUntilClose;
  if (closes) return leave(false);
  plan_ = nullptr;
  if (pool_ == PoolKind::kClosing && dice_.chance(60)) {
    closes_at_ = stage_.now() + microseconds(dice_.of_any_size(0, 20'000));
  }
}

// Over TLS the close_notify tells what is whole from what was cut.
void SimulatedServer::judge_farewell() {
  const TlsEnd* const tls = wire_.tls();
  const bool can_tell = tls != nullptr && tls->handshake_done() && !tls->spoilt();
  // Who has spoilt its answer does not know how much of the request has come.
  if (!can_tell || wire_.was_reset() || then_ != Then::kGoesOn || leaving_) return;
  const bool in_mid_request = (plan_ != nullptr && !request_whole_) || !reader_.between_messages();
  if (websocket_ ? websocket_->in_mid_frame() : in_mid_request) {
    if (tls->ended_cleanly()) {
      stage_.chronicle.fail(name_, "gets a close_notify behind what was cut");
    }
  } else if (answered_ && plan_ == nullptr && !stage_.stopping && !stage_.scenario.crowded()) {
    stage_.trail(client_, request_).server_heard_farewell = tls->ended_cleanly();
  }
}

// A client that has only closed its stream may be told the rest.
void SimulatedServer::on_end() {
  if (tunnel_) return end_in_tunnel();
  if (websocket_ && !websocket_->may_end_here()) {
    stage_.chronicle.fail(name_, "gets a part of a frame that is not the one that is due");
  }
  const bool listens =
      websocket_ && plan_->websocket->closer == Closer::kClientHalfCloses && !wire_.was_reset();
  if (listens && !heard_end_) {
    heard_end_ = true;
    return stage_.chronicle.note(name_, "sees the end of its client's stream");
  }
  judge_farewell();
  if (wire_.was_wronged()) {
    stage_.chronicle.fail(name_, "has a TLS session that failed: {}", wire_.tls()->why());
  }
  const bool in_mid_request = !websocket_ && plan_ != nullptr && !request_whole_;
  stage_.chronicle.note(name_, "sees {}{}", wire_.was_reset() ? "a reset" : "the end",
                        in_mid_request ? ", in mid-request" : "");
  leave(false);
}

void SimulatedServer::leave(bool with_reset) {
  if (over_) return;
  const bool ends_answer = answered_ && plan_ != nullptr && plan_->ends_with_connection();
  if (!with_reset && !leaving_) {
    leaving_ = wire_.say_farewell(ends_answer && !is_wild(pool_));
    if (ends_answer) stage_.trail(client_, request_).end_told = wire_.end_is_told();
    if (leaving_) return;
  }
  over_ = true;
  stage_.chronicle.note(name_, "{}", with_reset ? "resets" : "closes");
  with_reset ? wire_.reset() : wire_.close();
  if (plan_ == nullptr) return;
  Trail& trail = stage_.trail(client_, request_);
  (wire_.has_reset() ? trail.reset : trail.closed) = true;
}

}  // namespace simulation
