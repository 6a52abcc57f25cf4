// The listening sockets, made by the main thread before any shard runs: one for each address and
// shard (SO_REUSEPORT), so that the kernel spreads the connections. Of a Unix socket there is one;
// its file is this object's, and goes with it.
//
// An address that is in use is tried again for a moment: a process that was killed holds its
// sockets for some 20 ms (the kernel ends its rings when it has gone), and one that stops in order
// closes them before its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <string>
#include <vector>

#include "gateway/config/config.hh"

namespace gateway {

class ListeningSockets {
 public:
  // How long an address may be in use at the most.
  static constexpr std::chrono::milliseconds kPatience{1000};

  explicit ListeningSockets(std::chrono::milliseconds patience = kPatience) : patience_(patience) {}
  ~ListeningSockets();
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;

  // Gives `count` descriptors, or one for a Unix socket, that this object closes. The error names
  // the address and the cure.
  std::expected<std::vector<int>, std::string> open(const config::Listener& listener,
                                                    unsigned count);

  // For a check: as many sockets, which are bound nowhere, where open() would be allowed what the
  // configuration says of a Unix socket's owner.
  std::expected<std::vector<int>, std::string> reserve(const config::Listener& listener,
                                                       unsigned count);

  // From here on nobody new gets into the queues: over TCP a handshake that has begun may end, no
  // other begins; a Unix socket's file goes. Then what is in the queues can be accepted to its end.
  void refuse_new();
  // When it is: new clients are refused from here on, and a successor can have the addresses.
  void close_all();

 private:
  // The file that this process made; another one that has its name now is somebody else's.
  struct UnixFile {
    std::string path;
    dev_t device;
    ino_t inode;
  };

  std::expected<std::vector<int>, std::string> open_unix(const config::Listener& listener);
  void remove_files();

  std::chrono::milliseconds patience_;
  std::vector<int> descriptors_;
  std::vector<UnixFile> files_;
};

}  // namespace gateway
