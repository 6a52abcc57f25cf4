#include "tests/simulation/client.hh"

#include <array>

#include "tests/simulation/door_plan.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/proxied.hh"

namespace simulation {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

}  // namespace

SimulatedClient::SimulatedClient(Stage& stage, Gate& gate, const ClientPlan& plan)
    : stage_(stage),
      gate_(gate),
      plan_(plan),
      dice_(stage.scenario.seed * 1000 + 500 + plan.number),
      name_("client " + std::to_string(plan.number)),
      comes_at_(plan.in_reserve ? kNever : stage.now() + plan.comes_at),
      answers_(1) {}

bool SimulatedClient::act() {
  const Time now = stage_.now();
  if (over_) {
    if (!lingers_until_ || now < *lingers_until_) return false;
    lingers_until_.reset();
    wire_->close();
    return true;
  }
  if (!wire_) return now >= comes_at_ && come();
  if (dead_until_) {
    if (now < *dead_until_) return false;
    wire_->reset();
    finish("was dead");
    return true;
  }
  if (leave_if_due()) return true;
  if (wire_->resting(now)) return false;
  bool did = false;
  if (dawdles()) {
    touched_ = now;
  } else if (wire_->readable()) {
    const std::string bytes = wire_->read();
    read_bytes_ += bytes.size();
    digest(bytes);
    did = true;
  } else if (has_ended()) {
    on_end();
    return true;
  }
  if (over_) return did;
  ask_more();
  if (websocket_ && !wire_->has_unsent()) talk();
  if (tunnel_ && !wire_->has_unsent()) talk_in_tunnel();
  if (over_ || dead_until_) return true;
  if (wire_->write_some()) did = true;
  if (did) {
    touched_ = now;
    wire_->rest(dice_, now);
  }
  if (is_through()) {
    wire_->close();
    finish("is through");
  }
  return did;
}

Time SimulatedClient::next() const {
  if (over_) return lingers_until_.value_or(kNever);
  if (!wire_) return comes_at_;
  if (dead_until_) return *dead_until_;
  Time next = kNever;
  const bool dawdling = dawdles_until_ && stage_.now() < *dawdles_until_;
  if (dawdling) next = *dawdles_until_;
  if ((!dawdling && (wire_->readable() || has_ended())) || wire_->writable()) {
    next = std::max(stage_.now(), wire_->rests_until());
  }
  if (stage_.now() < may_ask_at_) next = std::min(next, may_ask_at_);
  if (may_close_at_ && stage_.now() < *may_close_at_) next = std::min(next, *may_close_at_);
  if (websocket_ && !half_closed_) {
    const Time speaks = std::max(websocket_->speaks_at(stage_.now()), wire_->rests_until());
    if (speaks > stage_.now() || !wire_->has_unsent()) next = std::min(next, speaks);
  }
  if (tunnel_ && !wire_->has_unsent())
    next = std::min(next, std::max(tunnel_->acts_at(stage_.now()), wire_->rests_until()));
  const bool leaves = plan_.leaving == Leaving::kCloses || plan_.leaving == Leaving::kResets;
  if (leaves) next = std::min(next, comes_at_ + plan_.leaves_after);
  return next;
}

bool SimulatedClient::dawdles() {
  if (plan_.dawdles_for.count() == 0 || read_bytes_ < plan_.dawdles_behind) return false;
  if (!dawdles_until_) {
    dawdles_until_ = stage_.now() + plan_.dawdles_for;
    stage_.chronicle.note(name_, "dawdles");
  }
  return stage_.now() < *dawdles_until_;
}

