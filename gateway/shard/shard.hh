// One thread with everything it needs of its own: ring, buffers, timers, listening sockets, TLS
// contexts, connections. Made on the main thread, run on its own, and never shared: others reach it
// through messages only.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/client/connections.hh"
#include "gateway/config/config.hh"
#include "gateway/log/log.hh"
#include "gateway/log/throttle.hh"
#include "gateway/upstream/descriptor_budget.hh"
#include "gateway/upstream/server_counts.hh"
#include "gateway/upstream/upstreams.hh"
#include "proto/tls/context.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/ticket_keys.hh"
#include "uring/kernel.hh"
#include "uring/listener.hh"
#include "uring/mailbox.hh"

namespace gateway {

// A listening socket of one shard; the descriptor stays the main thread's to close. A Unix socket
// has one for all shards: the first one accepts, and hands over (-1 elsewhere).
struct ListeningSocket {
  const config::Listener* listener;
  int descriptor;
};

// What the main thread tells a shard, each once at the most.
enum class Order : std::uint8_t { kStop, kCut };
// And a shard the main thread, likewise.
enum class Report : std::uint8_t { kDrained, kEnded };

class Shard final : private uring::BellOwner {
 public:
  // At a stop: how long a TCP handshake that has begun may take to its end.
  static constexpr std::chrono::milliseconds kHandshakeTime{100};
  // Connections that are still open then are cut.
  static constexpr std::chrono::seconds kStopTime{10};
  // Memory for outbound batches of slow peers, beyond what each may have anyway.
  static constexpr std::size_t kBatchBudget = 4 * 1024 * 1024;

  struct Setup {
    unsigned index;
    unsigned count;
    std::vector<ListeningSocket> listening;
    config::Snapshot config;
    tls::TicketKeys& tickets;
    ServerCounts& counts;
    DescriptorBudget& descriptors;
    Log log;
    uring::Mailbox<Report>& reports;
    uring::ReceiveBufferOptions receive_buffers{};
  };

  // On the main thread. The error says what is missing, and its cure.
  // `kernel` outlives the shard, and is its alone.
  static std::expected<std::unique_ptr<Shard>, std::string> create(Setup setup,
                                                                   uring::Kernel& kernel);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // On the shard's thread, until it has stopped; `ready` is set once it serves.
  void run(std::atomic<unsigned>& ready);
  // Its parts, for who turns the loop by hand: between them the loop turns until it is stopped.
  void begin();
  void finish();

  // For any thread. Who refuses has ended.
  uring::Mailbox<Order>& orders() { return orders_; }
  // Where another shard hands over a descriptor that it has accepted; who refuses has no room, or
  // stops.
  using Clients = uring::Mailbox<int>;
  Clients& handed_over(std::size_t port) { return ports_[port].handed_over(); }
  // Who takes turns at a Unix socket, this shard first; before run().
  void share(std::size_t port, std::vector<Clients*> takers) {
    ports_[port].share(std::move(takers));
  }

  uring::Loop& loop() { return loop_; }
  uring::LinkResources& links() { return *links_; }
  const uring::ReceiveBuffers& receive_buffers() const { return *buffers_; }
  const uring::BatchPool& batches() const { return batches_; }
  std::size_t connections() const { return connections_.count(); }
  config::Snapshot snapshot() const { return setup_.config; }
  const config::Config& config() const { return *setup_.config; }
  Log& log() { return setup_.log; }
  // For lines that strangers can cause at will.
  bool may_log(LogLevel level, std::string_view cause, Throttle::Rate rate = Throttle::kUsual) {
    return throttle_.admit(level, cause, loop_.now(), rate);
  }
  Upstreams& upstreams() { return *upstreams_; }
  // For a head or a path while it is made; whoever uses it next overwrites it.
  std::string& scratch() { return scratch_; }
  uring::BlockPool& frames() { return loop_.frames(); }

  void forget(Connection& connection);

 private:
  // Accepts for one listening socket.
  class Port final : public uring::Acceptor {
   public:
    // Clients that may be on their way from another shard.
    static constexpr std::size_t kHandedOverMax = 16;

    Port(Shard& shard, const ListeningSocket& socket);
    void accepted(int descriptor) override;
    void accept_failed(int error) override;
    Appetite appetite() override;
    void resume() { listener_.resume(); }
    // Nothing on a shard that only takes what is handed over.
    void start();
    uring::Task<> stop();
    Clients& handed_over() { return handed_over_; }
    void take_handed_over();
    void share(std::vector<Clients*> takers) { takers_ = std::move(takers); }

    // On the shard's thread, which the contexts belong to. What is loaded here was tried when the
    // configuration was read, so it can be.
    void load_certificates();

   private:
    void serve(int descriptor);

    Shard& shard_;
    const ListeningSocket& socket_;
    uring::Listener listener_;
    Clients handed_over_;
    std::vector<Clients*> takers_;  // of a Unix socket, in turns
    std::size_t next_taker_ = 0;
    std::unique_ptr<tls::ServerContexts> contexts_;
  };

  Shard(Setup setup, uring::Kernel& kernel);
  void rung() override;
  uring::Task<> retire();
  void cut_all();
  void on_handshakes_over() { handshakes_over_.set(); }
  void report(Report report);

  Setup setup_;
  uring::Kernel& kernel_;
  uring::Loop loop_;
  uring::Bell bell_;
  uring::Mailbox<Order> orders_;
  Throttle throttle_;
  std::unique_ptr<uring::ReceiveBuffers> buffers_;
  uring::BatchPool batches_{kBatchBudget};
  std::vector<std::byte> plaintext_;
  tls::RecordBuffers record_buffers_;
  std::optional<uring::LinkResources> links_;  // while it runs
  std::optional<Upstreams> upstreams_;         // likewise
  std::string scratch_;
  std::deque<Port> ports_;
  Connections connections_;
  uring::TimerMember<&Shard::cut_all> patience_;
  uring::TimerMember<&Shard::on_handshakes_over> handshakes_;
  uring::Event handshakes_over_;
  uring::Event all_gone_;
  uring::Task<> retirement_;
  std::uint64_t accepted_ = 0;
  bool retiring_ = false;
  bool cut_ = false;
};

}  // namespace gateway
