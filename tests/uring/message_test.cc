// Messages between two loops on two threads: every one arrives, in order, with its value.
#include <latch>
#include <thread>

#include "tests/uring/real_ring.hh"

namespace {

constexpr int kMessages = 500;

class Mailbox {
 public:
  explicit Mailbox(uring::Loop& loop) : loop_(loop) {}
  uring::Operation& operation() { return operation_; }
  const std::vector<int>& values() const { return values_; }
  bool full() const { return values_.size() == kMessages; }
  // Sends what comes on to `to`, too.
  void answer(int descriptor, uring::Operation& to) {
    descriptor_ = descriptor;
    to_ = &to;
  }

 private:
  void on_message(uring::Completion completion) {
    values_.push_back(completion.result);
    if (to_ != nullptr) loop_.send_message(descriptor_, *to_, -completion.result);
  }
  uring::Loop& loop_;
  uring::OperationMember<&Mailbox::on_message> operation_{*this};
  std::vector<int> values_;
  uring::Operation* to_ = nullptr;
  int descriptor_ = -1;
};

TEST(Messages, GoBothWaysBetweenTwoThreads) {
  RealRing here;
  Mailbox answers(here.loop);
  Mailbox* there = nullptr;
  int there_descriptor = -1;
  std::latch ready(1);
  std::latch over(1);
  std::thread thread([&] {
    RealRing ring;
    Mailbox mailbox(ring.loop);
    mailbox.answer(here.kernel->descriptor(), answers.operation());
    there = &mailbox;
    there_descriptor = ring.kernel->descriptor();
    ready.count_down();
    EXPECT_TRUE(ring.turn_until([&] { return mailbox.full(); }));
    // One turn more submits the last answers.
    ring.loop.turn(std::chrono::milliseconds(0));
    over.wait();
    for (int value = 0; value < kMessages && mailbox.full(); ++value) {
      EXPECT_EQ(mailbox.values()[static_cast<std::size_t>(value)], value);
    }
  });
  ready.wait();
  int sent = 0;
  EXPECT_TRUE(here.turn_until([&] { return answers.full(); },
                              [&] {
                                for (int burst = 0; burst < 20 && sent < kMessages; ++burst) {
                                  here.loop.send_message(there_descriptor, there->operation(),
                                                         sent++);
                                }
                              }));
  for (int value = 0; value < kMessages && answers.full(); ++value) {
    EXPECT_EQ(answers.values()[static_cast<std::size_t>(value)], -value);
  }
  over.count_down();
  thread.join();
  EXPECT_EQ(here.loop.in_flight(), 0u);
}

}  // namespace
