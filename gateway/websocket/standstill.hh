// Whether the peers of an open WebSocket take what waits for them, be that in the gateway or in the
// kernel, where nothing else would tell: a peer's system acknowledges what it takes, so a peer
// that gets on, however slowly, is told from one that does not.
//
// It is asked by the relay's one timer. It looks a few times in the time that a peer has, and
// not at all where nothing has been sent since nothing waited. Time counts from the first look
// that finds something waiting, so nobody has less of it than was said, and a quarter more at most.
//
// A peer that is not read, since the other one takes nothing or slowly, may be waiting for that. So
// a server that is not read is excused: it is its client that is judged. A client that is not read
// is excused while its server gets on; where neither does, the client has to go, since it may be
// what keeps a server that echoes, and no server should be blamed for its clients.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "gateway/link/end.hh"
#include "gateway/link/flow.hh"
#include "uring/loop.hh"

namespace gateway {

class Standstill {
 public:
  using Time = uring::Clock::time_point;
  static constexpr int kLooks = 4;  // in the time that a peer has

  explicit Standstill(uring::Loop& loop) : loop_(loop) {}

  uring::BlockPool& frames() { return loop_.frames(); }

  struct Answer {
    bool is_over;  // it has taken nothing for `grace`
    Time next;     // when to ask again
  };

  // The peer that `to` leads to, if it is time to look.
  template <class To>
  void look(Party peer, const To& to, std::chrono::milliseconds grace) {
    Peer& its = peers_[index_of(peer)];
    const Time now = loop_.now();
    if (now >= next_look(its, grace)) look_now(its, to, now);
  }

  // After both have been looked at. `is_read`: what it says, it may say.
  Answer judge(Party peer, bool is_read, std::chrono::milliseconds grace) {
    Peer& its = peers_[index_of(peer)];
    const Time now = loop_.now();
    if (!is_read && (peer == Party::kUpstream || peers_[1].gets_on)) its.excused = now;
    return {its.waits && now >= counted_from(its) + grace, next_look(its, grace)};
  }

 private:
  struct Peer {
    Time looked;
    Time since;    // of the last look that saw it take something, or nothing waiting
    Time excused;  // the last time
    std::uint64_t sent_bytes = 0;
    std::uint64_t taken = 0;
    std::uint64_t left = 0;
    bool waits = false;    // something did when it was looked at
    bool gets_on = false;  // it had taken something since the look before
  };

  static std::size_t index_of(Party peer) { return peer == Party::kClient ? 0 : 1; }

  static Time counted_from(const Peer& its) { return std::max(its.since, its.excused); }

  static Time next_look(const Peer& its, std::chrono::milliseconds grace) {
    const Time soon = its.looked + uring::Clock::duration(grace) / kLooks;
    return its.waits ? std::min(soon, std::max(counted_from(its) + grace, its.looked)) : soon;
  }

  template <class To>
  static void look_now(Peer& its, const To& to, Time now) {
    const bool is_first = std::exchange(its.looked, now) == Time();
    const bool has_sent = std::exchange(its.sent_bytes, to.sent_bytes()) != to.sent_bytes();
    const bool is_quiet = !its.waits && !has_sent && !to.has_unsent();
    its.gets_on = false;
    if (is_quiet) return;
    const auto taking = to.taking();
    const bool waited = std::exchange(its.waits, to.has_unsent() || taking.left > 0);
    const auto taken =
        static_cast<std::int64_t>(taking.taken - std::exchange(its.taken, taking.taken));
    const bool has_less = taking.left < std::exchange(its.left, taking.left);
    const bool takes = taken > 0 || (!taking.is_of_peer && has_less);
    its.gets_on = takes && !is_first;
    const bool stands = waited && its.waits && !takes;
    if (!stands) its.since = now;
  }

  uring::Loop& loop_;
  std::array<Peer, 2> peers_;
};

}  // namespace gateway
