#include "gateway/log/datagram_socket.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace gateway {
namespace {

// A descriptor, or -errno.
int connected_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return -ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  const int error = errno;
  close(descriptor);
  return -error;
}

}  // namespace

std::expected<DatagramSocket, std::string> DatagramSocket::open(const std::string& path) {
  const int descriptor = connected_to(path);
  if (descriptor < 0)
    return std::unexpected(
        fmt::format("nobody takes log lines at '{}': {}; start the daemon that listens there, or "
                    "log to a file, or to \"stderr\"",
                    path, strerrordesc_np(-descriptor)));
  return DatagramSocket(path, descriptor);
}

DatagramSocket::DatagramSocket(DatagramSocket&& other) noexcept
    : path_(other.path_), descriptor_(std::exchange(other.descriptor_, -1)) {}

DatagramSocket::~DatagramSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

int DatagramSocket::send(std::string_view datagram) {
  int error = try_to_send(datagram);
  if ((error == EAGAIN || error == ENOBUFS) && wait_for_room()) error = try_to_send(datagram);
  const bool has_room = error != EAGAIN && error != ENOBUFS;
  if (has_room) stuck_ = false;
  // Whatever else it is: its daemon may have begun anew.
  if (has_room && error != 0 && error != EMSGSIZE) {
    const int failure = connect_again();
    error = failure == 0 ? try_to_send(datagram) : failure;
  }
  return error;
}

int DatagramSocket::try_to_send(std::string_view datagram) const {
  if (descriptor_ < 0) return ENOTCONN;
  ssize_t sent = -1;
  do {
    sent = ::send(descriptor_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

bool DatagramSocket::wait_for_room() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(kPatience - waited_);
  if (stuck_ || left.count() <= 0) return false;
  const auto begun = Clock::now();
  pollfd room{descriptor_, POLLOUT, 0};
  const int ready = poll(&room, 1, static_cast<int>(left.count()));
  waited_ += Clock::now() - begun;
  stuck_ = ready <= 0;
  return ready > 0;
}

// 0, or an errno.
int DatagramSocket::connect_again() {
  const auto now = Clock::now();
  if (looked_ != Clock::time_point() && now - looked_ < kAgain) return ENOTCONN;
  looked_ = now;
  const int descriptor = connected_to(path_);
  if (descriptor < 0) return -descriptor;
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = descriptor;
  return 0;
}

}  // namespace gateway
