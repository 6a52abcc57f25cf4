#include "gateway/process/process.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "gateway/config/reader.hh"
#include "gateway/config/units.hh"
#include "gateway/process/machine.hh"
#include "gateway/process/memory_limit.hh"
#include "gateway/process/pid_file.hh"
#include "gateway/process/privileges.hh"
#include "gateway/process/system_call_filter.hh"
#include "proto/tls/library.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

// What the end itself may take, behind a drain.
constexpr std::chrono::seconds kEndTime{10};
// What each shard may have on the smallest machine: thrice what it holds before anybody comes.
constexpr std::size_t kShardBytesLeast = 6 * 1024 * 1024;
constexpr auto kSignals = {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

}  // namespace

std::expected<std::unique_ptr<Process>, std::string> Process::create(const Options& options,
                                                                     config::SharedGeneration first,
                                                                     Loader::Read read,
                                                                     config::FilesRead files,
                                                                     Lineage lineage) {
  // Before signals are blocked: they end a start that waits for a disk.
  const config::LogSettings& settings = first->config.log;
  const LogTargets targets = options.test ? LogTargets{} : settings.targets;
  auto writer = [&] {
    // The file is to be theirs who will open it again.
    const config::ActingAs acting(first->config.account);
    return LogWriter::start(targets, settings.level, settings.buffer_bytes);
  }();
  if (!writer) return std::unexpected(writer.error());
  if (!options.test) {
    const config::ActingAs acting(first->config.account);
    if (auto keys = (*writer)->start_keys(settings.tls_keys); !keys)
      return std::unexpected(std::move(keys.error()));
  }
  std::unique_ptr<Process> process(
      new Process(options, std::move(first), std::move(*writer), std::move(lineage)));
  if (auto done = process->set_up(std::move(read)); !done) return std::unexpected(done.error());
  if (process->watch_) process->watch_->note_loaded(files, true);
  return process;
}

Process::Process(const Options& options, config::SharedGeneration first,
                 std::unique_ptr<LogWriter> writer, Lineage lineage)
    : options_(options),
      lineage_(std::move(lineage)),
      manager_(options.test ? ServiceManager() : ServiceManager::from_environment()),
      generation_(std::move(first)),
      shard_count_(options.shards ? *options.shards : config::shard_count(config())),
      signals_awaited_(options.test ? uring::set_of_signals(kSignals)
                                    : uring::block_signals(kSignals)),
      log_writer_(std::move(writer)),
      last_words_(*log_writer_),
      log_(log_writer_->open("main")),
      descriptors_(shard_count_),
      balance_(shard_count_),
      start_time_(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                      .count()) {}

std::expected<void, std::string> Process::set_up(Loader::Read read) {
  if (auto warm = tls::warm_up(); !warm) return std::unexpected(warm.error());
  if (config().account) sockets_.give_files_to(*config().account);
  if (!options_.test) {
    const std::size_t left = lineage_.handover ? lineage_.handover->left() : 0;
    sockets_.inherit(InheritedSockets::from_environment(left));
  }
  auto listening = options_.test ? sockets_.reserve(config().listeners, shard_count_)
                                 : sockets_.open(config().listeners, shard_count_);
  if (!listening) return listening;
  auto kernel = make_kernel(options_.receive);
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = std::move(*kernel);
  std::array<std::byte, 32> seed;
  kernel_->fill_random(seed);
  limits_ = std::make_unique<limits::ClientLimits>(config().client_limits.addresses, seed);
  loop_.emplace(*kernel_);
  auto main_links = MainLinks::create(*loop_, memory_);
  if (!main_links) return std::unexpected(std::move(main_links.error()));
  main_links_ = std::move(*main_links);
  signals_.emplace(*loop_, signals_awaited_, static_cast<uring::SignalListener&>(*this));
  if (const int error = signals_->error(); error != 0)
    return std::unexpected(uring::explain_ring_error(error));
  drain_.emplace(*loop_, log_, static_cast<Drained&>(*this));
  closing_watch_.emplace(*loop_, log_);
  staple_watch_.emplace(*loop_, log_);
  server_drains_.emplace(
      registry_, log_, shard_count_, [this](const Order& order) { shards_->tell(order); },
      [this](const config::Pool& pool) -> const std::vector<config::Server>& {
        return server_lists_->servers_of(pool.name);
      });
  drain_service_.emplace(*server_drains_, *closing_watch_);
  if (auto made = make_server_lists(); !made) return made;
  if (auto made = make_exporter(); !made) return made;
  bell_.emplace(*loop_, static_cast<uring::BellOwner&>(*this));
  const int error = bell_->open();
  if (error != 0) return std::unexpected(uring::explain_ring_error(error));
  reports_.emplace(*bell_, shard_count_ * kReportsMax);
  auto shards = Shards::create(
      shard_count_, options_.receive,
      {.tickets = tickets_,
       .registry = registry_,
       .passwords = passwords_,
       .descriptors = descriptors_,
       .limits = *limits_,
       .balance = balance_,
       .memory = memory_,
       .memory_usual_bytes = std::max(without_reserve(memory_of_process(memory_of_machine())),
                                      shard_count_ * kShardBytesLeast),
       .log = *log_writer_,
       .reports = *reports_,
       .sockets = sockets_});
  if (!shards) return std::unexpected(std::move(shards.error()));
  shards_ = std::move(*shards);
  memory_at_start_ = memory_.bytes();
  if (auto suffices = check_memory(config()); !suffices) return suffices;
  watchdog_.emplace(*loop_, manager_, [this](auto& answers) { return shards_->ask(answers); });
  if (auto control = open_control(); !control) return control;
  if (auto admin = open_admin(); !admin) return admin;
  if (options_.watch)
    watch_.emplace(
        *loop_, log_,
        Watch::Reloads{.request = [this] { reload_for_watch(); },
                       .is_to_read = [this] { return watch_waits_ || reload_->is_to_read(); }});
  for (const std::string& unused : sockets_.close_unused()) log_.warning("{}", unused);
  share_descriptors();
  reload_.emplace(
      Reload::Parts{.serving = generation_,
                    .sockets = sockets_,
                    .shards = *shards_,
                    .descriptors = descriptors_,
                    .log_writer = *log_writer_,
                    .log = log_,
                    .manager = manager_,
                    .orphans = *orphans_closing_,
                    .lists = *server_lists_,
                    .check = [this](const auto& config) { return check_memory(config); },
                    .on_loaded = [this](const auto& loaded) { note_loaded(loaded); },
                    .on_serving = [this] { note_serving(); }},
      std::move(read), *loop_, *bell_);
  upgrade_.emplace(*loop_, log_, lineage_.spawner.get(), lineage_.why_no_spawner,
                   static_cast<Succeeded&>(*this));
  if (auto written = write_pid_file(); !written || options_.test) return written;
  return give_up_rights();
}

