// Servers that get nothing new for a while, by an operator's wish: the mark in the Registry, which
// later generations find there, and the orders to the shards, one at a time.
//
//   drain()/undrain() -> marked at once -> [waits for its turn] -> told all shards -> done()
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/log/log.hh"
#include "gateway/process/closing_watch.hh"
#include "gateway/shard/orders.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

class ServerDrains {
 public:
  // Servers that a reload has left out stay marked, for when one brings them back: so there may be
  // more of them than the configuration has.
  static constexpr std::size_t kDrainedMax = 4096;
  static constexpr const char* kRefused = "refused: the gateway is stopping";

  // A server of a pool, all of those that a name of the configuration stands for, now or later
  // ("HOST:PORT", of "HOST:PORT/ADDRESS"), or all that it has now.
  struct Target {
    std::string pool;
    std::string server;  // empty: all

    bool operator==(const Target&) const = default;
    bool means(const std::string& text) const;
    // Servers may come that it means.
    bool is_name() const;
    std::string text() const { return server.empty() ? pool : pool + "/" + server; }
  };
  // How many WebSockets are being closed, once all shards have begun with it; nothing: the gateway
  // stops, which closes them all.
  using Done = std::function<void(std::optional<std::size_t> websockets)>;
  using Tell = std::function<void(const Order& order)>;  // all shards
  // The servers that a pool has now; empty: those that the configuration says.
  using ServersOf = std::function<const std::vector<config::Server>&(const config::Pool& pool)>;

  ServerDrains(Registry& registry, Log log, unsigned shards, Tell tell, ServersOf servers_of = {})
      : registry_(registry),
        log_(log),
        shards_(shards),
        tell_(std::move(tell)),
        servers_of_(std::move(servers_of)) {}
  ServerDrains(const ServerDrains&) = delete;
  ServerDrains& operator=(const ServerDrains&) = delete;

  // `config` is the newest. The error says what there is instead. WebSockets that are open, or will
  // be, are closed by the plan, whose reason is kDraining.
  std::expected<void, std::string> drain(const config::Config& config, const Target& target,
                                         ClosingPlan plan, Done done = {});
  // They get their share again, and whoever waits to be closed goes on. Also of those that the
  // configuration has no more.
  std::expected<void, std::string> undrain(const config::Config& config, const Target& target,
                                           Done done = {});
  // The pool gets these servers among those that it has from now on: where the name that one has
  // come by is drained, it is, too.
  void note_come(const std::string& pool, const std::vector<std::string>& servers,
                 const std::vector<config::Server>& now);
  // The process stops: whoever waits for his turn is told, and nobody else gets one.
  void refuse();

  // Whether it is drained, for who tells the state.
  bool is_drained(const std::string& pool, const std::string& server) const;
  bool has_drained(const Target& target) const { return !find_drained(target).empty(); }
  // What shards know of a server that the newest configuration has.
  std::shared_ptr<const ServerState> state_of(const std::string& pool,
                                              const std::string& server) const {
    return registry_.server(pool, server);
  }
  const std::vector<config::Server>& servers_of(const config::Pool& pool) const {
    return servers_of_ ? servers_of_(pool) : pool.servers;
  }
  // What is left at those of the target that are drained; nothing: none of them is.
  ClosingWatch::Look look_at(const Target& target) const;
  // Calls visit(pool, server, state) for each that is drained.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Drained& one : drained_) visit(one.pool, one.server, std::as_const(*one.state));
  }

  // A report of the kind kCarriedOut.
  void reported(const Report& report);

 private:
  struct Drained {
    std::string pool;
    std::string server;
    std::shared_ptr<ServerState> state;  // held, so that the mark outlives a generation without it
  };
  struct Task {
    Order order;
    std::string target;
    std::optional<std::string> over;  // of a drain; none: it is drained no more
    Done done;
  };

  std::expected<std::vector<Drained>, std::string> find(const config::Config& config,
                                                        const Target& target);
  std::vector<Drained> find_drained(const Target& target) const;
  const Target* name_of(const std::string& pool, const std::string& server) const;
  void forget_names(const Target& target);
  void forget_those_gone(const std::string& pool, const std::vector<config::Server>& now);
  bool has(const Drained& server) const { return is_drained(server.pool, server.server); }
  void push(Task task);

  Registry& registry_;
  Log log_;
  const unsigned shards_;
  const Tell tell_;
  const ServersOf servers_of_;
  std::vector<Drained> drained_;
  std::vector<Target> names_;  // that are drained: each means somebody above
  std::deque<Task> tasks_;     // the first one is with the shards
  unsigned reports_ = 0;
  std::size_t closing_ = 0;
  bool refused_ = false;
};

}  // namespace gateway