bool SimulatedClient::come() {
  touched_ = stage_.now();
  Stream stream = gate_.come(plan_);
  if (stream == nullptr) {
    over_ = true;
    stage_.chronicle.note(name_, "comes too late");
    return true;
  }
  const std::uint16_t port = stream->port();
  const bool coarse = (stage_.scenario.faults & kCoarseTime) != 0;
  const microseconds pause_max = coarse ? microseconds(0) : plan_.pause_max;
  wire_.emplace(std::move(stream), Pace{plan_.write_most, plan_.read_most, pause_max},
                plan_.tls ? stage_.tls->client_end(*plan_.tls, gate_.trust()) : nullptr);
  const bool is_proxied = stage_.scenario.proxied && plan_.entry() != Entry::kUnix;
  const std::uint32_t address = address_of_home(home_of(stage_.scenario, plan_.number));
  if (is_proxied) wire_->begin_with(proxy_header(plan_.number, address, port));
  constexpr std::array<std::string_view, kEntries> kHow = {"", " over the Unix socket",
                                                           " over TLS"};
  stage_.chronicle.note(name_, "comes{}", kHow[static_cast<std::size_t>(plan_.entry())]);
  if (plan_.silent) {
    // Nothing, or a head without an end.
    choose_cookie(0);
    const std::string head = request_text(0);
    wire_->send(std::string_view(head).substr(0, dice_.chance(50) ? 0 : head.find("\r\n\r\n")));
  }
  return true;
}

void SimulatedClient::ask_more() {
  if (plan_.silent || closing_ || half_closed_) return;
  while (asked_ < plan_.requests.size()) {
    const bool turn_has_come = asked_ + 1 == answers_.size();
    const bool alone = plan_.requests[asked_].switches() || !plan_.pipelines;
    if (!turn_has_come && alone) return;
    if (turn_has_come && alone && (wire_->has_unsent() || stage_.now() < may_ask_at_)) return;
    stage_.chronicle.note(name_, "asks {} {}", plan_.requests[asked_].method,
                          target_of(plan_.number, asked_));
    Trail& trail = stage_.trail(plan_.number, asked_);
    trail.asked_in = stage_.adopted;
    trail.websocket.asked_at = stage_.now();
    choose_cookie(asked_);
    if (plan_.requests[asked_].tunnel) trail.tunnel.client.said = early_bytes(asked_);
    wire_->send(request_text(asked_));
    ++asked_;
  }
  const bool last_is_out = !wire_->has_unsent() && !websocket_;
  if (plan_.leaving == Leaving::kHalfCloses && last_is_out && !plan_.requests.back().switches()) {
    half_closed_ = true;
    wire_->half_close();
    stage_.chronicle.note(name_, "closes its stream");
  }
}

