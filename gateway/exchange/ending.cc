// How an exchange ends: the client that leaves meanwhile, the gateway's own reply, and what becomes
// of the client's connection.
//
// A client that closes its stream may be gone, or may have nothing more to say and wait for the
// response. Where something can be sent ahead of that, who is gone answers with a reset; where
// nothing can, it has left if it closes while nothing is under way to it.
#include "gateway/exchange/heads.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

// Of the next requests, while this one is under way.
constexpr std::size_t kInputBytes = 4096;

// After these nothing that the client has sent can be told apart any more, or it was told to go.
bool closes_connection(Reason reason) {
  switch (reason) {
    case Reason::kBadRequest:
    case Reason::kBadBody:
    case Reason::kBodyTooLarge:
    case Reason::kUpgradeRefused:
    case Reason::kRequestTimeout:
    case Reason::kStopping:
      return true;
    default:
      return false;
  }
}

}  // namespace

// From the end of the request on, while nothing is read from the client.
void Exchange::watch_client() {
  if (client_.has_next_input() && !connection_.client().receives()) {
    arm_grace(kPipelinedWatch);
  } else {
    connection_.client().watch_input(client_input_, kInputBytes);
  }
}

void Exchange::watch_hangup(uring::Socket::Hangup of) {
  connection_.client().watch_hangup(client_hung_up_, of);
}

void Exchange::unwatch_client() {
  connection_.client().unwatch_input();
  connection_.client().unwatch_hangup();
  grace_.disarm();
}

void Exchange::arm_grace(std::chrono::milliseconds after) {
  grace_.arm(connection_.shard().loop().now() + after);
}

void Exchange::on_client_input() {
  switch (connection_.client().take_input(connection_.input())) {
    case Link::Input::kNothing:
      return;
    case Link::Input::kBytes:
      return watch_client();
    case Link::Input::kEnd:
      return note_client_closed();
  }
}

void Exchange::on_client_hung_up() {
  if (connection_.client().peer_gone()) {
    return connection_.end({.reason = client_closed_ ? Reason::kClientLeft : Reason::kClientReset});
  }
  // A FIN behind a body is met when the body has been read.
  if (!request_pump_runs_) note_client_closed();
}

void Exchange::note_client_closed() {
  Link& client = connection_.client();
  if (client_closed_) return;
  client_closed_ = true;
  if (client.end() != uring::LinkEnd::kNone && client.end() != uring::LinkEnd::kEndOfStream) {
    return connection_.end(connection_.how_client_left());
  }
  if (!client_.can_send_ahead() && !client_.has_next_input()) {
    client_sent_mark_ = client.sent_bytes();
    return arm_grace(kLeavingGrace);
  }
  client_.send_ahead();
  watch_hangup(uring::Socket::Hangup::kOfAll);
}

void Exchange::on_grace_over() {
  if (request_pump_runs_) return;
  if (!client_closed_) return watch_hangup(uring::Socket::Hangup::kOfStream);
  Link& client = connection_.client();
  const bool takes_more = client.has_unsent() || client.sent_bytes() != client_sent_mark_;
  if (!takes_more) return connection_.end({.reason = Reason::kClientLeft});
  watch_hangup(uring::Socket::Hangup::kOfAll);
}

// Whether the request's body is whole in what has been received; then it is passed over.
bool Exchange::skip_buffered_body() {
  if (body_read_beyond_input_) return request_whole_;
  http::BodyDecoder body(http::request_framing(heads_->request));
  const Bytes input = connection_.input().bytes();
  Bytes rest = input;
  while (!rest.empty() && !body.done()) {
    const auto piece = body.next(rest);
    if (!piece) return false;
    rest = rest.subspan(piece->consumed);
  }
  client_.claim_input(input.size() - rest.size());
  return body.done();
}

void Exchange::reply(std::uint16_t status) {
  const End& end = connection_.how_ended();
  // Behind a request for an upgrade the client may have gone on in the other protocol.
  const bool asked_for_upgrade = heads_ && heads_->request.connection.upgrade;
  request_whole_ = !closes_connection(end.reason) && !asked_for_upgrade && skip_buffered_body();
  const std::string allow = status == 405 ? allowed_methods(route_) : "";
  connection_.client().clear_abort();
  client_.reply({.status = status,
                 .sentence = end.detail.empty() ? policy_of(end.reason).text : end.detail,
                 .head_only = method_ == http::Method::kHead,
                 .allow = allow},
                request_whole_);
}

void Exchange::settle() {
  Link& client = connection_.client();
  connection_.complete();
  const std::uint16_t status = status_of(connection_.how_ended());
  if (status != 0 && !client_.has_begun()) reply(status);
  // Requests that came before the client's FIN are still answered.
  const bool more_may_come = client.end() == uring::LinkEnd::kNone ||
                             client.end() == uring::LinkEnd::kAborted || client_.has_next_input();
  keeps_client_ = client_.keeps() && request_whole_ && client_.is_whole() &&
                  !client.send_failed() && more_may_come && !connection_.stopping();
  if (keeps_client_) client_.take_claimed_input();
  log();
}

}  // namespace gateway
