// Servers that get nothing new for a while, by an operator's wish: the mark in the Registry, which
// later generations find there, and the orders to the shards, one at a time.
//
//   drain()/undrain() -> marked at once -> [waits for its turn] -> told all shards -> done()
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <string>

#include "gateway/config/config.hh"
#include "gateway/log/log.hh"
#include "gateway/shard/orders.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

class ServerDrains {
 public:
  // A server of a pool, as the configuration has it, or all that it has now.
  struct Target {
    std::string pool;
    std::string server;  // empty: all

    std::string text() const { return server.empty() ? pool : pool + "/" + server; }
  };
  // How many WebSockets are being closed, once all shards have begun with it.
  using Done = std::function<void(std::size_t websockets)>;
  using Tell = std::function<void(const Order& order)>;  // all shards

  ServerDrains(Registry& registry, Log log, unsigned shards, Tell tell)
      : registry_(registry), log_(log), shards_(shards), tell_(std::move(tell)) {}
  ServerDrains(const ServerDrains&) = delete;
  ServerDrains& operator=(const ServerDrains&) = delete;

  // `config` is the newest. The error says what there is instead. WebSockets that are open, or will
  // be, are closed by the plan, whose reason is kDraining.
  std::expected<void, std::string> drain(const config::Config& config, const Target& target,
                                         ClosingPlan plan, Done done = {});
  // They get their share again, and whoever waits to be closed goes on.
  std::expected<void, std::string> undrain(const config::Config& config, const Target& target,
                                           Done done = {});
  // Whether it is drained, for who tells the state.
  bool is_drained(const std::string& pool, const std::string& server);

  // A report of the kind kCarriedOut.
  void reported(const Report& report);

 private:
  struct Task {
    Order order;
    std::string text;
    Done done;
  };

  std::expected<ServerStates, std::string> find(const config::Config& config, const Target& target);
  void push(Task task);

  Registry& registry_;
  Log log_;
  const unsigned shards_;
  const Tell tell_;
  ServerStates drained_;    // held, so that the mark outlives a generation without them
  std::deque<Task> tasks_;  // the first one is with the shards
  unsigned reports_ = 0;
  std::size_t closing_ = 0;
};

}  // namespace gateway
