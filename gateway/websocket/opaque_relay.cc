#include "gateway/websocket/opaque_relay.hh"

#include <algorithm>

#include "gateway/link/link_end.hh"
#include "gateway/metrics/traffic.hh"

namespace gateway {

OpaqueRelay::OpaqueRelay(uring::Loop& loop, Link& client, Link& upstream, std::string_view protocol,
                         RelayOwner& owner)
    : loop_(loop),
      owner_(owner),
      to_upstream_{.from = client, .to = upstream, .sender = Party::kClient},
      to_client_{.from = upstream, .to = client, .sender = Party::kUpstream},
      last_activity_(loop.now()),
      deadline_(*this, loop.timers()),
      protocol_(protocol, &loop.frames()) {}

void OpaqueRelay::start(Bytes behind_request, Bytes behind_response) {
  look_again();
  to_upstream_.from.watch_hangup_when_held_back(client_left_);
  to_client_.from.watch_hangup_when_held_back(upstream_left_);
  pass_on(to_client_, behind_response);
  pass_on(to_upstream_, behind_request);
  pump_to_client_ = pump(to_client_);
  pump_to_upstream_ = pump(to_upstream_);
  pump_to_client_.start();
  pump_to_upstream_.start();
}

void OpaqueRelay::stop_watching() {
  deadline_.disarm();
  to_upstream_.from.unwatch_hangup();
  to_client_.from.unwatch_hangup();
}

uring::Task<> OpaqueRelay::pump(Direction& way) {
  for (;;) {
    const Bytes bytes = co_await way.from.read_for(way.to);
    if (bytes.empty() || !pass_on(way, bytes)) break;
  }
  end_pump(way);
}

// False: nobody is there any more to take it, or it has ended.
bool OpaqueRelay::pass_on(Direction& way, Bytes bytes) {
  if (way.to.send_failed()) stop(end_of_link(way.to, way.receiver(), owner_.detail()));
  if (end_) return false;
  if (bytes.empty()) return true;
  last_activity_ = loop_.now();
  way.bytes += bytes.size();
  if (traffic_ != nullptr) {
    const bool is_client = way.sender == Party::kClient;
    (is_client ? traffic_->from_client : traffic_->from_upstream).payload_bytes.add(bytes.size());
  }
  way.to.write(bytes);
  return true;
}

void OpaqueRelay::end_pump(Direction& way) {
  way.from.end_reading_for();
  const uring::LinkEnd end = way.from.end();
  const bool is_end_of_stream = end == uring::LinkEnd::kEndOfStream && !way.from.send_failed();
  if (!end_ && is_end_of_stream && !way.to.send_failed()) {
    last_activity_ = loop_.now();
    way.is_whole = true;
    way.to.write_end();
    // Nothing else would tell of a reset from there.
    uring::Ready& left =
        way.sender == Party::kClient ? static_cast<uring::Ready&>(client_left_) : upstream_left_;
    way.from.watch_hangup(left, uring::Socket::Hangup::kOfAll);
  } else if (way.to.send_failed()) {
    stop(end_of_link(way.to, way.receiver(), owner_.detail()));
  } else {
    stop(end_of_link(way.from, way.sender, owner_.detail()));
  }
  way.finished = true;
  if (!has_finished()) return;
  deadline_.disarm();
  owner_.note_finished();
}

void OpaqueRelay::stop(const End& end) {
  if (end_ || has_finished()) return;
  end_ = end;
  for (Direction* const way : {&to_upstream_, &to_client_}) {
    way->from.abort();
    way->from.drop_input();
  }
}

// After a mere half-close the other side still has its time. Behind an end of ours a peer's own is
// told like a reset: which it is its pump will hear.
void OpaqueRelay::on_client_left() {
  const Link& client = to_upstream_.from;
  if (client.peer_gone() && !client.end_written()) stop({.reason = Reason::kClientReset});
}

void OpaqueRelay::on_upstream_left() {
  const Link& upstream = to_client_.from;
  if (upstream.peer_gone() && !upstream.end_written()) stop({.reason = Reason::kUpstreamReset});
}

void OpaqueRelay::on_deadline() {
  look_again();
}

// Goes by what the policy says now.
void OpaqueRelay::look_again() {
  const RelayPolicy policy = owner_.policy();
  traffic_ = policy.traffic;
  const auto now = loop_.now();
  if (now >= policy.ends_at) return stop({.reason = policy.ends_by});
  auto next = std::min<uring::Clock::time_point>(now + kRenewTime, policy.ends_at);
  if (policy.idle.count() > 0) {
    const auto idle_at = last_activity_ + policy.idle;
    if (now >= idle_at) return stop({.reason = Reason::kIdle});
    next = std::min<uring::Clock::time_point>(next, idle_at);
  }
  deadline_.arm(next);
}

}  // namespace gateway
