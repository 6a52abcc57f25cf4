// What a client sends against its rates, and the pause of a client that has sent more. Who never
// has pays for no pause.
#pragma once

#include <cstdint>

#include "gateway/websocket/allowance.hh"
#include "uring/block_pool.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class ClientMeter {
 public:
  using Time = uring::Clock::time_point;

  // From here on it counts: `used` is what has come before.
  ClientMeter(uring::Loop& loop, const ClientRates& rates, const Allowance::Use& used)
      : loop_(loop), rates_(rates), allowance_(used) {}

  uring::BlockPool& frames() { return loop_.frames(); }

  // Under other rates nobody pays for what he sent before: he might be closed for what was allowed.
  void go_by(const ClientRates& rates) {
    if (rates == rates_) return;
    rates_ = rates;
    allowance_.forgive();
  }
  const ClientRates& rates() const { return rates_; }
  // The rate that was passed last.
  std::string_view passed() const { return allowance_.passed(); }

  // `used` are totals. Gives when the client may go on: not later than now where all is within its
  // rates.
  Time take(const Allowance::Use& used, Time now) { return allowance_.take(now, used, rates_); }

  // Nothing more is read of it before that; end_pause() ends it early.
  void pause_until(Time time) {
    if (!pause_) pause_ = frames().make<Pause>(loop_);
    pause_->over.clear();
    pause_->timer.arm(time);
  }
  bool paused() const { return pause_ && pause_->timer.armed(); }
  // Once it has been paused.
  uring::Event::Wait allowed() { return pause_->over.wait(); }
  void end_pause() {
    if (!pause_) return;
    pause_->timer.disarm();
    pause_->over.set();
  }

 private:
  struct Pause {
    explicit Pause(uring::Loop& its_loop)
        : loop(its_loop), over(loop.ready()), timer(*this, loop.timers()) {}
    uring::BlockPool& frames() { return loop.frames(); }
    void on_time() { over.set(); }

    uring::Loop& loop;
    uring::Event over;
    uring::TimerMember<&Pause::on_time> timer;
  };

  uring::Loop& loop_;
  ClientRates rates_;
  Allowance allowance_;
  uring::BlockPool::Owned<Pause> pause_;
};

}  // namespace gateway
