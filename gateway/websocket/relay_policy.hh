// How a relay goes by its policy: its own pings, rates and times (the rest of
// gateway/websocket/relay.hh).
#pragma once

#include <algorithm>
#include <utility>

#include "gateway/websocket/mask_key.hh"
#include "gateway/websocket/relay.hh"

namespace gateway {

// Which may be another one before it is idle for long enough.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::go_by_policy() {
  const RelayPolicy policy = owner_.policy();
  const auto now = loop_.now();
  upstream_lost_code_ = policy.upstream_lost_code;
  traffic_ = policy.traffic;
  if (now >= policy.ends_at) {
    return stop({.reason = policy.ends_by,
                 .close_code = policy.lifetime_code,
                 .detail = policy_of(policy.ends_by).text});
  }
  auto next = std::min(now + kRenewTime, policy.ends_at);
  if (policy.idle.count() > 0) {
    const auto idle_at = last_activity_ + policy.idle;
    if (idle_at <= now) return stop({.reason = Reason::kIdle});
    next = std::min(next, idle_at);
  }
  if (RelayWatch::is_needed(policy) && !watch_) {
    watch_ = frames().template make<RelayWatch>(loop_, to_upstream_.frames, to_client_.frames);
  }
  if (watch_) {
    watch_->go_by(policy, to_upstream_.frames);
    next = std::min({next, look_at(to_client_, to_upstream_, policy),
                     look_at(to_upstream_, to_client_, policy)});
    if (watch_->is_to_report(policy) && !is_stopping()) owner_.report();
    next = std::min(next, watch_->report_at());
  }
  if (!is_stopping()) set_deadline(next);
}

// At the peer that `way` leads to, and `back` comes from: when again?
template <class Client, Opposite<Client> Upstream>
uring::Clock::time_point BasicRelay<Client, Upstream>::look_at(auto& way, auto& back,
                                                               const RelayPolicy& policy) {
  const auto now = loop_.now();
  const Party peer = way.receiver();
  const bool is_client = peer == Party::kClient;
  // What it says is not read now.
  const bool is_not_read = back.from.held_back() || (is_client && watch_->paused());
  if (is_not_read) watch_->excuse(peer, now);
  const auto message_due = watch_->message_due(peer, policy.message_time);
  if (message_due <= now) {
    stop({.reason = is_client ? Reason::kClientMessageTimeout : Reason::kUpstreamMessageTimeout});
    return message_due;
  }
  if (closing_ || way.to.end_written()) return message_due;
  return std::min(
      {message_due, look_for_standstill(way, back, policy), look_for_life(way, policy)});
}

// Does the peer that `way` leads to take what it is sent? When to look again.
template <class Client, Opposite<Client> Upstream>
uring::Clock::time_point BasicRelay<Client, Upstream>::look_for_standstill(
    auto& way, const auto& back, const RelayPolicy& policy) {
  Standstill* const standstill = watch_->standstill();
  if (standstill == nullptr) return uring::Clock::time_point::max();
  const auto grace = policy.slow.grace;
  standstill->look(way.receiver(), way.to, grace);
  standstill->look(back.receiver(), back.to, grace);
  const bool is_client = way.receiver() == Party::kClient;
  const bool is_paused = is_client && watch_->paused();
  const bool is_read = !back.from.held_back() && !is_paused;
  const auto answer = standstill->judge(way.receiver(), is_read, grace);
  if (answer.is_over) {
    const Reason reason = is_client ? Reason::kClientSlow : Reason::kUpstreamSlow;
    stop(
        {.reason = reason, .close_code = policy.slow.close_code, .detail = policy_of(reason).text});
  }
  return answer.next;
}

