#include "gateway/shard/leaving_listeners.hh"

#include <algorithm>
#include <utility>

#include "uring/check.hh"

namespace gateway {

LeavingListeners::LeavingListeners(uring::Loop& loop)
    : loop_(loop), handshakes_(*this, loop.timers()), handshakes_over_(loop.ready()) {}

void LeavingListeners::begin(std::list<ShardListener> listeners, std::function<void()> gone,
                             std::span<const config::Address> handed_over) {
  CHECK(leaving_.done(), "those before have gone");
  gone_ = std::move(gone);
  listeners_ = std::move(listeners);
  for (auto listener = listeners_.begin(); listener != listeners_.end();) {
    const auto one = listener++;
    const bool is_among = std::ranges::find(handed_over, one->address()) != handed_over.end();
    if (is_among) handed_over_.splice(handed_over_.end(), listeners_, one);
  }
  handshakes_over_.clear();
  handshakes_.arm(loop_.now() + kHandshakeTime);
  leaving_ = leave();
  leaving_.start();
}

uring::Task<> LeavingListeners::leave() {
  while (!handed_over_.empty()) {
    co_await handed_over_.front().leave_queue();
    handed_over_.pop_front();
  }
  if (!listeners_.empty()) co_await handshakes_over_.wait();
  while (!listeners_.empty()) {
    co_await listeners_.front().stop();
    listeners_.pop_front();
  }
  handshakes_.disarm();
  gone_();
}

void LeavingListeners::hurry() {
  handshakes_.disarm();
  handshakes_over_.set();
}

void LeavingListeners::take_handed_over() {
  for (ShardListener& listener : handed_over_) listener.take_handed_over();
  for (ShardListener& listener : listeners_) listener.take_handed_over();
}

}  // namespace gateway
