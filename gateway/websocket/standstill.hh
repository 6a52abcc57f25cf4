// Whether the peers of an open WebSocket take what waits for them, be that in the gateway or in the
// kernel, where nothing else would tell: a peer's system acknowledges what it takes, so a peer
// that gets on, however slowly, is told from one that does not.
//
// It is asked by the relay's one timer. It looks a few times in the time that a peer has, and
// not at all where nothing has been sent since nothing waited. Time counts from the first look
// that finds something waiting, so nobody has less of it than was said, and a quarter more at most.
//
// A peer that is not read, since the other one takes slowly, may be waiting for that: it is excused
// while the other one gets on. Where neither does, who stood still first has to go.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
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
    std::optional<Party> slow;  // who has taken nothing for `grace`, and is to go
    Time next;                  // when to ask again
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
    const Peer& other = peers_[1 - index_of(peer)];
    const Time now = loop_.now();
    if (!is_read && other.gets_on) its.excused = now;
    const Time next = next_look(its, grace);
    if (!its.waits || now < counted_from(its) + grace) return {std::nullopt, next};
    // Of both at a time it is the client.
    const Time others = counted_from(other), own = counted_from(its);
    const bool after_other = peer == Party::kClient ? others < own : others <= own;
    const bool by_other = !is_read && other.waits && after_other;
    const bool is_client = (peer == Party::kClient) != by_other;
    return {is_client ? Party::kClient : Party::kUpstream, next};
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
