// The wheel against a list of deadlines: never early, at most a slot late, and the loop neither
// sleeps over a deadline nor spins before one.
#include "uring/timer.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "tests/uring/dice.hh"

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using uring::Clock;
using uring::ReadyList;
using uring::TimerWheel;

namespace {

constexpr Clock::time_point kStart{hours(5) + nanoseconds(12'345)};
constexpr auto kSlot = TimerWheel::kSlot;

// A timer with what a list would know of it.
class Alarm {
 public:
  explicit Alarm(TimerWheel& wheel) : timer_(*this, wheel) {}

  void arm(Clock::time_point now, Clock::time_point deadline) {
    timer_.arm(deadline);
    deadline_ = deadline;
    latest_ =
        deadline < Clock::time_point::max() - kSlot ? std::max(deadline, now) + kSlot : deadline;
  }
  void disarm() {
    timer_.disarm();
    deadline_.reset();
  }
  bool armed() const { return deadline_.has_value(); }
  bool timer_armed() const { return timer_.armed(); }
  Clock::time_point latest() const { return latest_; }
  unsigned times() const { return times_; }

  // After the wheel went to `now` and the ready list ran.
  void check(Clock::time_point now) {
    if (std::exchange(fired_, false)) {
      ASSERT_TRUE(deadline_.has_value()) << "fired without being armed";
      EXPECT_LE(*deadline_, now) << "fired early";
      deadline_.reset();
    } else if (deadline_) {
      EXPECT_LT(now, latest_) << "did not fire";
    }
    EXPECT_EQ(timer_.armed(), armed());
  }

 private:
  void on_expired() {
    fired_ = true;
    ++times_;
  }
  uring::TimerMember<&Alarm::on_expired> timer_;
  std::optional<Clock::time_point> deadline_;
  Clock::time_point latest_;
  unsigned times_ = 0;
  bool fired_ = false;
};

nanoseconds any_duration(Dice& dice) {
  constexpr std::size_t kDay = 86'400'000'000'000;
  const nanoseconds drawn(dice.of_any_size(0, 1000) * dice.of_any_size(1, kDay / 500));
  return dice.chance(5) ? nanoseconds(hours(100)) + drawn : drawn;
}

void run_all(ReadyList& ready) {
  ready.run(std::numeric_limits<std::size_t>::max());
}

TEST(TimerWheel, FiresNeitherEarlyNorMoreThanASlotLate) {
  for_each_seed(20, [](std::uint64_t seed) {
    Dice dice(seed);
    ReadyList ready;
    TimerWheel wheel(ready, kStart);
    std::deque<Alarm> alarms;
    for (int count = 0; count < 50; ++count) alarms.emplace_back(wheel);
    Clock::time_point now = kStart;
    for (int step = 0; step < 400; ++step) {
      Alarm& alarm = alarms[dice.between(0, alarms.size() - 1)];
      if (dice.chance(10)) {
        alarm.disarm();
      } else {
        alarm.arm(now, now + any_duration(dice) - milliseconds(dice.between(0, 20)));
      }
      if (dice.chance(30)) continue;
      now += dice.chance(80) ? nanoseconds(dice.of_any_size(0, 1'000'000'000)) : any_duration(dice);
      wheel.advance(now);
      run_all(ready);
      for (Alarm& other : alarms) other.check(now);
      if (testing::Test::HasFailure()) return;
    }
    for (Alarm& alarm : alarms) alarm.disarm();
    EXPECT_FALSE(wheel.until_next(now).has_value());
  });
}

TEST(TimerWheel, NamesAWaitThatIsNeitherTooLongNorNothing) {
  for_each_seed(20, [](std::uint64_t seed) {
    Dice dice(seed);
    ReadyList ready;
    TimerWheel wheel(ready, kStart);
    std::deque<Alarm> alarms;
    Clock::time_point now = kStart + nanoseconds(dice.of_any_size(0, 10'000'000'000));
    wheel.advance(now);
    for (std::size_t count = dice.between(1, 8); count > 0; --count) {
      alarms.emplace_back(wheel).arm(now, now + any_duration(dice) / 100);
    }
    const auto armed = [](const Alarm& alarm) { return alarm.armed(); };
    while (std::ranges::any_of(alarms, armed)) {
      const auto wait = wheel.until_next(now);
      ASSERT_TRUE(wait.has_value());
      ASSERT_GT(wait->count(), 0) << "the loop would spin";
      for (const Alarm& alarm : alarms) {
        if (!alarm.armed()) continue;
        ASSERT_LE(now + *wait, alarm.latest()) << "the loop would oversleep";
      }
      now += *wait;
      wheel.advance(now);
      run_all(ready);
      for (Alarm& alarm : alarms) alarm.check(now);
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_FALSE(wheel.until_next(now).has_value());
  });
}

TEST(TimerWheel, WakesRarelyForAFarDeadline) {
  ReadyList ready;
  TimerWheel wheel(ready, kStart);
  Alarm alarm(wheel);
  Clock::time_point now = kStart;
  alarm.arm(now, now + hours(1));
  unsigned wakes = 0;
  for (; alarm.armed(); ++wakes) {
    now += wheel.until_next(now).value();
    wheel.advance(now);
    run_all(ready);
    alarm.check(now);
  }
  // At its deadline, and when it goes to a finer level.
  EXPECT_LE(wakes, 4u);
}

TEST(TimerWheel, KeepsDeadlinesBeyondItsLastLevel) {
  ReadyList ready;
  TimerWheel wheel(ready, kStart);
  Alarm far(wheel);
  Alarm never(wheel);
  far.arm(kStart, kStart + hours(24 * 30));
  never.arm(kStart, Clock::time_point::max());
  wheel.advance(kStart + hours(24 * 30) - kSlot);
  run_all(ready);
  EXPECT_EQ(far.times(), 0u);
  wheel.advance(kStart + hours(24 * 30) + kSlot);
  run_all(ready);
  EXPECT_EQ(far.times(), 1u);
  EXPECT_TRUE(never.timer_armed());
}

class Repeating {
 public:
  explicit Repeating(TimerWheel& wheel) : timer_(*this, wheel) {}
  void arm(Clock::time_point deadline) {
    deadline_ = deadline;
    timer_.arm(deadline);
  }
  unsigned times() const { return times_; }

 private:
  void on_expired() {
    ++times_;
    arm(deadline_ + milliseconds(50));
  }
  uring::TimerMember<&Repeating::on_expired> timer_;
  Clock::time_point deadline_;
  unsigned times_ = 0;
};

TEST(Timer, CanBeArmedAgainFromItsOwnExpiry) {
  ReadyList ready;
  TimerWheel wheel(ready, kStart);
  Repeating repeating(wheel);
  repeating.arm(kStart + milliseconds(50));
  for (auto now = kStart; now <= kStart + milliseconds(1010); now += milliseconds(1)) {
    wheel.advance(now);
    run_all(ready);
  }
  EXPECT_EQ(repeating.times(), 20u);
}

TEST(Timer, ThatIsArmedAnewForgetsItsOldDeadline) {
  ReadyList ready;
  TimerWheel wheel(ready, kStart);
  Alarm alarm(wheel);
  alarm.arm(kStart, kStart + milliseconds(10));
  alarm.arm(kStart, kStart + hours(1));
  wheel.advance(kStart + hours(1) - kSlot);
  run_all(ready);
  EXPECT_EQ(alarm.times(), 0u);
  wheel.advance(kStart + hours(1) + kSlot);
  run_all(ready);
  EXPECT_EQ(alarm.times(), 1u);
}

TEST(TimerWheel, ExpiresInTheOrderOfTheDeadlines) {
  for_each_seed(20, [](std::uint64_t seed) {
    Dice dice(seed);
    ReadyList ready;
    TimerWheel wheel(ready, kStart);
    std::vector<Clock::time_point> expired;
    struct Noting {
      Noting(TimerWheel& of, Clock::time_point at, std::vector<Clock::time_point>& to)
          : deadline(at), expired(to), timer(*this, of) {
        timer.arm(deadline);
      }
      void on_expired() { expired.push_back(deadline); }
      Clock::time_point deadline;
      std::vector<Clock::time_point>& expired;
      uring::TimerMember<&Noting::on_expired> timer;
    };
    std::deque<Noting> timers;
    for (int count = 0; count < 100; ++count) {
      const auto deadline = kStart + kSlot * dice.of_any_size(0, 1'000'000);
      timers.emplace_back(wheel, deadline, expired);
      if (!dice.chance(50)) continue;
      // Put off while it is armed.
      Noting& later = timers.back();
      later.deadline += kSlot * dice.of_any_size(0, 1'000'000);
      later.timer.arm(later.deadline);
    }
    wheel.advance(kStart + hours(24 * 365));
    run_all(ready);
    EXPECT_EQ(expired.size(), timers.size());
    EXPECT_TRUE(std::ranges::is_sorted(expired));
  });
}

TEST(Timer, CanDieArmed) {
  ReadyList ready;
  TimerWheel wheel(ready, kStart);
  Alarm other(wheel);
  {
    Alarm alarm(wheel);
    other.arm(kStart, kStart + milliseconds(10));
    alarm.arm(kStart, kStart + milliseconds(10));
  }
  wheel.advance(kStart + milliseconds(30));
  run_all(ready);
  EXPECT_EQ(other.times(), 1u);
}

}  // namespace
