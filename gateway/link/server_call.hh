// One question to an HTTP server that is nobody's but the gateway's own, over a connection of its
// own: TCP, then TLS where it is wanted. It keeps no more of an answer than it has to look at; who
// asks bounds the time of it all, and aborts it then.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/link/link.hh"
#include "gateway/link/write_all.hh"
#include "proto/http/response.hh"
#include "proto/proxy/endpoints.hh"
#include "proto/tls/context.hh"
#include "uring/tcp_options.hh"

namespace gateway {

class ServerCall {
 public:
  static constexpr std::size_t kHeadBytesMax = 16 * 1024;
  // Of all that the server says, until it has said what it was asked for.
  static constexpr std::size_t kAnswerBytesMax = 64 * 1024;
  static constexpr std::size_t kReadBytes = 4096;

  // All of it outlives the call.
  struct Target {
    const sockaddr* address;
    socklen_t address_bytes;
    const uring::TcpOptions& tcp;
    uring::Source source = {};
    tls::ClientContext* tls = nullptr;  // null: plain
    std::string_view server_name = {};  // for TLS
    proxy::Version proxy_header = proxy::Version::kNone;
  };

  explicit ServerCall(uring::LinkResources& links) : link_(links) {}
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;

  // False, as all that follow: it failed, and cause() says why.
  uring::Task<bool> connect(const Target& target);
  void write(std::string_view text);
  // Of any length, which outlives the wait: until the server's system has taken it, or nothing
  // more.
  uring::Task<> write_all(std::string_view text) { return gateway::write_all(link_, text); }
  // The final one, with all its fields, or a 101: answer() is what came behind it.
  uring::Task<bool> receive_head();
  const http::ResponseHead& head() const { return head_; }
  // Behind receive_head(), once.
  void drop_head();
  // Appended to answer(). False: there is no more, or too much, and nothing is said of it yet.
  uring::Task<bool> receive_more();
  std::string& answer() { return answer_; }
  // Behind any of these, once: the connection is closed.
  uring::Task<> close();
  // It takes too long, or is not wanted any more: whatever is awaited ends soon.
  void abort() { link_.abort(); }

  // The first cause stays.
  bool fail(std::string cause);
  // What the connection's end has made impossible: "the server closed before a whole answer".
  bool fail_by_link(std::string_view what);
  const std::string& cause() const { return cause_; }
  // It failed since the gateway has run out of something.
  bool is_shortage() const { return shortage_; }

  uring::BlockPool& frames() { return link_.frames(); }

 private:
  Link link_;
  http::ResponseHead head_;
  std::string answer_;  // what has come and was not looked at yet
  std::size_t answer_bytes_ = 0;
  std::string cause_;
  bool shortage_ = false;
};

}  // namespace gateway
