#include "uring/signals.hh"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>

namespace uring {

sigset_t set_of_signals(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

sigset_t block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of_signals(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

Signals::Signals(Loop& loop, const sigset_t& set, SignalListener& listener)
    : loop_(loop),
      listener_(listener),
      descriptor_(signalfd(-1, &set, SFD_CLOEXEC)),
      error_(descriptor_ < 0 ? errno : 0),
      ended_(loop.ready()) {}

Signals::~Signals() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Signals::start() {
  CHECK(descriptor_ >= 0, "signals are waited for where they can be");
  io_uring_prep_read(&loop_.prepare(read_), descriptor_, &info_, sizeof info_, 0);
}

void Signals::on_read(Completion completion) {
  if (stopping_) {
    ended_.set();
    return;
  }
  const bool whole = completion.result == static_cast<int>(sizeof info_);
  const int signal = static_cast<int>(info_.ssi_signo);
  start();
  if (whole) listener_.signalled(signal);
}

Task<> Signals::stop() {
  stopping_ = true;
  loop_.cancel(read_);
  while (read_.in_flight()) {
    ended_.clear();
    co_await ended_.wait();
  }
}

}  // namespace uring
