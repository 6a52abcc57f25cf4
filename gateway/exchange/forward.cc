// The request's way to a server, and its answer's way back; and once more where it may be sent
// again.
#include "gateway/exchange/exchange.hh"
#include "gateway/link/link_end.hh"
#include "gateway/rewrite/offers.hh"
#include "gateway/shard/shard.hh"
#include "gateway/websocket/tunnel.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

// RFC 9110 section 9.2.2.
bool is_idempotent(http::Method method) {
  switch (method) {
    case http::Method::kGet:
    case http::Method::kHead:
    case http::Method::kOptions:
    case http::Method::kTrace:
    case http::Method::kPut:
    case http::Method::kDelete:
      return true;
    default:
      return false;
  }
}

}  // namespace

uring::Task<> Exchange::proxy() {
  const config::Route& route = *facts_.route;
  UpstreamPool& pool = facts_.generation->pool(route.pool);
  if (!pool.has_takers()) {
    connection().end({.reason = Reason::kNoServer});
    co_return;
  }
  dialler_ = frames().make<Dialler>(connection(), route, pool);
  for (;;) {
    const bool connected = co_await dial();
    if (!connected) co_return;
    const Outcome outcome = co_await forward();
    if (outcome == Outcome::kTunnel) co_return;
    release_upstream();
    if (outcome == Outcome::kEnded || connection().ended()) co_return;
    ++resends_;
  }
}

// False: it has ended.
uring::Task<bool> Exchange::dial() {
  // A second try goes over a new connection: the other kept ones may be as dead.
  const auto kept = resends_ == 0 ? Dialler::Kept::kUsed : Dialler::Kept::kNotUsed;
  UpstreamConnection* taken = kept == Dialler::Kept::kUsed ? dialler_->take_kept() : nullptr;
  if (taken == nullptr) {
    if (resends_ == 0) watch_client_while_dialling();
    taken = co_await dialler_->dial(kept);
  }
  facts_.upstream = taken;
  server_ = &dialler_->server();
  co_return taken != nullptr;
}

// A dial may take long. What is sent again has been received to its end and is watched already.
void Exchange::watch_client_while_dialling() {
  if (request_.ends_in_input()) return presence_.watch();
  // Of an upload nothing more is read yet: a reset is noticed nevertheless.
  presence_.watch_hangup();
}

uring::Task<Exchange::Outcome> Exchange::forward() {
  if (facts_.heads->request.chunked && server_->speaks_only_1_0()) {
    connection().end({.reason = Reason::kBadRequest,
                      .status = 411,
                      .detail = "the server speaks HTTP/1.0: it needs a Content-Length"});
    co_return Outcome::kEnded;
  }
  response_.expect();
  if (!request_.send()) co_return Outcome::kEnded;
  Outcome outcome = Outcome::kInterim;
  while (outcome == Outcome::kInterim) {
    const ResponseSide::HeadIn head = co_await response_.receive_head();
    outcome = take_response_head(head);
    if (outcome != Outcome::kInterim) break;
    // Any number of them may come, so the next one waits until the client has taken this one.
    co_await connection().client().drained();
    if (connection().ended()) {
      outcome = Outcome::kEnded;
    } else if (response_.end_hold()) {
      request_.set_deadline();
    }
  }
  if (outcome == Outcome::kSwitch) outcome = open_tunnel();
  if (outcome == Outcome::kTunnel) co_return outcome;
  if (outcome == Outcome::kResponse) {
    begin_response();
    co_await response_.pump();
    outcome = Outcome::kEnded;
  }
  if (request_.is_pumping()) {
    // The exchange is over, whatever the client still wants to upload.
    connection().client().abort();
    facts_.upstream->link().abort();
    co_await request_.pump_ended();
  }
  co_return outcome;
}

