// The connections of one shard to its servers: opened for an exchange, kept for the next one, and
// closed in the background.
//
//   open() -> dial() -.                  .-> keep()  -> [kept, watched] -> take_kept()
//                      >-> an exchange --<
//   take_kept() ------'                  '-> close() -> [closing] -> gone
//
// A connection belongs to Upstreams, and to one exchange from open() or take_kept() until keep() or
// close(), which come when nothing waits on its link any more but its own dialling. While it is
// kept its link is armed for the first bytes of the next answer: a server that closes, or speaks
// unasked, is noticed at once, and costs no request to find out.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/link/end.hh"
#include "gateway/link/farewell.hh"
#include "gateway/link/link.hh"
#include "gateway/log/log.hh"
#include "gateway/upstream/address_memory.hh"
#include "gateway/upstream/descriptor_budget.hh"
#include "gateway/upstream/server_counts.hh"
#include "proto/tls/context.hh"

namespace gateway {

class Upstreams;

class UpstreamConnection : private uring::ListEntry {
 public:
  UpstreamConnection(Upstreams& owner, uring::LinkResources& links, const config::Pool& pool,
                     const config::Server& server);
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // Dials one of the server's addresses: TCP or Unix socket, then TLS where the pool has it. From
  // then until taken() or Upstreams::close() `progress` is set whenever its stage changes.
  struct Patience {
    uring::Clock::duration connect;
    uring::Clock::duration handshake;  // from the beginning, too
  };
  void dial(std::size_t address, Patience patience, uring::Event& progress);
  enum class Stage : std::uint8_t {
    kDialling,
    kLate,  // it still dials, but another address should be tried beside it
    kConnected,
    kFailed,  // failure() says why, and only close() may follow
  };
  Stage stage() const { return stage_; }
  // It is connected, and from here on an exchange's.
  void taken();

  struct Failure {
    int error = 0;  // errno, or 0 where it was TLS: then the text is set
    std::string text;

    // The gateway has run out of something, which is not the server's fault.
    bool is_shortage() const;
    End end() const;  // lives as long as this
  };
  const Failure& failure() const { return *failure_; }

  Link& link() { return link_; }
  const config::Server& server() const { return server_; }
  // Another exchange has had it before.
  bool reused() const { return reused_; }

  uring::BlockPool& frames() { return link_.frames(); }

 private:
  friend class Upstreams;
  friend class uring::List<UpstreamConnection>;
  uring::Task<> dial_story(Patience patience);
  uring::Task<bool> shake_hands();
  void enter(Stage stage);
  uring::Task<> close_story(Farewell farewell);
  uring::Task<> take_leave(Farewell farewell);
  void on_noticed_or_closed();
  void on_noticed();
  void on_time_over();

  Upstreams& owner_;
  const config::Pool& pool_;
  const config::Server& server_;
  Link link_;
  std::unique_ptr<Failure> failure_;
  uring::Clock::time_point opened_;
  uring::Clock::time_point usable_from_;  // while it is kept
  // While it is kept: something has arrived. And when it has closed.
  uring::ReadyMember<&UpstreamConnection::on_noticed_or_closed> noticed_or_closed_{*this};
  // How long it is kept, or its dialling or closing may take.
  uring::TimerMember<&UpstreamConnection::on_time_over> timer_;
  uring::Task<> dialling_;
  uring::Task<> closing_;
  uring::Event* progress_ = nullptr;  // of the dialling, unless nobody waits for it
  std::uint32_t address_ = 0;         // of the server's
  Stage stage_ = Stage::kDialling;
  bool kept_ = false;
  bool reused_ = false;
};

class Upstreams {
 public:
  // How long the server may take nothing of what is left for it.
  static constexpr std::chrono::seconds kFlushTime{10};
  // How long, and how much, is read and thrown away after our last byte, until the server closes.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::size_t kLingerBytes = 256 * 1024;
  // What came before a reset goes before it where there is room for it.
  static constexpr std::chrono::milliseconds kResetTime{10};
  // How long a connection must have been quiet behind an answer of doubtful length.
  static constexpr std::chrono::milliseconds kSettling{20};
  // What a kept connection, or one that awaits an answer, is armed for.
  static constexpr std::size_t kHeadReadBytes = 4096;

