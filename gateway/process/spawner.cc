#include "gateway/process/spawner.hh"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/process/spawner_messages.hh"

namespace gateway {
namespace {

constexpr timeval kSendPatience{.tv_sec = 2, .tv_usec = 0};
constexpr int kDropPatienceMilliseconds = 5000;
constexpr std::string_view kTitle = "gateway: spawner";

// Where this program lay when it was started: a newer one will lie there, so no link of the
// kernel's to what runs now.
std::string find_program(std::string_view name) {
  std::error_code failure;
  if (name.find('/') != name.npos) return std::filesystem::absolute(name, failure).string();
  const char* const path = std::getenv("PATH");
  std::string_view folders = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    const auto there = std::filesystem::absolute(folders.substr(0, end), failure) / name;
    const bool is_file = std::filesystem::is_regular_file(there, failure);
    if (is_file && access(there.c_str(), X_OK) == 0) return there.string();
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return std::filesystem::read_symlink("/proc/self/exe", failure).string();
}

// Whoever lists processes is not to take it for a gateway.
void rename_process(std::span<char*> arguments) {
  prctl(PR_SET_NAME, "gateway-spawner", 0, 0, 0);
  char* const begin = arguments.front();
  const std::size_t size =
      static_cast<std::size_t>(arguments.back() - begin) + std::strlen(arguments.back());
  std::memset(begin, 0, size);
  std::memcpy(begin, kTitle.data(), std::min(size, kTitle.size()));
}

[[noreturn]] void become_spawner(int descriptor, const std::string& program,
                                 const Spawner::Start& start) {
  std::vector<std::string> copies(start.arguments.begin(), start.arguments.end());
  std::vector<char*> pointers;
  for (std::string& one : copies) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  rename_process(start.arguments);
  if (start.standard_error != STDERR_FILENO) dup2(start.standard_error, STDERR_FILENO);
  constexpr int kOwn = STDERR_FILENO + 1;
  if (descriptor != kOwn) dup2(descriptor, kOwn);
  closefrom(kOwn + 1);
  run_spawner({kOwn, program.c_str(), pointers.data(), &start.signal_mask});
}

}  // namespace

std::expected<std::unique_ptr<Spawner>, std::string> Spawner::start(const Start& start) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return std::unexpected(fmt::format("no sockets: {}", strerrordesc_np(errno)));
  std::unique_ptr<Spawner> spawner(new Spawner(pair[0], find_program(start.arguments.front())));
  setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof kSendPatience);
  // Whatever is sent to a group of processes is not for it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) become_spawner(pair[1], spawner->program_, start);
  const int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(pair[1]);
  if (pid < 0)
    return std::unexpected(fmt::format("no process can be made: {}", strerrordesc_np(error)));
  // Nobody waits for it: its end is seen at the socket.
  ::signal(SIGCHLD, SIG_IGN);
  return spawner;
}

Spawner::~Spawner() {
  if (descriptor_ >= 0) close(descriptor_);
}

int Spawner::send(const void* bytes, std::size_t size, std::span<const int> descriptors) const {
  if (descriptor_ < 0) return EPIPE;
  iovec data{const_cast<void*>(bytes), size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kDescriptorsPerMessage)];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t carried = descriptors.size_bytes();
    std::memset(control, 0, sizeof control);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(carried);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(carried);
    std::memcpy(CMSG_DATA(header), descriptors.data(), carried);
  }
  ssize_t sent = -1;
  do {
    sent = sendmsg(descriptor_, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

int Spawner::start_successor(const Gifts& gifts) {
  for (std::span<const int> rest = gifts.sockets; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), kDescriptorsPerMessage));
    const bool is_first = rest.size() == gifts.sockets.size();
    const SpawnerOrder sockets{SpawnerOrder::Kind::kSockets, is_first ? 1u : 0u};
    if (const int error = send(&sockets, sizeof sockets, some); error != 0) return error;
    rest = rest.subspan(some.size());
  }
  const SpawnerOrder start{SpawnerOrder::Kind::kStart, static_cast<std::uint32_t>(gifts.left)};
  const int others[] = {gifts.channel, gifts.standard_error};
  return send(&start, sizeof start, others);
}

void Spawner::signal_successor(int signal) {
  const SpawnerOrder order{SpawnerOrder::Kind::kSignal, static_cast<std::uint32_t>(signal)};
  (void)send(&order, sizeof order);
}

void Spawner::spare_successor() {
  const SpawnerOrder order{SpawnerOrder::Kind::kSpare};
  (void)send(&order, sizeof order);
}

void Spawner::release() {
  const SpawnerOrder order{SpawnerOrder::Kind::kRelease};
  (void)send(&order, sizeof order);
}

std::expected<void, std::string> Spawner::drop_privileges(
    const std::optional<config::Account>& account) {
  const SpawnerOrder order{SpawnerOrder::Kind::kDrop, account ? 1u : 0u};
  std::vector<std::uint32_t> ids;
  if (account) {
    if (account->groups.size() > kGroupsMax)
      return std::unexpected("the user is in too many groups");
    ids = {account->uid, account->gid};
    ids.insert(ids.end(), account->groups.begin(), account->groups.end());
  }
  std::string bytes(reinterpret_cast<const char*>(&order), sizeof order);
  bytes.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(std::uint32_t));
  int error = send(bytes.data(), bytes.size());
  pollfd readable{descriptor_, POLLIN, 0};
  Report report{};
  if (error == 0 && poll(&readable, 1, kDropPatienceMilliseconds) != 1) error = ETIMEDOUT;
  if (error == 0 && recv(descriptor_, &report, sizeof report, 0) != sizeof report) error = EPIPE;
  if (error == 0 && report.kind == Report::Kind::kDropped) error = report.value;
  if (error == 0) return {};
  return std::unexpected(
      fmt::format("the process that starts them keeps its rights: {}", strerrordesc_np(error)));
}

}  // namespace gateway
