// The request's way through an exchange: head, route, upgrade, body.
#include <algorithm>
#include <array>

#include "gateway/exchange_heads.hh"
#include "gateway/forward.hh"
#include "gateway/shard.hh"
#include "proto/http/target.hh"
#include "proto/ws/handshake.hh"

namespace gateway {

uring::Task<bool> Exchange::receive_request() {
  connection_.set_deadline(config_->timeouts.request_header, {.reason = Reason::kRequestTimeout});
  for (;;) {
    const Bytes received = co_await connection_.client().read_once(kHeadReadBytes);
    if (received.empty()) {
      end_of_client();
      co_return false;
    }
    heads_->request_bytes.append(proto::as_text(received));
    head_bytes_ = heads_->request_bytes.size();
    const auto state = heads_->request_parser.parse(proto::as_bytes(heads_->request_bytes));
    if (!state) {
      refuse_request(state.error());
      co_return false;
    }
    if (*state == http::HeadState::kComplete) co_return true;
  }
}

void Exchange::refuse_request(const http::HeadError& error) {
  detail_ = error.reason;
  if (!error.largest_field.empty()) {
    detail_ += "; the largest field is ";
    detail_ += error.largest_field.in(proto::as_bytes(heads_->request_bytes)).substr(0, 64);
  }
  connection_.end({.reason = Reason::kBadRequest, .status = error.status, .detail = detail_});
}

bool Exchange::find_route() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = proto::as_bytes(heads_->request_bytes);
  head_bytes_ = request.bytes;
  method_ = request.method;
  client_is_1_0_ = request.minor_version == 0;
  std::array<char, http::kHostMax> host_storage;
  const std::string_view authority = request.authority.in(buffer);
  const auto host = http::normalise_host(authority, host_storage);
  request_line_ = request.method_text.in(buffer);
  request_line_.append(" ").append(authority).append(" ").append(
      request.target.in(buffer).substr(0, kLoggedTargetBytes));
  if (method_ == http::Method::kConnect) {
    connection_.end({.reason = Reason::kBadRequest,
                     .status = 405,
                     .detail = "CONNECT is not for a reverse proxy"});
    return false;
  }
  std::string path_storage(std::max<std::size_t>(request.path.length, 1), '\0');
  const std::string_view path = request.path.in(buffer);
  const auto normal_path = request.form == http::TargetForm::kAsterisk
                               ? std::optional<std::string_view>("/")
                               : http::normalise_path(path, path_storage);
  if (!normal_path || (!authority.empty() && !host)) {
    connection_.end({.reason = Reason::kBadRequest, .detail = "the path or host is invalid"});
    return false;
  }
  route_ = config_->match(host.value_or(""), *normal_path);
  if (route_ == nullptr) connection_.end({.reason = Reason::kNoRoute});
  return route_ != nullptr;
}

bool Exchange::judge_upgrade() {
  const http::RequestHead& request = heads_->request;
  const Bytes buffer = proto::as_bytes(heads_->request_bytes);
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
  const http::BodyFraming framing = http::request_framing(request);
  if (websocket_ && (framing.kind == http::Framing::kChunked || framing.length > 0)) {
    // Its bytes would be taken for frames.
    connection_.end({.reason = Reason::kUpgradeRefused,
                     .detail = "a WebSocket handshake must not have a body"});
    return false;
  }
  if (websocket_) heads_->key = verdict.key;
  return true;
}

void Exchange::send_request_head() {
  std::string head;
  const ForwardedFor forwarded{connection_.client_address(), connection_.secure()};
  forward_request(head, heads_->request, proto::as_bytes(heads_->request_bytes), forwarded,
                  websocket_);
  upstream_->write(proto::as_bytes(head));
  request_sent_ = true;
}

uring::Task<> Exchange::pump_request() {
  const http::BodyFraming framing = http::request_framing(heads_->request);
  http::BodyDecoder body(framing);
  chunked_to_upstream_ = framing.kind == http::Framing::kChunked;
  const auto arming =
      chunked_to_upstream_ ? uring::Socket::Arming::kOnce : uring::Socket::Arming::kStream;
  Link& client = connection_.client();
  Bytes bytes = heads_->behind_request();
  pass_request_body(bytes, body);
  while (!body.done() && !connection_.ended() && !upstream_->send_failed()) {
    bytes = co_await client.read_for(*upstream_, arming);
    if (bytes.empty()) {
      end_of_client();
      break;
    }
    connection_.touch();
    pass_request_body(bytes, body);
  }
  if (body.done()) {
    if (chunked_to_upstream_) upstream_->write(proto::as_bytes(http::kLastChunk));
    watch_client();
  }
  request_pump_runs_ = false;
  request_done_.set();
}

void Exchange::pass_request_body(Bytes& bytes, http::BodyDecoder& body) {
  while (!bytes.empty() && !body.done()) {
    const auto piece = body.next(bytes);
    if (!piece) {
      connection_.end({.reason = Reason::kBadBody, .detail = piece.error().reason});
      return;
    }
    bytes = bytes.subspan(piece->consumed);
    if (piece->payload.empty()) continue;
    to_upstream_bytes_ += piece->payload.size();
    write_body(*upstream_, piece->payload, chunked_to_upstream_);
  }
}

}  // namespace gateway
