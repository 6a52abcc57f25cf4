// The request's way to a server, and its answer's way back; and once more where it may be sent
// again.
#include "gateway/exchange/affinity.hh"
#include "gateway/exchange/exchange.hh"
#include "gateway/link/let_in.hh"
#include "gateway/link/link_end.hh"
#include "gateway/log/line.hh"
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
  const bool upgrades = facts_.websocket || facts_.opaque;
  if (upgrades) presence_.expect_upgrade();
  const Purpose purpose = upgrades ? Purpose::kUpgrade : Purpose::kRequest;
  dialler_ = frames().make<Dialler>(
      connection(), route, pool, [this](const UpstreamPool& newest) { return wish_for(newest); },
      purpose);
  for (;;) {
    bool connected = take_kept();
    if (!connected) connected = co_await dial();
    if (!connected) co_return;
    const Outcome outcome = co_await forward();
    if (outcome == Outcome::kTunnel) co_return;
    note_outcome(outcome);
    release_upstream();
    if (outcome == Outcome::kEnded || connection().ended()) co_return;
    ++resends_;
  }
}

ServerWish Exchange::wish_for(const UpstreamPool& pool) const {
  const Heads& heads = *facts_.heads;
  return wish_of(pool, heads.request, heads.request_buffer(), heads.target,
                 {.address = connection().peer().octets(),
                  .trusted = connection().peer_trusted(),
                  .proxies = config().trusted_proxies});
}

// Of a sticky pool the client gets the cookie of the server that has answered, unless it has shown
// that, or the pool is sticky no more since it waited.
void Exchange::note_sticky_cookie() {
  const auto& asked = config().pools[facts_.route->pool].balance.sticky;
  if (!asked) return;
  facts_.sticky.name = asked->cookie;
  const auto& sticky = dialler_->pool().config().balance.sticky;
  if (!sticky || dialler_->is_at_known_server()) return;
  const Heads& heads = *facts_.heads;
  const bool secure = is_secure_for_client(heads.request, heads.request_buffer(),
                                           connection().secure(), connection().peer_trusted());
  facts_.sticky_text.assign(
      sticky_cookie(*sticky, dialler_->pool().token_of(dialler_->server_index()), secure));
  facts_.sticky.set = facts_.sticky_text;
}

// A second try goes over a new connection: the other kept ones may be as dead. False: dial() is to
// follow.
bool Exchange::take_kept() {
  UpstreamConnection* const kept = resends_ == 0 ? dialler_->take_kept() : nullptr;
  if (kept != nullptr) note_connected(kept);
  return kept != nullptr;
}

// False: it has ended.
uring::Task<bool> Exchange::dial() {
  if (resends_ == 0) watch_client_while_dialling();
  const auto kept = resends_ == 0 ? Dialler::Kept::kUsed : Dialler::Kept::kNotUsed;
  UpstreamConnection* const dialled = co_await dialler_->dial(kept);
  note_connected(dialled);
  co_return dialled != nullptr;
}

// Null: no server could be dialled. The one that was tried last is the exchange's from here on.
void Exchange::note_connected(UpstreamConnection* upstream) {
  facts_.upstream = upstream;
  if (dialler_->has_asked()) server_ = uring::Held<UpstreamServer>(dialler_->server());
}

// A dial may take long. What is sent again has been received to its end and is watched already.
void Exchange::watch_client_while_dialling() {
  if (request_.ends_in_input()) return presence_.watch();
  // Of an upload nothing more is read yet: a reset is noticed nevertheless.
  presence_.watch_upload();
}

