#include "tests/simulation/auth_server.hh"

#include <algorithm>

namespace simulation {

SimulatedAuthServer::SimulatedAuthServer(Stage& stage, Stream stream, unsigned number)
    : stage_(stage),
      dice_(stage.scenario.seed * 1000 + 900 + number),
      name_("guard " + std::to_string(number)),
      wire_(std::move(stream), Pace{}) {
  stage_.chronicle.note(name_, "accepts");
}

bool SimulatedAuthServer::act() {
  if (over_) return false;
  const Time now = stage_.now();
  bool did = false;
  if (answers_at_ && *answers_at_ <= now) {
    answers_at_.reset();
    answer();
    did = true;
  }
  if (over_) return true;
  if (wire_.readable()) {
    digest(wire_.read());
    did = true;
  } else if (wire_.ended()) {
    leave(false);
    return true;
  }
  if (over_) return true;
  if (wire_.write_some()) did = true;
  if (answered_ && !wire_.has_unsent()) settle();
  if (!over_ && closes_at_ && *closes_at_ <= now) {
    leave(false);
    did = true;
  }
  return did;
}

Time SimulatedAuthServer::next() const {
  if (over_) return kNever;
  Time next = kNever;
  if (wire_.readable() || wire_.ended() || wire_.writable()) next = stage_.now();
  if (answers_at_) next = std::min(next, *answers_at_);
  if (closes_at_) next = std::min(next, *closes_at_);
  return next;
}

void SimulatedAuthServer::digest(std::string_view bytes) {
  closes_at_.reset();
  if (stalls_) return;
  reader_.feed(bytes);
  for (;;) {
    switch (reader_.next()) {
      case MessageReader::Event::kMore:
        return;
      case MessageReader::Event::kHead:
        take_question();
        if (over_) return;
        break;
      case MessageReader::Event::kBody:
        stage_.chronicle.fail(name_, "gets a part of a body");
        break;
      case MessageReader::Event::kEnd:
        answers_at_ = stage_.now() + plan_->thinking;
        break;
      case MessageReader::Event::kBroken:
        stage_.chronicle.fail(name_, "gets no request: {}", reader_.why_broken());
        return leave(true);
    }
  }
}

// It says what it is about, and nothing of a body or of an upgrade.
void SimulatedAuthServer::take_question() {
  const auto field = [&](const char* name) {
    const std::string* const value = reader_.field(name);
    return value != nullptr ? *value : "";
  };
  const std::string target = field("x-forwarded-uri");
  const RequestPlan* const request =
      read_target(target, client_, request_) ? stage_.scenario.request(client_, request_) : nullptr;
  if (request == nullptr || plan_) {
    stage_.chronicle.fail(name_, "is asked about \"{}\"{}", target,
                          plan_ ? " before it has answered" : "");
    return leave(true);
  }
  stage_.chronicle.note(name_, "is asked about {}", target);
  const bool is_right = reader_.method() == "GET" && reader_.target() == kAuthPath &&
                        field("x-forwarded-method") == request->method &&
                        field("x-forwarded-host") == host_of(request->pool) &&
                        field("host") == host_of(request->pool) && field("upgrade").empty() &&
                        field("content-length").empty() && field("transfer-encoding").empty();
  if (!is_right) {
    stage_.chronicle.fail(name_, "is asked {} {} of {} {} at {}", reader_.method(),
                          reader_.target(), field("x-forwarded-method"), target, field("host"));
  }
  plan_ = plan_auth(stage_.scenario, client_, request_);
}

void SimulatedAuthServer::answer() {
  AuthTrail& trail = stage_.trail(client_, request_).auth;
  answered_ = true;
  switch (plan_->deed) {
    case AuthDeed::kGrants:
    case AuthDeed::kDenies: {
      const std::string text = answer_text(*plan_);
      if (plan_->deed == AuthDeed::kDenies)
        trail.denied = stage_.trail(client_, request_).told_whole = true;
      return wire_.send(text);
    }
    case AuthDeed::kLeaves:
      return leave(false);
    case AuthDeed::kResets:
      return leave(true);
    case AuthDeed::kStalls:
      stalls_ = true;
      return wire_.send(dice_.chance(50) ? "HTTP/1.1 200 OK\r\nX-User: nobody\r\n" : "");
    case AuthDeed::kGarbage:
      return wire_.send("you may pass\r\n\r\n");
  }
}

std::string SimulatedAuthServer::answer_text(const AuthPlan& plan) {
  std::string text = fmt::format("HTTP/1.1 {} Whatever\r\nX-Guard: {}\r\n", plan.status,
                                 target_of(client_, request_));
  if (plan.deed == AuthDeed::kGrants) {
    AuthTrail& trail = stage_.trail(client_, request_).auth;
    trail.users.push_back(fmt::format("user-{}-{}-{}", client_, request_, trail.users.size() + 1));
    text += fmt::format("{}: {}\r\n", kUserHeader, trail.users.back());
  }
  if (plan.status == 302) text += "Location: https://login.test/\r\n";
  if (plan.closes) text += "Connection: close\r\n";
  if (!plan.has_body()) return text + "\r\n";
  std::string body;
  append_payload(body, {client_, request_, Way::kToClient}, 0, plan.body_bytes);
  if (!plan.chunked) return text + fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  text += "Transfer-Encoding: chunked\r\n\r\n";
  if (!body.empty()) text += fmt::format("{:x}\r\n{}\r\n", body.size(), body);
  return text + "0\r\n\r\n";
}

// Everything that was to be said has been.
void SimulatedAuthServer::settle() {
  if (stalls_ || !plan_) return;
  if (plan_->closes || plan_->deed == AuthDeed::kGarbage) return leave(false);
  plan_.reset();
  answered_ = false;
  if (dice_.chance(30)) closes_at_ = stage_.now() + microseconds(dice_.of_any_size(0, 20'000));
}

void SimulatedAuthServer::leave(bool with_reset) {
  over_ = true;
  stage_.chronicle.note(name_, "{}", with_reset ? "resets" : "closes");
  with_reset ? wire_.reset() : wire_.close();
}

}  // namespace simulation
