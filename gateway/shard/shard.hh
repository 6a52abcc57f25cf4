// One thread with everything it needs of its own: ring, buffers, timers, listening sockets, TLS
// contexts, connections. Made on the main thread, run on its own, and never shared: others reach it
// through messages only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "gateway/client/connections.hh"
#include "gateway/exchange/token_cache.hh"
#include "gateway/log/log.hh"
#include "gateway/log/throttle.hh"
#include "gateway/shard/admission.hh"
#include "gateway/shard/closings.hh"
#include "gateway/shard/key_log.hh"
#include "gateway/shard/leaving_listeners.hh"
#include "gateway/shard/live_scan.hh"
#include "gateway/shard/orders.hh"
#include "gateway/shard/orphans.hh"
#include "gateway/shard/password_desk.hh"
#include "gateway/shard/random_bytes.hh"
#include "gateway/shard/rebalancing.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/shard/shard_listener.hh"
#include "gateway/shard/websocket_counters.hh"
#include "gateway/upstream/descriptor_budget.hh"
#include "gateway/upstream/health_checks.hh"
#include "gateway/upstream/registry.hh"
#include "gateway/upstream/upstreams.hh"
#include "gateway/websocket/codecs.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/ticket_keys.hh"
#include "uring/kernel.hh"
#include "uring/mailbox.hh"

namespace gateway {

class Shard final : private uring::BellOwner, private Reception {
 public:
  // Memory for outbound batches of slow peers, beyond what each may have anyway.
  static constexpr std::size_t kBatchBudget = 4 * 1024 * 1024;

  struct Setup {
    unsigned index;
    unsigned count;
    tls::TicketKeys& tickets;
    Registry& registry;
    DescriptorBudget& descriptors;
    limits::ClientLimits& limits;
    AcceptBalance& balance;
    uring::MemoryAccount& memory;
    std::size_t memory_usual_bytes;  // that there may be, unless the configuration says otherwise
    Log log;
    uring::Mailbox<Report>& reports;
    uring::ReceiveBufferOptions receive_buffers{};
    PasswordWorkers* passwords = nullptr;  // null: nobody is asked for one
  };

  // On the main thread. The error says what is missing, and its cure.
  // `kernel` outlives the shard, and is its alone.
  static std::expected<std::unique_ptr<Shard>, std::string> create(Setup setup,
                                                                   uring::Kernel& kernel);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // What it serves when it runs.
  void begin_with(AdoptOrder first) { first_ = std::move(first); }
  // On the shard's thread, until it has stopped; `ready` is set once it serves.
  void run(std::atomic<unsigned>& ready);
  // Its parts, for who turns the loop by hand: between them the loop turns until it is stopped.
  void begin();
  void finish();

  // For any thread. Who refuses has ended.
  uring::Mailbox<Order>& orders() { return orders_; }
  // Its own mailbox for what other shards accept for it.
  std::shared_ptr<HandedOver> make_handed_over() {
    return std::make_shared<HandedOver>(bell_, kHandedOverMax);
  }

  uring::Loop& loop() { return loop_; }
  const uring::LoopCounters& turns() const { return loop_.counters(); }  // for any thread
  uring::LinkResources& links() { return *links_; }
  const uring::ReceiveBuffers& receive_buffers() const { return *buffers_; }
  const uring::BatchPool& batches() const { return batches_; }
  const uring::MemoryAccount& memory() const { return memory_; }  // for any thread
  std::size_t connections() const { return connections_.count(); }
  UnderWayCounts& under_way() { return under_way_; }
  const UnderWayCounts& under_way() const { return under_way_; }  // for any thread
  // How long a client may take to begin its first request once the shard stops. Where a successor
  // serves nobody waits for the end, and crowds may be on their way in.
  std::chrono::seconds last_chance() const {
    return std::chrono::seconds(handed_over_.empty() ? 1 : 10);
  }
  // Clients are better sent elsewhere; where a successor serves at the same sockets they are not.
  bool is_to_stop() const { return to_stop_; }
  // WebSockets that are closed one by one.
  Closings& closings() { return closings_; }
  // For any thread.
  const Counters& counters() const { return counters_; }
  Counters& counters() { return counters_; }
  RouteTraffic& without_route() { return *without_route_; }
  const uring::LinkCounts& links_counted(uring::LinkSide side) const {
    return link_counts_[static_cast<std::size_t>(side)];
  }
  const WebSocketCounters& websockets() const { return websockets_; }
  WebSocketCounters& websockets() { return websockets_; }
  // The newest, for whatever begins now.
  const uring::Held<ShardGeneration>& generation() const { return generation_; }
  const config::Config& config() const { return generation_->config(); }
  Log& log() { return setup_.log; }
  // For lines that strangers can cause at will.
  bool may_log(LogLevel level, std::string_view cause, Throttle::Rate rate = Throttle::kUsual) {
    return throttle_.admit(level, cause, loop_.now(), rate);
  }
  Upstreams& upstreams() { return *upstreams_; }
  PasswordDesk& passwords() { return passwords_; }
  TokenCache& tokens() { return tokens_; }
  // For a head or a path while it is made; whoever uses it next overwrites it.
  std::string& scratch() { return scratch_; }
  // For what must be unique.
  RandomBytes& random() { return random_; }
  uring::BlockPool& frames() { return loop_.frames(); }
  // Of WebSockets that are compressed for their clients alone.
  Codecs& codecs() { return *codecs_; }

