#include "uring/tcp_options.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace uring {
namespace {

void set(int descriptor, int level, int option, std::int64_t value) {
  const int given = static_cast<int>(value);
  setsockopt(descriptor, level, option, &given, sizeof given);
}

void set_keep_alive(int descriptor, const TcpKeepAlive& keep_alive) {
  const bool is_on = keep_alive.idle.count() > 0;
  set(descriptor, SOL_SOCKET, SO_KEEPALIVE, is_on ? 1 : 0);
  if (!is_on) return;
  set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, keep_alive.idle.count());
  set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, keep_alive.interval.count());
  set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, keep_alive.probes);
}

void set_user_timeout(int descriptor, const TcpOptions& options) {
  set(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, options.user_timeout.count());
}

void set_unsent(int descriptor, const TcpOptions& options) {
  set(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, options.unsent_bytes);
}

}  // namespace

void set_tcp_options(int descriptor, const TcpOptions& options, const TcpOptions& has) {
  if (options.keep_alive != has.keep_alive) set_keep_alive(descriptor, options.keep_alive);
  if (options.user_timeout != has.user_timeout) set_user_timeout(descriptor, options);
  if (options.unsent_bytes != has.unsent_bytes) set_unsent(descriptor, options);
}

void clear_tcp_options(int descriptor) {
  set_keep_alive(descriptor, {});
  set_user_timeout(descriptor, {});
  set_unsent(descriptor, {});
}

}  // namespace uring
