#include "tools/echo/server.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace echo {

std::expected<int, std::string> Server::listen(const tools::Address& address) {
  const int descriptor = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  const bool is_tcp = address.get()->sa_family != AF_UNIX;
  if (descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      // Accepted sockets inherit it.
      (!is_tcp || setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) &&
      ::bind(descriptor, address.get(), address.size) == 0 && ::listen(descriptor, 4096) == 0) {
    return descriptor;
  }
  const bool is_left_behind = !is_tcp && errno == EADDRINUSE;
  const std::string reason =
      std::strerror(errno) +
      std::string(is_left_behind ? ": if no program listens there any more, remove the file" : "");
  if (descriptor >= 0) ::close(descriptor);
  return std::unexpected("cannot listen on " + tools::to_text(address) + ": " + reason);
}

Server::Server(tools::Runtime& runtime, int listening)
    : runtime_(runtime), listener_(runtime.loop(), listening, *this) {}

void Server::accepted(int descriptor) {
  ConnectionOwner& owner = *this;
  auto connection = std::make_unique<Connection>(runtime_, owner, descriptor);
  Connection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start();
}

void Server::accept_failed(int error) {
  std::fprintf(stderr, "gateway-echo: cannot accept: %s\n", std::strerror(error));
}

void Server::over(Connection& connection) {
  connections_.erase(&connection);
}

}  // namespace echo
