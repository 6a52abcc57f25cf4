// Whoever is to go goes evenly, whatever the others do and however coarse the time is.
#include "gateway/shard/pace.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using gateway::Pace;
using Time = Pace::Time;

constexpr Time kStart = Time(1000h);

// How many go in each second, where somebody looks every `grain`. One shard's, of so many.
class Crowd {
 public:
  Crowd(std::size_t size, std::chrono::milliseconds over)
      : Crowd(size, std::make_shared<Pace>(over, 1u)) {}
  Crowd(std::size_t size, std::shared_ptr<Pace> pace) : left_(size), pace_(std::move(pace)) {
    pace_->begin(kStart, size);
  }

  void run_until(Time end, std::chrono::milliseconds grain) {
    for (; now_ < end + grain; now_ += grain) go_if_due(now_);
  }
  void leave(std::size_t count) {
    for (; count > 0; --count, --left_) {
      left_ == 1 && turn_ ? turn_.reset() : pace_->leave();
    }
  }
  void join(std::size_t count) {
    for (; count > 0; --count, ++left_) pace_->join(now_);
    if (turn_) turn_ = std::min(*turn_, pace_->latest(now_));
  }
  void stand_still(std::chrono::milliseconds time) { now_ += time; }
  void go_if_due(Time now) {
    while (left_ > 0) {
      if (!turn_) turn_ = pace_->claim(now);
      if (*turn_ > now) return;
      turn_.reset();
      --left_;
      const auto second = static_cast<std::size_t>((now - kStart) / 1s);
      seconds_.resize(std::max(seconds_.size(), second + 1));
      ++seconds_[second];
    }
  }

  std::size_t left() const { return left_; }
  const std::vector<std::size_t>& seconds() const { return seconds_; }

 private:
  std::size_t left_;
  std::shared_ptr<Pace> pace_;
  std::optional<Time> turn_;
  Time now_ = kStart;
  std::vector<std::size_t> seconds_;
};

TEST(Pace, LetsTheFirstOneGoAtOnceAndEachOtherInItsTurn) {
  Pace pace(10s, 1);
  pace.begin(kStart, 5);
  for (int gone = 0; gone < 5; ++gone)
    EXPECT_EQ(pace.claim(kStart + gone * 2s), kStart + gone * 2s);
}

TEST(Pace, IsOneForAllShards) {
  struct Case {
    std::vector<std::size_t> sizes;
    std::chrono::seconds over;
  };
  const std::vector<std::size_t> singles(64, 1);
  const std::vector<std::size_t> uneven = {3, 120, 0, 77, 1, 240, 99, 60};
  for (const auto& [sizes, over] : {Case{singles, 16s}, Case{uneven, 20s}, Case{uneven, 300s}}) {
    const auto pace = std::make_shared<Pace>(over, static_cast<unsigned>(sizes.size()));
    std::vector<Crowd> shards;
    std::size_t all = 0;
    for (const std::size_t size : sizes) {
      EXPECT_FALSE(pace->is_ready(kStart)) << "a shard has not begun";
      shards.emplace_back(size, pace);
      all += size;
    }
    EXPECT_TRUE(pace->is_ready(kStart));
    for (Time now = kStart; now <= kStart + over; now += 10ms) {
      for (Crowd& shard : shards) shard.go_if_due(now);
    }
    std::vector<std::size_t> seconds(static_cast<std::size_t>(over.count()) + 1);
    for (const Crowd& shard : shards) {
      EXPECT_EQ(shard.left(), 0u);
      for (std::size_t second = 0; second < shard.seconds().size(); ++second)
        seconds.at(second) += shard.seconds()[second];
    }
    const double even = static_cast<double>(all) / static_cast<double>(over.count());
    for (std::size_t second = 0; second + 1 < seconds.size(); ++second) {
      EXPECT_NEAR(static_cast<double>(seconds[second]), even, 1.01) << second;
    }
  }
}

// Who was alone until then has the last turn.
TEST(Pace, SpreadsThoseWhoComeLate) {
  const auto pace = std::make_shared<Pace>(10s, 2u);
  Crowd first(1, pace);
  first.go_if_due(kStart + 1s);
  EXPECT_EQ(first.left(), 0u);
  Pace& shared = *pace;
  shared.begin(kStart + 1100ms, 890);
  Time last = kStart;
  for (int gone = 0; gone < 890; ++gone) {
    const Time turn = shared.claim(std::max(last, kStart + 1100ms));
    EXPECT_GE(turn - last, 9ms) << gone;
    EXPECT_LE(turn, kStart + 10s);
    last = turn;
  }
  EXPECT_GE(last, kStart + 9900ms);
}

TEST(Pace, SpreadsThoseWhoJoinBehindOne) {
  Crowd crowd(2, 10s);
  crowd.run_until(kStart + 100ms, 10ms);
  crowd.join(1000);
  crowd.run_until(kStart + 10s, 10ms);
  EXPECT_EQ(crowd.left(), 0u);
  for (std::size_t second = 1; second < 10; ++second)
    EXPECT_NEAR(static_cast<double>(crowd.seconds().at(second)), 101, 5) << second;
}

TEST(Pace, DoesNotWaitForEverForAShard) {
  Pace pace(10s, 2);
  pace.begin(kStart, 5);
  EXPECT_FALSE(pace.is_ready(kStart + 900ms));
  EXPECT_TRUE(pace.is_ready(kStart + 1s));
  EXPECT_TRUE(Pace(0s, 2).is_ready(kStart)) << "all go at once";
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