std::string SimulatedClient::request_text(unsigned number) const {
  const RequestPlan& request = plan_.requests[number];
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n", request.method,
                  target_of(plan_.number, number), host_of(request.pool), cookies_for(number));
  if (stage_.scenario.has_auth) text += forged_text();
  if (request.websocket) {
    const WebSocketPlan& websocket = *request.websocket;
    const std::string offer =
        websocket.offers_deflate
            ? fmt::format("Sec-WebSocket-Extensions: {}\r\n", offer_of(websocket).text)
            : "";
    return text + fmt::format(
                      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n{}\r\n",
                      kKey, offer);
  }
  if (request.tunnel) return text + upgrade_text(number);
  std::string body;
  append_payload(body, stream_of(number, Way::kToServer), 0, request.upload_bytes);
  if (!request.upload_chunked) {
    if (request.method == "POST" || request.method == "PUT") {
      text += fmt::format("Content-Length: {}\r\n", body.size());
    }
    return text + "\r\n" + body;
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  Dice dice(stage_.scenario.seed + plan_.number * 100 + number);
  for (std::string_view rest = body; !rest.empty();) {
    const std::string_view chunk = rest.substr(0, dice.of_any_size(1, 50'000));
    text += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
    rest.remove_prefix(chunk.size());
  }
  return text + "0\r\n\r\n";
}

void SimulatedClient::digest(std::string_view bytes) {
  if (websocket_) {
    if (!websocket_->feed(bytes, stage_.now())) {
      stage_.chronicle.fail(name_, "gets {}", websocket_->why());
    }
    WebSocketSide& side = stage_.trail(plan_.number, answering()).websocket.client;
    side.told = websocket_->told_by_gateway();
    side.was_closed = websocket_->close_code().has_value();
    side.pings = websocket_->own_pings();
    side.heard = websocket_->heard();
    return;
  }
  if (tunnel_) return hear_in_tunnel(bytes);
  reader_.feed(bytes);
  while (!websocket_ && !tunnel_) {
    // Of a method that it has not said nobody knows.
    const bool asked = !plan_.silent && expects_answer();
    if (asked) reader_.set_head_only(current().method == "HEAD");
    switch (reader_.next()) {
      case MessageReader::Event::kMore:
        return;
      case MessageReader::Event::kHead:
        take_head();
        break;
      case MessageReader::Event::kBody:
        take_body(reader_.body());
        break;
      case MessageReader::Event::kEnd:
        answer_is_whole();
        break;
      case MessageReader::Event::kBroken:
        stage_.chronicle.fail(name_, "gets no answer: {}", reader_.why_broken());
        return;
    }
  }
}

void SimulatedClient::take_head() {
  if (reader_.status() < 200 && !reader_.switches()) return;
  if (answers_.size() > asked_ && !plan_.silent) {
    stage_.chronicle.fail(name_, "gets an answer ({}) to what it has not asked", reader_.status());
    return;
  }
  Answer& answer = answers_.back();
  answer.got = Got::kPart;
  answer.status = reader_.status();
  answer.says_close = reader_.says_close();
  const std::string* const whose = reader_.field("x-whose");
  const std::string target = target_of(plan_.number, answering());
  stage_.chronicle.note(name_, "gets {} for {}{}", answer.status, target,
                        whose == nullptr ? ", the gateway's own" : "");
  if (whose != nullptr && *whose != target) {
    stage_.chronicle.fail(name_, "gets the answer to {} for {}", *whose, target);
  }
  answer.is_own = whose != nullptr;
  note_guard();
  if (!plan_.silent) {
    judge_generation(answering());
    if (answer.is_own) judge_stickiness(answering());
  }
  if (reader_.switches()) open_websocket();
}

void SimulatedClient::take_body(std::string_view bytes) {
  Answer& answer = answers_.back();
  const bool own = !(answer.is_own || answer.by_guard) ||
                   is_payload(stream_of(answering(), Way::kToClient), answer.body_bytes, bytes);
  if (!own) {
    stage_.chronicle.fail(name_, "gets a body for {} that is not its own, behind byte {}",
                          target_of(plan_.number, answering()), answer.body_bytes);
  }
  answer.body_bytes += bytes.size();
}

void SimulatedClient::answer_is_whole() {
  if (reader_.status() < 200) return;
  Answer& answer = answers_.back();
  answer.got = Got::kWhole;
  closing_ = closing_ || answer.says_close;
  answers_.emplace_back();
  const std::size_t next = answers_.size() - 1;
  if (next < plan_.requests.size()) may_ask_at_ = stage_.now() + plan_.requests[next].rests;
}

void SimulatedClient::open_websocket() {
  if (current().tunnel) return open_tunnel();
  if (!current().websocket) {
    stage_.chronicle.fail(name_, "gets a 101 that it has not asked for");
    return finish("is confused");
  }
  answers_.back().got = Got::kWhole;
  const WebSocketPlan& plan = *current().websocket;
  if (current().switches_badly()) {
    stage_.chronicle.fail(name_, "gets a 101 that is none");
    return finish("is confused");
  }
  WebSocketTrail& trail = stage_.trail(plan_.number, answering()).websocket;
  trail.client.opened = true;
  const PolicyPlan policy =
      plan_generation(stage_.scenario, generation_of(reader_)).policy(current().pool);
  websocket_.emplace(WebSocketEnd::Part{.is_client = true,
                                        .sends = stream_of(answering(), Way::kToServer),
                                        .closer = plan.closer,
                                        .deflating = trail.deflating,
                                        .terms = read_compression(trail.deflating, policy),
                                        .policy = policy,
                                        .may_lack_memory = stage_.scenario.scarce_memory},
                     plan.client, trail.client, trail.server);
  if (plan.stays.count() > 0) may_close_at_ = stage_.now() + plan.stays;
  digest(reader_.rest());
}

// What it has agreed on: with its server, whose answer is its own affair, or with the gateway.
DeflateTerms SimulatedClient::read_compression(Deflating deflating, const PolicyPlan& policy) {
  const std::string* const field = reader_.field("sec-websocket-extensions");
  if ((field != nullptr) != (deflating != Deflating::kNone)) {
    stage_.chronicle.fail(name_, "is told {} compression than has been agreed on",
                          field != nullptr ? "of more" : "of less");
  }
  const auto terms = field != nullptr ? read_deflate_answer(*field) : DeflateTerms{};
  if (!terms) {
    stage_.chronicle.fail(name_, "is told of compression by \"{}\"", *field);
    return {};
  }
  if (deflating != Deflating::kAtGateway) return *terms;
  const DeflateTerms& most = offer_of(*current().websocket).most;
  const bool keeps = terms->server_keeps_context || terms->client_keeps_context;
  const bool may_keep = policy.keeps_context || !keeps;
  const bool has_to = policy.keeps_context && !stage_.scenario.scarce_memory;
  const bool keeps_all = terms->server_keeps_context == most.server_keeps_context &&
                         terms->client_keeps_context == most.client_keeps_context;
  const bool fits = terms->server_keeps_context <= most.server_keeps_context &&
                    terms->client_keeps_context <= most.client_keeps_context &&
                    terms->server_bits == most.server_bits &&
                    terms->client_bits == most.client_bits;
  if (!fits || !may_keep || (has_to && !keeps_all)) {
    stage_.chronicle.fail(name_, "is told \"{}\" by a route that says otherwise", *field);
  }
  return *terms;
}

void SimulatedClient::talk() {
  if (half_closed_) return;
  const Closer closer = current().websocket->closer;
  const bool waits = may_close_at_ && stage_.now() < *may_close_at_;
  const bool stays = waits && !websocket_->close_code();
  if (websocket_->has_said_all() && !stays) {
    if (closer == Closer::kClientLeaves) {
      dice_.chance(50) ? wire_->close() : wire_->reset();
      left_ = true;
      return finish("leaves its WebSocket");
    }
    if (closer == Closer::kClientDies) return die();
    if (closer == Closer::kClientHalfCloses) {
      half_closed_ = true;
      wire_->half_close();
      return stage_.chronicle.note(name_, "closes its stream");
    }
  }
  std::string frame;
  const bool closed_before = websocket_->close_sent();
  if (websocket_->say_more(frame, stage_.now(), stays)) wire_->send(frame);
  WebSocketSide& side = stage_.trail(plan_.number, answering()).websocket.client;
  side.tally = websocket_->said();
  side.close_code = websocket_->own_close_code();
  if (websocket_->close_sent() && !closed_before) {
    side.closed_at = stage_.now();
    stage_.chronicle.note(name_, "sends a close frame");
  }
}

void SimulatedClient::die() {
  stage_.chronicle.note(name_, "dies");
  left_ = true;
  dead_until_ = stage_.now() + kDeadTime;
  stage_.trail(plan_.number, answering()).websocket.client.died_at = stage_.now();
}

bool SimulatedClient::leave_if_due() {
  const bool leaves = plan_.leaving == Leaving::kCloses || plan_.leaving == Leaving::kResets;
  if (!leaves || stage_.now() < comes_at_ + plan_.leaves_after) return false;
  plan_.leaving == Leaving::kCloses ? wire_->close() : wire_->reset();
  over_ = left_ = true;
  // Its server may have switched by then.
  const auto last = static_cast<unsigned>(plan_.requests.size() - 1);
  if (plan_.requests.back().tunnel)
    stage_.trail(plan_.number, last).tunnel.client.breaks_off = true;
  stage_.chronicle.note(name_, "{}", plan_.leaving == Leaving::kCloses ? "closes" : "resets");
  judge(true);
  return true;
}

// It has all that it wanted, and nothing keeps it.
bool SimulatedClient::is_through() const {
  if (over_ || plan_.silent || websocket_ || tunnel_ || closing_ || half_closed_) return false;
  return asked_ == plan_.requests.size() && answers_.size() == asked_ + 1;
}

void SimulatedClient::on_end() {
  if (tunnel_ && end_in_tunnel()) return;
  judge_farewell();
  const bool whole = wire_->ended_cleanly() && !websocket_ && !tunnel_ &&
                     reader_.end_of_stream() == MessageReader::Event::kEnd;
  if (whole) answer_is_whole();
  finish(wire_->was_reset() ? "sees a reset" : "sees the end");
  if (plan_.lingers.count() > 0) {
    lingers_until_ = stage_.now() + plan_.lingers;
  } else {
    wire_->close();
  }
}

void SimulatedClient::finish(std::string_view how) {
  over_ = true;
  stage_.chronicle.note(name_, "{}", how);
  if (wire_->tls() != nullptr) stage_.tls->keep_ticket(*plan_.tls, *wire_->tls());
  judge(false);
}

}  // namespace simulation
