// A request's head as it is received, and what follows from it where no server is asked.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/exchange/heads.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

bool Exchange::take_head(const ClientStream::HeadIn& head) {
  if (!head) {
    refuse_request(head.error());
  } else if (*head == http::HeadState::kMore) {
    connection_.end(connection_.how_client_left());
  }
  return !connection_.ended();
}

void Exchange::refuse_request(const http::HeadError& error) {
  // As it came: what could not be read is what whoever reads the log looks for.
  const std::string_view input = connection_.input().text();
  const std::size_t line_end = std::min(input.find_first_of("\r\n"), Quoted::kBytesMax + 1);
  request_line_ = input.substr(0, line_end);
  std::string detail(error.reason);
  if (!error.largest_field.empty()) {
    detail += "; the largest field is ";
    detail += error.largest_field.in(connection_.input().bytes()).substr(0, 64);
  }
  connection_.end({.reason = Reason::kBadRequest,
                   .status = error.status,
                   .detail = connection_.keep_detail(std::move(detail))});
}

void Exchange::refuse(std::uint16_t status, std::string_view why) {
  connection_.end({.reason = Reason::kBadRequest, .status = status, .detail = why});
}

// True: a server is to be asked. Else it has been refused, or answered without one.
bool Exchange::judge() {
  note_request();
  const Question question{.head = heads_->request,
                          .buffer = heads_->request_buffer(),
                          .listener = connection_.listener(),
                          .secure = connection_.secure(),
                          .peer_trusted = connection_.peer_trusted()};
  const Judged judged =
      gateway::judge(question, config(), heads_->target, connection_.shard().scratch());
  route_ = judged.route;
  return std::visit([this](const auto& verdict) { return follow(verdict); }, judged.verdict);
}

void Exchange::note_request() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = heads_->request_buffer();
  method_ = request.method;
  const std::string_view method = request.method_text.in(buffer);
  const std::string_view authority = request.authority.in(buffer);
  const std::string_view target = request.target.in(buffer);
  const std::size_t line_bytes = method.size() + authority.size() + target.size() + 2;
  const std::size_t kept_bytes = std::min(line_bytes, Quoted::kBytesMax + 1);
  request_line_.reserve(kept_bytes);
  for (const std::string_view part :
       {method, std::string_view(" "), authority, std::string_view(" "), target}) {
    request_line_.append(part.substr(0, kept_bytes - request_line_.size()));
  }
}

bool Exchange::follow(const Judged::Refusal& refusal) {
  connection_.end({.reason = refusal.reason, .status = refusal.status, .detail = refusal.detail});
  return false;
}

bool Exchange::follow(const Judged::Redirect& redirect) {
  request_whole_ = skip_buffered_body();
  client_.reply({.status = redirect.status,
                 .sentence = "See " + redirect.location,
                 .head_only = method_ == http::Method::kHead,
                 .location = redirect.location,
                 .changes = route_ != nullptr ? &route_->response_headers : nullptr},
                request_whole_);
  return false;
}

bool Exchange::follow(const Judged::Answer& answer) {
  answer_with(answer.answer, route_->response_headers);
  return false;
}

bool Exchange::follow(const Judged::LastHop&) {
  if (method_ == http::Method::kTrace) {
    // RFC 9110 section 9.3.8, without any field that could be a secret.
    answer_with({.status = 200,
                 .body = fmt::format("TRACE {} HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n",
                                     std::string_view(heads_->target)),
                 .type = "message/http"},
                {});
  } else {
    answer_with({.status = 204}, {.add = {{"Allow", allowed_methods(route_)}}});
  }
  return false;
}

bool Exchange::follow(const Judged::Proxy&) {
  return true;
}

bool Exchange::follow(const Judged::Tunnel& tunnel) {
  websocket_ = true;
  heads_->key = tunnel.key;
  return true;
}

void Exchange::answer_with(const config::Answer& answer, const config::HeaderChanges& changes) {
  request_whole_ = skip_buffered_body();
  client_.answer(answer, method_ == http::Method::kHead, changes, request_whole_);
}

}  // namespace gateway
