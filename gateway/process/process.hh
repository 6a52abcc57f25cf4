// The whole gateway as the main thread sees it: it makes what the shards need, starts them, turns
// signals into messages, and waits for their end.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "gateway/config/generation.hh"
#include "gateway/log/last_words.hh"
#include "gateway/log/writer.hh"
#include "gateway/options.hh"
#include "gateway/process/admin_door.hh"
#include "gateway/process/admin_service.hh"
#include "gateway/process/closing_watch.hh"
#include "gateway/process/control.hh"
#include "gateway/process/drain.hh"
#include "gateway/process/drain_service.hh"
#include "gateway/process/lineage.hh"
#include "gateway/process/listening.hh"
#include "gateway/process/main_links.hh"
#include "gateway/process/metrics_report.hh"
#include "gateway/process/orphans_closing.hh"
#include "gateway/process/pid_file.hh"
#include "gateway/process/reload.hh"
#include "gateway/process/server_drains.hh"
#include "gateway/process/server_lists.hh"
#include "gateway/process/servers_service.hh"
#include "gateway/process/service_manager.hh"
#include "gateway/process/shards.hh"
#include "gateway/process/staple_watch.hh"
#include "gateway/process/upgrade.hh"
#include "gateway/process/watch.hh"
#include "gateway/process/watchdog.hh"
#include "gateway/tracing/exporter.hh"
#include "proto/tls/ticket_keys.hh"
#include "uring/io_uring_kernel.hh"
#include "uring/signals.hh"

namespace gateway {

class Process final : private uring::SignalListener,
                      private uring::BellOwner,
                      private Drained,
                      private Succeeded {
 public:
  // `read` reads the configuration again, for a reload, on a thread of its own. `files` are those
  // that `first` was read from.
  // Everything that can fail at start fails here, with what is wrong and the cure. A check
  // (Options::test) makes all of it, threads that wait included, but its sockets are bound nowhere
  // and there is no file of the log: what it gives is not to be run.
  static std::expected<std::unique_ptr<Process>, std::string> create(const Options& options,
                                                                     config::SharedGeneration first,
                                                                     Loader::Read read,
                                                                     config::FilesRead files = {},
                                                                     Lineage lineage = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // What may not suffice on this machine, a sentence each.
  std::vector<std::string> look_at_machine() const;

  // Serves until SIGTERM or SIGQUIT (in order), or SIGINT or a second one (at once), or until a
  // successor does (SIGUSR2). SIGHUP reloads the configuration. Gives the exit status: 0, or
  // Drain::kHasCut if requests or WebSockets were cut.
  int run();

 private:
  Process(const Options& options, config::SharedGeneration first, std::unique_ptr<LogWriter> writer,
          Lineage lineage);
  const config::Config& config() const { return generation_->config; }
  std::expected<void, std::string> set_up(Loader::Read read);
  std::expected<void, std::string> open_control();
  std::expected<void, std::string> open_admin();
  std::expected<void, std::string> check_memory(const config::Config& config) const;
  std::expected<void, std::string> make_server_lists();
  std::expected<void, std::string> write_pid_file();
  std::expected<void, std::string> give_up_rights();
  void share_descriptors();
  void log_start();
  void log_traffic();
  [[noreturn]] void leave_the_load_behind(int status);
  void signalled(int signal) override;
  void stop(int signal);
  void request_upgrade(Upgrade::Answer answer = {});
  void take_over();
  void begin_waiting_upgrade();
  void begin_to_be_main();
  std::vector<Socket> sockets() const override;
  void announce(pid_t successor) override;
  void withdraw() override;
  void hand_over(pid_t successor, const std::vector<config::Address>& addresses) override;
  void obey(std::string_view command, Control::Reply reply);
  std::string_view state() const;
  std::string status() const;
  std::string pools(bool as_json) const;
  std::string metrics(MetricsFormat format);
  void reopen_log(std::string_view by);
  std::expected<void, std::string> make_exporter();
  void export_by_settings();
  uring::Task<> export_the_last();
  void go_on();
  void reload_for_watch();
  void note_loaded(const Loader::Loaded& loaded);
  void note_serving();
  void rung() override;
  void announce() override;
  void close_doors(const ClosingPlan& websockets) override;
  void cut() override { shards_->tell(CutOrder{}); }
  UnderWay remaining() const override;
  WebSocketTotals websockets() const;
  uring::Task<> wind_up();

  Options options_;
  Lineage lineage_;
  ServiceManager manager_;
  config::SharedGeneration generation_;
  unsigned shard_count_;
  sigset_t signals_awaited_;  // and blocked, but in a check, which ends by them
  std::unique_ptr<LogWriter> log_writer_;
  LastWords last_words_;
  Log log_;
  tls::TicketKeys tickets_;
  Registry registry_;
  PasswordWorkers passwords_;
  DescriptorBudget descriptors_;
  AcceptBalance balance_;
  uring::MemoryAccount memory_;
  std::size_t memory_at_start_ = 0;               // what the shards have of it before anybody comes
  std::unique_ptr<limits::ClientLimits> limits_;  // once the kernel has given it its secret
  ListeningSockets sockets_;
  std::unique_ptr<uring::IoUringKernel> kernel_;
  std::optional<uring::Loop> loop_;
  std::unique_ptr<MainLinks> main_links_;
  std::optional<uring::Signals> signals_;
  std::optional<uring::Bell> bell_;
  std::optional<uring::Mailbox<Report>> reports_;
  std::optional<Watchdog> watchdog_;
  std::optional<Drain> drain_;
  std::optional<ClosingWatch> closing_watch_;
  std::optional<StapleWatch> staple_watch_;
  std::optional<ServerDrains> server_drains_;
  std::optional<DrainService> drain_service_;
  std::optional<names::Resolver> resolver_;
  std::optional<OrphansClosing> orphans_closing_;
  std::optional<ServerLists> server_lists_;
  std::optional<ServersService> servers_service_;
  std::vector<PoolServers> first_servers_;  // beside the configuration, until the shards run
  uring::Task<> winding_up_;
  const std::shared_ptr<tracing::SpanQueue> spans_ = std::make_shared<tracing::SpanQueue>();
  std::optional<tracing::Exporter> exporter_;
  std::unique_ptr<Shards> shards_;
  std::optional<Reload> reload_;
  std::unique_ptr<Control> control_;
  std::optional<AdminService> admin_service_;
  std::unique_ptr<AdminDoor> admin_;  // null: there is no such listener
  std::optional<Watch> watch_;
  std::unique_ptr<PidFile> pid_file_;
  std::optional<Upgrade> upgrade_;
  std::vector<config::Address> handed_over_;  // to the successor
  MetricsMemory metrics_memory_;              // of the last scrape
  const double start_time_;                   // seconds since 1970
  unsigned drained_ = 0;                      // shards that accept nobody any more
  unsigned ended_ = 0;
  bool told_to_stop_ = false;
  bool watch_waits_ = false;    // with a reload, for the end of an upgrade
  bool upgrade_waits_ = false;  // until this process has taken over itself
};

}  // namespace gateway
