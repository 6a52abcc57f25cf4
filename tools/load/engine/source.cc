#include "tools/load/engine/source.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

#include "uring/tcp_options.hh"

namespace load {

bool is_own_lack(int error) {
  return error == EADDRNOTAVAIL || error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

std::expected<void, SourceError> bind_to_source(Shared& shared, ShardTarget& target,
                                                tools::Link& link) {
  const std::vector<tools::Address>& sources = shared.plan.sources;
  if (sources.empty() || !target.target.socket_path.empty()) return {};
  const tools::Address& source = sources[target.sources_used++ % sources.size()];
  const int descriptor = socket(source.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (descriptor < 0) {
    ++shared.tally->lacks[errno];
    return std::unexpected(
        SourceError{"socket: " + std::string(std::strerror(errno)), target.target.text});
  }
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  uring::set_tcp_options(descriptor, {.unsent_bytes = uring::kUnsentBytes});
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const bool bound = bind(descriptor, source.get(), source.size) == 0;
  const int error = errno;
  link.adopt(descriptor);
  if (bound) return {};
  return std::unexpected(
      SourceError{"source: " + std::string(std::strerror(error)), to_text(source)});
}

}  // namespace load