void Process::note_serving() {
  admin_service_->note_generation();
  if (admin_) admin_->go_by_settings();
  export_by_settings();
}

void Process::note_loaded(const Loader::Loaded& loaded) {
  if (watch_) watch_->note_loaded(loaded.files, loaded.config.has_value());
}

std::expected<void, std::string> Process::write_pid_file() {
  if (config().pid_file.empty()) return {};
  // A predecessor's stays until this process serves instead.
  if (options_.test || lineage_.handover) return PidFile::check(config().pid_file);
  auto written = PidFile::write(config().pid_file, config().account);
  if (!written) return std::unexpected(std::move(written.error()));
  pid_file_ = std::move(*written);
  return {};
}

// What shards hold before they let anybody in has to be less than what makes memory scarce.
std::expected<void, std::string> Process::check_memory(const config::Config& config) const {
  const std::size_t most = config.client_limits.memory_bytes_max;
  const std::size_t needed = memory_at_start_ * 2;
  if (most == 0 || most >= needed) return {};
  return std::unexpected(
      fmt::format("[limits] memory_max: {} is too little for {} shards, which hold {} before they "
                  "let anybody in: write at least \"{}MiB\"",
                  config::print_size(most), shard_count_, config::print_size(memory_at_start_),
                  needed / (1024 * 1024) + 1));
}

std::expected<void, std::string> Process::open_control() {
  const std::string& path = config().control.socket;
  if (path.empty() || options_.test) return {};
  auto opened = Control::open(
      path, sockets_.completed({.mode = 0600}), sockets_.inherited(), *loop_,
      [this](std::string_view command, Control::Reply reply) { obey(command, std::move(reply)); });
  if (!opened) return std::unexpected("[control] socket: " + opened.error());
  control_ = std::move(*opened);
  return {};
}

// What comes later needs none: all is open, and all threads are there.
std::expected<void, std::string> Process::give_up_rights() {
  if (lineage_.spawner) {
    if (auto dropped = lineage_.spawner->drop_privileges(config().account); !dropped)
      return dropped;
  }
  if (auto dropped = drop_privileges(config().account); !dropped) return dropped;
  if (!config().filters_system_calls) return {};
  return filter_system_calls();
}

std::vector<std::string> Process::look_at_machine() const {
  return gateway::look_at_machine({.descriptors = uring::raise_descriptor_limit(),
                                   .clients_max = descriptors_.clients_max(),
                                   .backlog = ListeningAddress::kBacklog},
                                  config());
}

// All that the process needs of its own is open by now.
void Process::share_descriptors() {
  // One is for the collector of spans.
  const std::size_t guests = (admin_ ? admin::Server::kClientsMax : 0) + 1;
  descriptors_.set_capacity(uring::raise_descriptor_limit(), uring::open_descriptors() + guests,
                            sockets_.count());
}

