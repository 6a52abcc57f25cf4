// The listening sockets of one address: one for each shard (SO_REUSEPORT), so that the kernel
// spreads the connections. Of a Unix socket there is one; its file is this object's, and goes with
// it. Errors name the address and the cure.
//
// An address that is in use is tried again for a moment: a process that was killed holds its
// sockets for some 20 ms (the kernel ends its rings when it has gone), and one that stops in order
// closes them before its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/process/inherited_sockets.hh"

namespace gateway {

class ListeningAddress {
 public:
  static constexpr int kBacklog = 4096;

  using Made = std::expected<std::unique_ptr<ListeningAddress>, std::string>;
  struct Terms {
    std::chrono::milliseconds patience;  // how long it may be in use at the most
    bool beside_ours = false;            // one of ours is in the way, and may be
    std::optional<uid_t> owner{};        // whom TCP sockets belong to; none: the process
    config::UnixFile unix_file{};        // how a Unix socket's is made
    uring::TcpOptions tcp{};             // of what is accepted
  };

  // `count` sockets, or one for a Unix socket; nobody gets in before listen().
  static Made bind(const config::Address& address, unsigned count, const Terms& terms);
  // Sockets that listen there already and that others have, too, as whoever has handed them down:
  // their queues and a Unix socket's file outlive this object, unless it takes them over.
  static std::unique_ptr<ListeningAddress> adopt(const config::Address& address,
                                                 InheritedSockets::Taken sockets,
                                                 const uring::TcpOptions& tcp = {});
  // For a check: as many sockets, which are bound nowhere, where bind() would be allowed what the
  // configuration says of a Unix socket's owner.
  static Made reserve(const config::Listener& listener, unsigned count);
  ~ListeningAddress();
  ListeningAddress(const ListeningAddress&) = delete;
  ListeningAddress& operator=(const ListeningAddress&) = delete;

  std::expected<void, std::string> listen();
  // Of a Unix socket: its file's owner and mode.
  std::expected<void, std::string> give_file(const config::UnixFile& file);
  // What is accepted from then on has these.
  void set_tcp(const uring::TcpOptions& tcp);
  // The same, whatever a successor that did not come to serve has set meanwhile.
  void set_tcp_again();
  // From here on nobody new gets into the queues: over TCP a handshake that has begun may end, no
  // other begins; a Unix socket's file goes. Then what is in the queues can be accepted to its end.
  // Of sockets that others have, too, nothing: who comes is theirs.
  void refuse_new();
  // From here on they are this object's alone, if whoever had them has left them to it.
  void take_over();
  // From here on others have them, too: a successor.
  void hand_over();
  // Whether nobody else has them, and a Unix socket's file is still the one that was made for it.
  bool is_ours_alone() const;

  const config::Address& address() const { return address_; }
  std::span<const int> descriptors() const { return descriptors_; }

 private:
  // The file that this process made; another one that has its name now is somebody else's.
  struct OwnFile {
    std::string path;
    dev_t device;
    ino_t inode;
  };

  explicit ListeningAddress(const config::Address& address);
  std::expected<void, std::string> bind_ports(unsigned count, const Terms& terms);
  std::expected<void, std::string> bind_unix_socket(const Terms& terms);
  bool has_its_file() const;
  void remove_file();

  config::Address address_;
  std::vector<int> descriptors_;
  uring::TcpOptions tcp_;  // that the sockets have been given
  bool others_have_it_ = false;
  bool is_left_to_us_ = false;
  std::optional<OwnFile> file_;
  mode_t usual_mode_ = 0;  // which such a file would have
};

}  // namespace gateway
