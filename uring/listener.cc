#include "uring/listener.hh"

#include <cerrno>

namespace uring {

Listener::Listener(Loop& loop, int descriptor, Acceptor& acceptor)
    : loop_(loop),
      descriptor_(descriptor),
      acceptor_(acceptor),
      pause_(*this, loop.timers()),
      stolen_(*this, loop.timers()),
      ended_(loop.ready()) {}

void Listener::start() {
  pause_.disarm();
  switch (acceptor_.appetite()) {
    case Acceptor::Appetite::kNone:
      return pause_.arm(loop_.now() + kPause);
    case Acceptor::Appetite::kOne:
      return accept_one();
    case Acceptor::Appetite::kMany:
      return io_uring_prep_multishot_accept(&loop_.prepare(accept_), descriptor_, nullptr, nullptr,
                                            SOCK_CLOEXEC);
  }
}

void Listener::accept_one() {
  io_uring_prep_accept(&loop_.prepare(accept_), descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
}

void Listener::on_accepted(Completion completion) {
  if (completion.result >= 0) {
    acceptor_.accepted(completion.result);
  } else if (completion.result == -EMFILE || completion.result == -ENFILE ||
             completion.result == -ENOMEM || completion.result == -ENOBUFS) {
    acceptor_.accept_failed(-completion.result);
    failed_ = stopping_;
    if (!accept_.in_flight() && !stopping_) pause_.arm(loop_.now() + kPause);
  }
  if (accept_.in_flight() && !stopping_) {
    // It goes on, and would accept more than can be taken.
    if (acceptor_.appetite() != Acceptor::Appetite::kMany) loop_.cancel(accept_);
    return;
  }
  if (stopping_) {
    if (!accept_.in_flight()) ended_.set();
  } else if (!pause_.armed()) {
    start();
  }
}

Task<> Listener::leave_queue() {
  stopping_ = true;
  pause_.disarm();
  loop_.cancel(accept_);
  co_await end_accepting();
}

Task<> Listener::end_accepting() {
  while (accept_.in_flight()) {
    ended_.clear();
    co_await ended_.wait();
  }
}

Task<> Listener::stop() {
  stopping_ = true;
  pause_.disarm();
  loop_.cancel(accept_);
  for (unsigned left = kDrainMax;; --left) {
    co_await end_accepting();
    stolen_.disarm();
    if (left == 0 || failed_ || !loop_.kernel().client_waits(descriptor_)) break;
    accept_one();
    // Where another process accepts here, too, it may be the one who gets him.
    stolen_.arm(loop_.now() + kPause);
  }
}

}  // namespace uring
