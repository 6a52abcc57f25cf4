// WebSockets of a shard that are to be closed, one by one, evenly over a time: all of them at a
// stop, those of a server that is drained, or of whatever has gone from the configuration. A
// WebSocket waits in one of these at most, and leaves it when it ends by itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/link/end.hh"
#include "gateway/shard/pace.hh"
#include "uring/list.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class Tunnel;

struct ClosingPlan {
  std::chrono::milliseconds over{0};
  config::ClosingOrder order = config::ClosingOrder::random;
  Reason reason = Reason::kStopping;
  std::uint16_t close_code = 1001;
  std::string close_reason;  // at most 123 bytes of UTF-8
  // How long a frame under way may take to its end when a WebSocket's turn has come.
  std::chrono::milliseconds boundary_time{60'000};
};

class PacedClosing {
 public:
  using Takes = std::function<bool(const Tunnel&)>;

  // `end`: what each is closed with; its detail outlives them all. `takes`: whose turn is to come.
  PacedClosing(std::string name, uring::Loop& loop, const ClosingPlan& plan, const End& end,
               Takes takes);
  ~PacedClosing();  // whoever waits goes on
  PacedClosing(const PacedClosing&) = delete;
  PacedClosing& operator=(const PacedClosing&) = delete;

  const std::string& name() const { return name_; }
  bool takes(const Tunnel& tunnel) const { return takes_(tunnel); }
  // Those that are open, the oldest first: each waits in the plan's order from here on, and in no
  // other such list. The first ones are closed before this returns.
  void start(std::vector<Tunnel*> tunnels);
  // One that has just opened, behind all others.
  void join(Tunnel& tunnel);
  // It has ended, or is not to be closed any more.
  void leave(Tunnel& tunnel);
  // Those that are not to be closed any more.
  void let_go();

  std::size_t waiting() const { return waiting_; }

 private:
  void shuffle(std::vector<Tunnel*>& tunnels);
  void push(Tunnel& tunnel);
  void close_due();

  const std::string name_;
  uring::Loop& loop_;
  const config::ClosingOrder order_;
  const std::chrono::milliseconds boundary_time_;
  const End end_;
  const Takes takes_;
  Pace pace_;
  uring::List<Tunnel> tunnels_;
  std::size_t waiting_ = 0;
  uring::TimerMember<&PacedClosing::close_due> timer_;
};

}  // namespace gateway
