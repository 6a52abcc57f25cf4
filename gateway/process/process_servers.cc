// The lists of servers that the process keeps.
#include <fmt/format.h>

#include <utility>

#include "gateway/config/told_servers.hh"
#include "gateway/names/lookup.hh"
#include "gateway/process/process.hh"
#include "gateway/process/state_file.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

// With what the configuration says of the same servers, and the names looked up; the error is a
// sentence. What will be forgotten is passed over: that of a pool that is not there any more, or
// has other servers in the file, or cannot have these.
std::expected<void, std::string> complete(const config::Config& config, config::ToldServers& told) {
  const config::Resolve resolve(config::resolve_by_system, names::look_up_now);
  for (const config::Pool& pool : config.pools) {
    const auto found = told.find(pool.name);
    if (found == told.end() || found->second.file != config::print_entries(pool.entries)) continue;
    for (config::ServerEntry& entry : found->second.servers) {
      if (!config::fits(entry, pool)) break;
      entry = config::with_settings(std::move(entry), pool.entries);
      if (auto resolved = resolve_entry(entry, resolve, config.resolver); !resolved)
        return resolved;
    }
  }
  return {};
}

}  // namespace

std::expected<void, std::string> Process::make_server_lists() {
  resolver_.emplace(*loop_);
  if (const int error = resolver_->open(); error != 0)
    return std::unexpected(uring::explain_ring_error(error));
  orphans_closing_.emplace(*closing_watch_, shard_count_);
  const auto ask = [this](const config::Question& question,
                          const config::ResolverSettings& settings, names::Resolver::Done done) {
    resolver_->look_up(question, settings, std::move(done));
  };
  server_lists_.emplace(ServerLists::Parts{
      .loop = *loop_,
      .log = log_,
      .shards = shard_count_,
      .registry = registry_,
      .ask = ask,
      .tell = [this](const Order& order) { shards_->tell(order); },
      .orphans = [this] { return orphans_closing_->plan(config()); },
      .on_orphans =
          [this](std::size_t closing) {
            log_.info("servers orphans: {}", orphans_closing_->tell(config(), closing));
          },
      .on_come = [this](const auto& pool, const auto& servers,
                        const auto& now) { server_drains_->note_come(pool, servers, now); },
      // Before that the file is the predecessor's.
      .on_forgotten =
          [this] {
            if (!lineage_.handover || lineage_.handover->is_main()) servers_service_->save();
          }});
  servers_service_.emplace(ServersService::Parts{
      .loop = *loop_, .serving = generation_, .lists = *server_lists_, .ask = ask, .log = log_});
  config::ToldServers told;
  if (const std::string& path = config().control.state; !path.empty()) {
    const auto fail = [](const std::string& why) {
      return std::unexpected("[control] state: " + why +
                             "; repair it, or remove it for the "
                             "servers that the configuration has");
    };
    auto text = read_state_file(path);
    if (!text) return fail(text.error());
    if (!text->empty()) {
      auto read = config::told_servers_from(*text, path);
      if (!read) return fail(read.error());
      told = *std::move(read);
      if (auto done = complete(config(), told); !done) return fail(path + ": " + done.error());
    }
    servers_service_->begin_with(*std::move(text));
  }
  first_servers_ = server_lists_->begin(config(), told);
  return {};
}

}  // namespace gateway
