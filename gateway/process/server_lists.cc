#include "gateway/process/server_lists.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/log/line.hh"

namespace gateway {
namespace {

// Of a line of the log; the rest is counted.
constexpr std::size_t kNamesToldMax = 8;

constexpr std::string_view kOtherServers = "the configuration has other servers than it had then";

using Servers = std::vector<config::Server>;

const config::Server* find(const Servers& servers, const std::string& text) {
  const auto found = std::ranges::find(servers, text, &config::Server::text);
  return found == servers.end() ? nullptr : &*found;
}

// Of `these` that are not in `those`.
std::vector<std::string> missing(const Servers& these, const Servers& those) {
  std::vector<std::string> texts;
  for (const config::Server& server : these) {
    if (find(those, server.text) == nullptr) texts.push_back(server.text);
  }
  return texts;
}

std::string names_of(const std::vector<std::string>& texts) {
  std::string names;
  for (std::size_t at = 0; at < std::min(texts.size(), kNamesToldMax); ++at)
    names += (at > 0 ? ", " : "") + texts[at];
  if (texts.size() > kNamesToldMax)
    names += fmt::format(" and {} more", texts.size() - kNamesToldMax);
  return names;
}

bool are_same(const std::vector<config::ServerEntry>& some,
              const std::vector<config::ServerEntry>& others) {
  return std::ranges::equal(some, others, config::is_same_entry);
}

// Why a pool cannot have what it was told; empty: it can.
std::string misfit(const std::vector<config::ServerEntry>& told, const config::Pool& pool) {
  for (const config::ServerEntry& entry : told) {
    if (const auto fit = config::fits(entry, pool); !fit) return fit.error();
  }
  return {};
}

}  // namespace

ServerLists::ServerLists(const Parts& parts)
    : parts_(parts), names_(parts.loop, parts.log, parts.ask, [this] { on_name_changed(); }) {}

ServerLists::~ServerLists() = default;

std::vector<PoolServers> ServerLists::begin(const config::Config& first,
                                            const config::ToldServers& told) {
  take_entries(first, told);
  return take_lists(first);
}

std::vector<PoolServers> ServerLists::adopt(const config::Config& newer) {
  const bool has_forgotten = take_entries(newer, {});
  keep_names();
  std::vector<PoolServers> servers = take_lists(newer);
  if (has_forgotten) parts_.on_forgotten();
  return servers;
}

void ServerLists::start() {
  started_ = true;
  keep_names();
}

// Whether something that was told is forgotten.
bool ServerLists::take_entries(const config::Config& config, const config::ToldServers& told) {
  resolver_ = config.resolver;
  bool has_forgotten = false;
  std::map<std::string, Pool> before = std::exchange(pools_, {});
  for (const config::Pool& configured : config.pools) {
    Pool& pool = pools_[configured.name];
    const auto known = before.find(configured.name);
    if (known != before.end()) pool = std::move(before.extract(known).mapped());
    std::string why;
    if (pool.told && !are_same(pool.file, configured.entries)) why = kOtherServers;
    pool.file = configured.entries;
    if (const auto kept = told.find(configured.name); kept != told.end()) {
      pool.told = kept->second.servers;
      if (kept->second.file != config::print_entries(pool.file)) why = kOtherServers;
    }
    if (pool.told && why.empty()) why = misfit(*pool.told, configured);
    if (why.empty()) continue;
    pool.told.reset();
    has_forgotten = true;
    LogLine(parts_.log, LogLevel::warning, "servers")
        .word("pool", configured.name)
        .word("source", "file")
        .remark(fmt::format("what was set at the control socket is forgotten: {}", why))
        .write();
  }
  // Of pools that are gone.
  for (const auto& [name, pool] : before) has_forgotten |= pool.told.has_value();
  return has_forgotten;
}

// Those that are not as the configuration says.
std::vector<PoolServers> ServerLists::take_lists(const config::Config& config) {
  std::vector<PoolServers> others;
  for (const config::Pool& configured : config.pools) {
    Pool& pool = pools_.at(configured.name);
    pool.is_to_be_told = false;
    pool.origins.clear();
    Servers list = servers_from(pool, pool.origins);
    // What has no entries is as it was made.
    if (list.empty()) list = configured.servers;
    if (pool.list != nullptr) note_gone(configured.name, pool, list);
    if (pool.list != nullptr) parts_.on_come(configured.name, missing(list, *pool.list), list);
    pool.list = std::make_shared<const Servers>(std::move(list));
    if (*pool.list != configured.servers) others.push_back({configured.name, pool.list});
  }
  return others;
}

Servers ServerLists::servers_from(const Pool& pool, std::map<std::string, Origin>& origins) const {
  static const Servers kNone;
  const Servers& before = pool.list != nullptr ? *pool.list : kNone;
  const Origin plain = pool.told ? Origin::kControl : Origin::kFile;
  Servers servers;
  for (const config::ServerEntry& entry : pool.entries()) {
    const config::Found* const found = entry.question ? names_.find(*entry.question) : nullptr;
    for (config::Server& server :
         config::servers_of(entry, found != nullptr ? *found : entry.found, before)) {
      if (servers.size() == config::kServersMax || find(servers, server.text) != nullptr) continue;
      origins[server.text] = entry.question ? Origin::kDns : plain;
      servers.push_back(std::move(server));
    }
  }
  return servers;
}

void ServerLists::keep_names() {
  if (!started_ || refused_) return;
  names::NameBook::Wanted wanted;
  for (const auto& [name, pool] : pools_) {
    for (const config::ServerEntry& entry : pool.entries()) {
      if (entry.question) wanted.emplace(*entry.question, entry.found);
    }
  }
  names_.keep(wanted, resolver_);
}

void ServerLists::on_name_changed() {
  if (refused_) return;
  for (auto& [name, pool] : pools_) update(name, pool);
  tell_shards();
}

// What has changed; nothing: it is the same list.
std::optional<ServerLists::Change> ServerLists::update(const std::string& name, Pool& pool) {
  std::map<std::string, Origin> origins;
  Servers list = servers_from(pool, origins);
  if (list.empty()) return std::nullopt;
  pool.origins = std::move(origins);
  if (list == *pool.list) return std::nullopt;
  const std::vector<std::string> added = missing(list, *pool.list);
  const std::vector<std::string> removed = missing(*pool.list, list);
  if (added.empty() && removed.empty()) {
    LogLine(parts_.log, LogLevel::info, "servers")
        .word("pool", name)
        .number("servers", list.size())
        .said(" changed")
        .write();
  } else {
    LogLine line(parts_.log, LogLevel::info, "servers");
    line.word("pool", name).number("servers", list.size());
    if (!added.empty()) line.quoted("added", names_of(added));
    if (!removed.empty()) line.quoted("removed", names_of(removed));
    line.write();
  }
  note_gone(name, pool, list);
  parts_.on_come(name, added, list);
  pool.list = std::make_shared<const Servers>(std::move(list));
  pool.is_to_be_told = true;
  return Change{.added = added.size(), .removed = removed.size(), .servers = pool.list->size()};
}

// Before the list takes the place of the pool's.
void ServerLists::note_gone(const std::string& name, Pool& pool, const Servers& list) {
  std::erase_if(pool.gone, [&](const Gone& gone) {
    const auto state = gone.state.lock();
    return state == nullptr || state->count() == 0 || find(list, gone.text) != nullptr;
  });
  for (const std::string& text : missing(*pool.list, list)) {
    if (pool.gone.size() == kGoneMax) pool.gone.erase(pool.gone.begin());
    pool.gone.push_back({text, parts_.registry.server(name, text)});
  }
}

void ServerLists::set(const std::string& pool, std::vector<config::ServerEntry> entries,
                      Done done) {
  if (refused_) return done(std::nullopt);
  pools_.at(pool).told = std::move(entries);
  finish_change(pool, std::move(done));
}

void ServerLists::reset(const std::string& pool, Done done) {
  if (refused_) return done(std::nullopt);
  pools_.at(pool).told.reset();
  finish_change(pool, std::move(done));
}

void ServerLists::finish_change(const std::string& name, Done done) {
  keep_names();
  Pool& pool = pools_.at(name);
  const auto change = update(name, pool);
  if (!change) return done(Change{.servers = pool.list->size()});
  waiting_.push_back({*change, std::move(done)});
  tell_shards();
}

void ServerLists::tell_shards() {
  if (is_telling_ || refused_ || !started_) return;
  ServersOrder order;
  for (auto& [name, pool] : pools_) {
    if (std::exchange(pool.is_to_be_told, false)) order.servers.push_back({name, pool.list});
  }
  answered_ = std::exchange(waiting_, {});
  if (order.servers.empty()) {
    // A newer generation has taken them along.
    for (const Waiting& one : std::exchange(answered_, {})) one.done(one.change);
    return;
  }
  is_telling_ = true;
  order.orphans = parts_.orphans();
  parts_.tell(order);
}

void ServerLists::reported(const Report& report) {
  closing_ += report.closing;
  if (++reports_ < parts_.shards) return;
  reports_ = 0;
  is_telling_ = false;
  const std::size_t closing = std::exchange(closing_, 0);
  if (closing > 0) parts_.on_orphans(closing);
  for (Waiting& one : std::exchange(answered_, {})) {
    one.change.closing = closing;
    one.done(one.change);
  }
  tell_shards();
}

void ServerLists::refuse() {
  refused_ = true;
  names_.stop();
  for (const Waiting& one : std::exchange(answered_, {})) one.done(std::nullopt);
  for (const Waiting& one : std::exchange(waiting_, {})) one.done(std::nullopt);
}

const std::vector<config::ServerEntry>* ServerLists::entries_of(const std::string& pool) const {
  const auto found = pools_.find(pool);
  return found == pools_.end() ? nullptr : &found->second.entries();
}

const Servers& ServerLists::servers_of(const std::string& pool) const {
  return *pools_.at(pool).list;
}

ServerLists::Origin ServerLists::origin_of(const std::string& pool,
                                           const std::string& server) const {
  const auto& origins = pools_.at(pool).origins;
  const auto found = origins.find(server);
  return found == origins.end() ? Origin::kFile : found->second;
}

config::ToldServers ServerLists::told() const {
  config::ToldServers told;
  for (const auto& [name, pool] : pools_) {
    if (pool.told) told[name] = {config::print_entries(pool.file), *pool.told};
  }
  return told;
}

}  // namespace gateway
