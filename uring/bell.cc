#include "uring/bell.hh"

#include <cerrno>

namespace uring {

Bell::Bell(Loop& loop, BellOwner& owner) : loop_(loop), owner_(owner), ended_(loop.ready()) {}

Bell::~Bell() {
  if (descriptor_ >= 0) loop_.kernel().close(descriptor_);
}

int Bell::open() {
  descriptor_ = loop_.kernel().open_bell();
  return descriptor_ < 0 ? -descriptor_ : 0;
}

void Bell::start() {
  CHECK(descriptor_ >= 0, "a bell is opened before it is listened to");
  listen();
}

void Bell::listen() {
  io_uring_prep_read(&loop_.prepare(read_), descriptor_, &count_, sizeof count_, 0);
}

void Bell::on_read(Completion completion) {
  if (stopping_) return ended_.set();
  const int result = completion.result;
  const bool read = result == static_cast<int>(sizeof count_);
  CHECK(read || result == -EINTR || result == -EAGAIN || result == -ECANCELED || result == -ENOMEM,
        "a bell can be read");
  // Before the owner looks: what rings from now on is told anew.
  listen();
  if (read) loop_.ready().push(rung_);
}

void Bell::on_rung() {
  if (stopping_) return ended_.set();
  owner_.rung();
}

Task<> Bell::stop() {
  stopping_ = true;
  loop_.cancel(read_);
  while (read_.in_flight() || rung_.queued()) {
    ended_.clear();
    co_await ended_.wait();
  }
}

}  // namespace uring
