// Who a connection's client is: the other end of its socket, or what a PROXY header says in its
// place. The one answer for the log, for what servers are told, and for whoever is trusted or
// limited.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "gateway/client/host_text.hh"
#include "gateway/config/address.hh"
#include "gateway/config/network.hh"
#include "proto/proxy/endpoints.hh"
#include "uring/kernel.hh"

namespace gateway {

class Peer {
 public:
  // The other end of the socket: 0, or -errno, where nothing is known.
  int learn(uring::Kernel& kernel, int descriptor);
  // What a PROXY header has told. Precondition: it has told something.
  void learn(const proxy::Endpoints& told);

  // An IP address, "unix", or "-" while nothing is known. Written anew each time.
  HostText host() const;
  std::uint16_t port() const { return port_; }
  // To be compared with networks: IPv4 as such, no interface, of a Unix socket no path.
  config::Address address() const;
  // The same, but for the port; nothing of a Unix socket.
  std::optional<config::Octets> octets() const { return config::octets_of(address()); }

  // The client's, and where it has come to as `descriptor`, its socket, knows, unless a PROXY
  // header has told. It may cost a system call.
  proxy::Endpoints ends(uring::Kernel& kernel, int descriptor) const;

 private:
  // Where it has come to.
  struct Destination {
    proxy::Endpoints::Octets octets;
    std::uint16_t port;
  };
  void note_source(const proxy::Endpoints& ends);

  std::unique_ptr<const Destination> told_;  // by a PROXY header; null: there was none
  proxy::Endpoints::Octets octets_{};        // as Endpoints::source
  std::uint16_t port_ = 0;
  proxy::Family family_ = proxy::Family::kNone;
};

}  // namespace gateway
