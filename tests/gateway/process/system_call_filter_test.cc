// What the filter refuses, and that a gateway goes on behind it. For good: each in a process of its
// own.
#include "gateway/process/system_call_filter.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "gateway/process/privileges.hh"
#include "gateway/version.hh"
#include "uring/io_uring_kernel.hh"

namespace gateway {
namespace {

void filter() {
  forbid_new_privileges();
  if (const auto set = filter_system_calls(); !set) {
    fprintf(stderr, "%s\n", set.error().c_str());
    std::_Exit(2);
  }
}

[[noreturn]] void exit_by(bool good) {
  std::_Exit(good ? 0 : 1);
}

bool cannot_execute() {
  return execl("/bin/true", "true", nullptr) == -1 && errno == EPERM;
}

TEST(SystemCallFilterDeathTest, RefusesToExecute) {
  EXPECT_EXIT(
      {
        filter();
        exit_by(cannot_execute());
      },
      testing::ExitedWithCode(0), "");
}

TEST(SystemCallFilterDeathTest, HoldsForThreadsThatWereThereBefore) {
  EXPECT_EXIT(
      {
        std::atomic<bool> filtered{false};
        bool refused = false;
        std::thread earlier([&] {
          filtered.wait(false);
          refused = cannot_execute();
        });
        filter();
        filtered = true;
        filtered.notify_all();
        earlier.join();
        exit_by(refused);
      },
      testing::ExitedWithCode(0), "");
}

TEST(SystemCallFilterDeathTest, RefusesProcessesAndALookIntoOthers) {
  if (kLooksForLeaks)
    GTEST_SKIP() << "the search for leaks takes a process that looks into this one";
  EXPECT_EXIT(
      {
        const pid_t parent = getppid();
        filter();
        const bool no_look = ptrace(PTRACE_ATTACH, parent, nullptr, nullptr) == -1;
        const bool no_look_allowed = errno == EPERM;
        const pid_t child = fork();
        if (child == 0) std::_Exit(0);
        exit_by(no_look && no_look_allowed && child == -1 && errno == EPERM);
      },
      testing::ExitedWithCode(0), "");
}

TEST(SystemCallFilterDeathTest, LetsAGatewayGoOn) {
  EXPECT_EXIT(
      {
        filter();
        bool ran = false;
        std::thread later([&] { ran = true; });
        later.join();
        const int file = open("/dev/null", O_RDWR | O_CLOEXEC);
        const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool listens = listen(listening, 1) == 0;
        const bool has_ring = uring::IoUringKernel::create({}).has_value();
        exit_by(ran && file >= 0 && listens && has_ring);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace gateway
