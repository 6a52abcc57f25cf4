// The response's way through an exchange: heads, body, or the WebSocket that it opens.
#include <cerrno>

#include "gateway/exchange/heads.hh"
#include "gateway/link/link_end.hh"
#include "gateway/log/quoted.hh"
#include "gateway/rewrite/fields.hh"
#include "gateway/shard/shard.hh"
#include "gateway/websocket/tunnel.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

constexpr std::uint32_t kHeadBytesMax = 64 * 1024;

}  // namespace

// Whether the head is needed when its trailers come: they may be many, and Connection may name
// some.
bool Exchange::judges_trailers(const http::ResponseHead& response) const {
  const Bytes buffer = heads_->response_buffer();
  return response.chunked && (response.fields.contains(buffer, "Trailer") ||
                              HopFilter(response.fields, buffer).names_more());
}

// Until a final response's head is there; 1xx go on at once. False: it has ended, or send_again_ is
// set.
uring::Task<bool> Exchange::receive_response() {
  Heads& heads = *heads_;
  Link& upstream = upstream_->link();
  const http::HeadLimits limits{
      .head_bytes = kHeadBytesMax,
      .fields = static_cast<std::uint32_t>(config().limits.response_header_fields)};
  for (;;) {
    http::ResponseParser parser(heads.response, limits);
    for (;;) {
      const auto state = parser.parse(heads.response_buffer());
      if (!state) {
        // On a kept connection it may be the rest of an earlier answer, which nobody has waited
        // for.
        send_again_ = upstream_->reused() && may_send_again();
        if (!send_again_) {
          connection_.end({.reason = Reason::kBadResponse, .detail = state.error().reason});
        }
        co_return false;
      }
      if (*state == http::HeadState::kComplete) break;
      const Bytes received = co_await upstream.read_once(Upstreams::kHeadReadBytes);
      if (received.empty()) {
        end_of_upstream();
        co_return false;
      }
      heads.response_bytes.append(proto::as_text(received));
      upstream.release();
    }
    // RFC 9110 section 15.5.9: a server's farewell to an idle connection, which met the request.
    const bool farewell = heads.response.status == 408 && heads.response.connection.close &&
                          upstream_->reused() && may_send_again();
    if (farewell) {
      send_again_ = true;
      co_return false;
    }
    const bool interim = take_response_head();
    if (!interim) co_return !connection_.ended();
    // Any number of them may come, so the next one waits until the client has taken this one.
    hold_ = Hold::kByClient;
    co_await connection_.client().drained();
    if (connection_.ended()) co_return false;
    if (std::exchange(hold_, Hold::kNone) == Hold::kTooLong) await_server();
  }
}

// False when it is the final one.
bool Exchange::take_response_head() {
  Heads& heads = *heads_;
  const std::uint16_t status = heads.response.status;
  server_->note_version(heads.response.minor_version);
  if (status >= 200) return false;
  if (status == 101) {
    if (!websocket_) {
      connection_.end({.reason = Reason::kBadResponse, .detail = "101 that nobody asked for"});
    }
    return false;
  }
  client_.interim(heads.response, {heads.response_buffer(), route_->response_headers});
  interim_passed_ = true;
  heads.response_bytes.erase(0, heads.response.bytes);
  return true;
}

// The link has ended before an answer.
void Exchange::end_of_upstream() {
  Link& upstream = upstream_->link();
  if (upstream.end() == uring::LinkEnd::kAborted) return;
  if (!client_.has_begun() && heads_->response_bytes.empty() && may_send_again()) {
    // The server has closed a kept connection, which says nothing of itself: once more, over a new
    // one. Else the next server's turn has come.
    send_again_ = upstream_->reused() || dialler_->pass_over();
    if (send_again_) return;
  }
  connection_.end(end_of_link(upstream, Party::kUpstream, connection_.detail()));
}

// Behind a complete answer (RFC 9112 section 6.3) nothing may come: it is nobody's answer. The same
// servers send a body with an answer to HEAD.
void Exchange::drop_surplus(std::size_t bytes) {
  upstream_reusable_ = false;
  std::string& name = connection_.shard().scratch();
  name.assign("surplus ").append(server_->text());
  if (!connection_.shard().may_log(LogLevel::warning, name)) return;
  connection_.shard().log().warning(
      "surplus id={} n={} request={} route={} upstream={} bytes={}: the server sent more than its "
      "answer; its connection is not used again",
      connection_.id(), connection_.requests(), Quoted(request_line_), route_->name,
      server_->text(), bytes);
}

