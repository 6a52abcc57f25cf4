#include "gateway/shard/leaving_listeners.hh"

#include <utility>

#include "uring/check.hh"

namespace gateway {

LeavingListeners::LeavingListeners(uring::Loop& loop)
    : loop_(loop), handshakes_(*this, loop.timers()), handshakes_over_(loop.ready()) {}

void LeavingListeners::begin(std::list<ShardListener> listeners, std::function<void()> gone) {
  CHECK(leaving_.done(), "those before have gone");
  gone_ = std::move(gone);
  listeners_ = std::move(listeners);
  leaving_ = leave();
  leaving_.start();
}

uring::Task<> LeavingListeners::leave() {
  handshakes_over_.clear();
  handshakes_.arm(loop_.now() + kHandshakeTime);
  co_await handshakes_over_.wait();
  while (!listeners_.empty()) {
    co_await listeners_.front().stop();
    listeners_.pop_front();
  }
  gone_();
}

void LeavingListeners::hurry() {
  handshakes_.disarm();
  handshakes_over_.set();
}

void LeavingListeners::take_handed_over() {
  for (ShardListener& listener : listeners_) listener.take_handed_over();
}

}  // namespace gateway
