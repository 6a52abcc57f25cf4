#include "uring/loop.hh"

#include <algorithm>
#include <array>

namespace uring {
namespace {

// Completions of requests that nobody waits for (cancellations) carry no owner.
constexpr std::uint64_t kNobody = 0;

}  // namespace

Loop::Loop(Kernel& kernel) : kernel_(kernel), now_(kernel.now()), timers_(ready_, now_) {}

void Loop::run() {
  while (!stopping_) turn();
  turn();  // submits what was prepared last, and does not wait
}

std::optional<std::chrono::nanoseconds> Loop::wait_limit(
    std::optional<std::chrono::nanoseconds> limit) const {
  const bool steps_due = !quick_steps_due_.empty() || !usual_steps_due_.empty();
  if (!ready_.empty() || !next_turn_.empty() || steps_due || !endings_due_.empty() ||
      !flushes_due_.empty() || more_completions_ || stopping_) {
    return std::chrono::nanoseconds::zero();
  }
  const auto until_timer = timers_.until_next(now_);
  if (!until_timer) return limit;
  return limit ? std::min(*limit, *until_timer) : until_timer;
}

void Loop::turn(std::optional<std::chrono::nanoseconds> limit) {
  kernel_.submit_and_wait(wait_limit(limit));
  now_ = kernel_.now();
  ++counters_.turns;
  begin_heavy_steps();
  begin_endings();
  next_turn_.move_to(ready_);  // who has waited goes first
  dispatch();
  timers_.advance(now_);
  ready_.run(kReadyPerTurn);
  flush();
  if (buffers_ != nullptr) buffers_->feed_starved();
  counters_.longest.note(now_, kernel_.now() - now_);
}

// Those whose turn it is run first, and so find a step each. Some are left for work of other kinds.
void Loop::begin_heavy_steps() {
  heavy_steps_ = 0;
  const auto take = [&](ReadyList& due, unsigned most) {
    unsigned taken = 0;
    for (; taken < most && !due.empty(); ++taken) ready_.push(due.pop());
    return taken;
  };
  unsigned left = kHeavyStepsPerTurn - kHeavyStepsPerTurn / 4;
  left -= take(usual_steps_due_, kHeavyStepsPerTurn / 4);
  left -= take(quick_steps_due_, left);
  take(usual_steps_due_, left);
}

void Loop::begin_endings() {
  for (endings_ = 0; endings_ < endings_most_ && !endings_due_.empty(); ++endings_) {
    next_turn_.push(endings_due_.pop());
  }
}

bool Loop::take_ending() {
  if (endings_ == endings_most_ || !endings_due_.empty()) return false;
  ++endings_;
  return true;
}

void Loop::dispatch() {
  std::array<io_uring_cqe, kCompletionsPerTurn> completions;
  const std::size_t count = kernel_.take_completions(completions);
  more_completions_ = count == completions.size();
  counters_.completions += count;
  for (const io_uring_cqe& completion : std::span(completions).first(count)) {
    if (completion.user_data == kNobody) continue;
    Operation& operation = *reinterpret_cast<Operation*>(completion.user_data);
    CHECK(operation.in_flight_, "a request ended twice");
    if ((completion.flags & IORING_CQE_F_MORE) == 0) {
      operation.in_flight_ = false;
      --in_flight_;
    }
    operation.complete_.get()(operation, {completion.res, completion.flags});
  }
}

void Loop::flush() {
  // A flush may make another one due: that is for the next turn. What it asks of itself (sealing
  // appends, and asks for a flush) it does itself.
  List<Flushable> due;
  flushes_due_.move_to(due);
  while (!due.empty()) {
    Flushable& flushable = due.first();
    flushable.flush_.get()(flushable);
    flushable.unlist();
  }
}

io_uring_sqe& Loop::prepare(Operation& operation) {
  CHECK(!operation.in_flight_, "an operation carries one request at a time");
  io_uring_sqe& sqe = kernel_.next_sqe();
  sqe = {};
  sqe.user_data = reinterpret_cast<std::uint64_t>(&operation);
  operation.in_flight_ = true;
  ++in_flight_;
  return sqe;
}

void Loop::cancel(Operation& target) {
  if (!target.in_flight_) return;
  io_uring_sqe& sqe = kernel_.next_sqe();
  sqe = {};
  io_uring_prep_cancel64(&sqe, reinterpret_cast<std::uint64_t>(&target), 0);
  sqe.user_data = kNobody;
}

bool Loop::take_heavy_step() {
  if (heavy_steps_ == kHeavyStepsPerTurn) return false;
  ++heavy_steps_;
  return true;
}

}  // namespace uring
