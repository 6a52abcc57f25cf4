// Listening sockets that were open when the process began: of a service manager that holds them for
// it (socket activation, sd_listen_fds(3)), or of a predecessor. They are found by their addresses;
// their names (LISTEN_FDNAMES) say nothing that is needed.
#pragma once

#include <string>
#include <vector>

#include "gateway/config/address.hh"

namespace gateway {

class InheritedSockets {
 public:
  InheritedSockets() = default;  // none
  // As LISTEN_PID and LISTEN_FDS say, which are taken out of the environment.
  static InheritedSockets from_environment();
  InheritedSockets(InheritedSockets&& other) noexcept = default;
  InheritedSockets& operator=(InheritedSockets&& other) noexcept;
  ~InheritedSockets();

  // All that listen at the address, which are the caller's from here on.
  std::vector<int> take(const config::Address& address);
  // Closes those that nobody took, and gives a sentence for each.
  std::vector<std::string> close_rest();

 private:
  std::vector<int> descriptors_;
};

}  // namespace gateway
