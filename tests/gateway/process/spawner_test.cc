// A spawner of its own, which starts a shell with what a successor gets.
#include "gateway/process/spawner.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "gateway/process/handover.hh"

namespace gateway {
namespace {

using Kind = Spawner::Report::Kind;

class SpawnerTest : public testing::Test {
 protected:
  // `sh -c SCRIPT` is what this process was started as.
  void start(std::string script, std::string shell = "/bin/sh") {
    line_ = shell + '\0' + "-c" + '\0' + std::move(script);
    arguments_ = {line_.data(), line_.data() + shell.size() + 1,
                  line_.data() + shell.size() + 1 + 3};
    sigset_t mask;
    sigemptyset(&mask);
    auto started = Spawner::start(
        {.arguments = arguments_, .standard_error = STDERR_FILENO, .signal_mask = mask});
    ASSERT_TRUE(started) << started.error();
    spawner_ = std::move(*started);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel_), 0);
    ASSERT_EQ(pipe2(words_, O_CLOEXEC), 0);
  }
  void TearDown() override {
    std::signal(SIGCHLD, SIG_DFL);
    for (const int one : {channel_[0], channel_[1], words_[0], words_[1]}) close(one);
  }

  Spawner::Report next() const {
    Spawner::Report report{Kind::kDropped, -1};
    EXPECT_EQ(recv(spawner_->descriptor(), &report, sizeof report, 0),
              static_cast<ssize_t>(sizeof report));
    return report;
  }
  std::string last_words() {
    close(std::exchange(words_[1], -1));
    std::string all;
    char piece[4096];
    for (ssize_t size = 0; (size = read(words_[0], piece, sizeof piece)) > 0;)
      all.append(piece, static_cast<std::size_t>(size));
    return all;
  }
  int start_with(const std::vector<int>& sockets, std::size_t left) {
    return spawner_->start_successor(
        {.sockets = sockets, .left = left, .channel = channel_[1], .standard_error = words_[1]});
  }

  std::string line_;
  std::vector<char*> arguments_;
  std::unique_ptr<Spawner> spawner_;
  int channel_[2];
  int words_[2];
};

TEST_F(SpawnerTest, GivesASuccessorItsSocketsAndItsWords) {
  setenv("LISTEN_FDNAMES", "old", 1);
  start(
      "echo $$ $LISTEN_PID $LISTEN_FDS ${LISTEN_FDNAMES-none} $GATEWAY_HANDOVER >&2; "
      "cd /proc/self/fd && echo * >&2; exit 7");
  unsetenv("LISTEN_FDNAMES");
  // More than one message carries.
  std::vector<int> sockets;
  for (int index = 0; index < 600; ++index) sockets.push_back(dup(channel_[0]));
  ASSERT_EQ(start_with(sockets, 5), 0);
  for (const int one : sockets) close(one);
  const Spawner::Report started = next();
  ASSERT_EQ(started.kind, Kind::kStarted);
  const std::string pid = std::to_string(started.value);
  const std::string words = last_words();
  const std::string first = words.substr(0, words.find('\n'));
  EXPECT_EQ(first, pid + " " + pid + " 600 none " + pid + " 603 604 5");
  // 0 to 604, and the shell's own.
  const std::string open = words.substr(first.size());
  EXPECT_THAT(open, testing::HasSubstr(" 604"));
  EXPECT_THAT(open, testing::Not(testing::HasSubstr(" 606")));
  const Spawner::Report ended = next();
  EXPECT_EQ(ended.kind, Kind::kEnded);
  EXPECT_EQ(WEXITSTATUS(ended.value), 7);
}

TEST_F(SpawnerTest, StartsOneAfterTheOther) {
  start("exit 3");
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(start_with({channel_[0]}, 1), 0);
    EXPECT_EQ(next().kind, Kind::kStarted);
    const Spawner::Report ended = next();
    EXPECT_EQ(ended.kind, Kind::kEnded);
    EXPECT_EQ(WEXITSTATUS(ended.value), 3);
  }
}

