// Letters to a loop: each one arrives once and in order, or is refused, whenever they are posted
// and whenever the owner begins, looks or closes.
#include "uring/mailbox.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/uring/real_ring.hh"

using uring::Bell;
using uring::Mailbox;

namespace {

constexpr std::size_t kRoom = 8;

// A loop's end of it.
template <class Ring>
class Letters final : public uring::BellOwner {
 public:
  explicit Letters(Ring& ring, std::size_t room = kRoom)
      : ring_(ring), bell(ring.loop, *this), mailbox(bell, room) {
    EXPECT_EQ(bell.open(), 0);
  }
  ~Letters() {
    uring::Task<> stopping = bell.stop();
    stopping.start();
    EXPECT_TRUE(ring_.turn_until([&] { return stopping.done(); }));
  }
  void rung() override {
    ++times_rung;
    for (const int letter : mailbox.take()) got.push_back(letter);
  }
  void close() {
    for (const int letter : mailbox.close()) got.push_back(letter);
  }

 private:
  Ring& ring_;

 public:
  Bell bell;
  Mailbox<int> mailbox;
  std::vector<int> got;
  unsigned times_rung = 0;
};

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int number = 0; number < count; ++number) all.push_back(number);
  return all;
}

TEST(Mailbox, DeliversOrRefusesEveryLetterOnce) {
  for_each_seed(300, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Dice& dice = simulation.dice();
    std::vector<int> accepted;
    {
      Letters letters(simulation);
      int next = 0;
      const auto post = [&] {
        for (std::size_t burst = dice.between(0, 4); burst > 0; --burst, ++next) {
          if (letters.mailbox.post(next)) accepted.push_back(next);
        }
      };
      post();  // nobody listens yet
      letters.bell.start();
      for (std::size_t turns = dice.between(0, 40); turns > 0; --turns) {
        post();
        simulation.loop.turn(std::chrono::milliseconds(1));
      }
      if (dice.chance(50)) letters.close();
      post();
      EXPECT_TRUE(simulation.turn_until([&] { return letters.got.size() >= accepted.size(); }));
      EXPECT_EQ(letters.got, accepted);
      letters.close();
      EXPECT_FALSE(letters.mailbox.post(next));
    }
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
  });
}

TEST(Mailbox, RefusesWhatItHasNoRoomFor) {
  Simulation simulation(1, {.calm = true});
  Letters letters(simulation);
  for (int letter = 0; letter < static_cast<int>(kRoom); ++letter) {
    EXPECT_TRUE(letters.mailbox.post(letter));
  }
  EXPECT_FALSE(letters.mailbox.post(-1));
  letters.bell.start();
  EXPECT_TRUE(simulation.turn_until([&] { return letters.got.size() == kRoom; }));
  EXPECT_TRUE(letters.mailbox.post(static_cast<int>(kRoom)));
  EXPECT_TRUE(simulation.turn_until([&] { return letters.got.size() == kRoom + 1; }));
  EXPECT_EQ(letters.got, numbers(kRoom + 1));
}

TEST(Mailbox, RingsOnceForWhatIsTakenAtOnce) {
  Simulation simulation(1, {.calm = true});
  Letters letters(simulation);
  letters.bell.start();
  for (int letter = 0; letter < 5; ++letter) EXPECT_TRUE(letters.mailbox.post(letter));
  EXPECT_TRUE(simulation.turn_until([&] { return letters.got.size() == 5; }));
  EXPECT_EQ(letters.times_rung, 1u);
}

TEST(Mailbox, MayShareItsBellWithOthers) {
  Simulation simulation(1, {.calm = true});
  Letters letters(simulation);
  Mailbox<int> other(letters.bell, 1);
  letters.bell.start();
  EXPECT_TRUE(other.post(1));
  EXPECT_TRUE(simulation.turn_until([&] { return letters.times_rung == 1; }));
  EXPECT_TRUE(letters.got.empty());
  EXPECT_EQ(other.take().size(), 1u);
}

TEST(Mailbox, StopsAtAnyMoment) {
  for_each_seed(200, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Dice& dice = simulation.dice();
    {
      Letters letters(simulation);
      if (dice.chance(90)) letters.bell.start();
      for (std::size_t turns = dice.between(0, 5); turns > 0; --turns) {
        if (dice.chance(50)) letters.bell.ring();
        simulation.loop.turn(std::chrono::milliseconds(dice.between(0, 2)));
      }
      if (dice.chance(50)) letters.bell.ring();
    }
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
  });
}

// Two threads post as fast as they can while a third one takes, and closes before they are done.
TEST(RealMailbox, LosesNothingBetweenThreads) {
  constexpr int kThreads = 2;
  constexpr int kLetters = 2000;
  RealRing ring;
  Letters letters(ring);
  std::atomic<int> accepted{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int letter = 0; letter < kLetters; ++letter) {
        ++(letters.mailbox.post(letter * kThreads + thread) ? accepted : refused);
      }
    });
  }
  letters.bell.start();
  // More than fit in at once; unless all were refused but the first, before this thread looked.
  EXPECT_TRUE(ring.turn_until([&] {
    return letters.got.size() > kRoom || accepted + refused == kThreads * kLetters;
  }));
  letters.close();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted + refused, kThreads * kLetters);
  EXPECT_EQ(letters.got.size(), static_cast<std::size_t>(accepted));
  std::vector<int> last(kThreads, -1);
  for (const int letter : letters.got) {
    EXPECT_GT(letter, std::exchange(last[static_cast<std::size_t>(letter % kThreads)], letter));
  }
}

struct BareRing {
  template <class Condition>
  bool turn_until(Condition condition) {
    return ::turn_until(loop, 20'000, condition, [] {});
  }
  uring::Loop loop;
};

// What a ring that is not enabled yet would refuse.
TEST(RealMailbox, KeepsWhatCameBeforeTheRingRuns) {
  auto kernel = uring::IoUringKernel::create({.submissions = 4, .completions = 8});
  ASSERT_TRUE(kernel.has_value()) << kernel.error();
  BareRing ring{uring::Loop(**kernel)};
  Letters letters(ring);
  EXPECT_TRUE(letters.mailbox.post(7));
  (*kernel)->enable();
  letters.bell.start();
  EXPECT_TRUE(ring.turn_until([&] { return !letters.got.empty(); }));
  EXPECT_EQ(letters.got, std::vector<int>{7});
}

}  // namespace
