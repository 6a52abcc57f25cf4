// A listening socket of a loop: one multishot accept, or one for a single client where only few can
// be taken: it holds back what the kernel would accept at once. stop() cancels it, awaits its end
// and accepts whoever waits still, before the descriptor may be closed: a closed listener with an
// armed accept keeps accepting, and who is in its queue is reset. When descriptors run out it
// pauses, and goes on after a moment.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>

#include "uring/loop.hh"
#include "uring/task.hh"

namespace uring {

class Acceptor {
 public:
  // The descriptor is the callee's from here on.
  virtual void accepted(int descriptor) = 0;
  // Out of descriptors or memory: accepting pauses for kPause.
  virtual void accept_failed(int error) = 0;
  // How many clients it can take: kNone lets accepting pause for kPause, or until resume().
  enum class Appetite : std::uint8_t { kNone, kOne, kMany };
  virtual Appetite appetite() { return Appetite::kMany; }

 protected:
  ~Acceptor() = default;
};

class Listener {
 public:
  static constexpr std::chrono::milliseconds kPause{100};

  // `descriptor` is listening and stays open until its owner closes it, after stop().
  Listener(Loop& loop, int descriptor, Acceptor& acceptor);

  void start();
  // There is room again.
  void resume() {
    if (pause_.armed()) start();
  }
  // Accepts whoever has come so far; afterwards the descriptor may be closed. Who comes meanwhile
  // is to be held off by other means: it ends with kDrainMax at the latest.
  Task<> stop();
  // Accepts nobody any more, for others do so at the same socket: who waits in its queue is theirs.
  Task<> leave_queue();
  static constexpr unsigned kDrainMax = 8192;

 private:
  void accept_one();
  Task<> end_accepting();
  void wait_no_more() { loop_.cancel(accept_); }
  void on_accepted(Completion completion);

  Loop& loop_;
  int descriptor_;
  Acceptor& acceptor_;
  OperationMember<&Listener::on_accepted> accept_{*this};
  TimerMember<&Listener::start> pause_;
  TimerMember<&Listener::wait_no_more> stolen_;  // while it stops
  Event ended_;
  bool stopping_ = false;
  bool failed_ = false;  // it stops, and a client could not be accepted
};

}  // namespace uring