// Does it live? When to look again.
template <class Client, Opposite<Client> Upstream>
uring::Clock::time_point BasicRelay<Client, Upstream>::look_for_life(auto& way,
                                                                     const RelayPolicy& policy) {
  const auto now = loop_.now();
  const bool is_client = way.receiver() == Party::kClient;
  const Party peer = way.receiver();
  constexpr auto kNever = uring::Clock::time_point::max();
  const HeartbeatPolicy& asked = policy.heartbeat;
  if (asked.ping.count() == 0 || !(is_client ? asked.to_client : asked.to_upstream)) return kNever;
  if (is_stopping()) return kNever;
  Heartbeat& heartbeat = watch_->heartbeat(peer);
  const auto ask = [&] {
    return heartbeat.due(now, watch_->heard(peer), way.to.sent_bytes(), way.to.has_unsent(), asked);
  };
  Heartbeat::Answer answer = ask();
  if (answer.due == Heartbeat::Due::kLook) {
    const auto taking = way.to.taking();
    const auto acknowledged = way.to.sent_bytes() - taking.left;
    heartbeat.looked(now, taking.taken,
                     static_cast<std::int64_t>(acknowledged - heartbeat.written_before()) >= 0);
    answer = ask();
  }
  switch (answer.due) {
    case Heartbeat::Due::kNothing:
    case Heartbeat::Due::kLook:
      break;
    case Heartbeat::Due::kPing:
      if (way.at_boundary()) {
        ping(way);
        answer = ask();
        break;
      }
      way.ping_due = true;
      way.frames.stop_at_boundary();
      return kNever;
    case Heartbeat::Due::kDead:
      stop({.reason = is_client ? Reason::kClientNoPong : Reason::kUpstreamNoPong});
      break;
  }
  return answer.next;
}

// Precondition: no frame is under way there.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::ping(auto& way) {
  if (std::exchange(way.ping_due, false)) way.frames.resume();
  Heartbeat& heartbeat = watch_->heartbeat(way.receiver());
  const Bytes payload = heartbeat.begin(loop_.now(), way.to.sent_bytes(), way.to.written_bytes());
  const auto frame = way.receiver() == Party::kClient
                         ? ws::make_ping(payload)
                         : ws::make_ping(payload, random_mask_key(loop_.kernel()));
  way.to.write(frame.bytes());
}

// Something has come that has to end in time, and sooner than it would be looked at.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::look_again() {
  if (!closing_ && left_ == Reason::kDone) go_by_policy();
}

// What has been scanned of what `way` brings.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::note_in_watch(auto& way) {
  const auto now = loop_.now();
  WebSocketFlow* const flow = flow_of(way);
  Durations* const pings = flow != nullptr ? &flow->ping : nullptr;
  if (watch_->note_scanned(way.sender, way.frames, now, pings)) look_again();
  if (is_stopping()) return;
  if (way.sender != Party::kClient) return;
  const auto goes_on = watch_->take_from_client(way.frames, now);
  if (goes_on <= now) return;
  ClientMeter& meter = *watch_->meter();
  if (!meter.rates().closes) {
    if (!closing_) meter.pause_until(goes_on);
    return;
  }
  stop({.reason = Reason::kClientOverRate,
        .close_code = ws::kClosePolicy,
        .detail = meter.passed()});
}

template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::is_metered(const auto& way) const {
  return way.sender == Party::kClient && watch_ && watch_->meter() != nullptr;
}

// To be awaited. Of a client that may be slowed down little arrives that is not asked for, and of
// what becomes more on the way.
template <class Client, Opposite<Client> Upstream>
auto BasicRelay<Client, Upstream>::next_of(auto& way) {
  using Arming = uring::Socket::Arming;
  return is_metered(way) || way.translated ? way.from.read_for(way.to, Arming::kOnce, kOnceBytes)
                                           : way.from.read_for(way.to);
}

// What has arrived lies in buffers that others need: that goes on first.
template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::may_pause() {
  Client& client = to_upstream_.from;
  if (!watch_->paused()) return false;
  client.release();
  return !client.receives();
}

template <class Client, Opposite<Client> Upstream>
uring::Task<> BasicRelay<Client, Upstream>::wait_for_allowance() {
  Client& client = to_upstream_.from;
  client.watch_hangup(client_left_);
  watch_->note_not_read();
  const auto paused_before = watch_->paused_time();
  co_await watch_->meter()->allowed();
  watch_->note_read_again();
  const auto paused = watch_->paused_time() - paused_before;
  if (traffic_ != nullptr)
    traffic_->from_client.paused_ms.add(static_cast<std::uint64_t>(paused.count()));
  if (!is_stopping()) client.watch_hangup_when_held_back(client_left_);
}

}  // namespace gateway
