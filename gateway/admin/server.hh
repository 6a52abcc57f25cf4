// The admin listener's clients, on the loop of the main thread, with buffers of their own: so they
// cost the shards nothing. Few at a time, each with a deadline for whatever it does; who comes
// beyond that waits in the queue.
#pragma once

#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  static constexpr uring::ReceiveBufferOptions kReceiveBuffers{
      .small_count = 64, .small_bytes = 4096, .bulk_count = 2, .bulk_bytes = 65536};

  struct Parts {
    uring::Loop& loop;
    uring::MemoryAccount& memory;
    tls::TicketKeys& tickets;
    Log log;
    Service& service;
  };

  // All that it needs of the kernel; the error says what is missing, and its cure.
  static std::expected<std::unique_ptr<Server>, std::string> create(Parts parts);
  ~Server();

  // `descriptor` is listening and stays open until stop() or leave() has ended.
  void start(int descriptor);
  // What the settings say now of certificates holds for whoever comes.
  void go_by_settings();
  // Nobody new: those in the queue are accepted, or left to a successor; who is there goes on.
  uring::Task<> stop_accepting(bool leaves_queue);
  // Everybody is cut.
  uring::Task<> stop();

 private:
  friend class Connection;
  explicit Server(Parts parts);
  void accepted(int descriptor) override;
  void accept_failed(int error) override;
  Appetite appetite() override;
  void forget(Connection& connection);

  Parts parts_;
  Throttle throttle_;
  std::unique_ptr<uring::ReceiveBuffers> buffers_;
  uring::BatchPool batches_;
  std::vector<std::byte> plaintext_;
  tls::RecordBuffers record_buffers_;
  std::optional<uring::LinkResources> links_;
  std::shared_ptr<tls::ServerContexts> contexts_;  // null: plain text
  std::optional<uring::Listener> listener_;
  std::list<std::unique_ptr<Connection>> connections_;
  uring::Event all_gone_;
  bool accepts_ = false;
};

}  // namespace gateway::admin
