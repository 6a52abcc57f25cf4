// The listening sockets, made by the main thread before any shard runs: one for each address and
// shard (SO_REUSEPORT), so that the kernel spreads the connections.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "gateway/config/address.hh"

namespace gateway {

class ListeningSockets {
 public:
  ListeningSockets() = default;
  ~ListeningSockets();
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;

  // Gives `count` descriptors that this object closes. The error names the address and the cure.
  std::expected<std::vector<int>, std::string> open(const config::Address& address, unsigned count);

 private:
  std::vector<int> descriptors_;
};

}  // namespace gateway
