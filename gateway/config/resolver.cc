// [resolver], and what names stand for.
#include "gateway/config/resolver.hh"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/sections.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kServersAskedMax = 4;
constexpr std::size_t kTriesMax = 5;
constexpr std::chrono::milliseconds kTimeoutMin{100};
constexpr std::chrono::milliseconds kTimeoutMax{10'000};
constexpr std::chrono::milliseconds kTtlLeast{100};
constexpr std::chrono::milliseconds kTtlMost = std::chrono::hours(24);

bool has_interface(const Address& address) {
  return address.family() == AF_INET6 &&
         reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_scope_id != 0;
}

// An IP address, with a port or without one.
std::expected<Address, std::string> name_server_from(const std::string& text) {
  const bool is_bare = literal_address({text, kDnsPort}).has_value();
  const auto where = is_bare ? HostPort{text, kDnsPort} : split_host_port(text);
  const auto address = where ? literal_address(*where) : std::nullopt;
  if (!address || has_interface(*address)) {
    return std::unexpected(
        fmt::format("'{}' must be the IP address of a name server, such as \"10.0.0.2\" or "
                    "\"[2001:db8::2]:5353\"",
                    text));
  }
  return *address;
}

void read_name_servers(TableReader& table, ResolverSettings& resolver) {
  Report& report = table.report();
  const auto texts = table.texts("servers", "[\"10.0.0.2\", \"10.0.0.3:5353\"]");
  for (const Text& text : texts) {
    auto server = name_server_from(text.value);
    if (!server) {
      report.add(text.place, server.error());
    } else if (std::ranges::find(resolver.servers, *server) != resolver.servers.end()) {
      report.add(text.place, fmt::format("'{}' is among 'servers' already", text.value));
    } else {
      resolver.servers.push_back(*server);
    }
  }
  if (texts.size() > kServersAskedMax)
    report.add(table.place("servers"), fmt::format("'servers' must be {} at the most, not {}",
                                                   kServersAskedMax, texts.size()));
}

std::vector<Address> in_order_of(const std::vector<Address>& before, std::vector<Address> now) {
  std::vector<Address> ordered;
  for (const Address& address : before) {
    if (std::erase(now, address) > 0) ordered.push_back(address);
  }
  for (const Address& address : now) {
    if (std::ranges::find(ordered, address) == ordered.end()) ordered.push_back(address);
  }
  return ordered;
}

bool is_same_target(const Target& one, const Target& other) {
  return one.host == other.host && one.port == other.port;
}

void add_known(const Target& before, int family, Target& now) {
  for (const Address& address : before.addresses) {
    if (address.family() == family) now.addresses.push_back(address);
  }
}

bool means_the_same(const Target& one, const Target& other) {
  return is_same_target(one, other) && one.priority == other.priority &&
         one.weight == other.weight && std::ranges::is_permutation(one.addresses, other.addresses);
}

}  // namespace

Found merge(const Found& before, Found now) {
  Found merged{.ttl = now.ttl};
  const auto take = [&](Target target, const Target* known) {
    if (known != nullptr) {
      if (target.ipv4_unknown) add_known(*known, AF_INET, target);
      if (target.ipv6_unknown) add_known(*known, AF_INET6, target);
    }
    target.addresses =
        in_order_of(known != nullptr ? known->addresses : std::vector<Address>{}, target.addresses);
    target.ipv4_unknown = target.ipv6_unknown = false;
    if (!target.addresses.empty()) merged.targets.push_back(std::move(target));
  };
  for (const Target& known : before.targets) {
    const auto same = [&](const Target& target) { return is_same_target(target, known); };
    const auto found = std::ranges::find_if(now.targets, same);
    if (found == now.targets.end()) continue;
    take(std::move(*found), &known);
    now.targets.erase(found);
  }
  for (Target& target : now.targets) take(std::move(target), nullptr);
  return merged;
}

bool means_the_same(const Found& one, const Found& other) {
  return std::ranges::is_permutation(
      one.targets, other.targets,
      [](const Target& a, const Target& b) { return means_the_same(a, b); });
}

bool is_local(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

std::expected<Found, std::string> Resolve::operator()(const Question& question,
                                                      const ResolverSettings& settings) const {
  const bool by_system =
      !question.is_service && (settings.servers.empty() || is_local(question.name) || !by_dns_);
  if (by_system) {
    auto addresses = by_system_({question.name, 1});
    if (!addresses) return std::unexpected(std::move(addresses.error()));
    return Found{{{.host = question.name, .addresses = *std::move(addresses)}}};
  }
  if (!by_dns_) return std::unexpected("there is nobody to ask for services");
  return by_dns_(question, settings);
}

void read_resolver(TableReader& file, ResolverSettings& resolver) {
  file.inner("resolver", [&](TableReader& table) {
    if (table.has("servers")) read_name_servers(table, resolver);
    table.duration("timeout", kTimeoutMin, kTimeoutMax, resolver.timeout);
    table.count("tries", kTriesMax, resolver.tries);
    table.duration("ttl_min", kTtlLeast, kTtlMost, resolver.ttl_min);
    table.duration("ttl_max", kTtlLeast, kTtlMost, resolver.ttl_max);
    if (resolver.ttl_max < resolver.ttl_min)
      table.report().add(
          table.place("ttl_max"),
          fmt::format("'ttl_max' must be no less than 'ttl_min', {}, not {}",
                      print_duration(resolver.ttl_min), print_duration(resolver.ttl_max)));
  });
}

}  // namespace gateway::config
