// The loop on the real ring, where much has come at once.
#include <poll.h>

#include <algorithm>
#include <array>
#include <deque>

#include "tests/uring/real_ring.hh"

namespace {

class Readable {
 public:
  explicit Readable(uring::Loop& loop) {
    std::array<int, 2> pair{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    local_ = OwnedDescriptor(pair[0]);
    peer_ = OwnedDescriptor(pair[1]);
    io_uring_prep_poll_add(&loop.prepare(poll_), local_.get(), POLLIN);
  }
  // At once, other than over TCP.
  void become() { EXPECT_EQ(send(peer_.get(), "x", 1, MSG_NOSIGNAL), 1); }
  bool told() const { return told_; }

 private:
  void on_readable(uring::Completion completion) { told_ = completion.result > 0; }

  OwnedDescriptor local_;
  OwnedDescriptor peer_;
  uring::OperationMember<&Readable::on_readable> poll_{*this};
  bool told_ = false;
};

// More than the kernel does of it in one call.
TEST(RealLoop, LearnsInOneTurnOfAllThatHasCome) {
  auto kernel = uring::IoUringKernel::create({.submissions = 128, .completions = 256});
  ASSERT_TRUE(kernel) << kernel.error();
  (*kernel)->enable();
  uring::Loop loop(**kernel);
  std::deque<Readable> readables;
  while (readables.size() < 100) readables.emplace_back(loop);
  loop.turn(std::chrono::milliseconds(0));
  for (Readable& readable : readables) readable.become();
  loop.turn(std::chrono::milliseconds(0));
  EXPECT_TRUE(std::ranges::all_of(readables, &Readable::told));
  EXPECT_TRUE(turn_until(
      loop, 1000, [&] { return loop.in_flight() == 0; }, [] {}));
}

}  // namespace
