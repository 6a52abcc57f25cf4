// What an exchange makes of a request's head: parse, route, judge; and what the gateway answers
// itself.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/config/redirect.hh"
#include "gateway/exchange/heads.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/shard.hh"
#include "proto/http/target.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

constexpr std::size_t kHeadReadBytes = 4096;
constexpr std::string_view kNoHostToRedirectTo = "no host to redirect to";

http::HeadLimits head_limits(const config::Limits& limits) {
  return {.head_bytes = static_cast<std::uint32_t>(limits.header_bytes),
          .target_bytes = static_cast<std::uint32_t>(limits.target_bytes),
          .fields = static_cast<std::uint32_t>(limits.header_fields)};
}

}  // namespace

uring::Task<bool> Exchange::receive_request() {
  connection_.set_deadline(config().timeouts.request_header, {.reason = Reason::kRequestTimeout});
  InputBuffer& input = connection_.input();
  http::RequestParser parser(heads_->request, head_limits(config().limits));
  for (;;) {
    head_bytes_ = input.size();
    const auto state = parser.parse(input.bytes());
    if (!state) {
      refuse_request(state.error());
      co_return false;
    }
    if (*state == http::HeadState::kComplete) break;
    const Bytes received = co_await connection_.client().read_once(kHeadReadBytes);
    if (received.empty()) {
      connection_.end(connection_.how_client_left());
      co_return false;
    }
    input.append(received);
    connection_.client().release();
  }
  head_bytes_ = heads_->request.bytes;
  heads_->request_bytes.assign(input.text().substr(0, head_bytes_));
  input.take(head_bytes_);
  co_return !connection_.ended();
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

bool Exchange::refuse(std::uint16_t status, std::string_view why) {
  connection_.end({.reason = Reason::kBadRequest, .status = status, .detail = why});
  return false;
}

bool Exchange::judge() {
  note_request();
  if (method_ == http::Method::kConnect) return refuse(405, "CONNECT is not for a reverse proxy");
  if (!resolve_target()) return false;
  if (connection_.listener().redirect_port) return judge_method();
  return find_route() && judge_method() && judge_fields() && judge_upgrade();
}

void Exchange::note_request() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = heads_->request_buffer();
  method_ = request.method;
  client_is_1_0_ = request.minor_version == 0;
  client_keeps_alive_ = http::keeps_alive(request);
  request_body_ = http::BodyDecoder(http::request_framing(request));
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

bool Exchange::resolve_target() {
  const auto path_bytes =
      gateway::resolve_target(heads_->target, heads_->request, heads_->request_buffer());
  if (!path_bytes) return refuse(400, "the path cannot be resolved");
  heads_->path_bytes = *path_bytes;
  return true;
}

bool Exchange::find_route() {
  std::array<char, http::kHostMax> host_storage;
  const std::string_view authority = heads_->request.authority.in(heads_->request_buffer());
  const auto host = http::normalise_host(authority, host_storage);
  if (!authority.empty() && !host) return refuse(400, "the host is invalid");
  std::string& path_storage = connection_.shard().scratch();
  path_storage.resize(heads_->path_bytes);
  // What goes on is judged, not what came: so no server sees another path than this one.
  const auto path = http::normalise_path(heads_->path(), path_storage);
  if (!path) return refuse(400, "the path cannot be resolved");
  route_ = config().match(host.value_or(""), *path);
  if (route_ == nullptr) {
    connection_.end({.reason = Reason::kNoRoute});
    return false;
  }
  if (route_->escaped_slashes == config::EscapedSlashes::refuse &&
      http::has_escaped_slash(heads_->path())) {
    return refuse(400, "the path has an escaped slash or a backslash, which is refused here");
  }
  if (route_->strip_prefix) strip_prefix();
  return true;
}

// TRACE sends back what the client did not say itself, so it has to be asked for.
bool Exchange::judge_method() {
  const bool listed = route_ != nullptr && !route_->methods.empty();
  const bool allowed =
      listed ? std::ranges::find(route_->methods, heads_->method()) != route_->methods.end()
             : method_ != http::Method::kTrace;
  if (!allowed) connection_.end({.reason = Reason::kMethodNotAllowed});
  return allowed;
}

void Exchange::strip_prefix() {
  std::pmr::string& target = heads_->target;
  const std::size_t rest_bytes = http::without_prefix(heads_->path(), route_->path).size();
  target.erase(0, heads_->path_bytes - rest_bytes);
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  heads_->path_bytes = std::max<std::size_t>(rest_bytes, 1);
}

bool Exchange::judge_fields() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = heads_->request_buffer();
  // RFC 9110 section 7.4: what is asked for over TLS is not given out in plain text, unless a proxy
  // of ours has ended the TLS.
  if (request.form == http::TargetForm::kAbsolute && !connection_.secure() &&
      !connection_.peer_trusted()) {
    const char behind_http = request.target.in(buffer)[std::string_view("http").size()];
    if (behind_http != ':') return refuse(421, "https was asked for on a port that has no TLS");
  }
  // RFC 9110 section 10.1.1; with HTTP/1.0 it means nothing.
  const auto expectation = request.fields.find(buffer, "Expect");
  if (expectation && !client_is_1_0_ && !http::equals_ignoring_case(*expectation, "100-continue")) {
    return refuse(417, "the expectation is not 100-continue");
  }
  if (method_ == http::Method::kTrace && !request_body_.done()) {
    return refuse(400, "TRACE has no body");  // RFC 9110 section 9.3.8
  }
  const std::uint64_t body_max = route_->body_bytes_max.value_or(config().limits.body_bytes);
  if (body_max > 0 && request.content_length.value_or(0) > body_max) {
    connection_.end({.reason = Reason::kBodyTooLarge});
    return false;
  }
  return true;
}

