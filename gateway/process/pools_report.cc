#include "gateway/process/pools_report.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace gateway {
namespace {

struct Row {
  std::string pool;
  std::string server;
  std::string state;
  std::optional<std::uint32_t> weight;  // none: nobody comes there
  bool backup = false;
  std::size_t requests = 0;
  std::size_t websockets = 0;
  std::string_view from;
  std::vector<std::string> addresses;
};

std::string_view name_of(ServerLists::Origin origin) {
  switch (origin) {
    case ServerLists::Origin::kControl:
      return "control";
    case ServerLists::Origin::kDns:
      return "dns";
    case ServerLists::Origin::kFile:
      break;
  }
  return "file";
}

void count(const ServerState& state, Row& row) {
  row.websockets = state.count_websockets();
  const std::size_t all = state.count();
  row.requests = all > row.websockets ? all - row.websockets : 0;
}

std::vector<Row> rows_of(const PoolsFacts& facts, const std::string& pool) {
  std::vector<Row> rows;
  for (const config::Server& server : facts.lists.servers_of(pool)) {
    const auto state = facts.drains.state_of(pool, server.text);
    Row row{.pool = pool,
            .server = server.text,
            .state = state->draining() ? "draining" : state->health.word(),
            .weight = server.weight,
            .backup = server.backup,
            .from = name_of(facts.lists.origin_of(pool, server.text))};
    for (const config::Address& address : server.addresses) row.addresses.push_back(address.text());
    count(*state, row);
    rows.push_back(std::move(row));
  }
  // Which nobody new comes to.
  facts.lists.for_each_gone(pool, [&](const std::string& server, const ServerState& state) {
    Row row{.pool = pool, .server = server, .state = "removed", .from = "-"};
    count(state, row);
    rows.push_back(std::move(row));
  });
  return rows;
}

std::string json_text(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') json += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      json += fmt::format("\\u{:04x}", byte);
    } else {
      json += c;
    }
  }
  return json + '"';
}

std::string json_of(const Row& row) {
  std::string addresses;
  for (const std::string& address : row.addresses)
    addresses += (addresses.empty() ? "" : ", ") + json_text(address);
  return fmt::format(
      "{{\"server\": {}, \"state\": {}, \"weight\": {}, \"backup\": {}, \"requests\": {}, "
      "\"websockets\": {}, \"from\": {}, \"addresses\": [{}]}}",
      json_text(row.server), json_text(row.state), row.weight.value_or(0), row.backup, row.requests,
      row.websockets, json_text(row.from), addresses);
}

using Cells = std::array<std::string, 7>;

Cells cells_of(const Row& row) {
  return {row.pool,
          row.server,
          row.state + (row.backup ? ",backup" : ""),
          row.weight ? fmt::to_string(*row.weight) : "-",
          fmt::to_string(row.requests),
          fmt::to_string(row.websockets),
          std::string(row.from)};
}

}  // namespace

std::string pools_text(const PoolsFacts& facts) {
  std::vector<Cells> lines = {
      {"POOL", "SERVER", "STATE", "WEIGHT", "REQUESTS", "WEBSOCKETS", "FROM"}};
  for (const config::Pool& pool : facts.config.pools) {
    if (!facts.lists.has(pool.name)) continue;
    for (const Row& row : rows_of(facts, pool.name)) lines.push_back(cells_of(row));
  }
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& line : lines) {
    for (std::size_t at = 0; at < line.size(); ++at)
      widths[at] = std::max(widths[at], line[at].size());
  }
  std::string text;
  for (const Cells& line : lines) {
    for (std::size_t at = 0; at + 1 < line.size(); ++at)
      text += fmt::format("{:<{}}  ", line[at], widths[at]);
    text += line.back() + "\n";
  }
  return text;
}

std::string pools_json(const PoolsFacts& facts) {
  std::string pools;
  for (const config::Pool& pool : facts.config.pools) {
    if (!facts.lists.has(pool.name)) continue;
    std::string servers;
    for (const Row& row : rows_of(facts, pool.name))
      servers += (servers.empty() ? "\n    " : ",\n    ") + json_of(row);
    pools += fmt::format("{}\n  {{\"name\": {}, \"servers\": [{}]}}", pools.empty() ? "" : ",",
                         json_text(pool.name), servers);
  }
  return fmt::format("{{\"pools\": [{}]}}\n", pools);
}

}  // namespace gateway
