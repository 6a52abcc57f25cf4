// Those of one shard who wait for a server of a pool: first come, first served, requests and
// upgrades apart, since what keeps the one waiting need not keep the other. It goes on from one
// pool of that name to the next, and knows the newest: who waits tries that one's servers.
//
//   join() -> [waits] -> try_now() says true -> woken up by itself
//                    '-> leave()
//
// All are tried when something becomes free, here or on a shard whose turn is later, and every
// kEvery besides: what makes a server usable need not say so. Nothing of it runs while nobody
// waits.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "gateway/upstream/pool_state.hh"
#include "uring/counted.hh"
#include "uring/list.hh"
#include "uring/loop.hh"

namespace gateway {

class UpstreamPool;

// Somebody in a line; who is destroyed has left it.
class InLine : private uring::ListEntry {
 public:
  virtual ~InLine() { CHECK(!listed(), "who waits in a line lives on"); }
  // It is its turn: true where it has got what it waited for. It has left the line then.
  virtual bool try_now() = 0;
  // What it does not take nobody behind it would take.
  virtual bool takes_any() const { return true; }

 private:
  friend class PoolLine;
  friend class uring::List<InLine>;
  Purpose purpose_ = Purpose::kRequest;
  PoolState::Time since_{};
};

class PoolLine : public uring::Counted, private uring::ListEntry {
 public:
  static constexpr std::chrono::milliseconds kEvery{20};

  // `bell` is the shard's, or null: nobody else tells then.
  PoolLine(uring::Loop& loop, std::shared_ptr<PoolState> state, std::size_t shard,
           uring::Bell* bell)
      : loop_(loop),
        state_(std::move(state)),
        shard_(shard),
        bell_(bell),
        timer_(*this, loop.timers()) {}
  ~PoolLine() { unlist(); }

  PoolState& state() { return *state_; }
  const std::shared_ptr<PoolState>& shared_state() const { return state_; }

  // The pool whose servers serve now; null: there is none any more.
  UpstreamPool* newest() const { return newest_; }
  void set_newest(UpstreamPool& pool) { newest_ = &pool; }
  void forget(const UpstreamPool& pool) {
    if (newest_ == &pool) newest_ = nullptr;
  }

  void join(InLine& waiter, Purpose purpose);
  void leave(InLine& waiter);

  // Something has become free on this shard, or may have.
  void freed();
  // Its first ones are tried, as long as there is something for them.
  void serve();

 private:
  friend class Upstreams;
  friend class uring::List<PoolLine>;
  bool serve_first();
  bool serve_first(Purpose purpose);
  InLine* first_of(Purpose purpose);
  void note_head();
  void take_out(InLine& waiter);
  void on_tick();

  uring::Loop& loop_;
  std::shared_ptr<PoolState> state_;
  std::size_t shard_;
  uring::Bell* bell_;
  UpstreamPool* newest_ = nullptr;
  std::array<uring::List<InLine>, kPurposes> waiting_;
  uring::TimerMember<&PoolLine::on_tick> timer_;
  bool ticks_ = false;
  bool serving_ = false;  // what is given back meanwhile was only tried
};

}  // namespace gateway
