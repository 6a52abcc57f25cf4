#include "tools/load/engine/source.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>

namespace load {

std::expected<void, SourceError> bind_to_source(Shared& shared, const Target& target,
                                                tools::Link& link) {
  const std::vector<tools::Address>& sources = shared.plan.sources;
  if (sources.empty() || !target.socket_path.empty()) return {};
  const tools::Address& source = sources[shared.sources_used++ % sources.size()];
  const int descriptor = socket(source.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (descriptor < 0) {
    return std::unexpected(
        SourceError{"socket: " + std::string(std::strerror(errno)), target.text});
  }
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const bool bound = bind(descriptor, source.get(), source.size) == 0;
  const int error = errno;
  link.adopt(descriptor);
  if (bound) return {};
  return std::unexpected(
      SourceError{"source: " + std::string(std::strerror(error)), to_text(source)});
}

}  // namespace load
