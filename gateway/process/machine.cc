#include "gateway/process/machine.hh"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr std::size_t kDescriptorsUsual = 4096;

struct PortRange {
  unsigned first;
  unsigned last;

  std::size_t count() const { return last - first + 1; }
};

// Of a server's addresses the others are for when the first one fails.
std::size_t addresses_in(const config::Pool& pool) {
  std::set<std::string> addresses;
  for (const config::Server& server : pool.servers)
    addresses.insert(server.addresses.front().text());
  return addresses.size();
}

// A connection to a Unix socket takes no port.
bool takes_ports(const config::Pool& pool) {
  return std::ranges::none_of(pool.servers, [](const config::Server& server) {
    return server.addresses.front().is_unix();
  });
}

std::string about_descriptors(const Needs& needs) {
  return fmt::format(
      "only {} open files are allowed, two for each client: at most {} clients at a time; raise "
      "the limit with 'ulimit -n' or LimitNOFILE=",
      needs.descriptors, needs.clients_max);
}

std::string about_backlog(int allowed, int wanted) {
  return fmt::format(
      "net.core.somaxconn = {} lets only so many clients wait to be accepted at a listening "
      "socket, where {} are asked for; run 'sysctl net.core.somaxconn={}' as root",
      allowed, wanted, wanted);
}

// Connections to an address of a server need a port each, of each address that they come from.
std::size_t ports_of(const config::Pool& pool, std::size_t ports) {
  return addresses_in(pool) * ports * std::max<std::size_t>(1, pool.sources.size());
}

std::string about_ports(const PortRange& ports, const config::Pool& pool, const Needs& needs) {
  const std::size_t addresses = addresses_in(pool);
  return fmt::format(
      "net.ipv4.ip_local_port_range = {} {} is {} connections to each address of a server: pool {} "
      "with {} can have {}, fewer than the {} clients that there are open files for; run 'sysctl "
      "net.ipv4.ip_local_port_range=\"1024 65535\"' as root, or name more servers, or more "
      "addresses "
      "in 'source' of that pool",
      ports.first, ports.last, ports.count(), pool.name,
      addresses == 1 ? "one" : fmt::to_string(addresses), ports_of(pool, ports.count()),
      needs.clients_max);
}

// The pool that runs out of ports first, if any does.
const config::Pool* first_without_ports(const config::Config& config, std::size_t ports,
                                        std::size_t clients_max) {
  const config::Pool* found = nullptr;
  for (const config::Pool& pool : config.pools) {
    const bool runs_out = takes_ports(pool) && ports_of(pool, ports) < clients_max;
    if (runs_out && (found == nullptr || ports_of(pool, 1) < ports_of(*found, 1))) found = &pool;
  }
  return found;
}

// Root may, and makes them at the start; who comes later may not.
std::optional<std::string> about_rings(const config::Account& account,
                                       const uring::RingPermission& permission) {
  if (permission.disabled != 1) return std::nullopt;
  if (permission.group &&
      std::ranges::find(account.groups, *permission.group) != account.groups.end())
    return std::nullopt;
  return fmt::format(
      "kernel.io_uring_disabled = 1 lets the user '{}' make no rings: only root can start this "
      "gateway, and an upgrade of it will be refused; run 'sysctl kernel.io_uring_group={}' as "
      "root",
      account.user, account.gid);
}

// Nothing: connections may come from it.
std::optional<std::string> about_source(const config::Pool& pool, const config::Address& source) {
  const int probe = socket(source.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return std::nullopt;
  const int error = bind(probe, source.get(), source.length) == 0 ? 0 : errno;
  close(probe);
  if (error == 0 || error == EADDRINUSE) return std::nullopt;
  const std::string text = source.text();  // with a port that says nothing
  return fmt::format(
      "pool {} cannot be reached from its source {}: {}; give the machine that address ('ip "
      "address add'), or take it out of 'source'",
      pool.name, text.substr(0, text.rfind(':')), strerrordesc_np(error));
}

// What another kernel, or a container, may not have is not judged.
std::optional<int> read_somaxconn(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/sys/net/core/somaxconn");
  int value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::optional<PortRange> read_port_range(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/sys/net/ipv4/ip_local_port_range");
  PortRange range{};
  if (file >> range.first >> range.last && range.first <= range.last) return range;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> look_at_machine(const Needs& needs, const config::Config& config,
                                         const std::filesystem::path& root) {
  std::vector<std::string> found;
  if (needs.descriptors < kDescriptorsUsual) found.push_back(about_descriptors(needs));
  if (const auto allowed = read_somaxconn(root); allowed && *allowed < needs.backlog)
    found.push_back(about_backlog(*allowed, needs.backlog));
  if (const auto ports = read_port_range(root)) {
    const config::Pool* const pool = first_without_ports(config, ports->count(), needs.clients_max);
    if (pool != nullptr) found.push_back(about_ports(*ports, *pool, needs));
  }
  for (const config::Pool& pool : config.pools) {
    for (const config::Address& source : pool.sources) {
      if (auto fault = about_source(pool, source)) found.push_back(*std::move(fault));
    }
  }
  if (config.account) {
    if (auto rings = about_rings(*config.account, uring::ring_permission(root)))
      found.push_back(*std::move(rings));
  }
  return found;
}

}  // namespace gateway
