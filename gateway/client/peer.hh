// Who a connection's client is: the other end of its socket, or what a PROXY header says in its
// place. The one answer for the log, for what servers are told, and for whoever is trusted or
// limited.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

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

  // An IP address, "unix", or "-" while nothing is known.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return ends_.source_port; }
  // To be compared with networks: IPv4 as such, no interface, of a Unix socket no path.
  config::Address address() const;
  // The same, but for the port; nothing of a Unix socket.
  std::optional<config::Octets> octets() const { return config::octets_of(address()); }

  // The client's, and where it has come to as `descriptor`, its socket, knows, unless a PROXY
  // header has told. It may cost a system call.
  proxy::Endpoints ends(uring::Kernel& kernel, int descriptor) const;

 private:
  void name_host();

  proxy::Endpoints ends_;  // of its own socket without the destination
  std::string host_ = "-";
  bool is_told_ = false;  // by a PROXY header
};

}  // namespace gateway
