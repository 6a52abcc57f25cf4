#include "gateway/process/service_manager.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace gateway {
namespace {

// Taken out of the environment.
std::string take(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  unsetenv(name);
  return text;
}

std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::uint64_t monotonic_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const std::string name = take("NOTIFY_SOCKET");
  const auto watchdog = number_of(take("WATCHDOG_USEC"));
  const std::string pid = take("WATCHDOG_PID");
  sockaddr_un& address = manager.address_;
  const bool is_path = name.starts_with('/');
  const bool is_abstract = name.starts_with('@') && name.size() > 1;  // in no file system
  if ((!is_path && !is_abstract) || name.size() >= sizeof address.sun_path) return manager;
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path);
  if (is_abstract) address.sun_path[0] = '\0';
  // A path ends with its zero, a name without a file with its last byte.
  manager.address_bytes_ =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (is_path ? 1 : 0));
  manager.descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool is_ours = pid.empty() || number_of(pid) == static_cast<std::uint64_t>(getpid());
  if (watchdog && *watchdog > 0 && is_ours)
    manager.watchdog_ = std::chrono::microseconds(static_cast<std::int64_t>(*watchdog));
  return manager;
}

ServiceManager::ServiceManager(ServiceManager&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      address_(other.address_),
      address_bytes_(other.address_bytes_),
      watchdog_(other.watchdog_) {}

ServiceManager::~ServiceManager() {
  if (descriptor_ >= 0) close(descriptor_);
}

void ServiceManager::ready(std::string_view status) {
  tell(fmt::format("READY=1\nMAINPID={}\nSTATUS={}\n", getpid(), status));
}

void ServiceManager::reloading(std::string_view status) {
  tell(
      fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS={}\n", monotonic_microseconds(), status));
}

void ServiceManager::stopping(std::string_view status, std::chrono::microseconds within) {
  tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS={}\n", within.count(), status));
}

void ServiceManager::status(std::string_view status) {
  tell(fmt::format("STATUS={}\n", status));
}

void ServiceManager::alive() {
  tell("WATCHDOG=1\n");
}

void ServiceManager::hand_over(pid_t successor) {
  tell(fmt::format("MAINPID={}\n", successor));
  silent_ = true;
}

void ServiceManager::take_back(std::string_view status) {
  silent_ = false;
  ready(status);
}

void ServiceManager::tell(std::string_view state) const {
  if (descriptor_ < 0 || silent_) return;
  (void)sendto(descriptor_, state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
}

}  // namespace gateway
