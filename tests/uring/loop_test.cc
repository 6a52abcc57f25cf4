// A turn of the loop: its budget, its order, and when it may wait.
#include "uring/loop.hh"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>

#include "tests/uring/simulation.hh"
#include "uring/task.hh"

using std::chrono::hours;
using std::chrono::milliseconds;
using uring::Completion;
using uring::Loop;

namespace {

// A receive into no socket code: what the loop itself does with an operation.
class RawReceive {
 public:
  explicit RawReceive(Loop& loop) : loop_(loop) {}

  void start(int descriptor, bool multishot = false) {
    io_uring_sqe& sqe = loop_.prepare(operation_);
    if (multishot) {
      io_uring_prep_recv_multishot(&sqe, descriptor, nullptr, 0, 0);
    } else {
      io_uring_prep_recv(&sqe, descriptor, nullptr, 1, 0);
    }
    sqe.flags |= IOSQE_BUFFER_SELECT;
    sqe.buf_group = 0;
  }
  uring::Operation& operation() { return operation_; }
  const std::vector<Completion>& completions() const { return completions_; }

 private:
  void on_complete(Completion completion) { completions_.push_back(completion); }
  Loop& loop_;
  uring::OperationMember<&RawReceive::on_complete> operation_{*this};
  std::vector<Completion> completions_;
};

class Call {
 public:
  explicit Call(std::function<void()> function) : function_(std::move(function)) {}
  uring::Ready& ready() { return ready_; }

 private:
  void run() { function_(); }
  std::function<void()> function_;
  uring::ReadyMember<&Call::run> ready_{*this};
};

class CallAt {
 public:
  CallAt(Loop& loop, uring::Clock::time_point deadline, std::function<void()> function)
      : function_(std::move(function)), timer_(*this, loop.timers()) {
    timer_.arm(deadline);
  }

 private:
  void run() { function_(); }
  std::function<void()> function_;
  uring::TimerMember<&CallAt::run> timer_;
};

class Flushed final : public uring::Flushable {
 public:
  Flushed(std::function<void()> function)
      : Flushable([](Flushable& self) { static_cast<Flushed&>(self).function_(); }),
        function_(std::move(function)) {}

