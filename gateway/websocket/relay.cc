#include "gateway/websocket/relay.hh"

#include <algorithm>
#include <utility>

#include "gateway/link/link_end.hh"
#include "gateway/websocket/mask_key.hh"
#include "gateway/websocket/relay_pieces.hh"
#include "gateway/websocket/relay_policy.hh"
#include "gateway/websocket/relay_pump.hh"
#include "gateway/websocket/relay_translation.hh"
#include "proto/ws/close.hh"

namespace gateway {

template <class Client, Opposite<Client> Upstream>
BasicRelay<Client, Upstream>::BasicRelay(uring::Loop& loop, Client& client, Upstream& upstream,
                                         const ws::ScanRules& rules, RelayOwner& owner)
    : loop_(loop),
      owner_(owner),
      to_upstream_(*this, client, upstream, Party::kClient, rules),
      to_client_(*this, upstream, client, Party::kUpstream, rules),
      last_activity_(loop.now()),
      deadline_(*this, loop.timers()) {}

template <class Client, Opposite<Client> Upstream>
BasicRelay<Client, Upstream>::BasicRelay(uring::Loop& loop, Client& client, Upstream& upstream,
                                         const TranslatedRules& rules, RelayOwner& owner)
    : BasicRelay(loop, client, upstream, rules.of_client, owner) {
  to_client_.frames = ws::FrameScanner(ws::Sender::kServer, rules.of_server);
  to_client_.translated = to_upstream_.translated = true;
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::start(Bytes behind_request, Bytes behind_response) {
  go_by_policy();
  to_upstream_.from.watch_hangup_when_held_back(client_left_);
  to_client_.from.watch_hangup_when_held_back(upstream_left_);
  begin(to_client_, behind_response);
  begin(to_upstream_, behind_request);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::stop_watching() {
  deadline_.disarm();
  to_upstream_.translation.reset();
  to_client_.translation.reset();
  to_upstream_.from.unwatch_hangup();
  to_client_.from.unwatch_hangup();
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::note_close(auto& way) {
  way.close_passed = true;
  if (!closing_) begin_closing(kAnswerTime);
  if (!closing_->has_close()) {
    closing_->close_code = way.frames.close_seen()->code;
    closing_->closed_by = way.sender;
  }
  if (to_upstream_.close_passed && to_client_.close_passed) {
    decide({});
    to_upstream_.from.abort();
    to_client_.from.abort();
  }
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::note_closing() {
  if (closing_) return;
  closing_ = frames().template make<RelayClosing>(frames());
  if (watch_) watch_->end_pause();
}

// By a peer: the other one has so long to answer, or to get on with what it has to say before.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::begin_closing(std::chrono::seconds time) {
  note_closing();
  closing_->boundary_by = loop_.now() + kTakingTime;
  closing_->taken_bytes = bytes_taken();
  set_deadline(loop_.now() + time);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::note_end_of_stream(auto& way) {
  const uring::LinkEnd end = way.from.end();
  if (end == uring::LinkEnd::kAborted) return;
  const bool reset = way.from.send_failed();
  const bool left = end == uring::LinkEnd::kEndOfStream || end == uring::LinkEnd::kTruncated;
  // After a close frame from either side the stream may end: that is how closing goes. Browsers do
  // without a close_notify then; the close frames have said already that all is there.
  if (left && closing_) {
    decide({});
    end_stream(way);
    if (way.sender == Party::kUpstream || to_client_.close_passed) to_upstream_.from.abort();
    return;
  }
  const End cause = end_of_link(way.from, way.sender, owner_.detail());
  if (end == uring::LinkEnd::kEndOfStream && !reset && way.sender == Party::kClient) {
    // A half-close goes on to the upstream, which may still have something to say.
    begin_closing(kCloseTime);
    decide(cause);
    end_stream(way);
    return;
  }
  // In mid-frame no close frame of ours can follow what was passed on.
  way.finished = !way.at_boundary();
  stop(cause);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::end_stream(auto& way) {
  using Ending = typename std::remove_reference_t<decltype(way)>::Ending;
  const bool whole = way.frames.at_frame_boundary();
  way.to.write_end(whole ? Ending::kWhole : Ending::kTruncated);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::decide(End end) {
  if (!closing_->end) closing_->end = end;
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::set_deadline(uring::Clock::time_point at) {
  // The links may be somebody else's by the time that it passes.
  CHECK(!has_finished(), "a finished relay arms nothing");
  deadline_.arm(at);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::stop(End end, std::chrono::milliseconds boundary_time) {
  if (has_finished()) return;
  note_closing();
  decide(end);
  if (std::exchange(closing_->stopping, true)) return;
  closing_->told = end;
  last_activity_ = loop_.now();
  closing_->boundary_by = last_activity_ + boundary_time;
  set_deadline(last_activity_ + std::min<uring::Clock::duration>(boundary_time, kCloseTime));
  stop_direction(to_client_);
  stop_direction(to_upstream_);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::stop_direction(auto& way) {
  way.frames.stop_at_boundary();
  const bool ends = way.at_boundary() || way.frames.violation();
  const bool waits = owes_close(way) && !ends;
  if (!waits) return close_towards(way);
  // Whoever has gone is not to be waited for, and is read no more.
  uring::Ready& left =
      way.receiver() == Party::kClient ? static_cast<uring::Ready&>(client_left_) : upstream_left_;
  way.to.watch_hangup(left, uring::Socket::Hangup::kOfAll);
}

// Whether the peer at the end of `way` is still to get a close frame of ours.
template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::owes_close(const auto& way) const {
  return !way.close_passed && !way.finished && !way.to.end_written() &&
         code_towards(way.sender) != 0;
}

template <class Client, Opposite<Client> Upstream>
std::uint16_t BasicRelay<Client, Upstream>::code_towards(Party sender) const {
  const End end = told();
  const EndPolicy& policy = policy_of(end.reason);
  // The peer that broke a rule learns which one, and a server what its client did; a client is not
  // blamed for its server.
  const bool blameless = sender == Party::kUpstream && policy.party == Party::kUpstream;
  if (end.close_code != 0 && !blameless) return end.close_code;
  if (sender == Party::kClient) return policy.upstream_close_code;
  return is_lost_upstream(end.reason) ? upstream_lost_code_ : policy.client_close_code;
}

// Of ours. Whoever says the code says the text, too, such as which rule was broken; what the system
// said of a failure is nobody else's affair.
template <class Client, Opposite<Client> Upstream>
std::string_view BasicRelay<Client, Upstream>::text_of_close() const {
  const End end = told();
  return end.close_code != 0 ? end.detail : policy_of(end.reason).text;
}

template <class Client, Opposite<Client> Upstream>
std::string BasicRelay<Client, Upstream>::close_reason() const {
  if (close_code() == 0) return {};
  if (closed_by() == Party::kNobody) return std::string(text_of_close());
  const bool client = closed_by() == Party::kClient;
  const auto close = (client ? to_upstream_.frames : to_client_.frames).close_seen();
  return std::string(close->reason());
}

template <class Client, Opposite<Client> Upstream>
std::chrono::milliseconds BasicRelay<Client, Upstream>::pushed_back(Party peer) const {
  if (peer == Party::kUpstream) return to_client_.from.held_back_time();
  return to_upstream_.from.held_back_time() +
         (watch_ ? watch_->paused_time() : std::chrono::milliseconds(0));
}

template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::client_stream_is_whole() const {
  const bool cut = is_lost_upstream(told().reason) && upstream_lost_code_ == 0;
  return to_client_.at_boundary() && !cut;
}

template <class Client, Opposite<Client> Upstream>
std::optional<ws::BrokenRule> BasicRelay<Client, Upstream>::broken_rule() const {
  const Reason reason = how_ended().reason;
  if (reason == Reason::kClientViolation) return to_upstream_.frames.broken_rule();
  if (reason == Reason::kUpstreamViolation) return to_client_.frames.broken_rule();
  return std::nullopt;
}

// Tells the peer at the end of `way`, and reads no more from the one at its beginning.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::close_towards(auto& way) {
  if (owes_close(way) && way.at_boundary()) {
    const auto frame = way.sender == Party::kUpstream
                           ? ws::make_close(code_towards(way.sender), text_of_close())
                           : ws::make_close(code_towards(way.sender), text_of_close(),
                                            random_mask_key(loop_.kernel()));
    way.to.write(frame.bytes());
    if (!closing_->has_close()) closing_->close_code = code_towards(way.sender);
  }
  way.close_passed = true;
  // The other direction may have to wait for a frame's end, and for buffers to receive it.
  way.from.abort();
  way.from.drop_input();
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::on_client_left() {
  if (is_stopping()) return give_up_on_receiver(to_client_);
  note_left(to_upstream_, Reason::kClientLeft, Reason::kClientReset);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::on_upstream_left() {
  if (is_stopping()) return give_up_on_receiver(to_upstream_);
  note_left(to_client_, Reason::kUpstreamLeft, Reason::kUpstreamReset);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::give_up_on_receiver(auto& way) {
  if (way.to.peer_gone() && owes_close(way)) close_towards(way);
}

// The sender of `way` closed while what it sent is held back.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::note_left(auto& way, Reason left, Reason reset) {
  if (closing_ || way.finished) return;
  if (way.from.peer_gone()) return stop({.reason = reset});
  left_ = left;
  set_deadline(loop_.now() + kCloseTime);
}

// Of a frame under way something is with the kernel: how much of it is taken nobody tells before
// all is, and until then nothing more is read.
template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::is_taken_slowly() const {
  const auto is_so = [](const auto& way) { return !way.at_boundary() && way.to.has_unsent(); };
  return is_so(to_upstream_) || is_so(to_client_);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::on_deadline() {
  const auto now = loop_.now();
  if (closing_) return on_closing_deadline();
  if (left_ != Reason::kDone) {
    const RelayPolicy policy = owner_.policy();
    traffic_ = policy.traffic;
    if (now >= policy.ends_at) return go_by_policy();
    // It is not read, by our will.
    if (watch_ && watch_->paused()) return set_deadline(now + kCloseTime);
    if (now - last_activity_ >= kCloseTime) return stop({.reason = left_});
    return set_deadline(last_activity_ + kCloseTime);
  }
  go_by_policy();
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::on_closing_deadline() {
  const auto now = loop_.now();
  RelayClosing& closing = *closing_;
  if (closing.stopping) {
    const auto still_by = last_activity_ + (is_taken_slowly() ? kTakingTime : kCloseTime);
    const auto by = std::min(closing.boundary_by, still_by);
    if (now < by) return set_deadline(by);
    closing.cut_short |= owes_close(to_upstream_) || owes_close(to_client_);
  } else {
    const auto taken_before = std::exchange(closing.taken_bytes, bytes_taken());
    const bool takes = closing.taken_bytes != taken_before &&
                       (to_client_.to.has_unsent() || to_upstream_.to.has_unsent());
    const bool gets_on = takes || now - last_activity_ < kAnswerTime;
    if (gets_on && now < closing.boundary_by) {
      return set_deadline(
          std::min<uring::Clock::time_point>(now + kAnswerTime, closing.boundary_by));
    }
  }
  decide({.reason = Reason::kCloseTimeout});
  to_upstream_.from.abort();
  to_client_.from.abort();
}

template class BasicRelay<Link, Link>;

}  // namespace gateway
