#include "gateway/config/told_servers.hh"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>

#include "gateway/config/names.hh"
#include "gateway/config/servers_command.hh"

namespace gateway::config {
namespace {

using Fault = std::unexpected<std::string>;

std::string text_of(const ServerEntry& entry) {
  std::string text = weighted_text_of(entry) + (entry.is_one ? " one" : "") +
                     (entry.server.backup ? " backup" : "");
  if (!entry.server.zone.empty()) text += " zone " + entry.server.zone;
  if (entry.server.connections_max > 0)
    text += fmt::format(" connections_max {}", entry.server.connections_max);
  return text;
}

// Texts of one pool; no error names more than the place.
std::expected<ToldPool, std::string> pool_from(const toml::table& table) {
  const auto file = table["file"].value<std::string>();
  const toml::array* const servers = table["servers"].as_array();
  if (!file || servers == nullptr || table.size() != 2)
    return Fault("must have 'file', a string, and 'servers', a list");
  ToldPool pool{*file, {}};
  ServersWords words{.pool = "pool", .verb = "set", .servers = {}};
  for (const toml::node& node : *servers) {
    const auto text = node.value<std::string>();
    if (!text) return Fault("has a server that is no string");
    words.servers.push_back(*text);
  }
  auto command = servers_command(words, "/");
  if (!command) return Fault("is wrong: " + command.error());
  pool.servers = std::move(command->entries);
  return pool;
}

}  // namespace

std::string print_entries(const std::vector<ServerEntry>& entries) {
  std::string text;
  for (const ServerEntry& entry : entries) text += (text.empty() ? "" : ", ") + text_of(entry);
  return text;
}

std::string print_told_servers(const ToldServers& told) {
  toml::table pools;
  for (const auto& [name, pool] : told) {
    toml::array servers;
    for (const ServerEntry& entry : pool.servers) servers.push_back(weighted_text_of(entry));
    pools.insert(name, toml::table{{"file", pool.file}, {"servers", std::move(servers)}});
  }
  std::ostringstream text;
  text << "# What 'gateway servers' has set. The gateway writes this file, and reads it at a "
          "start.\n"
       << toml::table{{"pool", std::move(pools)}} << "\n";
  return text.str();
}

std::expected<ToldServers, std::string> told_servers_from(std::string_view text,
                                                          const std::string& file) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Fault(fmt::format("{}:{}:{}: syntax: {}", file, error.source().begin.line,
                             error.source().begin.column, error.description()));
  }
  ToldServers told;
  const toml::table* const pools = root["pool"].as_table();
  if (pools == nullptr || root.size() != 1)
    return Fault(fmt::format("{}: must have tables [pool.NAME] and nothing else", file));
  for (const auto& [name, node] : *pools) {
    const toml::table* const table = node.as_table();
    auto pool = table != nullptr && is_name(name.str()) ? pool_from(*table)
                                                        : Fault("is no table of a pool");
    if (!pool)
      return Fault(fmt::format("{}:{}: [pool.{}] {}", file, node.source().begin.line,
                               is_name(name.str()) ? name.str() : "?", pool.error()));
    told.emplace(name.str(), *std::move(pool));
  }
  return told;
}

}  // namespace gateway::config