TEST_F(SpawnerTest, SaysWhyNothingCanBeExecuted) {
  start("exit 3", "/nowhere/at/all");
  ASSERT_EQ(start_with({channel_[0]}, 1), 0);
  const Spawner::Report failed = next();
  EXPECT_EQ(failed.kind, Kind::kFailed);
  EXPECT_EQ(failed.value, ENOENT);
}

TEST_F(SpawnerTest, PassesSignalsOn) {
  start("exec sleep 1000");
  ASSERT_EQ(start_with({channel_[0]}, 1), 0);
  EXPECT_EQ(next().kind, Kind::kStarted);
  EXPECT_EQ(start_with({channel_[0]}, 1), 0);
  EXPECT_EQ(next().value, EBUSY);
  spawner_->signal_successor(SIGTERM);
  const Spawner::Report ended = next();
  EXPECT_EQ(ended.kind, Kind::kEnded);
  EXPECT_EQ(WTERMSIG(ended.value), SIGTERM);
}

TEST_F(SpawnerTest, EndsWithASuccessorThatIsNotReleased) {
  start("exec sleep 1000");
  ASSERT_EQ(start_with({channel_[0]}, 1), 0);
  const pid_t pid = next().value;
  spawner_.reset();
  // Its end of the channel goes with it.
  close(std::exchange(channel_[1], -1));
  char nothing = 0;
  EXPECT_EQ(recv(channel_[0], &nothing, 1, 0), 0) << pid;
}

TEST_F(SpawnerTest, LeavesAReleasedSuccessorAlone) {
  start("exec sleep 1000");
  ASSERT_EQ(start_with({channel_[0]}, 1), 0);
  const pid_t pid = next().value;
  spawner_->release();
  char nothing = 0;
  EXPECT_EQ(recv(spawner_->descriptor(), &nothing, 1, 0), 0) << "it has ended";
  EXPECT_EQ(kill(pid, SIGKILL), 0) << "it has not";
}

TEST_F(SpawnerTest, GivesUpItsRights) {
  start("echo $(id -u) $(id -g) >&2");
  if (geteuid() != 0) GTEST_SKIP() << "only root has any";
  const config::Account account{
      .user = "nobody", .group = "nogroup", .uid = 65534, .gid = 65534, .groups = {65534}};
  const auto dropped = spawner_->drop_privileges(account);
  ASSERT_TRUE(dropped) << dropped.error();
  ASSERT_EQ(start_with({channel_[0]}, 1), 0);
  EXPECT_EQ(next().kind, Kind::kStarted);
  EXPECT_EQ(last_words(), "65534 65534\n");
}

TEST(Handover, IsForTheProcessThatItNames) {
  const int channel = dup(STDERR_FILENO);
  const int standard_error = dup(STDERR_FILENO);
  setenv(kHandoverVariable,
         print_handover(
             {.pid = getpid() + 1, .channel = channel, .standard_error = standard_error, .left = 7})
             .c_str(),
         1);
  EXPECT_EQ(Handover::from_environment(), nullptr);
  EXPECT_EQ(getenv(kHandoverVariable), nullptr);
  for (const char* const wrong : {"", "1", "x 1 2 3"}) {
    setenv(kHandoverVariable, wrong, 1);
    EXPECT_EQ(Handover::from_environment(), nullptr);
  }
  setenv(kHandoverVariable,
         print_handover(
             {.pid = getpid(), .channel = channel, .standard_error = standard_error, .left = 7})
             .c_str(),
         1);
  const auto handover = Handover::from_environment();
  ASSERT_NE(handover, nullptr);
  EXPECT_EQ(handover->standard_error(), standard_error);
  EXPECT_EQ(handover->left(), 7u);
  EXPECT_EQ(fcntl(channel, F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace gateway
