// [pool.NAME]: how its servers are asked, and the connections to them.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/names.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/server_entry.hh"

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
  const auto nameless_server =
      std::find_if(pool.servers.begin(), pool.servers.end(),
                   [](const Server& server) { return server.host.empty(); });
  if (tls.verify && !table.has("name") && nameless_server != pool.servers.end())
    table.report().add(tls.place, nameless(table.label(), nameless_server->text));
  pool.tls = std::move(tls);
}

}  // namespace

void read_pools(TableReader& file, const std::filesystem::path& folder, const Resolve& resolve,
                PemFiles& pems, Config& config) {
  file.named("pool", [&](const Text& name, TableReader& table) {
    if (!is_name(name.value))
      table.report().add(name.place,
                         fmt::format("'{}' must be a name of letters, digits and -_.", name.value));
    Pool pool;
    pool.name = name.value;
    read_servers(table, folder, resolve, config.resolver, pool);
    read_balance(table, pool.balance);
    table.duration_or_off("keep_alive_idle", pool.keep_alive.idle);
    table.duration("keep_alive_age", pool.keep_alive.age);
    table.count("keep_alive_connections", kKeptConnectionsMax, pool.keep_alive.count);
    const bool is_unix =
        !pool.servers.empty() &&
        std::ranges::all_of(pool.servers, [](const Server& server) { return server.host.empty(); });
    read_tcp_options(table, is_unix, pool.tcp);
    read_pool_edges(table, pool);
    read_care(table, pool.health);
    table.inner("tls", [&](TableReader& tls) { read_tls(tls, folder, pems, pool); });
    read_care_tables(table, pool);
    config.pools.push_back(std::move(pool));
  });
}

}  // namespace gateway::config
