// [pool.NAME]: servers, and the connections to them.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/names.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

constexpr size_t kKeptConnectionsMax = 65536;

std::string read_name(TableReader& table) {
  const auto text = table.text("name");
  if (!text) return {};
  const bool usable =
      is_host(text->value) && !text->value.starts_with("*") && !text->value.starts_with('[');
  if (!usable && !literal_address({text->value, 1}))
    table.report().add(text->place, fmt::format("'{}' must be a host name as in the servers' "
                                                "certificate, such as \"app.internal\"",
                                                text->value));
  return text->value;
}

void read_cas(TableReader& table, const std::filesystem::path& folder, PemFiles& pems,
              PoolTls& tls) {
  const auto text = table.text("ca");
  if (!text) {
    if (!tls.verify || table.has("ca")) return;
    if (const auto loaded = load_system_ca(pems, tls); !loaded)
      table.report().add(table.place(), loaded.error());
    return;
  }
  tls.ca_path = path_from(folder, text->value).string();
  LoadedCa loaded = load_ca(pems, tls.ca_path, kFromFolderOfFile);
  for (const std::string& fault : loaded.faults) table.report().add(text->place, fault);
  for (const std::string& warning : loaded.warnings) table.report().warn(text->place, warning);
  tls.ca = std::move(loaded.text);
}

void read_tls(TableReader& table, const std::filesystem::path& folder, PemFiles& pems, Pool& pool) {
  PoolTls tls;
  tls.place = table.place();
  tls.name = read_name(table);
  table.boolean("verify", tls.verify);
  read_cas(table, folder, pems, tls);
  const auto nameless = std::find_if(pool.servers.begin(), pool.servers.end(),
                                     [](const Server& server) { return server.host.empty(); });
  if (tls.verify && !table.has("name") && nameless != pool.servers.end())
    table.report().add(tls.place,
                       fmt::format("{} needs 'name', such as name = \"app.internal\": a Unix "
                                   "socket, '{}', has no name that a certificate could hold",
                                   table.label(), nameless->text));
  pool.tls = std::move(tls);
}

void read_servers(TableReader& table, const std::filesystem::path& folder, const Resolve& resolve,
                  Pool& pool) {
  Report& report = table.report();
  const size_t errors_before = report.count();
  for (const Text& text : table.texts("servers", "[\"127.0.0.1:9001\"]")) {
    auto server = server_from(text.value, folder, resolve);
    const auto same = [&](const Server& other) { return other.text == server->text; };
    if (!server) {
      report.add(text.place, server.error());
    } else if (std::any_of(pool.servers.begin(), pool.servers.end(), same)) {
      report.add(text.place, fmt::format("server '{}' is in this pool already", text.value));
    } else {
      pool.servers.push_back(*std::move(server));
    }
  }
  if (pool.servers.empty() && report.count() == errors_before)
    report.add(table.place(), fmt::format("{} needs 'servers', such as servers = "
                                          "[\"127.0.0.1:9001\"]",
                                          table.label()));
}

}  // namespace

std::expected<Server, std::string> server_from(const std::string& text,
                                               const std::filesystem::path& folder,
                                               const Resolve& resolve) {
  if (text.starts_with(kUnixScheme)) {
    const std::string path = text.substr(kUnixScheme.size());
    const auto address = unix_address(path.empty() ? path : path_from(folder, path).string());
    if (!address) return std::unexpected(fmt::format("'{}' {}", text, address.error()));
    return Server{address->text(), "", {*address}};
  }
  const auto where = split_host_port(text);
  if (!where) {
    const bool asks_for_tls = text.starts_with("https://") || text.starts_with("wss://");
    return std::unexpected(
        fmt::format("'{}' {}{}", text, where.error(),
                    asks_for_tls ? ", and add a table [pool.NAME.tls] for TLS to the server" : ""));
  }
  if (const auto literal = literal_address(*where)) return Server{text, where->host, {*literal}};
  if (!is_host(where->host) || where->host.starts_with('*'))
    return std::unexpected(
        fmt::format("'{}' must be a host and a port, such as \"127.0.0.1:9001\"", text));
  auto addresses = resolve(*where);
  if (!addresses)
    return std::unexpected(
        fmt::format("'{}' cannot be resolved: {}", where->host, addresses.error()));
  return Server{text, where->host, *std::move(addresses)};
}

void read_pools(TableReader& file, const std::filesystem::path& folder, const Resolve& resolve,
                PemFiles& pems, Config& config) {
  file.named("pool", [&](const Text& name, TableReader& table) {
    if (!is_name(name.value))
      table.report().add(name.place,
                         fmt::format("'{}' must be a name of letters, digits and -_.", name.value));
    Pool pool{name.value, {}};
    read_servers(table, folder, resolve, pool);
    if (const auto balance = table.choice("balance", kBalanceNames))
      pool.balance = static_cast<Balance>(*balance);
    table.duration_or_off("keep_alive_idle", pool.keep_alive.idle);
    table.duration("keep_alive_age", pool.keep_alive.age);
    table.count("keep_alive_connections", kKeptConnectionsMax, pool.keep_alive.count);
    const bool is_unix =
        !pool.servers.empty() &&
        std::ranges::all_of(pool.servers, [](const Server& server) { return server.host.empty(); });
    read_tcp_options(table, is_unix, pool.tcp);
    table.inner("tls", [&](TableReader& tls) { read_tls(tls, folder, pems, pool); });
    config.pools.push_back(std::move(pool));
  });
}

}  // namespace gateway::config
