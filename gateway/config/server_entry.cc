#include "gateway/config/server_entry.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/config/names.hh"
#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

// Of services, whose weights go to 65,535.
constexpr std::uint32_t kServiceWeightMax = 100;

std::string ip_of(const Address& address) {
  std::string text = address.text();
  text.resize(text.rfind(':'));
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  return text;
}

Address with_port(Address address, std::uint16_t port) {
  // sin_port and sin6_port lie at the same place.
  reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  return address;
}

// RFC 2782: "_Service._Proto.Name".
bool is_service_name(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 253;
  constexpr std::size_t kLabelBytesMax = 63;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (name.size() > kNameBytesMax || !name.starts_with('_')) return false;
  if (name.find("._") == name.npos) return false;
  while (true) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > kLabelBytesMax || !std::ranges::all_of(label, fits))
      return false;
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

std::expected<ServerEntry, std::string> service_from(const std::string& text) {
  const std::string name = text.substr(kServiceScheme.size());
  if (!is_service_name(name)) {
    return std::unexpected(fmt::format(
        "'{}' must be the name of a service (SRV), such as \"srv:_app._tcp.example.com\"", text));
  }
  return ServerEntry{.server = {.text = text}, .question = Question{name, true}};
}

// Of one entry's services: the greatest weight becomes no more than kServiceWeightMax.
std::uint32_t weight_of(const Target& target, std::uint32_t greatest) {
  if (greatest == 0) return 1;
  const std::uint32_t most = std::min(greatest, kServiceWeightMax);
  return std::max<std::uint32_t>(1, target.weight * most / greatest);
}

bool is_pair(const std::vector<Address>& addresses) {
  return addresses.size() == 2 && addresses[0].family() != addresses[1].family();
}

const Server* find(const std::vector<Server>& servers, const std::string& text) {
  const auto found = std::ranges::find(servers, text, &Server::text);
  return found == servers.end() ? nullptr : &*found;
}

std::string own_text(const Server& form, const Address& address) {
  return form.text + "/" + ip_of(address);
}

// Of a host's addresses those at which it is one server, as it was before or is at first.
std::vector<Address> shared(const Server& form, const std::vector<Address>& all,
                            const std::vector<Server>& before) {
  const bool has_own = std::ranges::any_of(all, [&](const Address& address) {
    return find(before, own_text(form, address)) != nullptr;
  });
  if (!has_own && is_pair(all)) return all;
  const Server* const known = find(before, form.text);
  // What was one for another reason is not any more.
  if (known == nullptr || (known->addresses.size() != 1 && !is_pair(known->addresses))) return {};
  std::vector<Address> kept;
  std::ranges::copy_if(all, std::back_inserter(kept), [&](const Address& address) {
    return std::ranges::find(known->addresses, address) != known->addresses.end();
  });
  return kept;
}

// The servers at a host's addresses.
void add_servers(const Server& form, const std::vector<Address>& addresses, std::uint16_t port,
                 bool is_one, const std::vector<Server>& before, std::vector<Server>& servers) {
  std::vector<Address> all;
  for (const Address& address : addresses) all.push_back(with_port(address, port));
  if (all.empty()) return;
  const std::vector<Address> at = is_one ? all : shared(form, all, before);
  if (!at.empty()) {
    servers.push_back(form);
    servers.back().addresses = in_dialling_order(at);
  }
  for (const Address& address : all) {
    if (std::ranges::find(at, address) != at.end()) continue;
    servers.push_back(form);
    servers.back().text = own_text(form, address);
    servers.back().addresses = {address};
  }
}

// This machine stays where it is.
void settle_local(ServerEntry& entry) {
  std::vector<Server> servers;
  add_servers(entry.server, entry.found.targets.at(0).addresses, entry.port, true, {}, servers);
  entry.server = servers.at(0);
  entry.question.reset();
}

}  // namespace

