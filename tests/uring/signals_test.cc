// Signals as completions of a loop.
#include "uring/signals.hh"

#include <gtest/gtest.h>

#include <vector>

#include "tests/uring/real_ring.hh"

namespace {

struct Heard final : uring::SignalListener {
  void signalled(int signal) override { signals.push_back(signal); }
  std::vector<int> signals;
};

void stop_and_wait(RealRing& ring, uring::Signals& signals) {
  uring::Task<> stopping = signals.stop();
  stopping.start();
  EXPECT_TRUE(ring.turn_until([&] { return stopping.done(); }));
  ring.expect_quiet();
}

TEST(Signals, ComeToTheLoopOneByOne) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  const sigset_t set = uring::block_signals({SIGUSR1, SIGUSR2});
  {
    RealRing ring;
    Heard heard;
    uring::Signals signals(ring.loop, set, heard);
    signals.start();
    std::vector<int> sent;
    for (const int signal : {SIGUSR1, SIGUSR2, SIGUSR2, SIGUSR1}) {
      kill(getpid(), signal);
      sent.push_back(signal);
      EXPECT_TRUE(ring.turn_until([&] { return heard.signals.size() == sent.size(); }));
      EXPECT_EQ(heard.signals, sent);
    }
    stop_and_wait(ring, signals);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Signals, StopBeforeAnyCame) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  const sigset_t set = uring::block_signals({SIGUSR1});
  {
    RealRing ring;
    Heard heard;
    uring::Signals signals(ring.loop, set, heard);
    signals.start();
    ring.loop.turn(std::chrono::milliseconds(0));
    stop_and_wait(ring, signals);
    EXPECT_TRUE(heard.signals.empty());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
