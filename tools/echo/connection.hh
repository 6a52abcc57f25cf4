// One client's connection: request after request, each answered by its handler, then the farewell.
// Owned by the Server, told when it is over. The story is the one coroutine run().
#pragma once

#include <vector>

#include "tools/echo/exchange.hh"

namespace echo {

class Connection;

class ConnectionOwner {
 public:
  // The connection may be destroyed.
  virtual void over(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection {
 public:
  // The descriptor is the connection's from here on.
  Connection(tools::Runtime& runtime, ConnectionOwner& owner, int descriptor);

  void start() { story_.start(); }

 private:
  uring::Task<> run();
  uring::Task<bool> read_head();
  uring::Task<bool> answer();
  uring::Task<> farewell();
  void on_farewell_over() { link_.abort(); }
  void on_over() { owner_.over(*this); }

  uring::Loop& loop_;
  ConnectionOwner& owner_;
  Link link_;
  http::RequestHead head_;
  std::vector<std::byte> received_;  // the head, and what came with it
  uring::ReadyMember<&Connection::on_over> over_{*this};
  uring::TimerMember<&Connection::on_farewell_over> farewell_limit_;
  uring::Task<> story_;
};

}  // namespace echo