Exchange::Outcome Exchange::take_response_head(const ResponseSide::HeadIn& head) {
  const http::ResponseHead& response = facts_.heads->response;
  const auto may_be_stale = [&] { return facts_.upstream->reused() && may_send_again(); };
  if (!head) {
    // On a kept connection it may be the rest of an earlier answer, which nobody has waited for.
    if (may_be_stale()) return Outcome::kSendAgain;
    connection().end({.reason = Reason::kBadResponse, .detail = head.error().reason});
    return Outcome::kEnded;
  }
  if (*head == http::HeadState::kMore) return take_end_of_upstream();
  // RFC 9110 section 15.5.9: a server's farewell to an idle connection, which met the request.
  if (response.status == 408 && response.connection.close && may_be_stale()) {
    return Outcome::kSendAgain;
  }
  server_->note_version(response.minor_version);
  if (response.status < 200 && response.status != 101) {
    response_.pass_interim();
    return Outcome::kInterim;
  }
  if (response.status == 101 && !facts_.websocket) {
    connection().end({.reason = Reason::kBadResponse, .detail = "101 that nobody asked for"});
  }
  // RFC 9110 section 7.8: HTTP/1.0 knows no upgrades.
  if (response.status == 101 && response.minor_version == 0) {
    connection().end({.reason = Reason::kBadResponse, .detail = "101 in HTTP/1.0"});
  }
  if (connection().ended()) return Outcome::kEnded;
  return response.status == 101 ? Outcome::kSwitch : Outcome::kResponse;
}

// Before an answer.
Exchange::Outcome Exchange::take_end_of_upstream() {
  Link& upstream = facts_.upstream->link();
  if (upstream.end() == uring::LinkEnd::kAborted) return Outcome::kEnded;
  if (facts_.heads->response_bytes.empty() && may_send_again()) {
    // The server has closed a kept connection, which says nothing of itself: once more, over a new
    // one. Else the next server's turn has come.
    const bool again = facts_.upstream->reused() || dialler_->pass_over();
    if (again) return Outcome::kSendAgain;
  }
  connection().end(end_of_link(upstream, Party::kUpstream, connection().detail()));
  return Outcome::kEnded;
}

void Exchange::begin_response() {
  // A final answer to what is still being uploaded, if nobody will take that to its end.
  const bool refuses_upload =
      !request_.is_whole() && (facts_.heads->response.status >= 400 || !request_.is_pumping());
  response_.begin(!refuses_upload);
  if (request_.is_whole() && !response_.needs_heads()) facts_.heads.reset();
}

// Nothing has been answered: whether the server may get the request a second time, or another one
// for the first (RFC 9110 section 9.2.2).
bool Exchange::may_send_again() const {
  if (resends_ == kResendsMax || !request_.can_be_repeated() || connection().ended()) return false;
  if (!response_.is_silent()) return false;
  return request_.never_left() || is_idempotent(facts_.method);
}

std::optional<ws::Deflate> Exchange::agree_on_compression(
    std::span<const std::string_view> offers) {
  Shard& shard = connection().shard();
  const bool may_keep = shard.codecs().may_keep_contexts();
  const config::WebSocket& websocket = facts_.route->websocket;
  const auto deflate = agree_on_deflate(websocket, offers, may_keep);
  const bool falls_back = deflate && websocket.context_takeover && !may_keep;
  if (falls_back && shard.may_log(LogLevel::warning, "no context")) {
    shard.log().warning(
        "connection id={}: compressed without context_takeover: half of [limits] "
        "compression_memory is promised",
        connection().id());
  }
  return deflate;
}

// Checks the server's answer to the handshake and passes it on, with what is agreed on with the
// client alone.
Exchange::Outcome Exchange::open_tunnel() {
  const Heads& heads = *facts_.heads;
  const Bytes response_buffer = heads.response_buffer();
  const auto asked = handshake_fields(heads.request, heads.request_buffer());
  const auto answered = handshake_fields(heads.response, response_buffer);
  const auto agreed = ws::judge_response(heads.response.status, answered, asked, heads.key,
                                         offer_policy(facts_.route->websocket));
  if (!agreed) {
    connection().end({.reason = Reason::kBadResponse, .detail = agreed.error()});
    return Outcome::kEnded;
  }
  const auto deflate = agree_on_compression(asked.extensions.kept());
  presence_.unwatch();
  client_.switch_protocols(heads.response, {response_buffer, facts_.route->response_headers},
                           deflate);
  connection().clear_deadline();
  connection().open_tunnel({.generation = facts_.generation,
                            .route = *facts_.route,
                            .upstream = *std::exchange(facts_.upstream, nullptr),
                            .request_line = std::move(facts_.request_line),
                            .begun = begun_,
                            .rsv_allowed = deflate ? ws::kRsv1 : ws::reserved_bits(*agreed),
                            .deflate = deflate},
                           heads.behind_response());
  return Outcome::kTunnel;
}

}  // namespace gateway
