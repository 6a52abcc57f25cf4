// What is said to whoever speaks systemd's protocol, and what it is asked for.
#include "gateway/process/service_manager.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <utility>

#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

using std::chrono::microseconds;

// The manager's end.
class NotifySocket : public testing::TestWithParam<bool> {
 protected:
  NotifySocket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = (folder_.path() / "notify").string();
    name_ = GetParam() ? "@" + path : path;  // with '@' it is in no file system
    name_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (GetParam()) address.sun_path[0] = '\0';
    const std::size_t bytes = offsetof(sockaddr_un, sun_path) + name_.size() + (GetParam() ? 0 : 1);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(bytes)),
              0);
    setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~NotifySocket() override { leave(); }

  void leave() { close(std::exchange(descriptor_, -1)); }

  std::string next() const {
    char text[4096];
    const ssize_t size = recv(descriptor_, text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(size));
  }

  const TemporaryFolder folder_;
  int descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::string name_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, NotifySocket, testing::Bool(), [](const auto& kind) {
  return std::string(kind.param ? "Abstract" : "Path");
});

TEST_P(NotifySocket, IsToldWhatHappens) {
  ServiceManager manager = ServiceManager::from_environment();
  EXPECT_EQ(next(), "nothing");
  manager.ready("serving");
  EXPECT_EQ(next(), "READY=1\nMAINPID=" + std::to_string(getpid()) + "\nSTATUS=serving\n");
  manager.status("3 left");
  EXPECT_EQ(next(), "STATUS=3 left\n");
  manager.stopping("draining", std::chrono::seconds(70));
  EXPECT_EQ(next(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000\nSTATUS=draining\n");
  manager.alive();
  EXPECT_EQ(next(), "WATCHDOG=1\n");
  ServiceManager moved = std::move(manager);
  moved.alive();
  EXPECT_EQ(next(), "WATCHDOG=1\n");
}

TEST_P(NotifySocket, IsToldWhenAReloadBegan) {
  ServiceManager manager = ServiceManager::from_environment();
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000 + time.tv_nsec / 1'000;
  };
  const long before = now();
  manager.reloading("loading");
  const long after = now();
  long began = 0;
  const std::string text = next();
  ASSERT_EQ(sscanf(text.c_str(), "RELOADING=1\nMONOTONIC_USEC=%ld\nSTATUS=loading\n", &began), 1)
      << text;
  EXPECT_LE(before, began);
  EXPECT_LE(began, after);
}

TEST_P(NotifySocket, IsNotForChildren) {
  setenv("WATCHDOG_USEC", "1000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  (void)ServiceManager::from_environment();
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(getenv(name), nullptr) << name;
}

TEST_P(NotifySocket, SaysWhetherItWaitsForSignsOfLife) {
  struct Case {
    const char* interval;
    std::string pid;
    std::optional<microseconds> expected;
  };
  for (const Case& one :
       {Case{"", "", std::nullopt}, Case{"0", "", std::nullopt}, Case{"x", "", std::nullopt},
        Case{"30000000", "1", std::nullopt}, Case{"30000000", "", microseconds(30'000'000)},
        Case{"500", std::to_string(getpid()), microseconds(500)}}) {
    setenv("NOTIFY_SOCKET", name_.c_str(), 1);
    setenv("WATCHDOG_USEC", one.interval, 1);
    if (!one.pid.empty()) setenv("WATCHDOG_PID", one.pid.c_str(), 1);
    EXPECT_EQ(ServiceManager::from_environment().watchdog(), one.expected) << one.interval;
  }
}

TEST_P(NotifySocket, MayStandFullOrBeGone) {
  ServiceManager manager = ServiceManager::from_environment();
  for (int i = 0; i < 10'000; ++i) manager.alive();
  EXPECT_EQ(next(), "WATCHDOG=1\n");
  leave();
  manager.alive();
}

TEST(ServiceManagerOfNobody, IsToldNothing) {
  for (const char* name : {"", "@", "relative", "vsock:2:1234"}) {
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "1000", 1);
    ServiceManager manager = ServiceManager::from_environment();
    manager.ready("serving");
    EXPECT_FALSE(manager.watchdog());
  }
}

}  // namespace
}  // namespace gateway
