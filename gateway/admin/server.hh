// The admin listener's clients, on the loop of the main thread. Few at a time, each with a deadline
// for whatever it does; who comes beyond that waits in the queue.
#pragma once

#include <list>
#include <memory>
#include <optional>

#include "gateway/admin/service.hh"
#include "gateway/link/link.hh"
#include "gateway/log/log.hh"
#include "gateway/log/throttle.hh"
#include "proto/tls/context.hh"
#include "proto/tls/record_buffers.hh"
#include "uring/listener.hh"

namespace gateway::admin {

class Connection;

class Server final : private uring::Acceptor {
 public:
  static constexpr std::size_t kClientsMax = 64;

  struct Parts {
    uring::LinkResources& links;
    tls::RecordBuffers& records;
    tls::TicketKeys& tickets;
    Log log;
    Service& service;
  };

  // What it is given outlives it.
  explicit Server(Parts parts);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // `descriptor` is listening and stays open until stop() or leave() has ended.
  void start(int descriptor);
  // What the settings say now of certificates holds for whoever comes; feeds end of whom they let
  // in no more.
  void go_by_settings();
  // Nobody new: those in the queue are accepted, or left to a successor; who is there goes on.
  uring::Task<> stop_accepting(bool leaves_queue);
  // Everybody is cut.
  uring::Task<> stop();

 private:
  friend class Connection;
  void accepted(int descriptor) override;
  void accept_failed(int error) override;
  Appetite appetite() override;
  void forget(Connection& connection);
  // Of a request, whose client has that socket.
  void note_wrong_token(int descriptor, std::string_view method, std::string_view path);

  uring::Loop& loop() { return parts_.links.loop; }

  Parts parts_;
  Throttle throttle_;
  std::shared_ptr<tls::ServerContexts> contexts_;  // null: plain text
  std::optional<uring::Listener> listener_;
  std::list<std::unique_ptr<Connection>> connections_;
  uring::Event all_gone_;
  bool accepts_ = false;
};

}  // namespace gateway::admin
