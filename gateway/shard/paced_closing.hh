// WebSockets of a shard that are to be closed, one by one, evenly over a time: all of them at a
// stop, those of a server that is drained, or of whatever has gone from the configuration. A
// WebSocket waits in one of these at most, and leaves it when it ends by itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

// Those that wait for their turn, in all shards: each writes it, anybody may read it.
using ClosingCount = std::atomic<std::size_t>;

struct ClosingPlan {
  std::chrono::milliseconds over{0};
  config::ClosingOrder order = config::ClosingOrder::random;
  Reason reason = Reason::kStopping;
  std::uint16_t close_code = 1001;
  std::string close_reason;  // at most 123 bytes of UTF-8
  // How long a frame under way may take to its end when a WebSocket's turn has come.
  std::chrono::milliseconds boundary_time{60'000};
  std::shared_ptr<ClosingCount> waiting = nullptr;  // null: nobody wants to know

  bool operator==(const ClosingPlan&) const = default;
};

// What all shards are told: each begins with the pace once, even if it closes nobody.
struct PacedPlan {
  PacedPlan(ClosingPlan closing_plan, unsigned shards)
      : plan(std::move(closing_plan)), pace(std::make_shared<Pace>(plan.over, shards)) {}

  ClosingPlan plan;
  std::shared_ptr<Pace> pace;
};

class PacedClosing {
 public:
  // How often it looks whether all shards have begun.
  static constexpr std::chrono::milliseconds kLook{10};

  // Whom it means, and whether it still means anybody, ever; empty: it does.
  using Takes = std::function<bool(const Tunnel&)>;
  using Stands = std::function<bool()>;

  // `end`: what each is closed with; its detail outlives them all. `takes`: whose turn is to come.
  // `pace`: of all shards that close by this plan.
  PacedClosing(std::string name, uring::Loop& loop, const ClosingPlan& plan,
               std::shared_ptr<Pace> pace, const End& end, Takes takes, Stands stands);
  ~PacedClosing();  // whoever waits goes on
  PacedClosing(const PacedClosing&) = delete;
  PacedClosing& operator=(const PacedClosing&) = delete;

  const std::string& name() const { return name_; }
  const ClosingPlan& plan() const { return plan_; }
  bool takes(const Tunnel& tunnel) const { return takes_(tunnel); }
  bool stands() const { return !stands_ || stands_(); }
  // Those that are open, the oldest first: each waits in the plan's order from here on, and in no
  // other such list. The first ones are closed before this returns.
  void start(std::vector<Tunnel*> tunnels);
  // One that has just opened, or waits nowhere else any more, behind all others; then go_on().
  void join(Tunnel& tunnel);
  // Closes those whose turn has come.
  void go_on();
  // It has ended, or is not to be closed any more.
  void leave(Tunnel& tunnel);
  // Those that are not to be closed any more, or all: they wait nowhere.
  std::vector<Tunnel*> let_go();
  std::vector<Tunnel*> let_all_go();

  std::size_t waiting() const { return waiting_; }
  bool has(const Tunnel& tunnel) const;

 private:
  void shuffle(std::vector<Tunnel*>& tunnels);
  void push(Tunnel& tunnel);
  void take_out(Tunnel& tunnel);
  bool turn_has_come();

  const std::string name_;
  uring::Loop& loop_;
  const ClosingPlan plan_;
  const End end_;
  const Takes takes_;
  const Stands stands_;
  const std::shared_ptr<Pace> pace_;
  std::optional<Pace::Time> turn_;  // of the first one
  uring::List<Tunnel> tunnels_;
  std::size_t waiting_ = 0;
  uring::TimerMember<&PacedClosing::go_on> timer_;
};

}  // namespace gateway