uring::Task<Exchange::Outcome> Exchange::forward() {
  if (facts_.heads->request.chunked && server_->speaks_only_1_0()) {
    connection().end({.reason = Reason::kBadRequest,
                      .status = 411,
                      .detail = "the server speaks HTTP/1.0: it needs a Content-Length"});
    co_return Outcome::kEnded;
  }
  server_failed_ = false;
  response_.expect();
  if (!request_.send()) co_return Outcome::kEnded;
  Outcome outcome = Outcome::kInterim;
  while (outcome == Outcome::kInterim) {
    const ResponseSide::HeadIn head = co_await response_.receive_head();
    outcome = take_response_head(head);
    if (outcome != Outcome::kInterim) break;
    // Any number of them may come, so the next one waits until the client has taken this one.
    {
      const LetIn let_in(facts_.upstream->link(), facts_.heads->response_bytes);
      co_await connection().client().drained();
    }
    if (connection().ended()) {
      outcome = Outcome::kEnded;
    } else if (response_.end_hold()) {
      request_.set_deadline();
    }
  }
  if (outcome == Outcome::kSwitch) outcome = facts_.opaque ? open_opaque() : open_tunnel();
  if (outcome == Outcome::kTunnel) co_return outcome;
  if (outcome == Outcome::kResponse) {
    note_sticky_cookie();
    // Behind a refused upgrade the client may have gone on in the other protocol.
    begin_response(!facts_.opaque);
    if (!response_.finish_at_once()) co_await response_.pump();
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
  const auto may_be_stale = [&] {
    return facts_.upstream->reused() && may_send_again() && dialler_->may_retry();
  };
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
  if (response.status == 101 && !facts_.websocket && !facts_.opaque) {
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
    if (goes_on_elsewhere()) return Outcome::kSendAgain;
  }
  connection().end(end_of_link(upstream, Party::kUpstream, connection().detail()));
  return Outcome::kEnded;
}

void Exchange::begin_response(bool may_be_followed) {
  // A final answer to what is still being uploaded, if nobody will take that to its end.
  const bool refuses_upload =
      !request_.is_whole() && (facts_.heads->response.status >= 400 || !request_.is_pumping());
  note_status(facts_.heads->response);
  facts_.generation->traffic_of(*facts_.route)
      .first_byte.observe(connection().shard().loop().now() - begun_);
  // It may have been an upgrade, which is declined.
  facts_.upstream->slot().end_upgrade();
  response_.begin(!refuses_upload && may_be_followed);
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
    LogLine(shard.log(), LogLevel::warning, "connection")
        .number("id", connection().id())
        .remark(
            "compressed without context_takeover: half of [limits] compression_memory is promised")
        .write();
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
  dialler_->note_success(facts_.upstream->slot());
  facts_.upstream->slot().end_upgrade();
  presence_.unwatch();
  note_sticky_cookie();
  client_.switch_protocols(
      heads.response, {response_buffer, facts_.route->response_headers, facts_.sticky}, deflate);
  connection().clear_deadline();
  connection().open_tunnel({.generation = facts_.generation,
                            .route = *facts_.route,
                            .upstream = *std::exchange(facts_.upstream, nullptr),
                            .request_line = std::move(facts_.request_line),
                            .marks = std::move(facts_.marks),
                            .begun = begun_,
                            .holds = std::move(holds_),
                            .rsv_allowed = deflate ? ws::kRsv1 : ws::reserved_bits(*agreed),
                            .deflate = deflate,
                            .token_ends = token_ends_},
                           heads.behind_response());
  return Outcome::kTunnel;
}

// The server's 101 names the one protocol that was asked for (RFC 9110 section 7.8).
bool Exchange::is_agreed(std::string_view protocol) const {
  const http::ResponseHead& response = facts_.heads->response;
  std::size_t named = 0;
  bool is_other = false;
  response.fields.for_each(facts_.heads->response_buffer(), "Upgrade", [&](std::string_view line) {
    http::ListReader names(line);
    while (const auto name = names.next()) {
      if (name->empty()) continue;
      ++named;
      is_other |= !http::equals_ignoring_case(*name, protocol);
    }
  });
  return named == 1 && !is_other && response.connection.upgrade;
}

Exchange::Outcome Exchange::open_opaque() {
  const Heads& heads = *facts_.heads;
  if (!is_agreed(heads.protocol)) {
    connection().end({.reason = Reason::kBadResponse,
                      .detail = "the 101 is not for the protocol that was asked for"});
    return Outcome::kEnded;
  }
  dialler_->note_success(facts_.upstream->slot());
  facts_.upstream->slot().end_upgrade();
  presence_.unwatch();
  note_sticky_cookie();
  client_.switch_protocols(heads.response,
                           {heads.response_buffer(), facts_.route->response_headers, facts_.sticky},
                           {}, heads.protocol);
  connection().clear_deadline();
  connection().open_tunnel({.generation = facts_.generation,
                            .route = *facts_.route,
                            .upstream = *std::exchange(facts_.upstream, nullptr),
                            .request_line = std::move(facts_.request_line),
                            .marks = std::move(facts_.marks),
                            .begun = begun_,
                            .holds = std::move(holds_),
                            .rsv_allowed = 0,
                            .deflate = {},
                            .token_ends = token_ends_,
                            .opaque_protocol = heads.protocol},
                           heads.behind_response());
  return Outcome::kTunnel;
}

}  // namespace gateway
