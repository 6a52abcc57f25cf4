// How an exchange ends: the gateway's own reply, and what becomes of the client's connection.
#include "gateway/exchange/heads.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

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
