// Pings of our own to one peer of an open WebSocket (RFC 6455 section 5.5.2), and whether it still
// lives. It is told the time, and does no I/O.
//
//   nothing heard for `ping` -> due() says kPing, write frame() -> a byte of any kind: it lives
//                                                     '-> none for `pong_timeout`: kDead
//
// While it takes what waits for it before the ping, that is a sign of life, too: as far as that is
// seen from here, and, once the pong is overdue, from what the peer's system has acknowledged.
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/websocket/policy.hh"
#include "proto/ws/scanner.hh"
#include "uring/loop.hh"

namespace gateway {

class Heartbeat {
 public:
  using Time = uring::Clock::time_point;
  using Microseconds = std::chrono::duration<std::uint32_t, std::micro>;
  // kLook: whoever asks calls looked(), and asks again.
  enum class Due : std::uint8_t { kNothing, kPing, kLook, kDead };
  // Who is dead is looked at once more so much later: what came while nobody could read is heard by
  // then.
  static constexpr std::chrono::milliseconds kLastLook{200};

  // Its first ping comes sooner than later ones, by a random part: of many WebSockets that begin
  // together not all are to be pinged together.
  explicit Heartbeat(uring::Loop& loop);

  uring::BlockPool& frames() { return loop_.frames(); }

  // How long it may take for a piece of what was there before the ping.
  static constexpr std::chrono::milliseconds kTakingTime{60'000};

  struct Answer {
    Due due;
    Time next;  // when to ask again, unless something is heard
  };

  // `heard`: when its last byte came; `taken_bytes`: what the kernel has taken for it in all;
  // `has_unsent`: and has not, yet.
  Answer due(Time now, Time heard, std::uint64_t taken_bytes, bool has_unsent,
             const HeartbeatPolicy& policy);
  // What the peer's system has acknowledged in all, from any origin; `has_ping`: and with it all
  // that was there before the ping.
  void looked(Time now, std::uint64_t acknowledged_bytes, bool has_ping);
  // The next ping, which is written now; `written_bytes` were before it, in all.
  ws::Bytes begin(Time now, std::uint64_t taken_bytes, std::uint64_t written_bytes);
  std::uint64_t written_before() const { return written_before_; }
  // What all answers to our pings have in common, for the scanner that takes them out.
  const ws::OwnPing& own_ping() const { return ping_; }
  // One has come, to the ping of this number. False: that is not the last one, and says nothing.
  bool answered(std::uint8_t number, Time now);

  // Of a ping and its answer; zero: there was none yet.
  Microseconds last_round_trip() const { return last_round_trip_; }
  Microseconds worst_round_trip() const { return worst_round_trip_; }

 private:
  uring::Loop& loop_;
  ws::OwnPing ping_;
  Time pinged_;        // the last time
  Time taking_since_;  // when it was last seen to take something, while an answer is awaited
  std::uint64_t written_before_ = 0;
  std::uint64_t acknowledged_bytes_ = 0;  // when it was last looked for
  Time doubted_;                          // since when it is late
  Microseconds last_round_trip_{0};
  Microseconds worst_round_trip_{0};
  std::uint32_t taken_bytes_ = 0;  // the lower half of what the kernel had taken
  bool awaits_ = false;
  bool is_with_kernel_ = false;  // the ping, and all that was before it
  bool has_looked_ = false;      // since then
  bool is_behind_ = false;       // its system had not got what was before the ping yet
};

}  // namespace gateway