  Admission& admission() { return admission_; }
  // Somebody was not let in.
  void note_refused(limits::Cause cause);
  // Somebody's address is not known, and he was refused, or is not counted.
  void note_table_full();

  // It has told in a PROXY header who it is: is he let in?
  void judge_client(Connection& connection, const Entrance& entrance);
  void forget(Connection& connection);
  // A request or a WebSocket of it has ended, which was told in the log.
  void note_ended(Connection& connection);
  // What is lost of it is lost by the gateway's will.
  void note_cut(Connection& connection, Connection::Loss loss);

 private:
  // Clients, from its listeners.
  void admit(const Entrance& entrance, int descriptor) override;
  Admission::Answer judge(const Entrance& entrance, int descriptor);
  void note_judged(const Admission::Answer& answer, const config::Address& client,
                   const Entrance& entrance);
  Appetite appetite() override;
  void accept_failed(int error) override;
  std::size_t index() const override { return setup_.index; }
  AcceptBalance& balance() override { return setup_.balance; }
  bool may_hand_over() const override;

  Shard(Setup setup, uring::Kernel& kernel);
  std::size_t fixed_bytes() const;
  proto::MemoryCounter memory_counter(uring::MemoryKind kind) {
    return {.own = &memory_.counter(kind), .whole = &setup_.memory.counter(kind)};
  }
  void rung() override;
  void carry_out(const AnnounceOrder& order);
  void carry_out(const StopOrder& order);
  void carry_out(const CutOrder& order);
  void carry_out(const AdoptOrder& order);
  void carry_out(const ServersOrder& order);
  void carry_out(const AnswerOrder& order);
  void carry_out(const DrainOrder& order);
  void carry_out(const ReviewOrder& order);
  void carry_out(const LookOrder& order);
  void begin_to_load(const AdoptOrder& order);
  bool load_step();
  void load_next();
  void load_at_once();
  void take_listeners();
  void finish_adopting();
  std::size_t close_orphans();
  std::size_t kick(const LiveLook::Kick& kick, std::unordered_set<std::uint64_t> ids);
  uring::Task<> retire();
  void cut_all();
  void cut(Connection& connection);
  std::uint64_t& tally_of(const Connection& connection);
  void report(Report::Kind kind) { report(Report{.kind = kind}); }
  void report(Report report);

  Setup setup_;
  uring::Kernel& kernel_;
  uring::MemoryAccount memory_{setup_.memory};  // its part of that
  uring::Loop loop_;
  uring::Bell bell_;
  uring::Mailbox<Order> orders_;
  PasswordDesk passwords_;
  TokenCache tokens_;
  Throttle throttle_;
  Admission admission_;
  std::unique_ptr<uring::ReceiveBuffers> buffers_;
  uring::BatchPool batches_{kBatchBudget, &memory_};
  std::vector<std::byte> plaintext_;
  ShardKeyLog key_log_{setup_.log};  // outlives all sessions
  tls::RecordBuffers record_buffers_{memory_counter(uring::MemoryKind::kTls)};
  std::optional<uring::LinkResources> links_;  // while it runs
  std::optional<Upstreams> upstreams_;         // likewise
  std::optional<HealthChecks> checks_;         // likewise
  std::optional<Codecs> codecs_;               // likewise
  uring::Held<ShardGeneration> generation_;    // likewise
  AdoptOrder first_;                           // until it runs
  std::vector<config::Address> handed_over_;   // to a successor, at the stop
  uring::Held<ShardGeneration> loading_;       // a newer one, until it is whole
  std::list<ShardListener> coming_;            // the listeners that come with it
  uring::ReadyMember<&Shard::load_next> load_next_{*this};
  std::string scratch_;
  RandomBytes random_{kernel_};
  std::list<ShardListener> listeners_;
  LeavingListeners leaving_;
  uring::Event adopted_;
  uring::Event all_left_;  // the listeners, at the stop
  Connections connections_;
  Closings closings_{loop_, connections_};
  LiveScan live_scan_{loop_, connections_, setup_.index};
  Rebalancing rebalancing_{loop_, connections_, setup_.log, setup_.index, setup_.count};
  Orphans orphans_;
  std::optional<PacedPlan> orphans_plan_;  // of the newest generation
  UnderWayCounts under_way_;
  StopTally stopped_;  // since the stop has begun
  Counters counters_;
  std::shared_ptr<RouteTraffic> without_route_ =
      counters_.routes.of(std::string(Counters::kNoRoute));
  std::array<uring::LinkCounts, 2> link_counts_;  // of clients, and of servers
  WebSocketCounters websockets_;
  uring::Event all_gone_;
  uring::Task<> retirement_;
  std::uint64_t accepted_ = 0;
  bool adopting_ = false;
  bool to_stop_ = false;
  bool retiring_ = false;
  bool cut_ = false;
};

}  // namespace gateway
