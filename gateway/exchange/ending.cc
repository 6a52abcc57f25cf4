// How an exchange ends: the gateway's own reply where nothing else was answered, and what becomes
// of the two connections.
#include <utility>

#include "gateway/exchange/exchange.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/shard/access_log.hh"
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
    case Reason::kOriginRefused:
    case Reason::kSubprotocolRefused:
    case Reason::kRequestTimeout:
    case Reason::kStopping:
    case Reason::kKicked:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Exchange::settle() {
  connection().complete();
  const std::uint16_t status = status_of(connection().how_ended());
  if (status != 0 && !client_.has_begun()) reply(status);
  keeps_client_ = may_keep_client();
  if (keeps_client_) client_.take_claimed_input();
  account();
  under_way_.reset();
  holds_ = {};
}

void Exchange::reply(std::uint16_t status) {
  const End& end = connection().how_ended();
  // Behind a request for an upgrade the client may have gone on in the other protocol.
  const bool asked_for_upgrade = facts_.heads && facts_.heads->request.connection.upgrade;
  const bool whole = !closes_connection(end.reason) && connection().refused() == nullptr &&
                     !asked_for_upgrade && request_.ends_in_input();
  const std::string allow = status == 405 ? allowed_methods(facts_.route) : "";
  connection().client().clear_abort();
  client_.reply({.status = status,
                 .sentence = end.detail.empty() ? policy_of(end.reason).text : end.detail,
                 .head_only = facts_.method == http::Method::kHead,
                 .allow = allow,
                 .retry_after = time_to_retry(end),
                 .challenge = challenge_},
                whole);
}

// Where another try, some time later, may find a server, or is within the client's rate.
std::chrono::seconds Exchange::time_to_retry(const End& end) const {
  const bool may_help = end.reason == Reason::kNoServer || end.reason == Reason::kQueueFull ||
                        end.reason == Reason::kQueueTimeout;
  if (!may_help || facts_.route == nullptr) return end.retry_after;
  const auto after = config().pools[facts_.route->pool].health.retry_after;
  return std::chrono::ceil<std::chrono::seconds>(after);
}

bool Exchange::may_keep_client() {
  Link& client = connection().client();
  // Requests that came before the client's FIN are still answered.
  const bool more_may_come = client.end() == uring::LinkEnd::kNone ||
                             client.end() == uring::LinkEnd::kAborted || client_.has_next_input();
  return client_.keeps() && client_.is_whole() && request_.is_whole() && !client.send_failed() &&
         more_may_come && !connection().stopping() &&
         connection().how_ended().reason != Reason::kKicked;
}

void Exchange::account() {
  const std::uint16_t status =
      client_.has_begun() ? client_.status() : status_of(connection().how_ended());
  account_for(access(),
              RequestRecord{.status = status,
                            .request_bytes = request_.payload_bytes(),
                            .response_bytes = response_.payload_bytes(),
                            .resends = resends_});
}

Access Exchange::access() const {
  return {.connection = facts_.connection,
          .generation = *facts_.generation,
          .request_line = facts_.request_line,
          .marks = facts_.marks.get(),
          .route = facts_.route,
          .server = server_.get(),
          .begun = begun_};
}

void Exchange::release_upstream() {
  Upstreams& upstreams = connection().shard().upstreams();
  UpstreamConnection& upstream = *std::exchange(facts_.upstream, nullptr);
  Link& link = upstream.link();
  const auto reuse = response_.reuse();
  // Nor where another protocol was asked for: who knows what the server takes the next bytes for.
  const bool reusable = reuse && !facts_.opaque && request_.is_whole() && !connection().ended() &&
                        !link.has_unsent() && link.end() == uring::LinkEnd::kNone;
  if (reusable) return upstreams.keep(upstream, response_.server_keeps_s(), *reuse);
  upstreams.close(upstream, farewell_to_upstream());
}

// As the client went: what is not whole does not end like something whole.
Farewell Exchange::farewell_to_upstream() const {
  if (connection().is_cut()) return Farewell::kNone;
  if (connection().ended() && connection().how_ended().reason == Reason::kClientReset) {
    return Farewell::kReset;
  }
  if (!client_.is_whole()) return Farewell::kNone;
  return request_.is_whole() ? Farewell::kPolite : Farewell::kTruncated;
}

}  // namespace gateway
