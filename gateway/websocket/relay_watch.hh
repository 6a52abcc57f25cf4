// What a relay keeps beside its two directions where its policy asks for pings, rates, times of
// messages, slow peers or reports: most WebSockets have none of it, or an idle one would pay for
// all.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "gateway/link/end.hh"
#include "gateway/metrics/histogram.hh"
#include "gateway/websocket/client_meter.hh"
#include "gateway/websocket/heartbeat.hh"
#include "gateway/websocket/policy.hh"
#include "gateway/websocket/standstill.hh"
#include "proto/ws/scanner.hh"
#include "uring/block_pool.hh"
#include "uring/loop.hh"

namespace gateway {

class RelayWatch {
 public:
  using Time = uring::Clock::time_point;

  // The scanners are of what each of them sends; it outlives neither.
  RelayWatch(uring::Loop& loop, ws::FrameScanner& from_client, ws::FrameScanner& from_upstream)
      : loop_(loop) {
    watch(Party::kClient, from_client);
    watch(Party::kUpstream, from_upstream);
  }

  uring::BlockPool& frames() { return loop_.frames(); }

  static bool is_needed(const RelayPolicy& policy) {
    return policy.heartbeat.ping.count() > 0 || policy.message_time.count() > 0 ||
           policy.rates.any() || policy.slow.grace.count() > 0 || policy.report_every.count() > 0;
  }

  void go_by(const RelayPolicy& policy, const ws::FrameScanner& from_client) {
    times_messages_ = policy.message_time.count() > 0;
    if (policy.slow.grace.count() == 0) {
      standstill_.reset();
    } else if (!standstill_) {
      standstill_ = frames().make<Standstill>(loop_);
    }
    if (!policy.rates.any()) {
      end_pause();
      meter_.reset();
    } else if (meter_) {
      meter_->go_by(policy.rates);
    } else {
      meter_ = frames().make<ClientMeter>(loop_, policy.rates, used(from_client));
    }
  }

  // A byte of this peer's has come.
  void note_heard(Party peer, Time now) { its(peer).heard = now; }
  Time heard(Party peer) const { return its(peer).heard; }

  // Made with the first question for it.
  Heartbeat& heartbeat(Party peer) {
    Peer& asked = its(peer);
    if (!asked.heartbeat) {
      asked.heartbeat = frames().make<Heartbeat>(loop_);
      asked.control_frames.own_ping = &asked.heartbeat->own_ping();
    }
    return *asked.heartbeat;
  }
  const Heartbeat* heartbeat_of(Party peer) const { return its(peer).heartbeat.get(); }

  // What this peer sends has been scanned up to here: since when is its message unfinished? And
  // has a ping been answered? True: it is another message than before.
  bool note_scanned(Party peer, const ws::FrameScanner& frames, Time now, Durations* pings) {
    Peer& sender = its(peer);
    if (const auto answer = std::exchange(sender.control_frames.answer, {})) {
      const bool is_news = sender.heartbeat->answered(*answer, now);
      if (is_news && pings != nullptr) pings->observe(sender.heartbeat->last_round_trip());
    }
    const auto number = static_cast<std::uint32_t>(frames.messages_begun());
    const bool is_open = frames.message_open();
    const bool begins =
        is_open && (sender.message_since == Time::max() || sender.message_number != number);
    if (begins) {
      sender.message_since = now;
      sender.message_number = number;
    }
    if (!is_open) sender.message_since = Time::max();
    return begins && times_messages_;
  }
  // It could not go on.
  void excuse(Party peer, Time now) {
    Peer& excused = its(peer);
    excused.heard = now;
    if (excused.message_since != Time::max()) excused.message_since = now;
  }
  // When its message has to be finished; never, where there is none.
  Time message_due(Party peer, std::chrono::milliseconds limit) const {
    const Time since = its(peer).message_since;
    return limit.count() == 0 || since == Time::max() ? Time::max() : since + limit;
  }

  // Null: nobody is closed for being slow.
  Standstill* standstill() { return standstill_.get(); }

  // Whether the log is to be told of it now: then again by the policy. Whatever that was before,
  // it will not be later than it says now.
  bool is_to_report(const RelayPolicy& policy) {
    const Time now = loop_.now();
    const bool is_due = report_at_ <= now && policy.report_every.count() > 0;
    if (policy.report_every.count() == 0) {
      report_at_ = Time::max();
    } else if (is_due) {
      report_at_ = now + policy.report_every;
    } else if (report_at_ > now + policy.report_every) {
      report_at_ = now + policy.first_report;
    }
    return is_due;
  }
  Time report_at() const { return report_at_; }

  // Null: the client may send as much as it likes.
  ClientMeter* meter() { return meter_.get(); }
  // What the client sends has been scanned. Gives when it may go on: not later than now where all
  // is within its rates.
  Time take_from_client(const ws::FrameScanner& frames, Time now) {
    return meter_ ? meter_->take(used(frames), now) : now;
  }
  bool paused() const { return meter_ && meter_->paused(); }
  // How long it was not read for them in all; up to 49 days.
  void note_not_read() {
    not_read_since_ms_ = now_ms();
    is_read_ = false;
  }
  void note_read_again() {
    not_read_ms_ = static_cast<std::uint32_t>(paused_time().count());
    is_read_ = true;
  }
  std::chrono::milliseconds paused_time() const {
    return std::chrono::milliseconds(not_read_ms_ + (is_read_ ? 0 : now_ms() - not_read_since_ms_));
  }
  void end_pause() {
    if (meter_) meter_->end_pause();
  }

 private:
  struct Peer {
    Time heard;
    Time message_since = Time::max();  // it has not finished one that it began then
    ws::ControlFrames control_frames;
    std::uint32_t message_number = 0;  // of that one, from 1 on; goes on at 0 behind the most
    uring::BlockPool::Owned<Heartbeat> heartbeat;
  };

  Peer& its(Party peer) { return peers_[peer == Party::kClient ? 0 : 1]; }
  const Peer& its(Party peer) const { return peers_[peer == Party::kClient ? 0 : 1]; }
  void watch(Party peer, ws::FrameScanner& frames) {
    its(peer).heard = loop_.now();
    frames.watch(its(peer).control_frames);
  }
  std::uint32_t now_ms() const {
    return static_cast<std::uint32_t>(
        std::chrono::floor<std::chrono::milliseconds>(loop_.now().time_since_epoch()).count());
  }
  Allowance::Use used(const ws::FrameScanner& from_client) const {
    return {static_cast<std::uint32_t>(from_client.messages()),
            static_cast<std::uint32_t>(from_client.fed_bytes()),
            its(Party::kClient).control_frames.count};
  }

  uring::Loop& loop_;
  std::array<Peer, 2> peers_;
  uring::BlockPool::Owned<ClientMeter> meter_;
  uring::BlockPool::Owned<Standstill> standstill_;
  Time report_at_ = Time::max();
  std::uint32_t not_read_ms_ = 0;        // until the last time that it was not
  std::uint32_t not_read_since_ms_ = 0;  // while it is not
  bool is_read_ = true;
  bool times_messages_ = false;
};

}  // namespace gateway
