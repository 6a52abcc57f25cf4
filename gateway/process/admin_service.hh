// What the admin listener answers, and what it does: docs/admin.md. On the main thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/admin/service.hh"
#include "gateway/process/admin_facts.hh"
#include "gateway/process/control.hh"
#include "gateway/process/history.hh"
#include "gateway/process/metrics_text.hh"

namespace gateway {

class AdminService final : public admin::Service {
 public:
  // What it tells of and acts on; outlives it.
  struct Parts {
    uring::Loop& loop;
    const config::SharedGeneration& serving;
    Shards& shards;
    const ServerLists& lists;
    const ServerDrains& drains;
    const DescriptorBudget& descriptors;
    limits::ClientLimits& limits;
    const uring::MemoryAccount& memory;
    LogWriter& log_writer;
    Log log;
    std::function<std::string_view()> state;  // "serving"
    std::function<const Reload::Counts&()> reloads;
    // What `gateway COMMAND` does, in the words of the control socket.
    std::function<void(std::string_view command, Control::Reply reply)> obey;
    std::function<void()> reopen_log;
    std::function<std::string(MetricsFormat)> metrics;
  };

  explicit AdminService(Parts parts);
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // From here on there is a history.
  void start() { history_.start(); }
  void stop() { history_.stop(); }
  // Another generation serves; earlier ones are told of as long as somebody holds them.
  void note_generation();
  // A report of the kind kLooked.
  void reported() { looks_.reported(); }

  // "api METHOD TARGET [BODY]", from the control socket, whose clients may do all.
  void obey_api(std::string_view command, const Control::Reply& reply);
  static bool is_api(std::string_view command) { return command.starts_with("api "); }
  static bool is_look(std::string_view command) { return command.starts_with("api GET "); }

  const config::AdminSettings& settings() const override { return parts_.serving->config.admin; }
  void answer(admin::Request request, Done done) override;
  void note_wrong_token() override { ++tokens_refused_; }
  std::uint64_t tokens_refused() const { return tokens_refused_; }
  std::optional<admin::Feed> feed(const admin::Request& request) override;

 private:
  using Path = std::vector<std::string>;

  void look(admin::Request& request, const Done& done);
  void change(admin::Request& request, const Done& done);
  admin::Reply ready(admin::Request& request) const;
  admin::Reply metrics(std::string_view accept) const;
  std::optional<admin::Json> fact(const Path& path);
  void find_connections(admin::Request& request, const Done& done);
  void stream_connections(LiveQuery query, const Done& done);
  void show_connection(const std::string& id, const Done& done);
  void kick(const Path& path, admin::Json body, const Done& done);
  void capture(const Path& path, const admin::Json& body, const Done& done);
  void obey(std::string_view command, const Done& done);
  void drain(const Path& path, const admin::Json& body, const Done& done);
  void set_servers(const Path& path, const admin::Json& body, const Done& done);
  void set_level(const admin::Json& body, const Done& done);
  const config::Pool* pool_of(const std::string& name) const;
  AdminFacts facts() const;
  std::string snapshot();
  void look_for_top();
  admin::Json generations();

  Parts parts_;
  LiveLooks looks_;
  History history_;
  uring::Clock::time_point begun_;
  struct Serving {
    std::weak_ptr<const config::Generation> generation;
    double since;  // seconds since 1970
  };
  std::vector<Serving> generations_;  // that have served, the newest last
  std::vector<LiveRow> top_;          // of the last look
  bool looks_for_top_ = false;
  std::uint64_t tokens_refused_ = 0;
};

}  // namespace gateway
