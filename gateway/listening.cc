#include "gateway/listening.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gateway {
namespace {

constexpr int kBacklog = 4096;

std::string explain(const config::Address& address, int error) {
  std::string text = "cannot listen on " + address.text() + ": " + strerrordesc_np(error);
  if (error == EADDRINUSE) text += "; another process has it: see 'ss -ltnp'";
  if (error == EACCES) text += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  if (error == EADDRNOTAVAIL) text += "; this machine does not have that address";
  return text;
}

void set(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

// A bound socket, or -errno. `shared`: with others of ours on the same address.
int bind_socket(const config::Address& address, bool shared) {
  const int descriptor = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it
  if (address.family() == AF_INET6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(descriptor, address.get(), address.length) == 0) return descriptor;
  const int error = errno;
  close(descriptor);
  return -error;
}

}  // namespace

ListeningSockets::~ListeningSockets() {
  for (const int descriptor : descriptors_) close(descriptor);
}

std::expected<std::vector<int>, std::string> ListeningSockets::open(const config::Address& address,
                                                                    unsigned count) {
  // Sockets that share a port would silently share it with another gateway, too: so one that does
  // not share tries first.
  const int trial = bind_socket(address, false);
  if (trial < 0) return std::unexpected(explain(address, -trial));
  close(trial);

  std::vector<int> opened;
  for (unsigned index = 0; index < count; ++index) {
    const int descriptor = bind_socket(address, true);
    if (descriptor < 0) return std::unexpected(explain(address, -descriptor));
    descriptors_.push_back(descriptor);
    opened.push_back(descriptor);
  }
  for (const int descriptor : opened) {
    if (listen(descriptor, kBacklog) != 0) return std::unexpected(explain(address, errno));
  }
  return opened;
}

}  // namespace gateway
