// What a dialler waits for before it dials: a place at a server, where all have as many as they may
// have; or, on hold, a server at all. Each wait has a bound on how many wait, and one on how long.
#include <algorithm>

#include "gateway/client/connection.hh"
#include "gateway/exchange/dialler.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

// True: it has one. False: the client's connection has ended, for want of one or by itself.
uring::Task<bool> Dialler::await_place(std::optional<CountedWait>& held) {
  if (claim()) co_return true;
  const config::PoolHealth& terms = pool_->config().health;
  const bool is_up = pool_->has_takers();
  const Reason full = is_up ? Reason::kQueueFull : Reason::kNoServer;
  const auto time = is_up ? uring::Clock::duration(terms.queue.time) : hold_left();
  std::optional<CountedWait> queued;
  std::optional<CountedWait>& wait = is_up ? queued : held;
  if (is_up) {
    held.reset();
    queued.emplace(pool_->state(), Waiting::kQueued, terms.queue.length);
  } else if (!held) {
    held.emplace(pool_->state(), Waiting::kHeld, may_hold() ? kHeldMax : 0);
  }
  if (!wait->entered() || time.count() <= 0) {
    connection_.end(is_up || failure_.is_done() ? End{.reason = full} : failure_);
    co_return false;
  }
  const Reason late = is_up ? Reason::kQueueTimeout : Reason::kNoServer;
  connection_.set_deadline(std::chrono::ceil<std::chrono::milliseconds>(time), late);
  timed_out_ = false;
  dialling_ = true;
  // Whoever was tried and has failed is not the one that it waits for, unless all have.
  turn_ = balance::kNobody;
  last_resort_ = false;
  if (!is_up) tried_.clear();
  const auto since = connection_.shard().loop().now();
  pool_->line().join(*this, purpose_);
  while (!slot_ && !connection_.ended() && !timed_out_) {
    progress_.clear();
    co_await progress_.wait();
  }
  pool_->line().leave(*this);
  Shard& shard = connection_.shard();
  shard.counters().upstreams.queue.observe(shard.loop().now() - since);
  dialling_ = false;
  const bool goes_on = slot_ && !connection_.ended();
  if (!goes_on) slot_ = {};
  if (!goes_on && !connection_.ended()) connection_.end({.reason = late});
  co_return goes_on;
}

bool Dialler::may_hold() const {
  return pool_->config().health.hold.count() > 0;
}

// From the first time that it has to wait for that.
uring::Clock::duration Dialler::hold_left() {
  const auto now = connection_.shard().loop().now();
  if (!hold_ends_) hold_ends_ = now + pool_->config().health.hold;
  return *hold_ends_ - now;
}

// All that could be dialled refuse. True: on hold that passes, and they are tried once more. What
// TLS has refused would be refused again.
uring::Task<bool> Dialler::pause(std::optional<CountedWait>& held) {
  const bool may_pass = failure_.error != 0 || failure_.reason == Reason::kConnectTimeout;
  if (!may_hold() || !may_pass || failure_.reason == Reason::kShortage) co_return false;
  const auto left = hold_left();
  if (!held) held.emplace(pool_->state(), Waiting::kHeld, kHeldMax);
  if (!held->entered() || left.count() <= 0) co_return false;
  const auto pause = std::min<uring::Clock::duration>(left, kHoldPause);
  connection_.set_deadline(std::chrono::ceil<std::chrono::milliseconds>(pause), Reason::kNoServer);
  timed_out_ = false;
  dialling_ = true;
  while (!connection_.ended() && !timed_out_) {
    progress_.clear();
    co_await progress_.wait();
  }
  dialling_ = false;
  if (connection_.ended()) co_return false;
  turn_ = balance::kNobody;
  last_resort_ = false;
  tried_.clear();
  co_return true;
}

}  // namespace gateway
