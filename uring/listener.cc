#include "uring/listener.hh"

#include <cerrno>
#include <utility>

namespace uring {

Listener::Listener(Loop& loop, int descriptor, Acceptor& acceptor)
    : loop_(loop),
      descriptor_(descriptor),
      acceptor_(acceptor),
      pause_(*this, loop.timers()),
      stolen_(*this, loop.timers()),
      ended_(loop.ready()) {
  while (accepts_.size() < kAcceptsInFlight) accepts_.emplace_back(*this);
}

std::size_t Listener::wanted_now() {
  switch (acceptor_.appetite()) {
    case Acceptor::Appetite::kNone:
      return 0;
    case Acceptor::Appetite::kOne:
      return 1;
    case Acceptor::Appetite::kMany:
      break;
  }
  return kAcceptsInFlight;
}

void Listener::start() {
  pause_.disarm();
  want(wanted_now());
  if (wanted_ == 0) pause_.arm(loop_.now() + kPause);
}

// Those that are in flight beyond it are cancelled with all the others, and asked for again.
void Listener::want(std::size_t count) {
  const bool fewer = count < std::exchange(wanted_, count);
  if (fewer && in_flight_ > wanted_) cancel_all();
  for (Accept& accept : accepts_) {
    if (in_flight_ >= wanted_) break;
    if (accept.operation.in_flight()) continue;
    io_uring_prep_accept(&loop_.prepare(accept.operation), descriptor_, nullptr, nullptr,
                         SOCK_CLOEXEC);
    ++in_flight_;
  }
}

void Listener::cancel_all() {
  for (Accept& accept : accepts_) loop_.cancel(accept.operation);
}

void Listener::on_accepted(Completion completion) {
  --in_flight_;
  if (completion.result >= 0) {
    acceptor_.accepted(completion.result);
  } else if (completion.result == -EMFILE || completion.result == -ENFILE ||
             completion.result == -ENOMEM || completion.result == -ENOBUFS) {
    note_failed(-completion.result);
  }
  if (stopping_) {
    if (in_flight_ == 0) ended_.set();
  } else if (!pause_.armed()) {
    start();
  }
}

void Listener::note_failed(int error) {
  failed_ = stopping_;
  if (pause_.armed()) return;  // another one has said so
  acceptor_.accept_failed(error);
  if (stopping_) return;
  want(0);
  pause_.arm(loop_.now() + kPause);
}

Task<> Listener::leave_queue() {
  stopping_ = true;
  pause_.disarm();
  want(0);
  co_await end_accepting();
}

Task<> Listener::end_accepting() {
  while (in_flight_ > 0) {
    ended_.clear();
    co_await ended_.wait();
  }
}

Task<> Listener::stop() {
  stopping_ = true;
  pause_.disarm();
  want(0);
  for (unsigned left = kDrainMax;; --left) {
    co_await end_accepting();
    stolen_.disarm();
    if (left == 0 || failed_ || !loop_.kernel().client_waits(descriptor_)) break;
    want(1);
    // Where another process accepts here, too, it may be the one who gets him.
    stolen_.arm(loop_.now() + kPause);
  }
}

}  // namespace uring
