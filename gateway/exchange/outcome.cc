// What a request's outcome says of its server.
#include "gateway/exchange/exchange.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

// The server has failed the request, whatever the client did.
bool is_servers_failure(Reason reason) {
  switch (reason) {
    case Reason::kResponseTimeout:
    case Reason::kBadResponse:
    case Reason::kUpstreamLeft:
    case Reason::kUpstreamReset:
    case Reason::kUpstreamTruncated:
    case Reason::kUpstreamTlsFailed:
      return true;
    default:
      return false;
  }
}

}  // namespace

// Before its connection is given back. A client that leaves before there is an answer says nothing
// of the server, nor does a kept connection that had closed, whether or not the request may be sent
// again.
void Exchange::note_outcome(Outcome outcome) {
  if (outcome == Outcome::kSendAgain || server_failed_) return;
  ServerSlot& slot = facts_.upstream->slot();
  const bool failed = connection().ended() && is_servers_failure(connection().how_ended().reason);
  if (failed && has_met_stale_connection()) return;
  if (failed) {
    dialler_->note_failure(slot, cause_of(connection().how_ended()));
  } else if (answered_status_ != 0 && !is_counted_) {
    note_answer(slot);
  }
}

// What has become of a kept connection before any byte of an answer: it may have been closed while
// nobody looked.
bool Exchange::has_met_stale_connection() const {
  const Reason reason = connection().how_ended().reason;
  const bool has_closed = reason == Reason::kUpstreamLeft || reason == Reason::kUpstreamReset ||
                          reason == Reason::kUpstreamTruncated;
  return has_closed && facts_.upstream->reused() && answered_status_ == 0 &&
         facts_.heads->response_bytes.empty() && response_.is_silent();
}

// There is no answer, and there will be none: whether another try is made. Of a kept connection
// that had closed the server is asked once more, else it has failed, and the next one's turn comes.
bool Exchange::goes_on_elsewhere() {
  if (!facts_.upstream->reused()) {
    dialler_->note_failure(facts_.upstream->slot(), "no answer");
    server_failed_ = true;
    if (!dialler_->pass_over()) return false;
  }
  return dialler_->may_retry();
}

void Exchange::note_answer(ServerSlot& slot) {
  const config::PoolHealth& health = dialler_->terms();
  if (contains(health.ejection.status, answered_status_)) {
    dialler_->note_failure(slot, "answered " + std::to_string(answered_status_));
  } else {
    dialler_->note_success(slot);
  }
}

// A final head has come. Whoever leaves says so twice: by the status and by closing. A trial is
// decided by it: all others wait for that, and the body may be long.
void Exchange::note_status(const http::ResponseHead& response) {
  answered_status_ = response.status;
  const config::PoolHealth& health = dialler_->terms();
  const bool leaves = contains(health.drain_on, response.status) && !http::keeps_alive(response);
  if (leaves) dialler_->note_leaving(response.status);
  ServerSlot& slot = facts_.upstream->slot();
  is_counted_ = slot.is_trial() || slot.is_last_resort();
  if (is_counted_) note_answer(slot);
}

}  // namespace gateway
