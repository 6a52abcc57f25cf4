// Signs of life come while all answer, and end with the answers. In virtual time.
#include "gateway/process/watchdog.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "tests/temporary_folder.hh"
#include "tests/uring/simulation.hh"

namespace gateway {
namespace {

using std::chrono::milliseconds;

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = (folder_.path() / "notify").string();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    setenv("WATCHDOG_USEC", "800000", 1);
    manager_ = std::make_unique<ServiceManager>(ServiceManager::from_environment());
    watchdog_.emplace(simulation_.loop, *manager_, [this](std::atomic<unsigned>& answers) {
      ++questions_;
      answers_ = &answers;
      *answers_ += answer_at_once_;
      return shards_;
    });
  }
  ~WatchdogTest() override { close(socket_); }

  // How many signs came in so long.
  unsigned signs_in(milliseconds time) {
    const auto until = simulation_.loop.now() + time;
    unsigned signs = 0;
    while (simulation_.loop.now() < until) {
      simulation_.loop.turn(milliseconds(10));
      char text[64];
      while (recv(socket_, text, sizeof text, MSG_DONTWAIT) > 0) ++signs;
    }
    return signs;
  }

  const TemporaryFolder folder_;
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  Simulation simulation_{1, {.calm = true}};
  std::unique_ptr<ServiceManager> manager_;
  std::optional<Watchdog> watchdog_;
  std::atomic<unsigned>* answers_ = nullptr;
  unsigned answer_at_once_ = 2;
  unsigned shards_ = 2;
  unsigned questions_ = 0;
};

TEST_F(WatchdogTest, IsFedTwiceInAnIntervalAndMore) {
  watchdog_->start();
  const unsigned signs = signs_in(milliseconds(8'000));
  EXPECT_GE(signs, 20u);
  EXPECT_LE(signs, 41u);
}

TEST_F(WatchdogTest, StarvesWhileOneDoesNotAnswer) {
  watchdog_->start();
  EXPECT_GE(signs_in(milliseconds(800)), 2u);
  answer_at_once_ = 1;
  (void)signs_in(milliseconds(400));  // those who had answered before
  const unsigned questions = questions_;
  EXPECT_EQ(signs_in(milliseconds(8'000)), 0u);
  EXPECT_EQ(questions_, questions) << "nobody is asked twice at a time";
  answer_at_once_ = 2;
  ++*answers_;
  EXPECT_GE(signs_in(milliseconds(800)), 2u) << "a late answer counts";
}

TEST_F(WatchdogTest, AsksThoseWhoAreLeft) {
  watchdog_->start();
  EXPECT_GE(signs_in(milliseconds(800)), 2u);
  answer_at_once_ = shards_ = 1;
  EXPECT_GE(signs_in(milliseconds(800)), 2u);
  answer_at_once_ = shards_ = 0;
  EXPECT_GE(signs_in(milliseconds(800)), 2u);
}

TEST_F(WatchdogTest, StopsWhenItIsToldTo) {
  watchdog_->start();
  EXPECT_GE(signs_in(milliseconds(800)), 2u);
  watchdog_->stop();
  EXPECT_EQ(signs_in(milliseconds(8'000)), 0u);
}

TEST_F(WatchdogTest, DoesNothingWhereNobodyWaits) {
  ServiceManager nobody;
  Watchdog idle(simulation_.loop, nobody, [](auto&) -> unsigned {
    ADD_FAILURE() << "nobody is asked";
    return 0;
  });
  idle.start();
  EXPECT_EQ(signs_in(milliseconds(800)), 0u);
}

}  // namespace
}  // namespace gateway
