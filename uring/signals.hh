// Signals as completions of a loop: a signalfd with one read in flight. block_signals() runs before
// any thread starts, so that all of them inherit the mask and the signals come here only.
#pragma once

#include <signal.h>
#include <sys/signalfd.h>

#include <initializer_list>

#include "uring/loop.hh"
#include "uring/task.hh"

namespace uring {

sigset_t set_of_signals(std::initializer_list<int> signals);
sigset_t block_signals(std::initializer_list<int> signals);  // gives the set

class SignalListener {
 public:
  virtual void signalled(int signal) = 0;

 protected:
  ~SignalListener() = default;
};

class Signals {
 public:
  Signals(Loop& loop, const sigset_t& set, SignalListener& listener);
  ~Signals();

  // 0, or the errno that keeps it from being started.
  int error() const { return error_; }
  void start();
  Task<> stop();

 private:
  void on_read(Completion completion);

  Loop& loop_;
  SignalListener& listener_;
  int descriptor_;
  int error_;
  signalfd_siginfo info_{};
  OperationMember<&Signals::on_read> read_{*this};
  Event ended_;
  bool stopping_ = false;
};

}  // namespace uring
