// An open WebSocket: two pumps, one per direction, between two ends, each of which is an inlet and
// an outlet (gateway/link/flow.hh): links, in the Relay that the gateway uses.
//
//   client --read_for(upstream)--> scanner --> upstream.write      (masked as it came)
//   upstream --read_for(client)--> scanner --> client.write
//
// Frames are checked and passed on untouched, or, where the client compresses and the server does
// not, translated on the way (translation.hh). The relay ends when both sides have sent their close
// frames, when a peer leaves, breaks the protocol or fails, or when somebody calls stop(): then
// each side that may be told gets a close frame of ours, at the next frame boundary, or is cut
// after a moment. Owns nothing but its state; the two ends outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/link/end.hh"
#include "gateway/link/flow.hh"
#include "gateway/link/link.hh"
#include "gateway/metrics/traffic.hh"
#include "gateway/websocket/capture_tap.hh"
#include "gateway/websocket/policy.hh"
#include "gateway/websocket/relay_closing.hh"
#include "gateway/websocket/relay_watch.hh"
#include "gateway/websocket/translation.hh"
#include "proto/ws/close.hh"
#include "proto/ws/scanner.hh"

namespace gateway {

template <class Client, Opposite<Client> Upstream>
class BasicRelay {
 public:
  // How soon it goes by what its policy has become, at the latest.
  static constexpr std::chrono::seconds kRenewTime{60};
  // How long the other side may take to answer a close frame, or to get on with what it says before
  // that: for no longer than kTakingTime in all.
  static constexpr std::chrono::seconds kAnswerTime{5};
  // How long it may take to go on after a half-close, or to take anything at all of what a peer
  // that has left was sending; how long a frame may stand still before whose end we want to close.
  static constexpr std::chrono::seconds kCloseTime{10};
  // The same of a frame whose receiver takes it slowly.
  static constexpr std::chrono::seconds kTakingTime{60};
  // The same of a frame under way, to reach its end when we want to close, unless who does says so.
  static constexpr std::chrono::seconds kBoundaryTime{2};

  // At once, of a client whose rates are limited, and of what is translated: one small buffer.
  static constexpr std::uint64_t kOnceBytes = 4096;

  struct Counts {
    std::uint64_t frames = 0;
    std::uint64_t messages = 0;
    std::uint64_t compressed_messages = 0;  // of these, and of one that is not at its end
    std::uint64_t payload_bytes = 0;
  };

  // `rules` hold both ways, or, where there is a translation, each for its sender. The owner
  // outlives the relay.
  BasicRelay(uring::Loop& loop, Client& client, Upstream& upstream, const ws::ScanRules& rules,
             RelayOwner& owner);
  BasicRelay(uring::Loop& loop, Client& client, Upstream& upstream, const TranslatedRules& rules,
             RelayOwner& owner);
  BasicRelay(const BasicRelay&) = delete;
  BasicRelay& operator=(const BasicRelay&) = delete;

  uring::BlockPool& frames() { return loop_.frames(); }

  // What came right behind the heads goes first, and is not looked at any more when this returns.
  void start(Bytes behind_request, Bytes behind_response);
  // The owner is told (note_finished()), and calls stop_watching(). From then on it touches no link
  // and arms nothing.
  bool has_finished() const { return finished_; }
  void stop_watching();
  End how_ended() const { return closing_ ? closing_->end.value_or(End{}) : End{}; }

  // No frame towards the client was cut, and its end was not to look like a cut.
  bool client_stream_is_whole() const;
  // No frame towards the server was cut.
  bool upstream_stream_is_whole() const { return to_upstream_.at_boundary(); }

  // Ends it politely; the first End wins. Nothing happens once it has finished. `boundary_time`:
  // how long a frame under way may take to its end, while it gets on.
  void stop(End end, std::chrono::milliseconds boundary_time = kBoundaryTime);
  bool translates() const { return to_client_.translated; }
  // From here on its frames are seen there, until it ends or the capture is stopped; an earlier
  // capture ends.
  void capture(std::shared_ptr<FrameCapture> capture) {
    tap_ = frames().template make<CaptureTap>(frames(), std::move(capture));
  }
  uring::Clock::time_point last_activity() const { return last_activity_; }
  // A peer closes it, or somebody has called stop().
  bool is_closing() const { return closing_ != nullptr; }
  // The end of a frame did not come in the time that stop() gave it.
  bool was_cut_short() const { return closing_ && closing_->cut_short; }

  Counts from_client() const { return counts_of(to_upstream_.frames); }
  // What the gateway has compressed of it counts as compressed.
  Counts from_upstream() const {
    Counts counts = counts_of(to_client_.frames);
    counts.compressed_messages += compressed_to_client_;
    return counts;
  }
  // The code of the first close frame, a peer's or ours, or 0; and which peer it was.
  std::uint16_t close_code() const { return closing_ ? closing_->close_code : 0; }
  Party closed_by() const { return closing_ ? closing_->closed_by : Party::kNobody; }
  std::string close_reason() const;  // its text
  // How long this peer has not been read, since the other one took nothing, or by its own rates.
  std::chrono::milliseconds pushed_back(Party peer) const;
  // What a peer broke, where that has ended it.
  std::optional<ws::BrokenRule> broken_rule() const;
  // Pings of our own, and how long their answers took; null: there were none.
  const Heartbeat* heartbeat_of(Party peer) const {
    return watch_ ? watch_->heartbeat_of(peer) : nullptr;
  }

