#include "tools/load/engine/preflight.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>

#include "tools/load/cpu_time.hh"
#include "uring/probe.hh"

namespace load {
namespace {

// A thread's ring, bells and signals, and what the process has open anyway.
constexpr std::size_t kDescriptorsPerThread = 8;
constexpr std::size_t kDescriptorsBesides = 32;
// What a connection takes, with the kernel's part of it.
constexpr std::uint64_t kBytesPlain = 12 * 1024;
constexpr std::uint64_t kBytesSecure = 24 * 1024;

using Verdict = std::expected<void, std::string>;

Verdict check_descriptors(const Plan& plan) {
  const std::size_t needed = most_connections(plan) + kDescriptorsBesides +
                             kDescriptorsPerThread * std::max<std::size_t>(plan.threads, 1);
  const std::size_t limit = uring::raise_descriptor_limit();
  if (needed <= limit) return {};
  return std::unexpected("--connections: " + std::to_string(most_connections(plan)) + " take " +
                         std::to_string(needed) + " descriptors, and " + std::to_string(limit) +
                         " are allowed: raise ulimit -n (LimitNOFILE=), " + "or open fewer");
}

// Each pair of a source and a target's address has all ports once.
Verdict check_ports(const Plan& plan) {
  std::map<std::string, double> weights;
  double sum = 0;
  for (const Target& target : plan.targets) {
    sum += target.weight;
    if (target.socket_path.empty()) weights[to_text(target.address)] += target.weight;
  }
  const std::size_t ports = local_ports();
  const std::size_t sources = std::max<std::size_t>(plan.sources.size(), 1);
  for (const auto& [address, weight] : weights) {
    const double wanted = static_cast<double>(most_connections(plan)) * weight / sum;
    const auto connections = static_cast<std::size_t>(wanted);
    if (connections <= ports * sources) continue;
    const std::size_t needed = (connections + ports - 1) / ports;
    return std::unexpected("--connections: " + std::to_string(connections) + " to " + address +
                           " from " + std::to_string(sources) + " address(es) with " +
                           std::to_string(ports) + " ports each: give " + std::to_string(needed) +
                           " addresses (--source), or widen net.ipv4.ip_local_port_range");
  }
  return {};
}

// How long a port whose connection we have ended first cannot be used for the same target again.
double time_wait_seconds(const Target& target) {
  std::ifstream file("/proc/sys/net/ipv4/tcp_tw_reuse");
  int reuse = 0;
  if (!(file >> reuse)) return 60;
  const std::string address = to_text(target.address);
  const bool loopback = address.starts_with("127.") || address.starts_with("[::1]");
  return reuse == 1 || (reuse == 2 && loopback) ? 1 : 60;
}

// WebSocket servers end the connection first (RFC 6455 section 7.1.1), so the ports are theirs.
Verdict check_time_wait(const Plan& plan) {
  double weights = 0;
  for (const Target& target : plan.targets) weights += target.weight;
  for (const Target& target : plan.targets) {
    if (target.websocket || !target.socket_path.empty()) continue;
    const double waits = time_wait_seconds(target);
    const double needed = plan.churn.per_second * target.weight / weights * waits;
    const std::size_t sources = std::max<std::size_t>(plan.sources.size(), 1);
    const auto ports = static_cast<double>(local_ports() * sources);
    if (needed <= ports) continue;
    const auto addresses = static_cast<std::size_t>(std::ceil(needed / ports)) * sources;
    return std::unexpected(
        "--churn: so many connections a second keep " + std::to_string(std::llround(needed)) +
        " ports of " + std::to_string(std::llround(ports)) + " in TIME_WAIT: give " +
        std::to_string(addresses) + " addresses (--source), or set net.ipv4.tcp_tw_reuse to 1");
  }
  return {};
}

// That they are this machine's.
Verdict check_sources(const Plan& plan) {
  for (const tools::Address& source : plan.sources) {
    const int descriptor = socket(source.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool bound = descriptor >= 0 && bind(descriptor, source.get(), source.size) == 0;
    const int error = errno;
    if (descriptor >= 0) close(descriptor);
    if (!bound) {
      return std::unexpected("--source: " + to_text(source) + ": " + std::strerror(error));
    }
  }
  return {};
}

Verdict check_watched(const Plan& plan) {
  for (const pid_t process : plan.watched) {
    const auto time = cpu_time_of(process);
    if (!time) return std::unexpected("--pid: " + time.error());
  }
  return {};
}

Verdict check_memory(const Plan& plan) {
  const bool secure = std::ranges::any_of(plan.targets, &Target::secure);
  const std::uint64_t needed = most_connections(plan) * (secure ? kBytesSecure : kBytesPlain);
  const std::uint64_t available = available_bytes();
  if (needed <= available) return {};
  return std::unexpected("--connections: " + std::to_string(most_connections(plan)) + " take " +
                         std::to_string(needed >> 20) + " MiB, and " +
                         std::to_string(available >> 20) + " MiB are available: open fewer");
}

}  // namespace

std::size_t most_connections(const Plan& plan) {
  std::size_t most = plan.connections;
  for (const PhasePlan& phase : plan.phases) {
    const std::size_t all =
        std::accumulate(phase.bad.begin(), phase.bad.end(), phase.connections);
    most = std::max(most, all);
  }
  return most;
}

std::size_t local_ports() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::size_t first = 0;
  std::size_t last = 0;
  if (!(file >> first >> last) || last < first) return 28'232;
  return last - first + 1;
}

std::uint64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("MemAvailable:")) {
      return std::strtoull(line.c_str() + 13, nullptr, 10) * 1024;
    }
  }
  return ~std::uint64_t{0};
}

Verdict preflight(const Plan& plan) {
  for (const auto check : {check_descriptors, check_ports, check_time_wait, check_memory,
                           check_sources, check_watched}) {
    if (const Verdict verdict = check(plan); !verdict) return verdict;
  }
  return {};
}

}  // namespace load
