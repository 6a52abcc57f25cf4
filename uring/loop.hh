// One turn after the other, on one thread:
//
//   wait for a completion, a deadline, or not at all when work is ready
//   -> note completions (they only fill the ready list) -> expire timers -> run the ready list
//   -> flush what has something to send: one send each -> feed those that waited for a buffer
//
// Requests made in a turn are submitted with the next wait: one system call a turn. A turn is
// bounded: so many completions, so many entries of the ready list, so many heavy steps
// (handshakes).
#pragma once

#include <atomic>
#include <cstdint>

#include "uring/batch_pool.hh"
#include "uring/block_pool.hh"
#include "uring/count.hh"
#include "uring/kernel.hh"
#include "uring/longest_turn.hh"
#include "uring/operation.hh"
#include "uring/ready.hh"
#include "uring/receive_buffers.hh"
#include "uring/timer.hh"

namespace uring {

// Something with bytes to send at the end of a turn.
class Flushable : private ListEntry {
 public:
  using Flush = void (*)(Flushable&);
  explicit Flushable(Flush flush) : flush_(flush) {}
  ~Flushable() { CHECK(!listed(), "a link died while a flush of it was due"); }

 private:
  friend class Loop;
  friend class List<Flushable>;
  NearFunction<void(Flushable&)> flush_;
};

struct LoopCounters {
  Count turns;
  Count completions;
  LongestTurn longest;
};

class Loop {
 public:
  static constexpr std::size_t kCompletionsPerTurn = Kernel::kCompletionsAtOnce;
  static constexpr std::size_t kReadyPerTurn = 1024;
  static constexpr unsigned kHeavyStepsPerTurn = 8;
  static constexpr unsigned kEndingsPerTurn = 16;

  explicit Loop(Kernel& kernel);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop() was called.
  void run();
  void stop() { stopping_ = true; }
  bool stopped() const { return stopping_; }

  // One turn; waits at most until `limit` from now (for tests, too).
  void turn(std::optional<std::chrono::nanoseconds> limit = std::nullopt);

  // A request whose completions go to `operation`, which must not be in flight. Goes to the kernel
  // with the next wait.
  io_uring_sqe& prepare(Operation& operation);

  // Ends `target` early: its terminal completion comes nevertheless (-ECANCELED, or what was
  // faster). Nothing happens if it is not in flight.
  void cancel(Operation& target);

  void flush_at_end_of_turn(Flushable& flushable) { flushes_due_.push(flushable); }
  // It is about to go: nothing of it is to be flushed any more.
  void forget_flush(Flushable& flushable) { flushable.unlist(); }

  // Whether this turn has a heavy step left; who gets none may wait for one: `ready` runs in a
  // later turn, when its place in the queue has come. Of a turn's steps a quarter is left for who
  // has not waited; those that are quickly done go before the others, which have a quarter, too.
  enum class HeavyStep : std::uint8_t { kQuick, kUsual };
  bool take_heavy_step();
  void await_heavy_step(Ready& ready, HeavyStep step) {
    (step == HeavyStep::kQuick ? quick_steps_due_ : usual_steps_due_).push(ready);
  }
  void push_next_turn(Ready& ready) { next_turn_.push(ready); }

  // To be awaited: goes on in the next turn.
  class NextTurn {
   public:
    explicit NextTurn(Loop& loop) : loop_(loop) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
      waiter_.set_coroutine(coroutine);
      loop_.push_next_turn(waiter_);
    }
    void await_resume() const {}

   private:
    Loop& loop_;
    Waiter waiter_;
  };
  NextTurn next_turn() { return NextTurn(*this); }

  // To be awaited before a connection is taken down: goes on at once, but in a turn in which many
  // have ended already, when its place in the queue has come. So a crowd that leaves holds up
  // nobody else.
  class Ending {
   public:
    explicit Ending(Loop& loop) : loop_(loop) {}
    bool await_ready() const { return loop_.take_ending(); }
    void await_suspend(std::coroutine_handle<> coroutine) {
      waiter_.set_coroutine(coroutine);
      loop_.endings_due_.push(waiter_);
    }
    void await_resume() const {}

   private:
    Loop& loop_;
    Waiter waiter_;
  };
  Ending ending() { return Ending(*this); }
  void limit_endings(unsigned most) { endings_most_ = most; }  // for tests

  Kernel& kernel() { return kernel_; }
  ReadyList& ready() { return ready_; }
  // Memory for what lives on this loop's thread, coroutine frames first of all.
  BlockPool& frames() { return frames_; }
  TimerWheel& timers() { return timers_; }
  Clock::time_point now() const { return now_; }
  const LoopCounters& counters() const { return counters_; }  // for any thread

  // Requests whose terminal completion is outstanding.
  std::size_t in_flight() const { return in_flight_; }

  // The loop's buffers, set once before the first turn.
  void set_receive_buffers(ReceiveBuffers& buffers) { buffers_ = &buffers; }
  // Precondition: they were set.
  ReceiveBuffers& receive_buffers() const { return *buffers_; }

 private:
  std::optional<std::chrono::nanoseconds> wait_limit(
      std::optional<std::chrono::nanoseconds> limit) const;
  void dispatch();
  void begin_heavy_steps();
  void begin_endings();
  bool take_ending();
  void flush();

  Kernel& kernel_;
  BlockPool frames_;
  ReadyList ready_;
  ReadyList next_turn_;
  ReadyList quick_steps_due_;
  ReadyList usual_steps_due_;
  ReadyList endings_due_;
  Clock::time_point now_;
  TimerWheel timers_;
  ReceiveBuffers* buffers_ = nullptr;
  List<Flushable> flushes_due_;
  LoopCounters counters_;
  std::size_t in_flight_ = 0;
  unsigned heavy_steps_ = 0;
  unsigned endings_ = 0;
  unsigned endings_most_ = kEndingsPerTurn;
  bool more_completions_ = false;
  bool stopping_ = false;
};

}  // namespace uring
