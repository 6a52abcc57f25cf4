// The listening socket and the connections that came through it. Lives as long as the program.
#pragma once

#include <memory>
#include <unordered_map>

#include "tools/common/address.hh"
#include "tools/echo/connection.hh"
#include "uring/listener.hh"

namespace echo {

class Server final : private uring::Acceptor, private ConnectionOwner {
 public:
  // A listening socket; the error is for people.
  static std::expected<int, std::string> listen(const tools::Address& address);

  Server(tools::Runtime& runtime, int listening);

  void start() { listener_.start(); }

 private:
  void accepted(int descriptor) override;
  void accept_failed(int error) override;
  void over(Connection& connection) override;

  tools::Runtime& runtime_;
  uring::Listener listener_;
  // As many as there are descriptors.
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

}  // namespace echo