int Process::run() {
  if (lineage_.handover) {
    if (auto ready = lineage_.handover->report_ready(sockets_.inherited().taken()); !ready) {
      log_.error("{}", ready.error());
      return 1;
    }
  }
  kernel_->enable();
  metrics_memory_.utilisation.begin(kernel_->now());
  log_writer_->set_span_tap(spans_);
  export_by_settings();
  shards_->run(generation_, std::exchange(first_servers_, {}));
  log_start();
  signals_->start();
  bell_->start();
  admin_service_->start();
  server_lists_->start();
  exporter_->start();
  staple_watch_->follow(*generation_);
  if (lineage_.handover) {
    lineage_.handover->report_serving(*loop_, [this] { take_over(); });
  } else {
    if (control_) control_->start();
    if (admin_) admin_->start();
    servers_service_->save();
    if (watch_) watch_->start();
    watchdog_->start();
    manager_.ready("serving");
  }
  loop_->run();
  shards_->join();
  log_traffic();
  pid_file_.reset();
  log_.info("stopped");
  if (reload_->loads()) leave_the_load_behind(drain_->exit_status());
  return drain_->exit_status();
}

// It may wait for a disk or a name server for as long as it likes: nobody needs what it reads.
void Process::leave_the_load_behind(int status) {
  log_writer_->flush();
  std::_Exit(status);
}

void Process::signalled(int signal) {
  if (signal == SIGUSR1) return reopen_log("SIGUSR1");
  if (signal == SIGHUP) return reload_->request();
  if (signal == SIGUSR2) return request_upgrade();
  stop(signal);
}

void Process::stop(int signal) {
  const std::string name = std::string("SIG") + sigabbrev_np(signal);
  const bool repeated = std::exchange(told_to_stop_, true);
  if (const pid_t successor = upgrade_->successor(); successor != 0 && signal != SIGINT) {
    // A service manager tells all, and whoever is left once more when the successor has ended.
    // Where that has ended without being told to, the next start waits for this process.
    const bool lives = kill(successor, 0) == 0 || errno == EPERM;
    if (lives && !repeated) {
      return log_.info("{}: draining already, since pid {} serves; a second one ends it at once",
                       name, successor);
    }
    if (!lives && repeated) {
      return log_.info("{}: draining already, though pid {} has ended, too; SIGINT ends it at once",
                       name, successor);
    }
  }
  // Who asks a second time has no more patience.
  const bool at_once = signal == SIGINT || drain_->begun();
  log_.info("{}: stopping {}", name, at_once ? "at once" : "in order");
  if (!drain_->begun()) {
    upgrade_->abandon();
    if (std::exchange(upgrade_waits_, false)) upgrade_->refuse("the gateway is stopping", {});
    reload_->refuse("the gateway is stopping");
    server_drains_->refuse();
    servers_service_->refuse("the gateway is stopping");
    server_lists_->refuse();
    if (watch_) watch_->rest();
    manager_.stopping(name + ": stopping", config().drain.hard_stop + kEndTime);
    drain_->begin(config().drain);
  }
  if (at_once) drain_->hurry();
}

void Process::announce() {
  shards_->tell(AnnounceOrder{});
}

void Process::close_doors(const ClosingPlan& websockets) {
  closing_watch_->stop();
  sockets_.refuse_new_but({});
  shards_->tell(StopOrder{{websockets, shard_count_}, handed_over_});
}

UnderWay Process::remaining() const {
  UnderWay all;
  shards_->for_each([&](const Shard& shard) { all += shard.under_way().now(); });
  return all;
}

WebSocketTotals Process::websockets() const {
  WebSocketTotals all;
  shards_->for_each([&](const Shard& shard) { all.add(shard.websockets()); });
  return all;
}

void Process::rung() {
  for (const Report& report : reports_->take()) {
    if (report.kind == Report::Kind::kDrained) ++drained_;
    if (report.kind == Report::Kind::kAdopted) reload_->note_adopted(report);
    if (report.kind == Report::Kind::kServersTaken) server_lists_->reported(report);
    if (report.kind == Report::Kind::kCarriedOut) server_drains_->reported(report);
    if (report.kind == Report::Kind::kLooked) admin_service_->reported();
    if (report.kind != Report::Kind::kEnded) continue;
    drain_->add(report.stopped);
    ++ended_;
  }
  reload_->look();
  staple_watch_->follow(*generation_);
  begin_waiting_upgrade();
  if (drained_ == shard_count_) sockets_.close_all_but({});
  if (ended_ < shard_count_ || !winding_up_.done()) return;
  drain_->finish();
  winding_up_ = wind_up();
  winding_up_.start();
}

uring::Task<> Process::wind_up() {
  watchdog_->stop();
  staple_watch_->stop();
  co_await upgrade_->stop();
  co_await resolver_->stop();
  co_await export_the_last();
  if (lineage_.handover) co_await lineage_.handover->stop();
  if (control_) co_await control_->stop();
  admin_service_->stop();
  if (admin_) co_await admin_->stop();
  if (watch_) co_await watch_->stop();
  co_await signals_->stop();
  co_await bell_->stop();
  loop_->stop();
}

}  // namespace gateway
