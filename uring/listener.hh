// A listening socket of a loop: so many single accepts are in flight, and each is asked for again
// when its client has come, with the turn's end. A multishot accept would take a whole crowd at
// once, and everybody else's completions would queue behind it; so a crowd waits in the kernel, and
// some come in with each turn. stop() cancels them, awaits their end and accepts whoever waits
// still, before the descriptor may be closed: a closed listener with an armed accept keeps
// accepting, and who is in its queue is reset. When descriptors run out it pauses, and goes on
// after a moment.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "uring/loop.hh"
#include "uring/task.hh"

namespace uring {

class Acceptor {
 public:
  // The descriptor is the callee's from here on.
  virtual void accepted(int descriptor) = 0;
  // Out of descriptors or memory: accepting pauses for kPause.
  virtual void accept_failed(int error) = 0;
  // How many clients it can take: kMany are as many as are accepted in a turn; kNone lets accepting
  // pause for kPause, or until resume().
  enum class Appetite : std::uint8_t { kNone, kOne, kMany };
  virtual Appetite appetite() { return Appetite::kMany; }

 protected:
  ~Acceptor() = default;
};

class Listener {
 public:
  static constexpr std::chrono::milliseconds kPause{100};
  static constexpr std::size_t kAcceptsInFlight = 16;

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
  std::size_t wanted_now();
  void want(std::size_t count);
  void wait_no_more() { want(0); }
  void cancel_all();
  void note_failed(int error);
  Task<> end_accepting();
  void on_accepted(Completion completion);

  Loop& loop_;
  int descriptor_;
  Acceptor& acceptor_;
  struct Accept {
    explicit Accept(Listener& of) : listener(of) {}
    void on_accepted(Completion completion) { listener.on_accepted(completion); }
    Listener& listener;
    OperationMember<&Accept::on_accepted> operation{*this};
  };
  std::deque<Accept> accepts_;
  std::size_t in_flight_ = 0;
  std::size_t wanted_ = 0;
  TimerMember<&Listener::start> pause_;
  TimerMember<&Listener::wait_no_more> stolen_;  // while it stops
  Event ended_;
  bool stopping_ = false;
  bool failed_ = false;  // it stops, and a client could not be accepted
};

}  // namespace uring
