// What a relay keeps beside its two directions where its policy asks for pings, rates or times of
// messages: most WebSockets have none of it, or an idle one would pay for all.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gateway/link/end.hh"
#include "gateway/websocket/allowance.hh"
#include "gateway/websocket/heartbeat.hh"
#include "gateway/websocket/policy.hh"
#include "proto/ws/scanner.hh"
#include "uring/loop.hh"
#include "uring/task.hh"
#include "uring/timer.hh"

namespace gateway {

class RelayWatch {
 public:
  using Time = uring::Clock::time_point;

  explicit RelayWatch(uring::Loop& loop) : allowed_(loop.ready()), pause_(*this, loop.timers()) {}

  static bool is_needed(const RelayPolicy& policy) {
    return policy.heartbeat.ping.count() > 0 || policy.message_time.count() > 0 ||
           policy.rates.any();
  }

  void go_by(const RelayPolicy& policy, const ws::FrameScanner& from_client) {
    if (policy.rates.any() && !rates_.any()) allowance_.begin(used(from_client));
    if (!policy.rates.any() && paused()) {
      pause_.disarm();
      allowed_.set();
    }
    rates_ = policy.rates;
    times_messages_ = policy.message_time.count() > 0;
  }

  // Made with the first question for it.
  Heartbeat& heartbeat(Party peer, uring::Kernel& kernel) {
    std::optional<Heartbeat>& its = heartbeats_[index_of(peer)];
    if (!its) its.emplace(kernel);
    return *its;
  }
  const Heartbeat* heartbeat_of(Party peer) const {
    const std::optional<Heartbeat>& its = heartbeats_[index_of(peer)];
    return its ? &*its : nullptr;
  }

  // What this peer sends has been scanned up to here: since when is its message unfinished?
  // True: another one than before.
  bool note_message(Party peer, const ws::FrameScanner& frames, Time now) {
    Unfinished& its = unfinished_[index_of(peer)];
    const bool is_open = frames.message_open();
    const bool begins =
        is_open && (its.since == Time::max() || its.messages != frames.messages_begun());
    if (begins) its = {now, frames.messages_begun()};
    if (!is_open) its.since = Time::max();
    return begins;
  }
  // It could not go on.
  void excuse_message(Party peer, Time now) {
    Time& since = unfinished_[index_of(peer)].since;
    if (since != Time::max()) since = now;
  }
  bool times_messages() const { return times_messages_; }
  // When it has to be finished; never, where there is none.
  Time message_due(Party peer, std::chrono::milliseconds limit) const {
    const Time since = unfinished_[index_of(peer)].since;
    return limit.count() == 0 || since == Time::max() ? Time::max() : since + limit;
  }

  // Nothing more is read of the client before that; end_pause() ends it early, and for good.
  const Allowance& allowance() const { return allowance_; }
  const ClientRates& rates() const { return rates_; }
  // What has been scanned now; gives when it may go on.
  Time take_from_client(const ws::FrameScanner& frames, std::size_t bytes, Time now) {
    if (!rates_.any()) return now;
    client_bytes_ += bytes;
    return allowance_.take(now, used(frames), rates_);
  }
  void pause_until(Time time) {
    if (pauses_no_more_) return;
    allowed_.clear();
    pause_.arm(time);
  }
  bool paused() const { return pause_.armed(); }
  uring::Event::Wait allowed() { return allowed_.wait(); }
  void end_pause() {
    pauses_no_more_ = true;
    pause_.disarm();
    allowed_.set();
  }

 private:
  struct Unfinished {
    Time since = Time::max();
    std::uint64_t messages = 0;  // that had begun with it
  };
  Allowance::Use used(const ws::FrameScanner& from_client) const {
    return {from_client.messages(), client_bytes_, from_client.control_frames()};
  }
  static std::size_t index_of(Party peer) { return peer == Party::kClient ? 0 : 1; }
  void on_pause_over() { allowed_.set(); }

  std::array<std::optional<Heartbeat>, 2> heartbeats_;
  std::array<Unfinished, 2> unfinished_;
  ClientRates rates_;
  Allowance allowance_;
  std::uint64_t client_bytes_ = 0;
  uring::Event allowed_;
  uring::TimerMember<&RelayWatch::on_pause_over> pause_;
  bool times_messages_ = false;
  bool pauses_no_more_ = false;
};

}  // namespace gateway
