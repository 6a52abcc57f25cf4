// What an exchange does about its request's head, and where no server is asked for it.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/exchange/exchange.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/log/quoted.hh"
#include "gateway/rewrite/redaction.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

constexpr std::size_t kSaidBytesMax = 256;  // by a client that was refused for it

}  // namespace

bool Exchange::take_head(const ClientStream::HeadIn& head) {
  if (!head) {
    refuse_head(head.error());
  } else if (*head == http::HeadState::kMore) {
    connection().end(connection().how_client_left());
  }
  return !connection().ended();
}

void Exchange::refuse_head(const http::HeadError& error) {
  // As it came: what could not be read is what whoever reads the log looks for.
  const std::string_view input = connection().input().text();
  const std::size_t line_end = std::min(input.find_first_of("\r\n"), Quoted::kBytesMax + 1);
  facts_.request_line =
      redacted(input.substr(0, line_end), config().log.redacted, connection().shard().scratch());
  std::string detail(error.reason);
  if (!error.largest_field.empty()) {
    detail += "; the largest field is ";
    detail += error.largest_field.in(connection().input().bytes()).substr(0, 64);
  }
  connection().end({.reason = Reason::kBadRequest,
                    .status = error.status,
                    .detail = connection().keep_detail(std::move(detail))});
}

Judged Exchange::judge() {
  note_request();
  const tls::Session* const session = connection().client().session();
  const Question question{.head = facts_.heads->request,
                          .buffer = facts_.heads->request_buffer(),
                          .listener = connection().listener(),
                          .secure = connection().secure(),
                          .peer_trusted = connection().peer_trusted(),
                          .server_name = session != nullptr ? session->server_name() : "",
                          .has_shown_less = connection().has_shown_less(),
                          .had_other_names = connection().had_other_names()};
  Judged judged =
      gateway::judge(question, config(), facts_.heads->target, connection().shard().scratch());
  facts_.route = judged.route;
  note_marks();
  return judged;
}

// By what its route says, or the defaults where it has none.
void Exchange::note_marks() {
  const config::LogSettings& log = config().log;
  const config::Marking& marking =
      facts_.route != nullptr ? facts_.route->marking : config().defaults.marking;
  if (!RequestMarks::is_wanted(marking, log)) return;
  Shard& shard = connection().shard();
  facts_.marks = frames().make<RequestMarks>(
      frames(), RequestMarks::Source{.head = facts_.heads->request,
                                     .buffer = facts_.heads->request_buffer(),
                                     .peer_trusted = connection().peer_trusted(),
                                     .marking = marking,
                                     .tracing = config().tracing ? &*config().tracing : nullptr,
                                     .log = log,
                                     .random = shard.random(),
                                     .scratch = shard.scratch()});
}

// What is refused is refused to anybody.
bool Exchange::is_guarded(const Judged& judged) const {
  return judged.route != nullptr && judged.route->auth.any() &&
         !std::holds_alternative<Judged::Refusal>(judged.verdict);
}

// True: a server is to be asked. Else it has been refused, or answered without one.
bool Exchange::follow(const Judged& judged) {
  return std::visit([this](const auto& verdict) { return follow(verdict); }, judged.verdict);
}

void Exchange::note_request() {
  under_way_.emplace(connection().shard().under_way().requests);
  const http::RequestHead& request = facts_.heads->request;
  const Bytes buffer = facts_.heads->request_buffer();
  facts_.method = request.method;
  const std::string_view method = request.method_text.in(buffer);
  const std::string_view authority = request.authority.in(buffer);
  const std::string_view target =
      redacted(request.target.in(buffer), config().log.redacted, connection().shard().scratch());
  const std::size_t line_bytes = method.size() + authority.size() + target.size() + 2;
  const std::size_t kept_bytes = std::min(line_bytes, Quoted::kBytesMax + 1);
  facts_.request_line.reserve(kept_bytes);
  for (const std::string_view part :
       {method, std::string_view(" "), authority, std::string_view(" "), target}) {
    facts_.request_line.append(part.substr(0, kept_bytes - facts_.request_line.size()));
  }
}

bool Exchange::follow(const Judged::Refusal& refusal) {
  std::string_view detail = refusal.detail;
  if (!refusal.said.empty()) {
    const std::string_view said = refusal.said.substr(0, kSaidBytesMax);
    const bool cut = said.size() < refusal.said.size();
    detail = connection().keep_detail(fmt::format("{}: {}{}", detail, said, cut ? "..." : ""));
  }
  connection().end({.reason = refusal.reason, .status = refusal.status, .detail = detail});
  return false;
}

bool Exchange::follow(const Judged::Redirect& redirect) {
  const bool whole = request_.ends_in_input();
  client_.reply({.status = redirect.status,
                 .sentence = "See " + redirect.location,
                 .head_only = facts_.method == http::Method::kHead,
                 .location = redirect.location,
                 .changes = facts_.route != nullptr ? &facts_.route->response_headers : nullptr},
                whole);
  return false;
}

bool Exchange::follow(const Judged::Answer& answer) {
  const std::uint16_t stopping_status = answer.answer.stopping_status;
  if (stopping_status != 0 && connection().shard().is_to_stop()) {
    client_.reply({.status = stopping_status,
                   .sentence = policy_of(Reason::kStopping).text,
                   .head_only = facts_.method == http::Method::kHead,
                   .changes = &facts_.route->response_headers},
                  request_.ends_in_input());
    return false;
  }
  answer_with(answer.answer, facts_.route->response_headers);
  return false;
}

bool Exchange::follow(const Judged::LastHop&) {
  if (facts_.method == http::Method::kTrace) {
    // RFC 9110 section 9.3.8, without any field that could be a secret.
    answer_with({.status = 200,
                 .body = fmt::format("TRACE {} HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n",
                                     std::string_view(facts_.heads->target)),
                 .type = "message/http"},
                {});
  } else {
    answer_with({.status = 204}, {.add = {{"Allow", allowed_methods(facts_.route)}}});
  }
  return false;
}

bool Exchange::follow(const Judged::Proxy&) {
  return true;
}

bool Exchange::follow(const Judged::Tunnel& tunnel) {
  facts_.websocket = true;
  facts_.heads->key = tunnel.key;
  return true;
}

bool Exchange::follow(const Judged::Opaque& opaque) {
  facts_.opaque = true;
  facts_.heads->protocol = opaque.protocol;
  return true;
}

void Exchange::answer_with(const config::Answer& answer, const config::HeaderChanges& changes) {
  const bool whole = request_.ends_in_input();
  client_.answer(answer, facts_.method == http::Method::kHead, changes, whole);
}

}  // namespace gateway
