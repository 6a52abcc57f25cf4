#include "gateway/process/inherited_sockets.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "gateway/config/sections.hh"

namespace gateway {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START

std::optional<int> take_number(const char* name) {
  const char* const text = std::getenv(name);
  int number = 0;
  const char* const end = text != nullptr ? text + std::strlen(text) : nullptr;
  const bool is_number = text != nullptr && std::from_chars(text, end, number).ptr == end;
  unsetenv(name);
  if (!is_number) return std::nullopt;
  return number;
}

bool option(int descriptor, int name, int expected) {
  int value = 0;
  socklen_t bytes = sizeof value;
  return getsockopt(descriptor, SOL_SOCKET, name, &value, &bytes) == 0 && value == expected;
}

// Of a stream socket that listens.
std::optional<config::Address> listens_at(int descriptor) {
  if (!option(descriptor, SO_TYPE, SOCK_STREAM) || !option(descriptor, SO_ACCEPTCONN, 1))
    return std::nullopt;
  config::Address address;
  address.length = sizeof address.storage;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
    return std::nullopt;
  return address;
}

}  // namespace

InheritedSockets InheritedSockets::from_environment(std::size_t left) {
  InheritedSockets inherited;
  inherited.left_ = left;
  const auto pid = take_number("LISTEN_PID");
  const auto count = take_number("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (pid != getpid() || !count) return inherited;
  for (int descriptor = kFirst; descriptor - kFirst < *count; ++descriptor) {
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) break;  // there is none
    inherited.descriptors_.push_back(descriptor);
  }
  inherited.taken_.resize(inherited.descriptors_.size());
  return inherited;
}

InheritedSockets& InheritedSockets::operator=(InheritedSockets&& other) noexcept {
  std::swap(descriptors_, other.descriptors_);
  std::swap(taken_, other.taken_);
  std::swap(left_, other.left_);
  return *this;
}

InheritedSockets::~InheritedSockets() {
  for (const int descriptor : descriptors_) close(descriptor);
}

InheritedSockets::Taken InheritedSockets::take(const config::Address& address) {
  const auto others =
      std::stable_partition(descriptors_.begin(), descriptors_.end(), [&](int descriptor) {
        const auto at = listens_at(descriptor);
        return !at || *at != address;
      });
  Taken taken{.descriptors = {others, descriptors_.end()}, .alone = true};
  descriptors_.erase(others, descriptors_.end());
  for (const int descriptor : taken.descriptors) {
    const auto index = static_cast<std::size_t>(descriptor - kFirst);
    taken_[index] = true;
    if (index >= left_) taken.alone = false;
  }
  return taken;
}

bool InheritedSockets::collide(const config::Address& address) const {
  return std::ranges::any_of(descriptors_, [&](int descriptor) {
    const auto at = listens_at(descriptor);
    return at && config::collide(*at, address);
  });
}

std::vector<std::string> InheritedSockets::close_rest() {
  std::vector<std::string> said;
  for (const int descriptor : std::exchange(descriptors_, {})) {
    const auto at = listens_at(descriptor);
    said.push_back(
        at ? fmt::format("a socket at {} was inherited (LISTEN_FDS), and no [[listen]] has that "
                         "address: closing it",
                         at->text())
           : fmt::format("descriptor {} was inherited (LISTEN_FDS), and is no listening stream "
                         "socket: closing it",
                         descriptor));
    close(descriptor);
  }
  return said;
}

}  // namespace gateway
