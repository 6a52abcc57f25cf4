// Listening sockets that were open when the process began: of a service manager that holds them for
// it (socket activation, sd_listen_fds(3)), or of a predecessor (process/handover.hh). They are
// found by their addresses; their names (LISTEN_FDNAMES) say nothing that is needed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/config/address.hh"

namespace gateway {

class InheritedSockets {
 public:
  // What is found at one address.
  struct Taken {
    std::vector<int> descriptors;
    // A predecessor leaves them to this process alone; else others have them, too, and go on.
    bool alone = false;
  };

  InheritedSockets() = default;  // none
  // As LISTEN_PID and LISTEN_FDS say, which are taken out of the environment. The first `left` of
  // them are a predecessor's, which it leaves to this process.
  static InheritedSockets from_environment(std::size_t left = 0);
  InheritedSockets(InheritedSockets&& other) noexcept = default;
  InheritedSockets& operator=(InheritedSockets&& other) noexcept;
  ~InheritedSockets();

  // All that listen at the address, which are the caller's from here on.
  Taken take(const config::Address& address);
  // Whether one of those that nobody took keeps others from binding there.
  bool collide(const config::Address& address) const;
  // Of each that there was, in order, whether somebody took it.
  std::vector<bool> taken() const { return taken_; }
  // Closes those that nobody took, and gives a sentence for each.
  std::vector<std::string> close_rest();

 private:
  std::vector<int> descriptors_;
  std::vector<bool> taken_;
  std::size_t left_ = 0;
};

}  // namespace gateway
