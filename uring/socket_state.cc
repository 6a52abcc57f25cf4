#include "uring/socket_state.hh"

// <netinet/tcp.h> has a tcp_info without the counts of bytes, and does not go together with this.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

namespace uring {

std::optional<std::uint64_t> acknowledged_bytes(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  constexpr std::size_t kNeeded = offsetof(tcp_info, tcpi_bytes_acked) + sizeof(std::uint64_t);
  if (size < kNeeded) return std::nullopt;
  return info.tcpi_bytes_acked;
}

std::uint64_t unacknowledged_bytes(int descriptor) {
  int bytes = 0;
  return ioctl(descriptor, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes)
                                                               : 0;
}

}  // namespace uring
