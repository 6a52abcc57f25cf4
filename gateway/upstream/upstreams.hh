// The connections of one shard to its servers: opened for an exchange, kept for the next one, and
// closed in the background.
//
//   open() -> dial() -.                  .-> keep()  -> [kept, watched] -> take_kept()
//                      >-> an exchange --<
//   take_kept() ------'                  '-> close() -> [closing] -> gone
//
// A connection belongs to Upstreams, and to one exchange from open() or take_kept() until keep() or
// close(), which come when nothing waits on its link any more but its own dialling. While it is
// kept its link is armed for what the next answers begin with: a server that closes, or speaks
// unasked, is noticed at once, and costs no request to find out.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/log/log.hh"
#include "gateway/metrics/counters.hh"
#include "gateway/metrics/handshakes.hh"
#include "gateway/upstream/descriptor_budget.hh"
#include "gateway/upstream/upstream_connection.hh"
#include "proto/tls/record_buffers.hh"

namespace gateway {

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
  // What one that awaits an answer is armed for, unless it was kept.
  static constexpr std::size_t kHeadReadBytes = 4096;
  // And a kept one, for many answers.
  static constexpr std::size_t kInputBytes = 8192;

  // What is given outlives it. The turns of each pool begin with the number of the shard, which
  // spreads the shards over the servers.
  Upstreams(uring::LinkResources& links, tls::RecordBuffers& buffers, Registry& registry,
            Counters& counters, DescriptorBudget& descriptors, std::size_t shard, Log log);
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  // A generation's pool, on the shard's thread, which its TLS belongs to. Its servers are those of
  // `list`; null: as configured. What `previous` (or null: the one of the same name in the
  // generation before) has of the same servers goes on. The error names the pool.
  std::expected<uring::Held<UpstreamPool>, std::string> make_pool(
      const config::SharedGeneration& generation, std::size_t index, config::ServerList list,
      const UpstreamPool* previous);
  // The pool that takes this one's place, with other servers: what it has of the same ones goes on.
  uring::Held<UpstreamPool> replace_servers(const UpstreamPool& pool, config::ServerList list);
  // From here on `pool` serves, and `previous` no more, also for those who wait: of servers that
  // have moved to other addresses, or are to be kept in another way, nothing is kept that was
  // opened before.
  void succeed(const UpstreamPool& previous, UpstreamPool& pool);

  // A kept connection that is quiet, or null, to the server of that index in the pool; or a new
  // one.
  UpstreamConnection* take_kept(UpstreamPool& pool, std::size_t index);
  UpstreamConnection& open(UpstreamPool& pool, std::size_t index);
  // Whether there are descriptors for more connections than each client's one.
  bool has_spare_descriptors() const { return descriptors_.clients_more() > 0; }
  // The server's addresses in the order in which they are to be dialled now.
  std::pmr::vector<std::size_t> addresses_of(const UpstreamPool& pool, std::size_t index) {
    return pool.server(index).addresses().order(pool.addresses_of(index), links_.loop.now(),
                                                &frames());
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
  // What is kept of servers that get nothing new.
  void give_up_drained();
  // Closes what is kept, and waits for all that closes.
  uring::Task<> close_all();
  // Those that take their time to close are closed at once.
  void cut();

  // Before the first pool is made: what other shards ring when something is free for those who wait
  // here, who calls serve_lines() then.
  void set_bell(uring::Bell& bell) { bell_ = &bell; }
  void serve_lines();
  // So many connections are open that are not of Upstreams.
  void note_probes(std::size_t count);

  uring::BlockPool& frames() { return links_.loop.frames(); }
  uring::Clock::time_point now() const { return links_.loop.now(); }
  balance::Dice& dice() { return dice_; }

 private:
  friend class UpstreamConnection;
  friend class UpstreamPool;

  std::vector<uring::Held<UpstreamServer>> servers_of(const config::Pool& pool,
                                                      const std::vector<config::Server>& list,
                                                      const UpstreamPool* previous);
  uring::Held<UpstreamServer> make_server(const config::Pool& pool, const config::Server& server);
  const tls::Ticket& ticket_of(const UpstreamConnection& connection) const {
    return connection.server_->ticket_;
  }
  // What sticky cookies are made with.
  const std::string& secret_of(const config::Config& config) const {
    return config.secret.empty() ? registry_.secret() : config.secret;
  }
  uring::Held<PoolLine> line_of(const config::Pool& pool, const UpstreamPool* previous);
  void note_attempt(const UpstreamConnection& connection);
  void note_stage(const UpstreamConnection& connection);
  void note_handshake(const tls::Session& session) {
    counters_.upstreams.handshakes.add(key_of_handshake(session));
  }
  void note_idle() { descriptors_.note_idle(shard_, open_ - borrowed_ + probes_); }
  void note_borrowed(UpstreamServer& server);
  void note_returned(UpstreamServer& server);
  void note_ticket(UpstreamConnection& connection);
  void begin_close(UpstreamConnection& connection, Farewell farewell);
  void give_up_kept(UpstreamServer& server, Farewell farewell);
  void close_kept(UpstreamConnection& connection, Farewell farewell);
  void forget_kept(UpstreamConnection& connection);
  void forget(UpstreamConnection& connection);

  uring::LinkResources& links_;
  tls::RecordBuffers& buffers_;
  Registry& registry_;
  Counters& counters_;
  DescriptorBudget& descriptors_;
  std::size_t shard_;
  balance::Dice dice_;
  Log log_;
  uring::Bell* bell_ = nullptr;
  uring::List<PoolLine> lines_;          // of all pools
  uring::List<UpstreamServer> servers_;  // of all generations
  uring::List<UpstreamConnection> closing_slowly_;
  std::size_t open_ = 0;
  std::size_t borrowed_ = 0;  // of those that are open
  std::size_t probes_ = 0;
  uring::Event all_gone_;
};

}  // namespace gateway
