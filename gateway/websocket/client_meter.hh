// What a client sends against its rates, and the pause of a client that has sent more.
#pragma once

#include <cstdint>

#include "gateway/websocket/allowance.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class ClientMeter {
 public:
  using Time = uring::Clock::time_point;

  // From here on it counts: `used` is what has come before.
  ClientMeter(uring::Loop& loop, const ClientRates& rates, const Allowance::Use& used)
      : loop_(loop),
        rates_(rates),
        allowance_(used),
        allowed_(loop.ready()),
        pause_(*this, loop.timers()) {}

  uring::BlockPool& frames() { return loop_.frames(); }

  void go_by(const ClientRates& rates) { rates_ = rates; }
  const ClientRates& rates() const { return rates_; }
  // The rate that was passed last.
  std::string_view passed() const { return allowance_.passed(); }

  // `used` are totals. Gives when the client may go on: not later than now where all is within its
  // rates.
  Time take(const Allowance::Use& used, Time now) { return allowance_.take(now, used, rates_); }

  // Nothing more is read of it before that; end_pause() ends it early.
  void pause_until(Time time) {
    allowed_.clear();
    pause_.arm(time);
  }
  bool paused() const { return pause_.armed(); }
  uring::Event::Wait allowed() { return allowed_.wait(); }
  void end_pause() {
    pause_.disarm();
    allowed_.set();
  }

 private:
  void on_pause_over() { allowed_.set(); }

  uring::Loop& loop_;
  ClientRates rates_;
  Allowance allowance_;
  uring::Event allowed_;
  uring::TimerMember<&ClientMeter::on_pause_over> pause_;
};

}  // namespace gateway
