// The listener on the real ring, down to the last descriptor.
#include <sys/resource.h>

#include <vector>

#include "tests/uring/real_ring.hh"
#include "uring/listener.hh"

using uring::Listener;

namespace {

struct Accepted final : uring::Acceptor {
  void accepted(int descriptor) override { clients.emplace_back(descriptor); }
  void accept_failed(int error) override { errors.push_back(error); }
  std::vector<OwnedDescriptor> clients;
  std::vector<int> errors;
};

// Lets exactly `more` descriptors be opened, until it goes.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const OwnedDescriptor lowest(dup(0));
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest.get()) + more;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

void stop_and_wait(RealRing& ring, Listener& listener) {
  uring::Task<> stopping = listener.stop();
  stopping.start();
  EXPECT_TRUE(ring.turn_until([&] { return stopping.done(); }));
  ring.expect_quiet();
}

TEST(RealListener, AcceptsMoreClientsThanTheQueueHasPlacesFor) {
  RealRing ring;
  Accepted accepted;
  const OwnedDescriptor descriptor = listen_on_loopback();
  Listener listener(ring.loop, descriptor.get(), accepted);
  listener.start();
  std::vector<OwnedDescriptor> clients;
  for (int count = 0; count < 40; ++count) clients.push_back(connect_to(descriptor.get()));
  EXPECT_TRUE(ring.turn_until([&] { return accepted.clients.size() == 40; }));
  stop_and_wait(ring, listener);
}

TEST(RealListener, PausesWithoutDescriptorsAndGoesOnWhenThereAreSome) {
  RealRing ring;
  Accepted accepted;
  const OwnedDescriptor descriptor = listen_on_loopback();
  Listener listener(ring.loop, descriptor.get(), accepted);
  std::vector<OwnedDescriptor> clients;
  for (int count = 0; count < 6; ++count) clients.push_back(connect_to(descriptor.get()));
  {
    const FewDescriptors limit(2);
    listener.start();
    EXPECT_TRUE(ring.turn_until([&] { return accepted.errors.size() >= 2; }));
    EXPECT_EQ(accepted.errors[0], EMFILE);
    EXPECT_EQ(accepted.clients.size(), 2u);
  }
  EXPECT_TRUE(ring.turn_until([&] { return accepted.clients.size() == 6; }));
  stop_and_wait(ring, listener);
}

TEST(RealListener, AcceptsNobodyOnceItHasStopped) {
  RealRing ring;
  Accepted accepted;
  const OwnedDescriptor descriptor = listen_on_loopback();
  Listener listener(ring.loop, descriptor.get(), accepted);
  listener.start();
  ring.loop.turn(std::chrono::milliseconds(0));
  stop_and_wait(ring, listener);
  const OwnedDescriptor late = connect_to(descriptor.get());
  for (int turns = 0; turns < 5; ++turns) ring.loop.turn(std::chrono::milliseconds(1));
  EXPECT_TRUE(accepted.clients.empty());
}

// Who takes nobody yet.
struct Full final : uring::Acceptor {
  void accepted(int descriptor) override { clients.emplace_back(descriptor); }
  void accept_failed(int) override {}
  Appetite appetite() override { return Appetite::kNone; }
  std::vector<OwnedDescriptor> clients;
};

// As where a predecessor has the same socket.
TEST(RealListener, StopsThoughAnotherProcessTakesTheClientThatWaited) {
  RealRing ring;
  Full full;
  const OwnedDescriptor descriptor = listen_on_loopback();
  Listener listener(ring.loop, descriptor.get(), full);
  listener.start();
  const OwnedDescriptor client = connect_to(descriptor.get());
  uring::Task<> stopping = listener.stop();
  stopping.start();  // it has seen him, and asks the kernel for him with the next turn
  const OwnedDescriptor stolen(accept(descriptor.get(), nullptr, nullptr));
  EXPECT_GE(stolen.get(), 0);
  EXPECT_TRUE(ring.turn_until([&] { return stopping.done(); }));
  EXPECT_TRUE(full.clients.empty());
  ring.expect_quiet();
}

}  // namespace