 private:
  // One way through the relay. It is the link's reader itself: that is the pump, but where there is
  // a slow one.
  template <class From, class To>
  struct Direction final : uring::LinkReader {
    using Ending = typename To::Ending;
    Direction(BasicRelay& of, From& begin, To& end, Party who, const ws::ScanRules& rules)
        : relay(of),
          from(begin),
          to(end),
          frames(who == Party::kClient ? ws::Sender::kClient : ws::Sender::kServer, rules),
          sender(who) {}
    void go_on(Bytes bytes) override { relay.go_on(sender, bytes); }

    BasicRelay& relay;
    From& from;
    To& to;
    ws::FrameScanner frames;
    uring::Task<> slow_pump;  // reads instead, where rates or a translation make it wait
    Party sender;
    bool translated = false;
    bool close_passed = false;  // nothing of the sender's goes to `to` any more
    bool finished = false;
    bool ping_due = false;                             // of ours, to the receiver
    uring::BlockPool::Owned<Translation> translation;  // while it has something to keep

    Party receiver() const { return sender == Party::kClient ? Party::kUpstream : Party::kClient; }
    // A control frame of ours may go in.
    bool at_boundary() const { return translated || frames.at_frame_boundary(); }
  };

  void begin(auto& way, Bytes behind);
  void go_on(Party sender, Bytes bytes);
  bool take(auto& way, Bytes bytes);
  void read_on(auto& way);
  uring::Task<> pump_metered(auto& way);
  uring::Task<> pump_translated(auto& way, Bytes bytes);
  void end_pump(auto& way);
  bool may_pass(auto& way);
  void pass_on(auto& way, Bytes bytes);
  void look_at_end(auto& way);
  uring::Task<> translate(auto& way, Bytes bytes);
  bool translate_some(auto& way, Bytes& piece);
  std::optional<ws::Piece> next_piece(auto& way);
  WebSocketFlow* flow_of(const auto& way) const;
  void note_close(auto& way);
  void begin_closing(std::chrono::seconds time);
  void note_closing();
  bool is_stopping() const { return closing_ && closing_->stopping; }
  End told() const { return closing_ ? closing_->told : End{}; }
  std::uint64_t bytes_taken() const {
    return to_upstream_.to.sent_bytes() + to_client_.to.sent_bytes();
  }
  void note_end_of_stream(auto& way);
  void end_stream(auto& way);
  void decide(End end);
  void set_deadline(uring::Clock::time_point at);
  void stop_direction(auto& way);
  bool owes_close(const auto& way) const;
  std::uint16_t code_towards(Party sender) const;
  std::string_view text_of_close() const;
  void close_towards(auto& way);
  void on_client_left();
  void on_upstream_left();
  void give_up_on_receiver(auto& way);
  void note_left(auto& way, Reason left, Reason reset);
  void on_deadline();
  void on_closing_deadline();
  static Counts counts_of(const ws::FrameScanner& frames) {
    return {frames.frames(), frames.messages(), frames.compressed_messages(),
            frames.payload_bytes()};
  }

  void scan(auto& way, Bytes bytes);
  void go_by_policy();
  void look_again();
  uring::Clock::time_point look_at(auto& way, auto& back, const RelayPolicy& policy);
  uring::Clock::time_point look_for_standstill(auto& way, const auto& back,
                                               const RelayPolicy& policy);
  uring::Clock::time_point look_for_life(auto& way, const RelayPolicy& policy);
  void ping(auto& way);
  void note_in_watch(auto& way);
  bool is_metered(const auto& way) const;
  auto next_of(auto& way);
  bool may_pause();
  uring::Task<> wait_for_allowance();
  bool is_taken_slowly() const;

  uring::Loop& loop_;
  RelayOwner& owner_;
  RouteTraffic* traffic_ = nullptr;  // of its policy
  Direction<Client, Upstream> to_upstream_;
  Direction<Upstream, Client> to_client_;
  uring::Clock::time_point last_activity_;
  uring::ReadyMember<&BasicRelay::on_client_left> client_left_{*this};
  uring::ReadyMember<&BasicRelay::on_upstream_left> upstream_left_{*this};
  uring::TimerMember<&BasicRelay::on_deadline> deadline_;
  uring::BlockPool::Owned<RelayWatch> watch_;      // where the policy asks for it
  uring::BlockPool::Owned<CaptureTap> tap_;        // while somebody looks at its frames
  uring::BlockPool::Owned<RelayClosing> closing_;  // then the deadline is the closing's
  std::uint32_t compressed_to_client_ = 0;         // messages
  std::uint16_t upstream_lost_code_ = 0;           // of its policy
  bool finished_ = false;
  Reason left_ = Reason::kDone;  // a peer closed while what it sent is held back
};

extern template class BasicRelay<Link, Link>;
using Relay = BasicRelay<Link, Link>;

}  // namespace gateway
