// Whoever is to go goes evenly, whatever the others do and however coarse the time is.
#include "gateway/shard/pace.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace {

using namespace std::chrono_literals;
using gateway::Pace;
using Time = Pace::Time;

constexpr Time kStart = Time(1000h);

// How many go in each second, where somebody looks every `grain`.
class Crowd {
 public:
  Crowd(std::size_t size, std::chrono::milliseconds over) : left_(size), pace_(kStart, over) {}

  void run_until(Time end, std::chrono::milliseconds grain) {
    for (; now_ < end + grain; now_ += grain) go_if_due();
  }
  void leave(std::size_t count) { left_ -= count; }
  void join(std::size_t count) {
    if (left_ == 0) pace_.note_alone(now_);
    left_ += count;
  }
  void stand_still(std::chrono::milliseconds time) { now_ += time; }

  std::size_t left() const { return left_; }
  const std::vector<std::size_t>& seconds() const { return seconds_; }

 private:
  void go_if_due() {
    while (left_ > 0 && pace_.next() <= now_) {
      pace_.note_gone(now_, left_);
      --left_;
      const auto second = static_cast<std::size_t>((now_ - kStart) / 1s);
      seconds_.resize(std::max(seconds_.size(), second + 1));
      ++seconds_[second];
    }
  }

  std::size_t left_;
  Pace pace_;
  Time now_ = kStart;
  std::vector<std::size_t> seconds_;
};

TEST(Pace, LetsTheFirstOneGoAtOnceAndEachOtherInItsTurn) {
  Pace pace(kStart, 10s);
  for (int gone = 0; gone < 5; ++gone) {
    EXPECT_EQ(pace.next(), kStart + gone * 2s);
    pace.note_gone(pace.next(), static_cast<std::size_t>(5 - gone));
  }
  EXPECT_EQ(pace.next(), kStart + 10s) << "nobody is left then";
}

TEST(Pace, IsEvenHoweverCoarseTheTimeIs) {
  for (const auto grain : {1ms, 8ms, 37ms}) {
    Crowd crowd(5000, 20s);
    crowd.run_until(kStart + 20s, grain);
    EXPECT_EQ(crowd.left(), 0u);
    for (std::size_t second = 0; second < 20; ++second) {
      EXPECT_NEAR(static_cast<double>(crowd.seconds().at(second)), 250, 10) << grain.count();
    }
  }
}

TEST(Pace, CountsThoseWhoGoByThemselves) {
  Crowd crowd(2000, 20s);
  crowd.run_until(kStart + 10s, 8ms);
  EXPECT_NEAR(static_cast<double>(crowd.left()), 1000, 10);
  crowd.leave(500);
  crowd.run_until(kStart + 20s, 8ms);
  EXPECT_EQ(crowd.left(), 0u);
  for (std::size_t second = 0; second < 20; ++second) {
    EXPECT_NEAR(static_cast<double>(crowd.seconds().at(second)), second < 10 ? 100 : 50, 3);
  }
}

TEST(Pace, IsFasterForThoseWhoJoin) {
  Crowd crowd(1000, 20s);
  crowd.run_until(kStart + 10s, 8ms);
  crowd.join(500);
  crowd.run_until(kStart + 20s, 8ms);
  EXPECT_EQ(crowd.left(), 0u);
  for (std::size_t second = 10; second < 20; ++second) {
    EXPECT_NEAR(static_cast<double>(crowd.seconds().at(second)), 100, 3);
  }
}

TEST(Pace, LetsWhoJoinsAloneGoAtOnce) {
  Crowd crowd(1, 20s);
  crowd.run_until(kStart + 3s, 8ms);
  EXPECT_EQ(crowd.left(), 0u);
  crowd.join(1);
  crowd.run_until(kStart + 3s + 8ms, 8ms);
  EXPECT_EQ(crowd.left(), 0u);
}

TEST(Pace, LetsAllGoAtOnceWhereThereIsNoTime) {
  Crowd crowd(1000, 0s);
  crowd.run_until(kStart + 1ms, 1ms);
  EXPECT_EQ(crowd.left(), 0u);
}

TEST(Pace, LetsWhoeverIsLateGoAtTheEnd) {
  Crowd crowd(10, 1s);
  crowd.run_until(kStart + 1s, 8ms);
  crowd.join(5);
  crowd.run_until(kStart + 1s + 16ms, 8ms);
  EXPECT_EQ(crowd.left(), 0u);
}

// A process that was stopped for a while does not send everybody away at once.
TEST(Pace, DoesNotMakeUpForAStandstill) {
  Crowd crowd(2000, 20s);
  crowd.run_until(kStart + 5s, 8ms);
  crowd.stand_still(5s);
  crowd.run_until(kStart + 20s, 8ms);
  EXPECT_EQ(crowd.left(), 0u);
  for (std::size_t second = 10; second < 20; ++second) {
    EXPECT_NEAR(static_cast<double>(crowd.seconds().at(second)), 150, 3) << second;
  }
}

}  // namespace
