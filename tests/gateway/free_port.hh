// Ports that nobody listens on now, and that nobody else is given. They lie below the range that
// the kernel takes for outgoing connections and for listeners without a port of their own, so that
// no other test can get one of them; and none is given out twice, neither by one process nor by two
// that run at the same time: a process takes them from blocks that it has claimed by the name of an
// abstract Unix socket, as tests/e2e/support/ports.py does.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>

#include "tests/gateway/plain_peer.hh"

class FreePorts {
 public:
  std::uint16_t next() {
    for (int tries = 0; tries < kLast - kFirst; ++tries) {
      if (left_ == 0) claim_block();
      const auto port = static_cast<std::uint16_t>(first_ + kBlock - left_--);
      if (is_free(port)) return port;
    }
    throw std::runtime_error("no free port");
  }

 private:
  static constexpr int kFirst = 12'000, kLast = 32'000, kBlock = 100;

  // The claim is kept until the process ends.
  void claim_block() {
    std::random_device random;
    for (int tries = 0; tries < 10'000; ++tries) {
      const int first = kFirst + kBlock * static_cast<int>(random() % ((kLast - kFirst) / kBlock));
      const std::string name = '\0' + std::string("gateway-test-ports-") + std::to_string(first);
      const int claim = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      name.copy(address.sun_path, name.size());
      const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
      if (bind(claim, reinterpret_cast<const sockaddr*>(&address), length) == 0) {
        first_ = first;
        left_ = kBlock;
        return;
      }
      close(claim);
    }
    throw std::runtime_error("no block of ports is left");
  }

  static bool is_free(std::uint16_t port) {
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = PlainPeer::local(port);
    const bool free = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    return free;
  }

  int first_ = 0;
  int left_ = 0;
};

inline std::uint16_t free_port() {
  static FreePorts ports;
  return ports.next();
}
