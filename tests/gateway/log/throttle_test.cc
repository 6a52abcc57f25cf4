// What a stranger may cause of log lines, and what is said of the rest.
#include "gateway/log/throttle.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/log/render.hh"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A throttle in a world whose clock the test moves.
class ThrottleTest : public testing::Test {
 protected:
  bool admit(std::string_view cause, LogLevel level = LogLevel::info,
             Throttle::Rate rate = Throttle::kUsual) {
    return throttle_.admit(level, cause, now_, rate);
  }
  // How many of `tries` lines were let through.
  unsigned admitted(std::string_view cause, unsigned tries) {
    unsigned count = 0;
    while (tries-- > 0) count += admit(cause) ? 1 : 0;
    return count;
  }
  // Time passes, and the loop runs what is due.
  void pass(milliseconds time) {
    now_ += time;
    wheel_.advance(now_);
    ready_.run(100);
  }
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    ring_.drain([&](const LogRing::Record& record) {
      lines.push_back(fmt::format("{} {}", name_of(record.level), text_of(record)));
    });
    return lines;
  }

  // A deadline may be met a slot later.
  static constexpr milliseconds kInterval = Throttle::kUsual.interval + uring::TimerWheel::kSlot;

  uring::Clock::time_point now_{seconds(1000)};
  LogRing ring_{"shard=0", 64 * 1024};
  uring::ReadyList ready_;
  uring::TimerWheel wheel_{ready_, now_};
  Throttle throttle_{Log(ring_, LogLevel::info), wheel_};
};

TEST_F(ThrottleTest, LetsSoManyLinesThroughAndCountsTheRest) {
  EXPECT_EQ(admitted("no shared group", 47), Throttle::kUsual.lines);
  EXPECT_THAT(told(), IsEmpty());
  pass(kInterval);
  EXPECT_THAT(told(), ElementsAre("info left out lines=37 seconds=10 cause=\"no shared group\""));
  EXPECT_FALSE(wheel_.until_next(now_)) << "at rest no timer is armed";
  EXPECT_EQ(admitted("no shared group", 47), Throttle::kUsual.lines) << "a new interval";
}

TEST_F(ThrottleTest, SaysNothingWhereNothingWasLeftOut) {
  EXPECT_EQ(admitted("no shared group", 10), 10u);
  pass(kInterval);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ThrottleTest, KeepsCausesApart) {
  EXPECT_EQ(admitted("one", 20), 10u);
  pass(seconds(4));
  EXPECT_EQ(admitted("two", 15), 10u);
  EXPECT_EQ(admitted("one", 1), 0u);
  pass(seconds(6) + uring::TimerWheel::kSlot);
  EXPECT_THAT(told(), ElementsAre("info left out lines=11 seconds=10 cause=\"one\""));
  EXPECT_EQ(admitted("two", 1), 0u) << "its interval goes on";
  pass(seconds(4));
  EXPECT_THAT(told(), ElementsAre("info left out lines=6 seconds=10 cause=\"two\""));
}

TEST_F(ThrottleTest, EndsAnIntervalThatTheTimerHasYetToNotice) {
  EXPECT_EQ(admitted("one", 12), 10u);
  now_ += Throttle::kUsual.interval;
  EXPECT_EQ(admitted("one", 12), 10u);
  EXPECT_THAT(told(), ElementsAre("info left out lines=2 seconds=10 cause=\"one\""));
  pass(kInterval);
  EXPECT_THAT(told(), ElementsAre("info left out lines=2 seconds=10 cause=\"one\""));
}

TEST_F(ThrottleTest, TakesARateOfTheCausesOwn) {
  const Throttle::Rate rare{1, seconds(60)};
  EXPECT_TRUE(admit("said nothing", LogLevel::info, rare));
  pass(seconds(30));
  EXPECT_FALSE(admit("said nothing", LogLevel::info, rare));
  EXPECT_EQ(admitted("another", 11), 10u);
  pass(seconds(11));
  EXPECT_THAT(told(), ElementsAre("info left out lines=1 seconds=10 cause=\"another\""));
  pass(seconds(20));
  EXPECT_THAT(told(), ElementsAre("info left out lines=1 seconds=60 cause=\"said nothing\""));
}

TEST_F(ThrottleTest, IsBoundedHoweverManyCausesThereAre) {
  const auto cause = [](size_t number) { return "cause " + std::to_string(number); };
  for (size_t number = 0; number < Throttle::kCausesMax - 1; ++number) {
    EXPECT_EQ(admitted(cause(number), 10), 10u) << number;
  }
  unsigned others = 0;
  for (size_t number = 1000; number < 11000; ++number) others += admitted(cause(number), 1);
  EXPECT_EQ(others, Throttle::kUsual.lines) << "they count as one";
  EXPECT_EQ(admitted(cause(0), 1), 0u) << "those before stay apart";
  pass(kInterval);
  EXPECT_THAT(told(), ElementsAre("info left out lines=1 seconds=10 cause=\"cause 0\"",
                                  "info left out lines=9990 seconds=10 cause=\"(other causes)\""));
  EXPECT_EQ(admitted(cause(1000), 20), 10u) << "there is room again";
}

TEST_F(ThrottleTest, TellsALongCauseByItsFirstBytes) {
  const std::string same(Throttle::kCauseBytesMax, 'c');
  EXPECT_EQ(admitted(same + "1", 10), 10u);
  EXPECT_EQ(admitted(same + "2", 1), 0u);
  pass(kInterval);
  EXPECT_THAT(told(), ElementsAre("info left out lines=1 seconds=10 cause=\"" + same + "\""));
}

TEST_F(ThrottleTest, TellsAtTheMostSeriousLevelThatWasLeftOut) {
  EXPECT_EQ(admitted("one", 11), 10u);
  EXPECT_FALSE(admit("one", LogLevel::warning));
  pass(kInterval);
  EXPECT_THAT(told(), ElementsAre("warning left out lines=2 seconds=10 cause=\"one\""));
}

TEST_F(ThrottleTest, CountsNothingThatTheLogDoesNotWant) {
  for (int tries = 0; tries < 20; ++tries) EXPECT_FALSE(admit("one", LogLevel::debug));
  pass(kInterval);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ThrottleTest, TellsEverythingAtTheEnd) {
  EXPECT_EQ(admitted("one", 11), 10u);
  EXPECT_EQ(admitted("two", 12), 10u);
  throttle_.tell_all();
  EXPECT_THAT(told(), SizeIs(2));
  EXPECT_FALSE(wheel_.until_next(now_));
  throttle_.tell_all();
  EXPECT_THAT(told(), IsEmpty());
}

}  // namespace
}  // namespace gateway
