// What the process is told to do, and what it tells of itself: through the control socket, and at
// the admin listener.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <utility>

#include "gateway/log/line.hh"
#include "gateway/process/pools_report.hh"
#include "gateway/process/process.hh"
#include "gateway/process/status.hh"

namespace gateway {

// What came through the control socket.
void Process::obey(std::string_view command, Control::Reply reply) {
  LogLine(log_, AdminService::is_look(command) ? LogLevel::debug : LogLevel::info, "control")
      .said(": ")
      .bare()
      .quoted("command", command)
      .write();
  if (command == "reload") {
    return reload_->request([reply = std::move(reply)](const Reload::Result& result) {
      reply({.done = result.done, .text = fmt::format("{}\n", fmt::join(result.lines, "\n"))});
    });
  }
  if (command == "status") return reply({.done = true, .text = status()});
  if (AdminService::is_api(command)) return admin_service_->obey_api(command, reply);
  if (config::is_drain_command(command))
    return drain_service_->obey(command, config(), std::move(reply));
  if (config::is_servers_command(command)) return servers_service_->obey(command, std::move(reply));
  if (command == "pools" || command == "pools --json")
    return reply({.done = true, .text = pools(command.ends_with("json"))});
  if (command == "metrics" || command == "metrics --openmetrics") {
    const bool is_open = command.ends_with("--openmetrics");
    return reply(
        {.done = true,
         .text = metrics(is_open ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus)});
  }
  if (command == "upgrade") {
    return request_upgrade([reply = std::move(reply)](const Upgrade::Result& result) {
      reply({.done = result.done, .text = fmt::format("{}\n", fmt::join(result.lines, "\n"))});
    });
  }
  if (command != "stop") return reply({.done = false, .text = "there is no such command\n"});
  if (upgrade_->successor() != 0)
    return reply({.done = false,
                  .text = fmt::format("pid {} serves now: ask again\n", upgrade_->successor())});
  reply({.done = true, .text = drain_->begun() ? "stopping already\n" : "stopping in order\n"});
  if (!drain_->begun()) signalled(SIGTERM);
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
  return metrics_text(
      {.shards = *shards_,
       .generation = *generation_,
       .reloads = reload_->counts(),
       .upgrades_failed = upgrade_->failures(),
       .admin_tokens_refused = admin_service_ ? admin_service_->tokens_refused() : 0,
       .limits = *limits_,
       .memory = memory_,
       .log = *log_writer_,
       .spans = *spans_,
       .exports = exporter_->counts(),
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
      .reopen_log = [this] { reopen_log("admin"); },
      .metrics = [this](MetricsFormat format) { return metrics(format); }});
  const config::AdminSettings& settings = config().admin;
  if (!settings.address || options_.test) return {};
  auto opened =
      AdminDoor::open(settings, sockets_.completed(settings.unix_file), sockets_.inherited(),
                      {.links = main_links_->resources(),
                       .records = main_links_->records(),
                       .tickets = tickets_,
                       .log = log_,
                       .service = *admin_service_});
  if (!opened) return std::unexpected("[admin] address: " + opened.error());
  admin_ = std::move(*opened);
  log_.info("admin listener on {}://{}", settings.tls ? "https" : "http", settings.address->text());
  return {};
}

}  // namespace gateway