bool Exchange::judge_upgrade() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = heads_->request_buffer();
  if (!request.connection.upgrade) return true;
  ws::HandshakeFields fields;
  for (const http::Field& field : request.fields.all()) {
    fields.add(field.name.in(buffer), field.value.in(buffer));
  }
  const ws::RequestVerdict verdict =
      ws::judge_request(request.method_text.in(buffer), request.minor_version >= 1, fields);
  if (verdict.kind == ws::RequestVerdict::Kind::kRefuse) {
    connection_.end({.reason = Reason::kUpgradeRefused,
                     .status = static_cast<std::uint16_t>(verdict.status),
                     .detail = verdict.reason});
    return false;
  }
  websocket_ = verdict.kind == ws::RequestVerdict::Kind::kAccept;
  if (websocket_ && !request_body_.done()) {
    // Its bytes would be taken for frames.
    connection_.end({.reason = Reason::kUpgradeRefused,
                     .detail = "a WebSocket handshake must not have a body"});
    return false;
  }
  if (websocket_) heads_->key = verdict.key;
  return true;
}

// What needs no server: a redirect, a route's own answer, the last hop of Max-Forwards.
bool Exchange::answer_itself() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = heads_->request_buffer();
  const bool head_only = method_ == http::Method::kHead;
  std::string& response = connection_.shard().scratch();
  response.clear();
  if (const auto port = connection_.listener().redirect_port) {
    redirect_to_https(*port);
    return true;
  }
  if (route_->redirect) {
    const auto location = config::redirect_location(route_->redirect->to,
                                                    request.authority.in(buffer), heads_->target);
    if (!location) return !refuse(400, kNoHostToRedirectTo);
    status_ = route_->redirect->status;
    request_whole_ = skip_buffered_body();
    write_reply(response, {.status = status_,
                           .sentence = "See " + *location,
                           .persistence = persistence(),
                           .head_only = head_only,
                           .location = *location,
                           .changes = &route_->response_headers});
  } else if (route_->answer) {
    status_ = route_->answer->status;
    request_whole_ = skip_buffered_body();
    write_answer(response, *route_->answer, persistence(), head_only, route_->response_headers);
  } else if ((method_ == http::Method::kOptions || method_ == http::Method::kTrace) &&
             request.fields.find(buffer, "Max-Forwards") == "0") {
    // RFC 9110 section 7.6.2: it goes no further.
    request_whole_ = skip_buffered_body();
    if (method_ == http::Method::kTrace) {
      // Section 9.3.8, without any field that could be a secret.
      status_ = 200;
      write_answer(response,
                   {.status = status_,
                    .body = fmt::format("TRACE {} HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n",
                                        std::string_view(heads_->target)),
                    .type = "message/http"},
                   persistence(), head_only, {});
    } else {
      status_ = 204;
      const config::HeaderChanges allow{.add = {{"Allow", allowed_methods(route_)}}};
      write_answer(response, {.status = status_}, persistence(), head_only, allow);
    }
  } else {
    return false;
  }
  response_begun_ = true;
  write_head(response);
  response_complete_ = true;
  return true;
}

void Exchange::redirect_to_https(std::uint16_t port) {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = heads_->request_buffer();
  const auto authority = http::parse_authority(request.authority.in(buffer));
  if (!authority) {
    refuse(400, kNoHostToRedirectTo);
    return;
  }
  std::string location = "https://" + std::string(authority->host);
  if (port != 443) location += ":" + std::to_string(port);
  location += heads_->target;
  status_ = 308;
  request_whole_ = skip_buffered_body();
  std::string response;
  write_reply(response, {.status = status_,
                         .sentence = "See " + location,
                         .persistence = persistence(),
                         .head_only = method_ == http::Method::kHead,
                         .location = location});
  response_begun_ = true;
  write_head(response);
  response_complete_ = true;
}

}  // namespace gateway
