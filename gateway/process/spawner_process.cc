// The spawner itself: one thread, few descriptors, no loop but a poll.
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "gateway/process/handover.hh"
#include "gateway/process/privileges.hh"
#include "gateway/process/spawner.hh"
#include "gateway/process/spawner_messages.hh"
#include "uring/capabilities.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr std::size_t kMessageBytesMax = sizeof(SpawnerOrder) + (2 + kGroupsMax) * 4;
constexpr int kFirst = STDERR_FILENO + 1;  // SD_LISTEN_FDS_START

class SpawnerProcess {
 public:
  explicit SpawnerProcess(const SpawnerSetting& setting) : setting_(setting) {}

  [[noreturn]] void run() {
    for (;;) {
      pollfd awaited[] = {{setting_.descriptor, POLLIN, 0}, {child_descriptor_, POLLIN, 0}};
      if (poll(awaited, 2, -1) < 0) continue;
      if (awaited[1].revents != 0) reap();
      if (awaited[0].revents != 0) obey_next();
    }
  }

 private:
  using Kind = SpawnerOrder::Kind;

  void obey_next() {
    std::array<char, kMessageBytesMax> bytes;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kDescriptorsPerMessage)];
    iovec data{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(setting_.descriptor, &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) return;
    if (size < static_cast<ssize_t>(sizeof(SpawnerOrder))) end();
    SpawnerOrder order;
    std::memcpy(&order, bytes.data(), sizeof order);
    if (order.kind == Kind::kSockets && order.value != 0) forget_descriptors();
    keep_descriptors(message);
    switch (order.kind) {
      case Kind::kSockets:
        break;
      case Kind::kStart:
        return start(order.value);
      case Kind::kSignal:
        if (child_ > 0) kill(child_, static_cast<int>(order.value));
        break;
      case Kind::kSpare:
        spares_ = true;
        break;
      case Kind::kRelease:
        _exit(0);
      case Kind::kDrop:
        return drop(order.value != 0, bytes.data() + sizeof order,
                    static_cast<std::size_t>(size) - sizeof order);
    }
  }

  void keep_descriptors(msghdr& message) {
    is_cut_ |= (message.msg_flags & MSG_CTRUNC) != 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      const std::size_t had = given_.size();
      given_.resize(had + count);
      std::memcpy(given_.data() + had, CMSG_DATA(header), count * sizeof(int));
    }
  }

  void forget_descriptors() {
    for (const int descriptor : given_) close(descriptor);
    given_.clear();
    is_cut_ = false;
  }

  void drop(bool has_account, const char* bytes, std::size_t size) {
    std::optional<config::Account> account;
    if (has_account && size >= 8) {
      std::vector<std::uint32_t> ids(size / sizeof(std::uint32_t));
      std::memcpy(ids.data(), bytes, ids.size() * sizeof(std::uint32_t));
      account = config::Account{.user = {},
                                .group = {},
                                .uid = ids[0],
                                .gid = ids[1],
                                .groups = {ids.begin() + 2, ids.end()}};
    }
    errno = 0;
    const bool done = drop_privileges(account).has_value();
    report(Spawner::Report::Kind::kDropped, done ? 0 : errno != 0 ? errno : EPERM);
  }

  // The last two are the channel and the pipe.
  void start(std::size_t left) {
    int told[2];
    int error = child_ > 0 ? EBUSY : 0;
    if (error == 0 && (is_cut_ || given_.size() < 2)) error = EMFILE;
    if (error == 0 && pipe2(told, O_CLOEXEC) != 0) error = errno;
    if (error == 0) {
      spares_ = false;
      child_ = fork();
      if (child_ == 0) execute(left, told[1]);
      if (child_ < 0) error = errno;
      close(told[1]);
      // Closed by what is executed.
      if (error == 0 && read(told[0], &error, sizeof error) != sizeof error) error = 0;
      close(told[0]);
      if (error != 0 && child_ > 0) waitpid(child_, nullptr, 0);
    }
    forget_descriptors();
    if (error != 0) {
      if (error != EBUSY) child_ = -1;
      return report(Spawner::Report::Kind::kFailed, error);
    }
    child_descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, child_, 0));
    report(Spawner::Report::Kind::kStarted, child_);
  }

  // In the child. All that is open besides closes itself.
  [[noreturn]] void execute(std::size_t left, int told) {
    const int pipe = given_.back();
    given_.pop_back();
    const int channel = given_.back();
    given_.pop_back();
    const int sockets = static_cast<int>(given_.size());
    std::vector<int> from = given_;
    from.push_back(channel);
    from.push_back(STDERR_FILENO);
    const int behind = kFirst + static_cast<int>(from.size());
    const int speaks = fcntl(told, F_DUPFD_CLOEXEC, behind);
    const int words = fcntl(pipe, F_DUPFD_CLOEXEC, behind);
    bool placed = speaks >= 0 && words >= 0;
    for (int& descriptor : from) {
      descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, behind);
      placed = placed && descriptor >= 0;
    }
    for (int index = 0; placed && index < behind - kFirst; ++index)
      placed = dup2(from[static_cast<std::size_t>(index)], kFirst + index) >= 0;
    placed = placed && dup2(words, STDERR_FILENO) >= 0;
    if (placed) {
      set_environment(sockets, left);
      if (geteuid() != 0) (void)uring::hand_down_capability(CAP_NET_BIND_SERVICE);
      ::signal(SIGPIPE, SIG_DFL);
      sigprocmask(SIG_SETMASK, static_cast<const sigset_t*>(setting_.signal_mask), nullptr);
      execv(setting_.program, setting_.arguments);
    }
    const int error = errno;
    (void)!write(speaks >= 0 ? speaks : told, &error, sizeof error);
    _exit(127);
  }

  static void set_environment(int sockets, std::size_t left) {
    const std::string pid = std::to_string(getpid());
    setenv("LISTEN_PID", pid.c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(sockets).c_str(), 1);
    for (const char* const name : {"LISTEN_FDNAMES", "LISTEN_PIDFDID"}) unsetenv(name);
    if (getenv("WATCHDOG_PID") != nullptr) setenv("WATCHDOG_PID", pid.c_str(), 1);
    setenv(kHandoverVariable,
           print_handover({.pid = getpid(),
                           .channel = kFirst + sockets,
                           .standard_error = kFirst + sockets + 1,
                           .left = left})
               .c_str(),
           1);
  }

  void reap() {
    int status = 0;
    if (waitpid(child_, &status, WNOHANG) != child_) return;
    close(child_descriptor_);
    child_descriptor_ = -1;
    child_ = -1;
    report(Spawner::Report::Kind::kEnded, status);
  }

  void report(Spawner::Report::Kind kind, int value) {
    const Spawner::Report what{kind, value};
    if (send(setting_.descriptor, &what, sizeof what, MSG_NOSIGNAL) < 0) end();
  }

  [[noreturn]] void end() {
    if (child_ > 0 && !spares_) kill(child_, SIGKILL);
    _exit(0);
  }

  const SpawnerSetting setting_;
  std::vector<int> given_;
  bool is_cut_ = false;  // not all descriptors have found room
  bool spares_ = false;
  pid_t child_ = -1;
  int child_descriptor_ = -1;
};

}  // namespace

void run_spawner(const SpawnerSetting& setting) {
  ::signal(SIGCHLD, SIG_DFL);
  uring::raise_descriptor_limit();
  SpawnerProcess(setting).run();
}

}  // namespace gateway
