// The lists of servers that the process keeps, and what it tells of itself: its state, and its
// pools.
#include <fmt/format.h>

#include <utility>

#include "gateway/config/told_servers.hh"
#include "gateway/names/lookup.hh"
#include "gateway/process/pools_report.hh"
#include "gateway/process/process.hh"
#include "gateway/process/state_file.hh"
#include "gateway/process/status.hh"
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

std::string_view Process::state() const {
  if (drain_->begun()) return "stopping";
  if (upgrade_->under_way()) return "upgrading";
  return reload_->is_under_way() ? "reloading" : "serving";
}

std::string Process::status() const {
  return status_text({.state = state(),
                      .generation = *generation_,
                      .reloads = reload_->counts(),
                      .upgrades_failed = upgrade_->failures(),
                      .under_way = remaining(),
                      .websockets = websockets(),
                      .limits = *limits_,
                      .memory = memory_,
                      .now = loop_->now(),
                      .drains = *server_drains_,
                      .watch = *closing_watch_});
}

std::string Process::metrics(MetricsFormat format) {
  return metrics_text({.shards = *shards_,
                       .generation = *generation_,
                       .reloads = reload_->counts(),
                       .upgrades_failed = upgrade_->failures(),
                       .limits = *limits_,
                       .memory = memory_,
                       .log = *log_writer_,
                       .lists = *server_lists_,
                       .drains = *server_drains_,
                       .registry = registry_,
                       .descriptors = descriptors_,
                       .now = loop_->now(),
                       .start_time = start_time_,
                       .before = metrics_memory_},
                      format);
}

std::string Process::pools(bool as_json) const {
  const PoolsFacts facts{config(), *server_lists_, *server_drains_};
  return as_json ? pools_json(facts) : pools_text(facts);
}

// There is a service without a listener, too.
std::expected<void, std::string> Process::open_admin() {
  admin_service_.emplace(AdminService::Parts{
      .loop = *loop_,
      .serving = generation_,
      .shards = *shards_,
      .lists = *server_lists_,
      .drains = *server_drains_,
      .descriptors = descriptors_,
      .limits = *limits_,
      .memory = memory_,
      .log_writer = *log_writer_,
      .log = log_,
      .state = [this] { return state(); },
      .reloads = [this]() -> const Reload::Counts& { return reload_->counts(); },
      .obey = [this](std::string_view command,
                     Control::Reply reply) { obey(command, std::move(reply)); },
      .reopen_log = [this] { reopen_log(); },
      .metrics = [this](MetricsFormat format) { return metrics(format); }});
  const config::AdminSettings& settings = config().admin;
  if (!settings.address || options_.test) return {};
  auto opened = AdminDoor::open(settings, sockets_.completed(settings.unix_file),
                                sockets_.inherited(),
                                {.loop = *loop_,
                                 .memory = memory_,
                                 .tickets = tickets_,
                                 .log = log_,
                                 .service = *admin_service_});
  if (!opened) return std::unexpected("[admin] address: " + opened.error());
  admin_ = std::move(*opened);
  log_.info("admin listener on {}://{}", settings.tls ? "https" : "http",
            settings.address->text());
  return {};
}

}  // namespace gateway
