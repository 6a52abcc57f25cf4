// What the process has and needs, as metrics.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <limits>

#include "gateway/process/metrics_parts.hh"
#include "gateway/version.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

using Type = MetricsText::Type;

std::uint64_t descriptors_max() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::uint64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long in_all = 0, resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &in_all, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double share_of(double part, double all) {
  return all > 0 ? std::clamp(part / all, 0.0, 1.0) : 0.0;
}

void add_one(MetricsText& to, Type type, std::string_view name, std::string_view help, auto value) {
  to.begin(type, name, help);
  to.add({}, value);
}

// How near the gateway is to what it can do; the greatest of the shares is what an autoscaler goes
// by.
void add_utilisation(MetricsText& to, const MetricsFacts& facts) {
  const std::vector<double>& busy =
      facts.before.utilisation.look(facts.now, facts.shards.busy_seconds());
  const double shard = busy.empty() ? 0.0 : *std::ranges::max_element(busy);
  const auto connections = static_cast<double>(facts.limits.connections().value());
  const std::uint64_t configured = facts.generation.config.client_limits.connections;
  const std::uint64_t served = facts.descriptors.clients_max();
  const auto connections_max =
      static_cast<double>(configured > 0 ? std::min(configured, served) : served);
  const double memory =
      share_of(static_cast<double>(facts.memory.bytes()), static_cast<double>(facts.memory.most()));
  const double descriptors = share_of(static_cast<double>(uring::open_descriptors()),
                                      static_cast<double>(descriptors_max()));
  const double of_connections = share_of(connections, connections_max);
  to.begin(Type::kGauge, "gateway_shard_busy_ratio",
           "Share of a processor that a shard has used of late: 5 seconds, or since the last "
           "scrape.");
  for (std::size_t index = 0; index < busy.size(); ++index) {
    to.add(MetricLabels().add("shard", std::to_string(index)), busy[index]);
  }
  to.begin(Type::kGauge, "gateway_utilisation_part_ratio",
           "What is used of what there is: the busiest shard, memory, connections, descriptors.");
  to.add(MetricLabels().add("of", "shard"), shard);
  to.add(MetricLabels().add("of", "memory"), memory);
  to.add(MetricLabels().add("of", "connections"), of_connections);
  to.add(MetricLabels().add("of", "descriptors"), descriptors);
  add_one(to, Type::kGauge, "gateway_utilisation_ratio", "The greatest of these.",
          std::max({shard, memory, of_connections, descriptors}));
}

void add_memory(MetricsText& to, const uring::MemoryAccount& memory) {
  to.begin(Type::kGauge, "gateway_memory_bytes",
           "Memory that grows with clients, by what it is for.");
  for (std::size_t kind = 0; kind < uring::kMemoryKinds; ++kind) {
    to.add(MetricLabels().add("kind", uring::kMemoryKindNames[kind]),
           std::uint64_t{memory.bytes(static_cast<uring::MemoryKind>(kind))});
  }
  add_one(to, Type::kGauge, "gateway_memory_max_bytes", "How much of it there may be in all.",
          std::uint64_t{memory.most()});
}

void add_limits(MetricsText& to, limits::ClientLimits& limits, uring::Clock::time_point now) {
  to.begin(Type::kCounter, "gateway_refused",
           "Clients and requests that were not let in, by the limit that they met.");
  for (std::size_t index = 0; index < limits::kCauses; ++index) {
    const auto cause = static_cast<limits::Cause>(index);
    to.add(MetricLabels().add("cause", limits::name_of(cause)), limits.refused(cause));
  }
  add_one(to, Type::kCounter, "gateway_uncounted_clients",
          "Clients that were let in uncounted, since the table of addresses was full.",
          limits.unknown());
  add_one(to, Type::kGauge, "gateway_addresses", "Addresses that are known at the moment.",
          std::uint64_t{limits.addresses().in_use(now)});
  add_one(to, Type::kGauge, "gateway_addresses_max", "How many there may be.",
          std::uint64_t{limits.addresses().size()});
}

void add_configuration(MetricsText& to, const MetricsFacts& facts) {
  add_one(to, Type::kGauge, "gateway_config_generation",
          "The configuration that serves: 1 at the start, and one more with each change.",
          std::uint64_t{facts.generation.number});
  to.begin(Type::kCounter, "gateway_reloads", "Reloads, by what has come of them.");
  to.add(MetricLabels().add("result", "applied"), facts.reloads.applied);
  to.add(MetricLabels().add("result", "unchanged"), facts.reloads.unchanged);
  to.add(MetricLabels().add("result", "failed"), facts.reloads.failed);
  add_one(to, Type::kCounter, "gateway_upgrade_failures",
          "Upgrades of the binary that came to nothing.", facts.upgrades_failed);
  add_one(to, Type::kCounter, "gateway_admin_tokens_refused",
          "Requests of the admin listener that were refused since their token was wrong.",
          facts.admin_tokens_refused);
  to.begin(Type::kGauge, "gateway_certificate_expiry_timestamp_seconds",
           "The last second at which a certificate is valid, since 1970.");
  for (const CertificateEnds::One& one : facts.before.certificates.of(facts.generation)) {
    to.add(MetricLabels()
               .add("listener", one.listener)
               .add("index", std::to_string(one.index))
               .add("certificate", one.name),
           static_cast<double>(one.ends));
  }
}

void add_spans(MetricsText& to, const MetricsFacts& facts) {
  add_one(to, Type::kCounter, "gateway_spans_exported", "Spans that the collector has taken.",
          facts.exports.exported);
  to.begin(
      Type::kCounter, "gateway_spans_dropped",
      "Spans that no collector has: there was no room for them, none took them, or it rejected "
      "them.");
  to.add(MetricLabels().add("cause", "queue"), facts.spans.dropped() + facts.log.dropped_spans());
  to.add(MetricLabels().add("cause", "collector"), facts.exports.given_up);
  to.add(MetricLabels().add("cause", "rejected"), facts.exports.rejected);
  add_one(to, Type::kGauge, "gateway_spans_waiting", "Spans that wait to be exported.",
          facts.spans.size() + facts.exports.under_way);
  add_one(to, Type::kCounter, "gateway_span_export_failures",
          "Times that the collector did not take what it was sent.", facts.exports.failures);
}

}  // namespace

void add_process(MetricsText& to, const MetricsFacts& facts) {
  to.begin(Type::kInfo, "gateway_build", "1, and what this binary was made of.");
  to.add(MetricLabels()
             .add("version", kVersion)
             .add("wolfssl", kWolfsslVersion)
             .add("liburing", kLiburingVersion),
         std::uint64_t{1});
  add_utilisation(to, facts);
  add_memory(to, facts.memory);
  add_limits(to, facts.limits, facts.now);
  add_configuration(to, facts);
  add_one(
      to, Type::kCounter, "gateway_log_lines_dropped",
      "Lines that are in no log: they came faster than written, or a disk or a daemon took none.",
      facts.log.dropped());
  add_spans(to, facts);
  add_one(to, Type::kGauge, "process_open_fds", "Descriptors that are open.",
          std::uint64_t{uring::open_descriptors()});
  add_one(to, Type::kGauge, "process_max_fds", "How many may be.", descriptors_max());
  add_one(to, Type::kGauge, "process_resident_memory_bytes", "Memory that the process has.",
          resident_bytes());
  add_one(to, Type::kCounter, "process_cpu_seconds", "Processor time of all threads.",
          processor_seconds());
  add_one(to, Type::kGauge, "process_start_time_seconds",
          "When the process began, in seconds since 1970.", facts.start_time);
}

}  // namespace gateway
