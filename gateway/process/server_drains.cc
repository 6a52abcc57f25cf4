#include "gateway/process/server_drains.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/units.hh"

namespace gateway {
namespace {

template <class List, class Name>
std::string names_in(const List& list, Name name) {
  std::string names;
  for (const auto& one : list) names.append(names.empty() ? "" : ", ").append(one.*name);
  return names;
}

}  // namespace

std::expected<void, std::string> ServerDrains::drain(const config::Config& config,
                                                     const Target& target, ClosingPlan plan,
                                                     Done done) {
  auto servers = find(config, target);
  if (!servers) return std::unexpected(servers.error());
  for (const auto& server : *servers) {
    server->set_draining(true);
    if (std::ranges::find(drained_, server) == drained_.end()) drained_.push_back(server);
  }
  plan.reason = Reason::kDraining;
  const std::string over = config::print_duration(plan.over);
  push({.order = DrainOrder{target.text(), std::move(*servers), std::move(plan)},
        .text = fmt::format("drains {}, over={}", target.text(), over),
        .done = std::move(done)});
  return {};
}

std::expected<void, std::string> ServerDrains::undrain(const config::Config& config,
                                                       const Target& target, Done done) {
  const auto servers = find(config, target);
  if (!servers) return std::unexpected(servers.error());
  for (const auto& server : *servers) {
    server->set_draining(false);
    std::erase(drained_, server);
  }
  push({.order = ReviewOrder{},
        .text = fmt::format("drains {} no more", target.text()),
        .done = std::move(done)});
  return {};
}

bool ServerDrains::is_drained(const std::string& pool, const std::string& server) {
  return registry_.server(pool, server)->draining();
}

std::expected<ServerStates, std::string> ServerDrains::find(const config::Config& config,
                                                            const Target& target) {
  const auto pool = std::ranges::find(config.pools, target.pool, &config::Pool::name);
  if (pool == config.pools.end()) {
    return std::unexpected(fmt::format("there is no pool '{}': the pools are {}", target.pool,
                                       names_in(config.pools, &config::Pool::name)));
  }
  ServerStates states;
  for (const config::Server& server : pool->servers) {
    const bool is_meant = target.server.empty() || target.server == server.text;
    if (is_meant) states.push_back(registry_.server(pool->name, server.text));
  }
  if (states.empty()) {
    return std::unexpected(fmt::format("pool '{}' has no server '{}': its servers are {}",
                                       target.pool, target.server,
                                       names_in(pool->servers, &config::Server::text)));
  }
  return states;
}

void ServerDrains::push(Task task) {
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) tell_(tasks_.front().order);
}

void ServerDrains::reported(const Report& report) {
  closing_ += report.closing;
  if (++reports_ < shards_) return;
  reports_ = 0;
  const Task task = std::move(tasks_.front());
  tasks_.pop_front();
  const std::size_t closing = std::exchange(closing_, 0);
  log_.info("drain: {} websockets={}", task.text, closing);
  if (task.done) task.done(closing);
  if (!tasks_.empty()) tell_(tasks_.front().order);
}

}  // namespace gateway
