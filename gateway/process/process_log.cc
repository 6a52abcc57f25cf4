// What the process says in the log of its start and its end, and where the log goes.
#include <fmt/format.h>

#include <map>
#include <numeric>

#include "gateway/log/file.hh"
#include "gateway/log/line.hh"
#include "gateway/process/process.hh"
#include "gateway/version.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

std::string told_of_reopening(const LogTargets& targets) {
  const bool is_path = is_log_path(targets.file);
  const bool has_access_path = targets.has_apart() && is_log_path(targets.access_file);
  if (is_path && has_access_path)
    return fmt::format("opening the log files {} and {} again", targets.file, targets.access_file);
  if (is_path || has_access_path)
    return fmt::format("opening the log file {} again",
                       is_path ? targets.file : targets.access_file);
  return fmt::format("the log goes to {}, so there is no file to open again", targets.file);
}

// As text_of_ended() has it.
void log_ended(const Log& log, const WebSocketTotals& all) {
  LogLine line(log, LogLevel::info, "ended");
  line.number("websockets", std::accumulate(all.ended.begin(), all.ended.end(), std::uint64_t{0}));
  for (std::size_t reason = 0; reason < kReasons; ++reason) {
    if (all.ended[reason] > 0)
      line.number(policy_of(static_cast<Reason>(reason)).word, all.ended[reason]);
  }
  line.write();
}

}  // namespace

void Process::log_start() {
  log_.info("gateway {}, wolfSSL {}, liburing {}", kVersion, kWolfsslVersion, kLiburingVersion);
  for (const std::string& warning : config().warnings) log_.warning("{}", warning);
  for (const std::string& warning : look_at_machine()) log_.warning("{}", warning);
  if (!kLibrariesLack.empty()) log_.warning("these libraries lack {}", kLibrariesLack);
  LogLine(log_, LogLevel::info, "shards")
      .said("=")
      .bare()
      .number("shards", shard_count_)
      .word("receive", kernel_->receive_byte_cap() ? "multishot" : "oneshot")
      .number("open_files_max", uring::raise_descriptor_limit())
      .word("config", config().file)
      .write();
  for (const config::Listener& listener : config().listeners) {
    log_.info("listening on {}://{}", listener.tls ? "https" : "http", listener.address.text());
  }
  for (const config::Route& route : config().routes) {
    const std::string_view to = route.answer ? "(answer)"
                                : route.redirect
                                    ? "(redirect)"
                                    : std::string_view(config().pools[route.pool].name);
    LogLine(log_, LogLevel::info, "route")
        .said(" ")
        .bare()
        .word("route", route.name)
        .word("path", route.path)
        .word("pool", to)
        .write();
  }
  log_.info("ready");
}

// Of all shards, whatever has served anybody.
void Process::log_traffic() {
  for (const Subject subject : {Subject::kListener, Subject::kRoute, Subject::kServer}) {
    std::map<std::string, TrafficTotals> all;
    shards_->for_each([&](const Shard& shard) {
      shard.counters().for_each(subject, [&](const std::string& name, const Traffic& traffic) {
        all[name].add(traffic);
      });
    });
    for (const auto& [name, totals] : all) {
      if (totals.requests + totals.websockets == 0) continue;
      const auto& answered = totals.answered;
      LogLine line(log_, LogLevel::info, "served");
      line.quoted(name_of(subject), name).number("requests", totals.requests);
      constexpr std::array<std::string_view, 5> kClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};
      for (std::size_t index = 0; index < kClasses.size(); ++index) {
        line.number(kClasses[index], answered[index + 1]);
      }
      line.number("unanswered", answered[0])
          .number("websockets", totals.websockets)
          .number("from_client_bytes", totals.from_client_bytes)
          .number("to_client_bytes", totals.to_client_bytes)
          .write();
    }
  }
  const WebSocketTotals all = websockets();
  if (all.opened > 0) log_ended(log_, all);
}

// `by`: who has asked for it.
void Process::reopen_log(std::string_view by) {
  const LogTargets& targets = config().log.targets;
  log_writer_->reopen_keys(config().log.tls_keys);
  log_.info("{}: {}", by, told_of_reopening(targets));
  if (is_log_path(targets.file) || (targets.has_apart() && is_log_path(targets.access_file)))
    log_writer_->reopen(targets);
}

}  // namespace gateway
