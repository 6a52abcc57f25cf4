// Timers in the turn of their expiry: between the wheel, which has found them due, and the ready
// list, which is still to run them, whatever becomes of them counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "tests/uring/dice.hh"
#include "uring/timer.hh"

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using uring::Clock;
using uring::ReadyList;
using uring::TimerWheel;

namespace {

constexpr Clock::time_point kStart{hours(5) + nanoseconds(12'345)};
constexpr auto kSlot = TimerWheel::kSlot;

class Alarm {
 public:
  explicit Alarm(TimerWheel& wheel) : timer_(*this, wheel) {}
  void arm(Clock::time_point deadline) { timer_.arm(deadline); }
  void disarm() { timer_.disarm(); }
  unsigned times() const { return times_; }

 private:
  void on_expired() { ++times_; }
  uring::TimerMember<&Alarm::on_expired> timer_;
  unsigned times_ = 0;
};

// One clock, some timers, and what happens when they expire.
struct Turns {
  ReadyList ready;
  TimerWheel wheel{ready, kStart};
  Clock::time_point now = kStart;

  // What expires by then is due to run, and does not run yet.
  void go_to(Clock::time_point time) {
    now = time;
    wheel.advance(now);
  }
  void run() { ready.run(std::numeric_limits<std::size_t>::max()); }
};

TEST(Timer, ThatIsDisarmedInTheTurnOfItsExpiryDoesNotFire) {
  Turns turns;
  Alarm alarm(turns.wheel);
  alarm.arm(kStart + milliseconds(10));
  turns.go_to(kStart + milliseconds(30));
  alarm.disarm();
  turns.run();
  EXPECT_EQ(alarm.times(), 0u);
}

TEST(Timer, ThatIsArmedAnewInTheTurnOfItsExpiryFiresAtTheNewDeadlineOnly) {
  Turns turns;
  Alarm alarm(turns.wheel);
  alarm.arm(kStart + milliseconds(10));
  turns.go_to(kStart + milliseconds(30));
  alarm.arm(kStart + milliseconds(100));
  turns.run();
  EXPECT_EQ(alarm.times(), 0u);
  turns.go_to(kStart + milliseconds(120));
  turns.run();
  EXPECT_EQ(alarm.times(), 1u);
}

TEST(Timer, CanDieInTheTurnOfItsExpiry) {
  Turns turns;
  Alarm before(turns.wheel);
  std::optional<Alarm> dying(std::in_place, turns.wheel);
  Alarm behind(turns.wheel);
  for (Alarm* alarm : {&before, &*dying, &behind}) {
    alarm->arm(kStart + milliseconds(10));
  }
  turns.go_to(kStart + milliseconds(30));
  dying.reset();
  turns.run();
  EXPECT_EQ(before.times(), 1u);
  EXPECT_EQ(behind.times(), 1u);
}

// Many alarms against a plain list of deadlines, where whoever expires disarms, arms and destroys
// any other, whether that one waits, is due in the same turn, or has run.
class Crowd {
 public:
  explicit Crowd(std::uint64_t seed) : dice_(seed) {
    for (std::size_t index = 0; index < kSize; ++index) {
      members_.push_back(std::make_unique<Member>(*this, index));
    }
  }

  void step() {
    for (std::size_t count = dice_.between(0, 5); count > 0; --count) change_any();
    turns_.go_to(turns_.now + (dice_.chance(90) ? nanoseconds(dice_.of_any_size(0, 100'000'000))
                                                : nanoseconds(dice_.of_any_size(0, kFar))));
    const bool all_run = dice_.chance(50);
    if (all_run) {
      turns_.run();
    } else {
      // A turn runs so many only: the others are still due in the next one.
      turns_.ready.run(dice_.between(1, kSize));
    }
    for (std::size_t index = 0; index < kSize; ++index) {
      const auto& due = due_[index];
      EXPECT_EQ(members_[index]->timer.armed(), due && turns_.now < *due) << index;
      EXPECT_FALSE(all_run && due && *due <= turns_.now) << "did not fire";
    }
  }

  void end() {
    members_.clear();
    EXPECT_TRUE(turns_.ready.empty());
    EXPECT_FALSE(turns_.wheel.until_next(turns_.now).has_value());
  }

 private:
  static constexpr std::size_t kSize = 40;
  static constexpr std::size_t kFar = 3'600'000'000'000;

  struct Member {
    Member(Crowd& crowd, std::size_t own_index)
        : owner(crowd), index(own_index), timer(*this, crowd.turns_.wheel) {}
    void on_expired() { owner.expired(index); }
    Crowd& owner;
    std::size_t index;
    uring::TimerMember<&Member::on_expired> timer;
  };

  void expired(std::size_t index) {
    ASSERT_TRUE(due_[index].has_value()) << "fired without being armed";
    EXPECT_LE(*due_[index], turns_.now) << "fired early";
    due_[index].reset();
    for (std::size_t count = dice_.between(0, 3); count > 0; --count) change_any();
  }

  void change_any() {
    const std::size_t index = dice_.between(0, kSize - 1);
    if (dice_.chance(30)) {
      members_[index]->timer.disarm();
      due_[index].reset();
    } else if (dice_.chance(10)) {
      members_[index] = std::make_unique<Member>(*this, index);
      due_[index].reset();
    } else {
      const auto deadline = turns_.now + nanoseconds(dice_.of_any_size(0, kFar)) - kSlot;
      members_[index]->timer.arm(deadline);
      // At the end of the slot that holds the deadline, or the present where that has passed.
      due_[index] = kStart + ((std::max(deadline, turns_.now) - kStart) / kSlot + 1) * kSlot;
    }
  }

  Dice dice_;
  Turns turns_;
  std::array<std::optional<Clock::time_point>, kSize> due_;  // none: it must not fire
  std::vector<std::unique_ptr<Member>> members_;
};

TEST(Timer, ObeysWhateverOthersDoToItInTheTurnOfItsExpiry) {
  for_each_seed(100, [](std::uint64_t seed) {
    Crowd crowd(seed);
    for (int step = 0; step < 300 && !testing::Test::HasFailure(); ++step) crowd.step();
    crowd.end();
  });
}

}  // namespace