std::expected<ServerEntry, std::string> entry_from(const std::string& text,
                                                   const std::filesystem::path& folder) {
  if (text.starts_with(kServiceScheme)) return service_from(text);
  if (text.starts_with(kUnixScheme)) {
    const std::string path = text.substr(kUnixScheme.size());
    const auto address = unix_address(path.empty() ? path : path_from(folder, path).string());
    if (!address) return std::unexpected(fmt::format("'{}' {}", text, address.error()));
    return ServerEntry{.server = {.text = address->text(), .host = {}, .addresses = {*address}}};
  }
  const auto where = split_host_port(text);
  if (!where) {
    const bool asks_for_tls = text.starts_with("https://") || text.starts_with("wss://");
    return std::unexpected(
        fmt::format("'{}' {}{}", text, where.error(),
                    asks_for_tls ? ", and add a table [pool.NAME.tls] for TLS to the server" : ""));
  }
  if (const auto literal = literal_address(*where))
    return ServerEntry{.server = {.text = text, .host = where->host, .addresses = {*literal}}};
  if (!is_host(where->host) || where->host.starts_with('*'))
    return std::unexpected(
        fmt::format("'{}' must be a host and a port, such as \"127.0.0.1:9001\"", text));
  return ServerEntry{.server = {.text = text, .host = where->host},
                     .question = Question{where->host},
                     .port = where->port};
}

std::string unresolved(const ServerEntry& entry, std::string_view why) {
  return fmt::format("'{}' cannot be resolved: {}", entry.question ? entry.question->name : "",
                     why);
}

std::expected<void, std::string> resolve_entry(ServerEntry& entry, const Resolve& resolve,
                                               const ResolverSettings& settings) {
  if (!entry.question) return {};
  auto found = resolve(*entry.question, settings);
  if (!found) return std::unexpected(unresolved(entry, found.error()));
  entry.found = *std::move(found);
  if (!entry.question->is_service && is_local(entry.question->name)) settle_local(entry);
  return {};
}

std::string nameless(std::string_view tls, std::string_view server) {
  return fmt::format(
      "{} needs 'name', such as name = \"app.internal\": a Unix socket, '{}', has no "
      "name that a certificate could hold",
      tls, server);
}

std::expected<void, std::string> fits(const ServerEntry& entry, const Pool& pool) {
  if (!entry.server.text.starts_with(kUnixScheme)) return {};
  if (pool.tls && pool.tls->verify && pool.tls->name.empty())
    return std::unexpected(nameless("[pool." + pool.name + ".tls]", entry.server.text));
  if (pool.health.check && pool.health.check->port != 0)
    return std::unexpected(
        fmt::format("'port' in [pool.{}.health] needs servers with a port: '{}' "
                    "is a Unix socket",
                    pool.name, entry.server.text));
  return {};
}

bool is_same_entry(const ServerEntry& one, const ServerEntry& other) {
  Server without = one.server;
  without.addresses = other.server.addresses;
  return without == other.server && one.is_one == other.is_one &&
         std::ranges::is_permutation(one.server.addresses, other.server.addresses);
}

ServerEntry with_settings(ServerEntry told, const std::vector<ServerEntry>& configured) {
  for (const ServerEntry& known : configured) {
    if (known.server.text != told.server.text) continue;
    ServerEntry entry = known;
    entry.server.weight = told.server.weight;
    return entry;
  }
  return told;
}

std::vector<Server> servers_of(const ServerEntry& entry, const Found& found,
                               const std::vector<Server>& before) {
  if (!entry.question) return {entry.server};
  std::vector<Server> servers;
  if (!entry.question->is_service) {
    for (const Target& target : found.targets)
      add_servers(entry.server, target.addresses, entry.port, entry.is_one, before, servers);
    return servers;
  }
  std::uint16_t first = 65535;
  std::uint32_t greatest = 0;
  for (const Target& target : found.targets) {
    if (target.addresses.empty()) continue;
    first = std::min(first, target.priority);
    greatest = std::max<std::uint32_t>(greatest, target.weight);
  }
  for (const Target& target : found.targets) {
    Server form = entry.server;
    form.text = fmt::format("{}:{}", target.host, target.port);
    form.host = target.host;
    form.weight = std::min(kWeightMax, entry.server.weight * weight_of(target, greatest));
    form.backup = entry.server.backup || target.priority > first;
    add_servers(form, target.addresses, target.port, entry.is_one, before, servers);
  }
  return servers;
}

std::vector<Server> servers_of(const std::vector<ServerEntry>& entries) {
  std::vector<Server> servers;
  for (const ServerEntry& entry : entries) {
    for (Server& server : servers_of(entry, entry.found)) {
      const bool is_known = std::ranges::find(servers, server.text, &Server::text) != servers.end();
      if (!is_known && servers.size() < kServersMax) servers.push_back(std::move(server));
    }
  }
  return servers;
}

}  // namespace gateway::config