uring::Task<> Exchange::pump_response() {
  const http::BodyFraming upstream_framing = http::response_framing(method_, heads_->response);
  http::BodyDecoder body(upstream_framing, http::ChunkedDecoder::Blanks::kBehindSizes);
  upstream_reusable_ =
      upstream_framing.kind != http::Framing::kUntilClose && http::keeps_alive(heads_->response);
  // An answer to HEAD, a 204 or 304 has no body, but some servers send the one that they speak of.
  const bool may_have_body = method_ == http::Method::kHead || heads_->response.chunked ||
                             heads_->response.content_length.value_or(0) > 0;
  const bool doubtful = upstream_framing.kind == http::Framing::kNone && may_have_body;
  upstream_reuse_ = doubtful ? Upstreams::Reuse::kLater : Upstreams::Reuse::kAtOnce;
  server_keeps_s_ = heads_->response.keep_alive_seconds;
  response_trailers_.clear();
  connection_.set_deadline(config().timeouts.response_idle, {.reason = Reason::kIdle});
  client_.head(heads_->response, {heads_->response_buffer(), route_->response_headers},
               upstream_framing, !refuses_upload(heads_->response.status));
  bool going_on = pass_response_body(heads_->behind_response(), body);
  if (!body.done() && request_whole_ && !judges_trailers(heads_->response)) heads_.reset();
  Link& upstream = upstream_->link();
  while (going_on && !body.done()) {
    const Bytes bytes = co_await upstream.read_for(connection_.client(), client_.arming());
    if (bytes.empty()) {
      // Where the send has heard of a reset, the receive sees a mere end; behind a FIN the send
      // hears EPIPE.
      const bool reset = upstream.send_failed() && upstream.send_error() != EPIPE;
      const bool ended = upstream.end() == uring::LinkEnd::kEndOfStream && !reset;
      if (!ended || !body.complete_at_end_of_stream()) {
        end_of_upstream();
        co_return;
      }
      break;
    }
    connection_.touch();
    going_on = pass_response_body(bytes, body);
  }
  upstream.end_reading_for();
  if (going_on) finish_response();
}

// False: it has ended, and its last bytes have not been passed on.
bool Exchange::pass_response_body(Bytes bytes, http::BodyDecoder& body) {
  Link& client = connection_.client();
  while (!bytes.empty() && !body.done()) {
    const auto piece = body.next(bytes);
    if (!piece) {
      connection_.end({.reason = Reason::kBadResponse, .detail = piece.error().reason});
      return false;
    }
    bytes = bytes.subspan(piece->consumed);
    response_trailers_.append(proto::as_text(piece->trailers));
    if (piece->payload.empty()) continue;
    to_client_bytes_ += piece->payload.size();
    client_.body(piece->payload);
  }
  if (!bytes.empty()) drop_surplus(bytes.size());
  if (client.send_failed()) connection_.end(connection_.how_client_left());
  return !connection_.ended();
}

void Exchange::finish_response() {
  const Bytes buffer = heads_ ? heads_->response_buffer() : Bytes{};
  client_.finish(response_trailers_, heads_ ? &heads_->response : nullptr,
                 {buffer, route_->response_headers});
}

// A final answer to what is still being uploaded, which nobody will take to its end.
bool Exchange::refuses_upload(std::uint16_t status) const {
  return !request_whole_ && (status >= 400 || !request_pump_runs_);
}

// Checks the upstream's answer to the handshake and passes it on.
bool Exchange::open_tunnel() {
  const Bytes response_buffer = heads_->response_buffer();
  const auto asked = handshake_fields(heads_->request, heads_->request_buffer());
  const auto answered = handshake_fields(heads_->response, response_buffer);
  if (const auto reason =
          ws::reject_response(heads_->response.status, answered, asked, heads_->key)) {
    connection_.end({.reason = Reason::kBadResponse, .detail = *reason});
    return false;
  }
  presence_.unwatch();
  client_.switch_protocols(heads_->response, {response_buffer, route_->response_headers});
  connection_.clear_deadline();
  // Which bits an extension uses is its own affair; without one they are reserved.
  const bool extended = answered.extensions.count > 0;
  const unsigned rsv_allowed = extended ? ws::kRsv1 | ws::kRsv2 | ws::kRsv3 : 0;
  connection_.open_tunnel({.generation = generation_,
                           .route = *route_,
                           .upstream = *std::exchange(upstream_, nullptr),
                           .request_line = std::move(request_line_),
                           .begun = begun_,
                           .rsv_allowed = static_cast<std::uint8_t>(rsv_allowed)},
                          heads_->behind_response());
  return true;
}

}  // namespace gateway
