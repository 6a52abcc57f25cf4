// Passwords that are compared by threads beside a shard: what it hears of them, what it remembers,
// and who is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "gateway/shard/password_desk.hh"
#include "tests/uring/real_ring.hh"

namespace gateway {
namespace {

// Of "open sesame", in a few milliseconds and in some 250.
const std::string kQuick = "$2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy";
const std::string kSlow = "$2b$12$abcdefghijklmnopqrstuuq2uHH4t8IjTa8PV9VUUF1vssBH6WaR2";

PasswordDesk::Entry entry(std::string_view password, const std::string& hash = kQuick) {
  return {"alice", password, hash};
}

class Stand final : public uring::BellOwner {
 public:
  Stand() {
    EXPECT_EQ(bell_.open(), 0);
    bell_.start();
  }
  ~Stand() {
    desk.close();
    uring::Task<> stopping = bell_.stop();
    stopping.start();
    EXPECT_TRUE(ring_.turn_until([&] { return stopping.done(); }));
  }
  void rung() override { desk.take_answers(); }

  // Whoever asks and waits to the end.
  uring::Task<> ask(PasswordDesk::Entry asked, std::optional<bool>& right) {
    PasswordDesk::Wait wait(desk);
    if (!desk.ask(wait, asked)) co_return;
    waiting.push_back(&wait);
    co_await wait.over();
    right = wait.was_right();
  }
  bool turn_until(const std::function<bool()>& done) { return ring_.turn_until(done); }
  uring::BlockPool& frames() { return ring_.loop.frames(); }

 private:
  RealRing ring_{false};
  uring::Bell bell_{ring_.loop, *this};

 public:
  PasswordWorkers workers;
  PasswordDesk desk{ring_.loop, bell_, &workers};
  std::vector<PasswordDesk::Wait*> waiting;  // of those who have asked
};

TEST(Passwords, AreRightOrWrong) {
  const struct {
    const char* password;
    std::string hash;
    bool expected;
  } cases[] = {
      {"open sesame", kQuick, true}, {"open sesame ", kQuick, false}, {"", kQuick, false},
      {"open sesame", "*0", false},  {"open sesame", "", false},
  };
  Stand stand;
  for (const auto& each : cases) {
    std::optional<bool> right;
    uring::Task<> task = stand.ask(entry(each.password, each.hash), right);
    task.start();
    ASSERT_TRUE(stand.turn_until([&] { return task.done(); }));
    EXPECT_EQ(right, each.expected) << each.password << " " << each.hash;
  }
}

TEST(Passwords, AreRememberedWithAllThatTheyWereComparedWith) {
  Stand stand;
  EXPECT_FALSE(stand.desk.remembers(entry("open sesame")));
  stand.desk.remember(entry("open sesame"));
  EXPECT_TRUE(stand.desk.remembers(entry("open sesame")));
  EXPECT_FALSE(stand.desk.remembers(entry("open sesam")));
  EXPECT_FALSE(stand.desk.remembers(entry("open sesame", kSlow)));
  EXPECT_FALSE(stand.desk.remembers({"bob", "open sesame", kQuick}));
  EXPECT_FALSE(stand.desk.remembers({"alic", "eopen sesame", kQuick}));
}

TEST(Passwords, OnlySoManyAreRemembered) {
  Stand stand;
  for (std::size_t count = 0; count <= PasswordDesk::kRememberedMax; ++count) {
    stand.desk.remember(entry("p" + std::to_string(count)));
  }
  std::size_t known = 0;
  for (std::size_t count = 0; count <= PasswordDesk::kRememberedMax; ++count) {
    known += stand.desk.remembers(entry("p" + std::to_string(count))) ? 1 : 0;
  }
  EXPECT_LE(known, PasswordDesk::kRememberedMax);
  EXPECT_TRUE(stand.desk.remembers(entry("p" + std::to_string(PasswordDesk::kRememberedMax))));
}

TEST(Passwords, TooManyAreRefusedAndThoseGivenUpMakeRoom) {
  Stand stand;
  std::vector<std::optional<bool>> right(1000);
  std::vector<uring::Task<>> tasks;
  const auto begun = std::chrono::steady_clock::now();
  for (std::optional<bool>& one : right) {
    tasks.push_back(stand.ask(entry("wrong", kSlow), one));
    tasks.back().start();
    if (tasks.back().done()) break;
  }
  EXPECT_TRUE(tasks.back().done()) << "it is refused";
  EXPECT_GE(tasks.size(), PasswordWorkers::kWaitingMax + 1);
  // Whoever is answered meanwhile makes room; that takes a quarter of a second.
  const auto answered = PasswordWorkers::kThreads *
                        static_cast<std::size_t>((std::chrono::steady_clock::now() - begun) /
                                                 std::chrono::milliseconds(50));
  EXPECT_LE(tasks.size(), PasswordWorkers::kWaitingMax + PasswordWorkers::kThreads + 1 + answered);
  for (PasswordDesk::Wait* const one : stand.waiting) one->give_up();
  const auto is_done = [](const uring::Task<>& one) { return one.done(); };
  ASSERT_TRUE(stand.turn_until([&] { return std::ranges::all_of(tasks, is_done); }));
  // Two are still being compared, and nobody knows of the others when they are looked at.
  std::optional<bool> last;
  while (!last) {
    uring::Task<> task = stand.ask(entry("open sesame"), last);
    task.start();
    ASSERT_TRUE(stand.turn_until([&] { return task.done(); }));
  }
  EXPECT_EQ(last, true);
}

TEST(Passwords, WhoIsGivenUpGoesOn) {
  Stand stand;
  std::optional<bool> right;
  uring::Task<> task = stand.ask(entry("open sesame", kSlow), right);
  task.start();
  stand.waiting.front()->give_up();
  ASSERT_TRUE(stand.turn_until([&] { return task.done(); }));
  EXPECT_EQ(right, false);
}

}  // namespace
}  // namespace gateway