  // `config`, `counts` and `descriptors` outlive it. The turns of each pool begin with the number
  // of the shard, which spreads the shards over the servers.
  Upstreams(uring::LinkResources& links, const config::Config& config, ServerCounts& counts,
            DescriptorBudget& descriptors, std::size_t shard, Log log);
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  // The TLS contexts, on the shard's thread, which they and `buffers` belong to. The error names
  // the pool.
  std::expected<void, std::string> load_tls(tls::RecordBuffers& buffers);

  // Where an exchange begins to try: the pool's next turn. The servers behind it (and around) come
  // next, which moves no turn.
  std::size_t choose(const config::Pool& pool);

  // A kept connection that is quiet, or null.
  UpstreamConnection* take_kept(const config::Server& server);
  UpstreamConnection& open(const config::Pool& pool, const config::Server& server);
  // Whether there are descriptors for more connections than each client's one.
  bool has_spare_descriptors() const { return descriptors_.clients_more() > 0; }
  // The server's addresses in the order in which they are to be dialled now.
  std::pmr::vector<std::size_t> addresses_of(const config::Server& server) {
    return addresses_.order(server, links_.loop.now(), &frames());
  }

  // Its answer is whole, and so is what was asked. `server_says_s`: for how long the server keeps
  // it. kLater: some servers send more behind such an answer, so it is given out only when nothing
  // has come for kSettling.
  enum class Reuse : std::uint8_t { kAtOnce, kLater };
  void keep(UpstreamConnection& connection, std::optional<std::uint32_t> server_says_s,
            Reuse reuse);
  void close(UpstreamConnection& connection, Farewell farewell = Farewell::kNone);

  // Closes so many of those that no client uses, kept ones first, for whoever needs their
  // descriptors more.
  void give_up_idle(std::size_t count);
  // Closes what is kept, and waits for all that closes.
  uring::Task<> close_all();
  // Those that take their time to close are closed at once.
  void cut();

  // The server's last answer was HTTP/1.0: it may not understand chunks (RFC 9112 section 6.1).
  bool speaks_only_1_0(const config::Server& server) const {
    return servers_[server.index].only_1_0;
  }
  void note_version(const config::Server& server, std::uint8_t minor_version) {
    servers_[server.index].only_1_0 = minor_version == 0;
  }

  uring::BlockPool& frames() { return links_.loop.frames(); }

 private:
  friend class UpstreamConnection;
  struct PerServer {
    uring::List<UpstreamConnection> kept;  // the newest last
    std::size_t kept_count = 0;
    tls::Ticket ticket;
    bool only_1_0 = false;
  };

  PerServer& state_of(const UpstreamConnection& connection) {
    return servers_[connection.server_.index];
  }
  std::size_t index_of(const config::Pool& pool) const {
    return static_cast<std::size_t>(&pool - config_.pools.data());
  }
  tls::ClientContext* tls_of(const config::Pool& pool) { return contexts_[index_of(pool)].get(); }
  void note_attempt(const UpstreamConnection& connection);
  void note_stage(const UpstreamConnection& connection);
  void note_borrowed(const config::Server& server);
  void note_returned(const config::Server& server);
  void note_ticket(UpstreamConnection& connection);
  void begin_close(UpstreamConnection& connection, Farewell farewell);
  void forget_kept(UpstreamConnection& connection);
  void forget(UpstreamConnection& connection);

  uring::LinkResources& links_;
  const config::Config& config_;
  ServerCounts& counts_;
  DescriptorBudget& descriptors_;
  std::size_t shard_;
  Log log_;
  AddressMemory addresses_;
  std::vector<std::size_t> turns_;                             // by pool
  std::vector<PerServer> servers_;                             // by config::Server::index
  std::vector<std::unique_ptr<tls::ClientContext>> contexts_;  // by pool; null: plain
  uring::List<UpstreamConnection> closing_slowly_;
  std::size_t open_ = 0;
  std::size_t borrowed_ = 0;  // of those that are open
  uring::Event all_gone_;
};

}  // namespace gateway