 private:
  std::function<void()> function_;
};

// Whether the next turn does not wait although it may.
bool next_turn_is_at_once(Simulation& simulation) {
  const auto before = simulation.kernel.now();
  simulation.loop.turn(hours(1));
  return simulation.kernel.now() - before < milliseconds(1);
}

TEST(Loop, TakesSoManyCompletionsATurnAndDoesNotWaitWithTheRest) {
  Simulation simulation(1, {.calm = true}, {512, 16, 1, 16});
  std::deque<RawReceive> receives;
  constexpr std::size_t kAll = Loop::kCompletionsPerTurn + 44;
  for (std::size_t count = 0; count < kAll; ++count) {
    SimulatedKernel::Stream peer;
    receives.emplace_back(simulation.loop).start(simulation.kernel.open_stream(peer));
    peer->close();
  }
  simulation.loop.turn();
  EXPECT_EQ(simulation.loop.counters().completions, Loop::kCompletionsPerTurn);
  EXPECT_EQ(simulation.loop.in_flight(), kAll - Loop::kCompletionsPerTurn);
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(simulation.loop.counters().completions, kAll);
  EXPECT_EQ(simulation.loop.in_flight(), 0u);
  EXPECT_FALSE(next_turn_is_at_once(simulation));
}

TEST(Loop, RunsSoManyReadysATurnAndDoesNotWaitWithTheRest) {
  Simulation simulation(1, {.calm = true});
  std::size_t runs = 0;
  std::deque<Call> calls;
  for (int count = 0; count < 1500; ++count) calls.emplace_back([&] { ++runs; });
  for (Call& call : calls) simulation.loop.ready().push(call.ready());
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(runs, Loop::kReadyPerTurn);
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(runs, 1500u);
  EXPECT_FALSE(next_turn_is_at_once(simulation));
}

TEST(Loop, WaitsForATimerAtTheMost) {
  Simulation simulation(1, {.calm = true});
  bool expired = false;
  const auto start = simulation.kernel.now();
  CallAt call(simulation.loop, start + milliseconds(300), [&] { expired = true; });
  while (!expired) simulation.loop.turn();
  EXPECT_GE(simulation.kernel.now(), start + milliseconds(300));
  EXPECT_LE(simulation.kernel.now(), start + milliseconds(320));
  EXPECT_LE(simulation.loop.counters().turns, 4u);
  EXPECT_FALSE(simulation.kernel.stuck());
}

TEST(Loop, GivesEachRequestItsCompletionsAndOneThatIsTheLast) {
  Simulation simulation(1, {.calm = true});
  SimulatedKernel::Stream peer;
  RawReceive receive(simulation.loop);
  receive.start(simulation.kernel.open_stream(peer), true);
  EXPECT_EQ(simulation.loop.in_flight(), 1u);
  for (int times = 0; times < 3; ++times) {
    peer->write(stream_bytes(0, 0, 5));
    simulation.loop.turn();
  }
  EXPECT_TRUE(receive.operation().in_flight());
  peer->shutdown_write();
  simulation.loop.turn();
  EXPECT_FALSE(receive.operation().in_flight());
  EXPECT_EQ(simulation.loop.in_flight(), 0u);
  ASSERT_EQ(receive.completions().size(), 4u);
  EXPECT_EQ(receive.completions()[0].result, 5);
  EXPECT_EQ(receive.completions()[3].result, 0);
}

TEST(Loop, CancelsWhatIsInFlightAndNothingElse) {
  for_each_seed(50, [](std::uint64_t seed) {
    Simulation simulation(seed);
    SimulatedKernel::Stream peer;
    SimulatedKernel::Stream other_peer;
    RawReceive receive(simulation.loop);
    RawReceive other(simulation.loop);
    const int descriptor = simulation.kernel.open_stream(peer);
    simulation.loop.cancel(receive.operation());
    receive.start(descriptor);
    other.start(simulation.kernel.open_stream(other_peer));
    if (simulation.kernel.dice().chance(50)) simulation.loop.turn(milliseconds(1));
    simulation.loop.cancel(receive.operation());
    EXPECT_TRUE(simulation.turn_until([&] { return simulation.loop.in_flight() == 1; }));
    ASSERT_EQ(receive.completions().size(), 1u);
    EXPECT_EQ(receive.completions()[0].result, -ECANCELED);
    EXPECT_TRUE(other.operation().in_flight());
    other_peer->close();
    EXPECT_TRUE(simulation.turn_until([&] { return simulation.loop.in_flight() == 0; }));
    EXPECT_EQ(other.completions()[0].result, 0);
  });
}

TEST(Loop, SpreadsHeavyStepsOverTurns) {
  Simulation simulation(1, {.calm = true});
  std::size_t taken = 0;
  std::deque<Call> calls;
  for (std::size_t at = 0; at < 20; ++at) {
    calls.emplace_back([&, at] {
      if (simulation.loop.take_heavy_step()) {
        ++taken;
      } else {
        simulation.loop.push_next_turn(calls[at].ready());
      }
    });
    simulation.loop.ready().push(calls.back().ready());
  }
  for (const std::size_t expected : {8, 16, 20}) {
    EXPECT_TRUE(next_turn_is_at_once(simulation));
    EXPECT_EQ(taken, expected);
  }
  EXPECT_FALSE(next_turn_is_at_once(simulation));
}

// In order, quick ones first, and some steps are left for who has not waited.
TEST(Loop, GivesHeavyStepsInOrderToThoseWhoWait) {
  Simulation simulation(1, {.calm = true});
  std::string order;
  std::deque<Call> calls;
  const auto wait = [&](char name, Loop::HeavyStep step) {
    calls.emplace_back([&, name, step, at = calls.size()] {
      if (simulation.loop.take_heavy_step()) {
        order += name;
      } else {
        simulation.loop.await_heavy_step(calls[at].ready(), step);
      }
    });
    simulation.loop.await_heavy_step(calls.back().ready(), step);
  };
  for (const char name : {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'})
    wait(name, Loop::HeavyStep::kUsual);
  for (const char name : {'1', '2', '3', '4', '5', '6', '7'}) wait(name, Loop::HeavyStep::kQuick);
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(order, "ab1234");
  EXPECT_TRUE(simulation.loop.take_heavy_step());
  EXPECT_TRUE(simulation.loop.take_heavy_step());
  EXPECT_FALSE(simulation.loop.take_heavy_step());
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(order, "ab1234cd567e");
  calls[5].ready().take_back();  // "f" needs none any more
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(order, "ab1234cd567egh");
  EXPECT_FALSE(next_turn_is_at_once(simulation));
}

uring::Task<> end_one(Loop& loop, std::size_t& ended) {
  co_await loop.ending();
  ++ended;
}

TEST(Loop, SpreadsTheEndingsOfACrowdOverTurns) {
  Simulation simulation(1, {.calm = true});
  std::size_t ended = 0;
  std::deque<uring::Task<>> crowd;
  Call leave([&] {
    for (std::size_t count = 0; count < 2 * Loop::kEndingsPerTurn + 5; ++count) {
      crowd.push_back(end_one(simulation.loop, ended));
      crowd.back().start();
    }
  });
  simulation.loop.ready().push(leave.ready());
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(ended, Loop::kEndingsPerTurn);
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(ended, 2 * Loop::kEndingsPerTurn);
  // Nobody overtakes those who wait, and whoever comes when nobody does goes at once.
  crowd.push_back(end_one(simulation.loop, ended));
  crowd.back().start();
  EXPECT_EQ(ended, 2 * Loop::kEndingsPerTurn);
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(ended, 2 * Loop::kEndingsPerTurn + 6);
  crowd.push_back(end_one(simulation.loop, ended));
  crowd.back().start();
  EXPECT_EQ(ended, 2 * Loop::kEndingsPerTurn + 7);
  EXPECT_FALSE(next_turn_is_at_once(simulation));
}

TEST(Loop, FlushesOnceAtTheEndOfTheTurn) {
  Simulation simulation(1, {.calm = true});
  std::string log;
  Flushed flushed([&] { log += "f"; });
  Call first([&] {
    log += "a";
    simulation.loop.flush_at_end_of_turn(flushed);
  });
  Call second([&] {
    log += "b";
    simulation.loop.flush_at_end_of_turn(flushed);
  });
  simulation.loop.ready().push(first.ready());
  simulation.loop.ready().push(second.ready());
  simulation.loop.turn(milliseconds(1));
  EXPECT_EQ(log, "abf");
  simulation.loop.turn(milliseconds(1));
  EXPECT_EQ(log, "abf");
}

TEST(Loop, DoesNotWaitWhileAFlushIsDue) {
  Simulation simulation(1, {.calm = true});
  std::string log;
  Flushed second([&] { log += "2"; });
  Flushed first([&] {
    log += "1";
    simulation.loop.flush_at_end_of_turn(second);
  });
  simulation.loop.flush_at_end_of_turn(first);
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(log, "1");
  EXPECT_TRUE(next_turn_is_at_once(simulation));
  EXPECT_EQ(log, "12");
  EXPECT_FALSE(next_turn_is_at_once(simulation));
}

TEST(Loop, TakesWhatAFlushAsksOfItselfAsDone) {
  Simulation simulation(1, {.calm = true});
  std::size_t flushes = 0;
  std::function<void()> again;
  Flushed flushed([&] {
    ++flushes;
    again();
  });
  again = [&] { simulation.loop.flush_at_end_of_turn(flushed); };
  again();
  simulation.loop.turn(milliseconds(1));
  EXPECT_FALSE(next_turn_is_at_once(simulation));
  EXPECT_EQ(flushes, 1u);
}

TEST(Loop, ForgetsAFlushWhereverItStands) {
  for (int leaves = 0; leaves < 3; ++leaves) {
    Simulation simulation(1, {.calm = true});
    std::string log;
    std::deque<Flushed> flushed;
    for (const char name : {'0', '1', '2', '3'}) flushed.emplace_back([&, name] { log += name; });
    for (int at = 0; at < 3; ++at) simulation.loop.flush_at_end_of_turn(flushed[at]);
    simulation.loop.forget_flush(flushed[leaves]);
    simulation.loop.forget_flush(flushed[3]);
    simulation.loop.flush_at_end_of_turn(flushed[3]);
    simulation.loop.turn(milliseconds(1));
    std::string expected = "0123";
    expected.erase(static_cast<std::size_t>(leaves), 1);
    EXPECT_EQ(log, expected);
  }
}

TEST(Loop, RunsUntilItIsStopped) {
  Simulation simulation(1, {.calm = true});
  const auto far = simulation.kernel.now() + hours(3);
  CallAt call(simulation.loop, far, [&] { simulation.loop.stop(); });
  simulation.loop.run();
  EXPECT_FALSE(simulation.kernel.stuck());
}

}  // namespace
