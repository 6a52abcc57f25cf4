#include "gateway/process/server_drains.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/units.hh"
#include "gateway/log/line.hh"

namespace gateway {
namespace {

template <class List, class Name>
std::string names_in(const List& list, Name name) {
  std::string names;
  for (const auto& one : list) names.append(names.empty() ? "" : ", ").append(one.*name);
  return names;
}

}  // namespace

bool ServerDrains::Target::means(const std::string& text) const {
  if (server.empty() || server == text) return true;
  return !server.starts_with(config::kUnixScheme) && text.starts_with(server + "/");
}

bool ServerDrains::Target::is_name() const {
  return !server.empty() && server.find('/') == server.npos;
}

std::expected<void, std::string> ServerDrains::drain(const config::Config& config,
                                                     const Target& target, ClosingPlan plan,
                                                     Done done) {
  if (refused_) return std::unexpected(kRefused);
  auto servers = find(config, target);
  // A reload may have left some out, which are drained still.
  std::vector<Drained> gone = find_drained(target);
  if (!servers && gone.empty()) return std::unexpected(servers.error());
  if (!servers) servers.emplace();
  std::erase_if(gone, [&](const Drained& one) {
    return std::ranges::find(*servers, one.state, &Drained::state) != servers->end();
  });
  servers->insert(servers->end(), gone.begin(), gone.end());
  const auto fresh = std::ranges::count_if(*servers, [&](const Drained& one) { return !has(one); });
  if (drained_.size() + static_cast<std::size_t>(fresh) > kDrainedMax) {
    return std::unexpected(
        fmt::format("{} servers are drained already, more than which are not remembered: 'gateway "
                    "undrain' those that are gone for good, which 'gateway status' names",
                    drained_.size()));
  }
  ServerStates states;
  for (const Drained& server : *servers) {
    if (!has(server)) drained_.push_back(server);
    server.state->set_draining(true);
    states.push_back(server.state);
  }
  if (target.is_name() && std::ranges::find(names_, target) == names_.end()) {
    names_.push_back(target);
  }
  plan.reason = Reason::kDraining;
  std::string over = config::print_duration(plan.over);
  push({.order = DrainOrder{target.text(), std::move(states), {std::move(plan), shards_}},
        .target = target.text(),
        .over = std::move(over),
        .done = std::move(done)});
  return {};
}

std::expected<void, std::string> ServerDrains::undrain(const config::Config& config,
                                                       const Target& target, Done done) {
  if (refused_) return std::unexpected(kRefused);
  const std::vector<Drained> servers = find_drained(target);
  if (servers.empty()) {
    if (const auto known = find(config, target); !known) return std::unexpected(known.error());
  }
  for (const Drained& server : servers) server.state->set_draining(false);
  std::erase_if(drained_, [](const Drained& one) { return !one.state->draining(); });
  forget_names(target);
  push({.order = ReviewOrder{},
        .target = target.text(),
        .over = std::nullopt,
        .done = std::move(done)});
  return {};
}

void ServerDrains::note_come(const std::string& pool, const std::vector<std::string>& servers,
                             const std::vector<config::Server>& now) {
  if (names_.empty()) return;
  forget_those_gone(pool, now);
  for (const std::string& server : servers) {
    const Target* const name = name_of(pool, server);
    if (name == nullptr || is_drained(pool, server)) continue;
    if (drained_.size() == kDrainedMax) {
      log_.warning("drain: {}/{} is not drained, though {} is: {} servers are already", pool,
                   server, name->text(), drained_.size());
      continue;
    }
    drained_.push_back({pool, server, registry_.server(pool, server)});
    drained_.back().state->set_draining(true);
    log_.info("drain: {}/{} is drained, as {} is", pool, server, name->text());
  }
}

// Of drained names, whom nobody has any more: they are marked anew where they come. The last one
// stays, so that each name means somebody.
void ServerDrains::forget_those_gone(const std::string& pool,
                                     const std::vector<config::Server>& now) {
  std::erase_if(drained_, [&](const Drained& one) {
    if (one.pool != pool || one.state.use_count() > 1) return false;
    const Target* const name = name_of(pool, one.server);
    if (name == nullptr || std::ranges::find(now, one.server, &config::Server::text) != now.end())
      return false;
    return std::ranges::any_of(
        now, [&](const config::Server& other) { return name->means(other.text); });
  });
}

const ServerDrains::Target* ServerDrains::name_of(const std::string& pool,
                                                  const std::string& server) const {
  const auto name = std::ranges::find_if(
      names_, [&](const Target& one) { return one.pool == pool && one.means(server); });
  return name == names_.end() ? nullptr : &*name;
}

// Those that are undrained, and those of which nobody is drained any more.
void ServerDrains::forget_names(const Target& target) {
  std::erase_if(names_, [&](const Target& name) {
    const bool is_meant =
        name.pool == target.pool && (target.server.empty() || target.server == name.server);
    return is_meant || !has_drained(name);
  });
}

void ServerDrains::refuse() {
  refused_ = true;
  // The first one is with the shards, which report it.
  while (tasks_.size() > 1) {
    const Task task = std::move(tasks_.back());
    tasks_.pop_back();
    if (task.done) task.done(std::nullopt);
  }
}

bool ServerDrains::is_drained(const std::string& pool, const std::string& server) const {
  return std::ranges::any_of(
      drained_, [&](const Drained& one) { return one.pool == pool && one.server == server; });
}

ClosingWatch::Look ServerDrains::look_at(const Target& target) const {
  // Whom nobody else holds has nothing left.
  std::vector<std::weak_ptr<const ServerState>> states;
  for (const Drained& server : find_drained(target)) states.push_back(server.state);
  return [states] {
    std::optional<ClosingWatch::Left> left;
    for (const auto& one : states) {
      const auto state = one.lock();
      if (state == nullptr || !state->draining()) continue;
      if (!left) left.emplace();
      const std::size_t websockets = state->count_websockets();
      const std::size_t all = state->count();
      left->websockets += websockets;
      left->requests += all > websockets ? all - websockets : 0;
    }
    return left;
  };
}

std::expected<std::vector<ServerDrains::Drained>, std::string> ServerDrains::find(
    const config::Config& config, const Target& target) {
  const auto pool = std::ranges::find(config.pools, target.pool, &config::Pool::name);
  if (pool == config.pools.end()) {
    return std::unexpected(
        config.pools.empty()
            ? fmt::format("there is no pool '{}': the configuration has none", target.pool)
            : fmt::format("there is no pool '{}': the pools are {}", target.pool,
                          names_in(config.pools, &config::Pool::name)));
  }
  std::vector<Drained> servers;
  for (const config::Server& server : servers_of(*pool)) {
    if (!target.means(server.text)) continue;
    servers.push_back({pool->name, server.text, registry_.server(pool->name, server.text)});
  }
  if (servers.empty()) {
    return std::unexpected(fmt::format("pool '{}' has no server '{}': its servers are {}",
                                       target.pool, target.server,
                                       names_in(servers_of(*pool), &config::Server::text)));
  }
  return servers;
}

std::vector<ServerDrains::Drained> ServerDrains::find_drained(const Target& target) const {
  std::vector<Drained> servers;
  for (const Drained& one : drained_) {
    if (one.pool == target.pool && target.means(one.server)) servers.push_back(one);
  }
  return servers;
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
  LogLine line(log_, LogLevel::info, "drain");
  line.said(": drains ").bare().word("target", task.target);
  task.over ? line.said(",").word("over", *task.over)
            : line.said(" ").bare().word("drains", "no more");
  line.number("websockets", closing).write();
  if (task.done) task.done(closing);
  if (!tasks_.empty()) tell_(tasks_.front().order);
}

}  // namespace gateway
