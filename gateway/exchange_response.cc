// The response's way through an exchange: heads, body, or the WebSocket that it opens.
#include "gateway/exchange_heads.hh"
#include "gateway/forward.hh"
#include "gateway/shard.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

ws::HandshakeFields handshake_fields(const http::Head& head, Bytes buffer) {
  ws::HandshakeFields fields;
  for (const http::Field& field : head.fields.all()) {
    fields.add(field.name.in(buffer), field.value.in(buffer));
  }
  return fields;
}

}  // namespace

// Until a final response's head is there; 1xx go on at once.
uring::Task<bool> Exchange::receive_response() {
  Heads& heads = *heads_;
  for (;;) {
    http::ResponseParser parser(heads.response);
    for (;;) {
      const auto state = parser.parse(proto::as_bytes(heads.response_bytes));
      if (!state) {
        connection_.end({.reason = Reason::kBadResponse, .detail = state.error().reason});
        co_return false;
      }
      if (*state == http::HeadState::kComplete) break;
      const Bytes received = co_await upstream_->read_once(kHeadReadBytes);
      if (received.empty()) {
        end_of_upstream();
        co_return false;
      }
      heads.response_bytes.append(proto::as_text(received));
    }
    const bool interim = take_response_head();
    if (!interim) co_return !connection_.ended();
    // Any number of them may come, so the next one waits until the client has taken this one.
    co_await connection_.client().drained();
    if (connection_.ended()) co_return false;
  }
}

// False when it is the final one.
bool Exchange::take_response_head() {
  Heads& heads = *heads_;
  status_ = heads.response.status;
  if (status_ >= 200) return false;
  if (status_ == 101) {
    if (!websocket_) {
      status_ = 0;
      connection_.end({.reason = Reason::kBadResponse, .detail = "101 that nobody asked for"});
    }
    return false;
  }
  status_ = 0;
  if (!client_is_1_0_) {
    std::string head;
    forward_interim(head, heads.response, proto::as_bytes(heads.response_bytes));
    connection_.client().write(proto::as_bytes(head));
  }
  heads.response_bytes.erase(0, heads.response.bytes);
  return true;
}

void Exchange::begin_response(http::BodyFraming framing) {
  std::string head;
  forward_response(head, heads_->response, proto::as_bytes(heads_->response_bytes), framing);
  connection_.client().write(proto::as_bytes(head));
  response_begun_ = true;
}

uring::Task<> Exchange::pump_response() {
  const http::BodyFraming upstream_framing = http::response_framing(method_, heads_->response);
  http::BodyDecoder body(upstream_framing);
  http::BodyFraming framing = upstream_framing;
  // The framing belongs to the writing side: an end that is told, where the client understands it.
  if (framing.kind == http::Framing::kUntilClose || framing.kind == http::Framing::kChunked) {
    framing.kind = client_is_1_0_ ? http::Framing::kUntilClose : http::Framing::kChunked;
  }
  chunked_to_client_ = framing.kind == http::Framing::kChunked;
  until_close_ = framing.kind == http::Framing::kUntilClose;
  const auto arming =
      chunked_to_client_ ? uring::Socket::Arming::kOnce : uring::Socket::Arming::kStream;
  connection_.set_deadline(kBodyIdle, {.reason = Reason::kIdle});
  begin_response(framing);
  bool going_on = pass_response_body(heads_->behind_response(), body);
  while (going_on && !body.done()) {
    const Bytes bytes = co_await upstream_->read_for(connection_.client(), arming);
    if (bytes.empty()) {
      const bool whole =
          upstream_->end() == uring::LinkEnd::kEndOfStream && body.complete_at_end_of_stream();
      if (!whole) {
        end_of_upstream();
        co_return;
      }
      break;
    }
    connection_.touch();
    going_on = pass_response_body(bytes, body);
  }
  if (!going_on) co_return;
  if (chunked_to_client_) connection_.client().write(proto::as_bytes(http::kLastChunk));
  response_complete_ = true;
}

bool Exchange::pass_response_body(Bytes bytes, http::BodyDecoder& body) {
  Link& client = connection_.client();
  while (!bytes.empty() && !body.done()) {
    const auto piece = body.next(bytes);
    if (!piece) {
      connection_.end({.reason = Reason::kBadResponse, .detail = piece.error().reason});
      return false;
    }
    bytes = bytes.subspan(piece->consumed);
    if (piece->payload.empty()) continue;
    to_client_bytes_ += piece->payload.size();
    write_body(client, piece->payload, chunked_to_client_);
  }
  if (client.send_failed()) {
    connection_.end({.reason = Reason::kClientReset, .error = client.send_error()});
  }
  return !connection_.ended();
}

// Checks the upstream's answer to the handshake and passes it on.
bool Exchange::accept_websocket() {
  const Bytes request_buffer = proto::as_bytes(heads_->request_bytes);
  const Bytes response_buffer = proto::as_bytes(heads_->response_bytes);
  const auto asked = handshake_fields(heads_->request, request_buffer);
  const auto answered = handshake_fields(heads_->response, response_buffer);
  if (const auto reason = ws::reject_response(status_, answered, asked, heads_->key)) {
    status_ = 0;
    connection_.end({.reason = Reason::kBadResponse, .detail = *reason});
    return false;
  }
  std::string head;
  forward_switch(head, heads_->response, response_buffer);
  connection_.client().unwatch_hangup();
  grace_.disarm();
  connection_.client().write(proto::as_bytes(head));
  response_begun_ = true;
  // Which bits an extension uses is its own affair; without one they are reserved.
  const bool extended = answered.extensions.count > 0;
  connection_.clear_deadline();
  relay_.emplace(connection_.shard().loop(), connection_.client(), *upstream_,
                 extended ? ws::kRsv1 | ws::kRsv2 | ws::kRsv3 : 0,
                 config_->timeouts.websocket_idle);
  return true;
}

uring::Task<> Exchange::run_websocket() {
  relay_->start(heads_->behind_request(), heads_->behind_response());
  heads_.reset();
  co_await relay_->finished();
  relay_whole_ = relay_->client_stream_is_whole();
  connection_.end(relay_->how_ended());
}

}  // namespace gateway
