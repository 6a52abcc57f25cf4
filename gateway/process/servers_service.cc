#include "gateway/process/servers_service.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/file.hh"
#include "gateway/config/units.hh"
#include "gateway/process/state_file.hh"

namespace gateway {
namespace {

using config::ServerEntry;
using config::ServersVerb;
using Entries = std::vector<ServerEntry>;

const ServerEntry* find(const Entries& entries, const std::string& text) {
  const auto found = std::ranges::find_if(
      entries, [&](const ServerEntry& entry) { return entry.server.text == text; });
  return found == entries.end() ? nullptr : &*found;
}

std::string names_in(const Entries& entries) {
  std::string names;
  for (const ServerEntry& entry : entries) names += (names.empty() ? "" : ", ") + entry.server.text;
  return names;
}

// This machine, without asking anybody.
void settle_local(ServerEntry& entry) {
  const config::Resolve resolve([](const config::HostPort& where) {
    return config::Resolve::Addresses(
        std::vector{*config::literal_address({"127.0.0.1", where.port}),
                    *config::literal_address({"::1", where.port})});
  });
  (void)config::resolve_entry(entry, resolve, {});
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string text_of(const std::string& pool, const ServerLists::Change& change) {
  std::string text = fmt::format("pool {}: {}, {} added, {} removed", pool,
                                 counted(change.servers, "server"), change.added, change.removed);
  if (change.closing > 0)
    text += fmt::format("; {} {} closed", counted(change.closing, "websocket"),
                        change.closing == 1 ? "is" : "are");
  return text + "\n";
}

}  // namespace

void ServersService::obey(std::string_view line, Control::Reply reply) {
  auto command = config::servers_command_from(line);
  const auto fail = [&](const std::string& why) {
    reply({.done = false, .text = "gateway: error: " + why + "\n"});
  };
  if (!refusal_.empty()) return fail("refused: " + refusal_);
  if (!command) return fail(command.error());
  auto task = std::make_shared<Task>();
  task->command = *std::move(command);
  task->reply = std::move(reply);
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) begin();
}

// The first one: what can be wrong without asking anybody, and then its names.
void ServersService::begin() {
  const std::shared_ptr<Task> task = tasks_.front();
  const auto pool = pool_of(task->command.pool);
  if (!pool) return end(*task, false, pool.error());
  if (const auto entries = wanted(task->command); !entries)
    return end(*task, false, entries.error());
  Entries& entries = task->command.entries;
  if (task->command.verb != ServersVerb::remove) {
    for (const ServerEntry& entry : entries) {
      if (const auto fit = config::fits(entry, **pool); !fit) return end(*task, false, fit.error());
    }
    for (ServerEntry& entry : entries)
      entry = config::with_settings(std::move(entry), (*pool)->entries);
    for (ServerEntry& entry : entries) {
      if (entry.question && config::is_local(entry.question->name)) settle_local(entry);
      if (!entry.question) continue;
      const config::Found* const known = parts_.lists.find_name(*entry.question);
      entry.found = known != nullptr ? *known : config::Found{};
      if (entry.found.targets.empty()) ++task->unknown;
    }
  }
  if (task->unknown == 0) return carry_out(task);
  timer_.arm(parts_.loop.now() + kNamesTime);
  for (std::size_t begun = 0; begun < kNamesAtOnce; ++begun) look_up_next(task);
}

void ServersService::look_up_next(const std::shared_ptr<Task>& task) {
  const Entries& entries = task->command.entries;
  while (task->next < entries.size()) {
    const std::size_t index = task->next++;
    if (entries[index].question && entries[index].found.targets.empty())
      return look_up(task, index);
  }
}

void ServersService::look_up(const std::shared_ptr<Task>& task, std::size_t index) {
  const ServerEntry& entry = task->command.entries[index];
  parts_.ask(*entry.question, parts_.serving->config.resolver,
             [this, task, index](const names::Lookup::Result& result) {
               ServerEntry& its = task->command.entries[index];
               if (result) its.found = config::merge({}, *result);
               if (!result && task->fault.empty())
                 task->fault = config::unresolved(its, result.error());
               if (tasks_.empty() || tasks_.front() != task) return;
               if (--task->unknown == 0 || !task->fault.empty()) return carry_out(task);
               look_up_next(task);
             });
}

// Whoever waits behind it is not to wait for name servers that do not answer.
void ServersService::on_late() {
  const std::shared_ptr<Task> task = tasks_.front();
  const auto late = std::ranges::find_if(task->command.entries, [](const ServerEntry& entry) {
    return entry.question && entry.found.targets.empty();
  });
  end(*task, false,
      fmt::format("server '{}': its name was not looked up within {}; nothing has changed",
                  late->server.text, config::print_duration(kNamesTime)));
}

// The newest generation may be another one than when it began.
void ServersService::carry_out(const std::shared_ptr<Task>& task) {
  const config::ServersCommand& command = task->command;
  timer_.disarm();
  if (!task->fault.empty()) return end(*task, false, task->fault);
  const auto pool = pool_of(command.pool);
  if (!pool) return end(*task, false, pool.error());
  for (const ServerEntry& entry : command.entries) {
    const bool comes = command.verb != ServersVerb::remove;
    if (const auto fit = config::fits(entry, **pool); comes && !fit)
      return end(*task, false, fit.error());
  }
  const bool is_reset = command.verb == ServersVerb::reset;
  auto entries = wanted(command);
  if (!entries) return end(*task, false, entries.error());
  if (const auto kept = keep(command.pool, is_reset ? nullptr : &*entries); !kept)
    return end(*task, false, kept.error() + "; nothing has changed");
  const auto done = [this, task](std::optional<ServerLists::Change> change) {
    if (!change) return end_unfinished(task);
    end(*task, true, text_of(task->command.pool, *change));
  };
  task->is_ordered = true;
  if (is_reset) return parts_.lists.reset(command.pool, done);
  parts_.lists.set(command.pool, *std::move(entries), done);
}

// The entries that the pool is to have.
std::expected<Entries, std::string> ServersService::wanted(
    const config::ServersCommand& command) const {
  Entries entries = *parts_.lists.entries_of(command.pool);
  for (const ServerEntry& entry : command.entries) {
    const bool is_known = find(entries, entry.server.text) != nullptr;
    if (command.verb == ServersVerb::add && is_known)
      return std::unexpected(fmt::format("server '{}' is in this pool already", entry.server.text));
    if (command.verb == ServersVerb::remove && !is_known)
      return std::unexpected(fmt::format("pool '{}' has no server '{}': its servers are {}",
                                         command.pool, entry.server.text, names_in(entries)));
  }
  if (command.verb == ServersVerb::set) return command.entries;
  if (command.verb == ServersVerb::add)
    entries.insert(entries.end(), command.entries.begin(), command.entries.end());
  if (command.verb == ServersVerb::remove) {
    std::erase_if(entries, [&](const ServerEntry& entry) {
      return find(command.entries, entry.server.text) != nullptr;
    });
  }
  if (entries.empty()) {
    return std::unexpected(fmt::format(
        "pool '{}' would have no server: 'gateway drain {}' lets all of them get nothing new",
        command.pool, command.pool));
  }
  if (entries.size() > config::kServersMax)
    return std::unexpected(fmt::format("pool '{}' would have more than {} servers", command.pool,
                                       config::kServersMax));
  return entries;
}

std::expected<const config::Pool*, std::string> ServersService::pool_of(
    const std::string& name) const {
  const auto& pools = parts_.serving->config.pools;
  const auto pool = std::ranges::find(pools, name, &config::Pool::name);
  if (pool != pools.end() && parts_.lists.has(name)) return &*pool;
  std::string names;
  for (const config::Pool& one : pools) names += (names.empty() ? "" : ", ") + one.name;
  return std::unexpected(
      fmt::format("there is no pool '{}': {}", name,
                  names.empty() ? "the configuration has none" : "the pools are " + names));
}

// Null: those of the configuration.
std::expected<void, std::string> ServersService::keep(const std::string& pool,
                                                      const Entries* entries) {
  const config::Config& config = parts_.serving->config;
  if (config.control.state.empty()) return {};
  config::ToldServers told = parts_.lists.told();
  told.erase(pool);
  if (entries != nullptr) {
    const auto configured = std::ranges::find(config.pools, pool, &config::Pool::name);
    told[pool] = {config::print_entries(configured->entries), *entries};
  }
  std::string text = config::print_told_servers(told);
  if (text.size() > config::kFileBytesMax)
    return std::unexpected(
        fmt::format("[control] state: {} would be larger than a start reads ({})",
                    config.control.state, config::print_size(config::kFileBytesMax)));
  auto written = write_state_file(config.control.state, text);
  if (written) saved_ = std::move(text);
  return written;
}

void ServersService::save() {
  const std::string& path = parts_.serving->config.control.state;
  if (path.empty() || saved_.empty()) return;
  std::string text = config::print_told_servers(parts_.lists.told());
  if (text == saved_) return;
  if (const auto written = write_state_file(path, text); !written)
    return parts_.log.error("[control] state: {}", written.error());
  saved_ = std::move(text);
}

// The process ends before all shards have said that they have it; nobody behind it begins.
void ServersService::end_unfinished(const std::shared_ptr<Task>& task) {
  if (refusal_.empty()) refuse("the gateway is stopping");
  const bool is_kept = !parts_.serving->config.control.state.empty();
  end(*task, false,
      is_kept ? refusal_ + ": what was set for pool " + task->command.pool +
                    " is kept in [control] state, and holds from the next start on"
              : "refused: " + refusal_);
}

void ServersService::refuse(const std::string& why) {
  refusal_ = why;
  timer_.disarm();
  std::deque<std::shared_ptr<Task>> refused;
  while (!tasks_.empty() && !tasks_.back()->is_ordered) {
    refused.push_front(std::move(tasks_.back()));
    tasks_.pop_back();
  }
  for (const auto& task : refused)
    task->reply({.done = false, .text = "gateway: error: refused: " + why + "\n"});
}

void ServersService::end(Task& task, bool done, const std::string& text) {
  task.reply({.done = done, .text = done ? text : "gateway: error: " + text + "\n"});
  if (tasks_.empty() || tasks_.front().get() != &task) return;
  timer_.disarm();
  tasks_.pop_front();
  if (!tasks_.empty()) begin();
}

}  // namespace gateway
